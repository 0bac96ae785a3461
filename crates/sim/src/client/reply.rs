//! What a client is told.

use warren_broker::{ClientReply, Delivery, Message, decode_client_reply};
use warren_model::{Answer, Refusal, RefusalCode};

use super::{Ask, Request};
use crate::{
    invariants::{self, Violation},
    world::World,
};

impl World {
    pub(super) fn reply(&mut self, message: Message) {
        let delivery = Delivery { tag: 1, redelivered: false, routing_key: super::QUEUE.into(), message };
        let decoded = decode_client_reply(&delivery);
        let Ok((Some(correlation), reply)) = decoded else {
            return self.judge(Err(Violation::new("answers", format!("no client can read {decoded:?}"))));
        };
        let number = correlation.strip_prefix('r').and_then(|number| number.parse().ok()).unwrap_or(0);
        self.note(format_args!("client: r{number} is told {reply:?}"));
        let Some(request) = self.clients.requests.get(&number) else { return };
        let ask = request.ask.clone();
        match reply {
            ClientReply::Outcome { instance, status, outcome } => {
                let verdict = invariants::outcomes::told(self, &instance, status, &outcome);
                self.judge(verdict);
                if let Some(is_told) = self.clients.watched.get_mut(&instance) {
                    *is_told = true;
                }
                self.finish(number);
                self.may_purge(&instance);
            }
            // These clients have no store to read.
            ClientReply::Stored { .. } => self.finish(number),
            ClientReply::Awaited(_) => {
                unreachable!("only a heartbeat is answered so, and no client of these sends one")
            }
            ClientReply::Redispatched(_) => self.redispatched(number),
            ClientReply::Answer(answer) => self.accepted(number, answer),
            ClientReply::Refused(refusal) => self.refused(number, &ask, &refusal),
        }
    }

    fn accepted(&mut self, number: u64, answer: Answer) {
        let Some(request) = self.clients.requests.get_mut(&number) else { return };
        let is_start = matches!(request.ask, Ask::Start { .. });
        let before = request.accepted.get_or_insert_with(|| answer.clone()).clone();
        // A start is remembered by its instance, which goes on: its status may differ.
        let is_same = if is_start { before.instance == answer.instance } else { before == answer };
        if !is_same {
            let text = format!("r{number} was answered {before:?} and then {answer:?}");
            self.judge(Err(Violation::new("answers", text)));
        }
        if let Some(Request { ask: Ask::Raise { value, .. }, .. }) = self.clients.requests.get(&number) {
            self.ledger.accepted(*value);
        }
        self.finish(number);
    }

    fn refused(&mut self, number: u64, ask: &Ask, refusal: &Refusal) {
        match (refusal.code, ask) {
            (RefusalCode::Running, _) => {
                let text = format!("r{number} was refused, though its outcome was told: {}", refusal.message);
                self.judge(Err(Violation::new("answers", text)));
            }
            (RefusalCode::NotFound, _) if self.is_purged(ask) => self.finish(number),
            // Its start is late, or somebody must mend it first: ask again.
            (RefusalCode::NotFound | RefusalCode::Unreadable, _) => {}
            (RefusalCode::Gone | RefusalCode::Exists, _) => self.finish(number),
            (RefusalCode::Invalid | RefusalCode::TooLarge, _) => {
                let text = format!("r{number} was refused: {}", refusal.message);
                self.judge(Err(Violation::new("answers", text)));
            }
        }
    }

    /// The request is done; its thread goes on.
    pub(super) fn finish(&mut self, number: u64) {
        let Some(request) = self.clients.requests.get_mut(&number) else { return };
        if std::mem::replace(&mut request.is_done, true) {
            return;
        }
        if let Some(thread) = request.thread {
            self.plan_move(thread);
        }
    }
}
