//! What nobody can understand or take goes to the dead queue, with the reason.

use warren_broker::{Delivery, Envelope, Publication};
use warren_engine::Programs;
use warren_model::{AnswerWhen, Command, EventRaised, InstanceId, MessageId, Refusal, RefusalCode};
use warren_store::OutboxEntry;

use super::{Owner, batch::Work, gather::Gathered};

impl<P: Programs> Owner<P> {
    /// Sends a message that makes no sense to the dead queue and tells its sender, if that can be.
    pub(super) fn bury(&mut self, gathered: &mut Gathered, delivery: &Delivery, reason: String) {
        tracing::warn!(partition = %self.me, %reason, kind = ?delivery.message.kind, "message can't be understood, moved to the dead queue");
        self.counts.has_buried("malformed");
        gathered.dead.push(self.dead(delivery, &reason));
        if let Some(to) = self.codec.answer_to(delivery) {
            let refusal = Refusal { code: RefusalCode::Invalid, message: reason };
            gathered.answers.push(self.codec.answer(&to, &Err(refusal)));
        }
    }

    /// Returns the copy of a delivery for the dead queue.
    pub(super) fn dead(&self, delivery: &Delivery, reason: &str) -> Publication {
        self.codec.dead(delivery, reason, &self.codec.topology().control(self.me).name)
    }

    /// Moves an event that nobody takes to the dead queue, with the commit; `kind` is what its reason is counted as.
    pub(super) fn give_up(
        &mut self,
        instance: InstanceId,
        event: EventRaised,
        (kind, reason): (&'static str, String),
        work: &mut Work,
    ) {
        self.counts.has_buried(kind);
        tracing::warn!(partition = %self.me, %instance, event = %event.name, %reason, "event is given up, moved to the dead queue");
        let place = (work.commit.number, work.entries.len());
        work.tracked.push((place.1, self.dead_event(place, &instance, &event, &reason)));
        work.entries.push(OutboxEntry::Dead { instance, event, reason });
    }

    /// Returns the message for the dead queue that the event at this `place` (commit and entry) of the outbox is: a raise
    /// that can be sent again as it is. The same place gives the same message.
    pub(super) fn dead_event(
        &self,
        place: (u64, usize),
        instance: &InstanceId,
        event: &EventRaised,
        reason: &str,
    ) -> Publication {
        let id = MessageId::new(&format!("dead:{}:{}:{}", self.me, place.0, place.1));
        let (event, input) = (event.name.clone(), event.input.clone());
        let command = self.codec.command(&Envelope {
            id: id.expect("numbers and colons are short printable ASCII"),
            instance: instance.clone(),
            command: Command::Raise { event, input, keep_unseen: true },
            answer_to: None,
            when: AnswerWhen::Accepted,
            is_fresh: false,
        });
        let routing_key = self.codec.topology().control(self.me).name.into();
        self.dead(&Delivery { tag: 0, redelivered: false, routing_key, message: command.message }, reason)
    }
}
