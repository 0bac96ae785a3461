//! What a new owner does about messages that the one before may not have published (H4).

use std::collections::BTreeMap;

use warren_broker::Publication;
use warren_engine::{Programs, Sender, messages};
use warren_model::{Outgoing, TurnRecord};
use warren_store::{OutboxEntry, OutboxRow, OutboxTurn, TurnKey, TurnRow};

use super::{Effect, Owner, Ticket};

impl<P: Programs> Owner<P> {
    /// Asks for the turns of every unconfirmed batch.
    pub(super) fn recover(&mut self, rows: Vec<OutboxRow>, effects: &mut Vec<Effect>) {
        for row in &rows {
            self.outbox.enter(row.number, &row.entries);
        }
        self.reread(rows.into_iter().map(|row| (row.number, row.entries)).collect(), effects);
    }

    /// Asks for the turns of rows that are to be published again.
    pub(super) fn reread(&mut self, rows: Vec<(u64, Vec<OutboxEntry>)>, effects: &mut Vec<Effect>) {
        for (number, entries) in rows {
            let keys = entries.iter().filter_map(key_of).collect();
            effects.push(Effect::ReadTurns { number, keys });
            self.recovering.insert(number, entries);
        }
    }

    /// Rebuilds and publishes the messages of one unconfirmed batch.
    pub(super) fn recovered(&mut self, number: u64, rows: &[TurnRow], effects: &mut Vec<Effect>) {
        let Some(entries) = self.recovering.remove(&number) else { return };
        let turns: BTreeMap<&TurnKey, &TurnRow> = rows.iter().map(|row| (&row.key, row)).collect();
        let (mut tracked, mut unreadable) = (Vec::new(), Vec::new());
        for (at, entry) in entries.iter().enumerate() {
            let publications = match entry {
                OutboxEntry::Turn(turn) => self.rebuild(turn, &turns).unwrap_or_else(|why| {
                    tracing::error!(partition = %self.me, commit = number, %why, "messages can't be rebuilt, their row stays");
                    unreadable.push(entry.clone());
                    Vec::new()
                }),
                OutboxEntry::Message { sequence, message, .. } => {
                    let outgoing = Outgoing::ToPartition(message.clone());
                    self.codec.outgoing(&outgoing, self.me, Some((self.me, *sequence))).into_iter().collect()
                }
                OutboxEntry::Dead { instance, event, reason } => {
                    vec![self.dead_event((number, at), instance, event, reason)]
                }
                OutboxEntry::Over { .. } => Vec::new(),
            };
            tracked.extend(publications.into_iter().map(|publication| (at, publication)));
        }
        if !unreadable.is_empty() {
            self.outbox.set_aside(number, unreadable);
        }
        if tracked.is_empty() {
            return self.outbox.clear(number, &entries, self.now);
        }
        tracing::info!(partition = %self.me, commit = number, messages = tracked.len(), "publishing what may not have been published");
        let batch = self.outbox.add(number, entries, tracked);
        effects.push(Effect::Publish { ticket: Ticket::Commit(number), batch });
    }

    /// Returns what a turn sends, under the sequences and the limit that it had; or which row can't be read.
    fn rebuild(&self, turn: &OutboxTurn, rows: &BTreeMap<&TurnKey, &TurnRow>) -> Result<Vec<Publication>, String> {
        let key = TurnKey { instance: turn.instance.clone(), execution: turn.execution, turn: turn.turn };
        let row = rows.get(&key).ok_or_else(|| format!("{key}: is missing"))?;
        let record: TurnRecord = serde_json::from_str(&row.body).map_err(|error| format!("{key}: {error}"))?;
        let sender = Sender {
            instance: turn.instance.clone(),
            execution: turn.execution,
            parent: turn.parent.clone(),
            answer_to: turn.answer_to.clone(),
            trace: turn.traceparent.as_ref().and_then(|text| text.parse().ok()),
        };
        let mut sequences = turn.sequences.iter();
        let payload_max = turn.payload_max.unwrap_or(self.settings.limits.payload_bytes);
        let publications = messages(&sender, &record.events, payload_max).into_iter().filter_map(|mut message| {
            let is_sequenced = matches!(message, Outgoing::ToPartition(_));
            let sequence = if is_sequenced { sequences.next().map(|(_, number)| (self.me, *number)) } else { None };
            if turn.only_words && !is_sequenced {
                return None;
            }
            // Nobody begins it again that runs it, or may not.
            if self.task_notes.holds(&message) {
                return None;
            }
            self.task_notes.tell_progress(&mut message);
            // What is too large for its queue was failed by the turn.
            if self.codec.too_large(&message).is_some() {
                return None;
            }
            self.codec.outgoing(&message, self.me, sequence).ok()
        });
        Ok(publications.collect())
    }
}

fn key_of(entry: &OutboxEntry) -> Option<TurnKey> {
    match entry {
        OutboxEntry::Turn(turn) => {
            Some(TurnKey { instance: turn.instance.clone(), execution: turn.execution, turn: turn.turn })
        }
        OutboxEntry::Message { .. } | OutboxEntry::Dead { .. } | OutboxEntry::Over { .. } => None,
    }
}
