//! What a new owner does about messages that the one before may not have published (H4).

use std::collections::BTreeMap;

use warren_broker::{Delivery, Message, Publication};
use warren_engine::{Programs, Sender, messages};
use warren_model::{InboxMessage, Outgoing, TurnRecord};
use warren_store::{OutboxEntry, OutboxRow, OutboxTurn, PendingRow, TurnKey, TurnRow};

use super::{Effect, Owner, Ticket};

impl<P: Programs> Owner<P> {
    /// Asks for the turns of every unconfirmed batch.
    pub(super) fn recover(&mut self, rows: Vec<OutboxRow>, effects: &mut Vec<Effect>) {
        for row in rows {
            let keys = row.entries.iter().filter_map(key_of).collect();
            effects.push(Effect::ReadTurns { number: row.number, keys });
            self.recovering.insert(row.number, row.entries);
        }
    }

    /// Rebuilds and publishes the messages of one unconfirmed batch.
    pub(super) fn recovered(&mut self, number: u64, rows: &[TurnRow], effects: &mut Vec<Effect>) {
        let Some(entries) = self.recovering.remove(&number) else { return };
        let turns: BTreeMap<&TurnKey, &TurnRow> = rows.iter().map(|row| (&row.key, row)).collect();
        let mut tracked = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            let publications = match entry {
                OutboxEntry::Turn(turn) => self.rebuild(turn, &turns),
                OutboxEntry::Message { sequence, message, .. } => {
                    let outgoing = Outgoing::ToPartition(message.clone());
                    self.codec.outgoing(&outgoing, self.me, Some((self.me, *sequence))).into_iter().collect()
                }
            };
            tracked.extend(publications.into_iter().map(|publication| (at, publication)));
        }
        tracing::info!(partition = %self.me, commit = number, messages = tracked.len(), "publishing what may not have been published");
        if tracked.is_empty() {
            return self.outbox.clear(number, self.now);
        }
        let batch = self.outbox.add(number, entries, tracked);
        effects.push(Effect::Publish { ticket: Ticket::Commit(number), batch });
    }

    fn rebuild(&self, turn: &OutboxTurn, rows: &BTreeMap<&TurnKey, &TurnRow>) -> Vec<Publication> {
        let key = TurnKey { instance: turn.instance.clone(), execution: turn.execution, turn: turn.turn };
        let Some(record) = rows.get(&key).and_then(|row| serde_json::from_str::<TurnRecord>(&row.body).ok()) else {
            return Vec::new();
        };
        let sender = Sender {
            instance: turn.instance.clone(),
            execution: turn.execution,
            parent: turn.parent.clone(),
            answer_to: turn.answer_to.clone(),
        };
        let mut sequences = turn.sequences.iter();
        let outgoing = messages(&sender, &record.events, self.settings.limits.payload_bytes);
        let publications = outgoing.iter().filter_map(|message| {
            let is_sequenced = matches!(message, Outgoing::ToPartition(_));
            let sequence = if is_sequenced { sequences.next().map(|(_, number)| (self.me, *number)) } else { None };
            self.codec.outgoing(message, self.me, sequence).ok()
        });
        publications.collect()
    }

    /// Moves events that nobody has come for to the dead queue.
    pub(super) fn expired(&mut self, rows: Vec<PendingRow>, effects: &mut Vec<Effect>) {
        let queue = self.codec.topology().control(self.me).name;
        let mut dead = Vec::new();
        for row in rows {
            self.cache.remove(&row.instance);
            let InboxMessage::Raise(event) = row.message else { continue };
            let reason = format!("nobody has started instance {} before its event expired", row.instance);
            tracing::warn!(instance = %row.instance, event = %event.name, "event has expired, moved to the dead queue");
            let message = Message {
                kind: Some("raise".into()),
                body: event.input.as_str().as_bytes().into(),
                ..Message::default()
            };
            let routing_key = format!("raise.{}", event.name);
            let delivery = Delivery { tag: 0, redelivered: false, routing_key, message };
            dead.push(self.codec.dead(&delivery, &reason, &queue));
        }
        if !dead.is_empty() {
            let ticket = self.acks.dead_ticket();
            effects.push(Effect::Publish { ticket: Ticket::Dead(ticket), batch: dead.clone() });
            self.outbox.bury(ticket, dead);
        }
    }
}

fn key_of(entry: &OutboxEntry) -> Option<TurnKey> {
    match entry {
        OutboxEntry::Turn(turn) => {
            Some(TurnKey { instance: turn.instance.clone(), execution: turn.execution, turn: turn.turn })
        }
        OutboxEntry::Message { .. } => None,
    }
}
