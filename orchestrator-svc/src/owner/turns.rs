//! One turn of one instance, folded into the batch's commit.

use std::collections::BTreeSet;

use warren_engine::{Programs, Recorded, Turn, Verdict};
use warren_model::{Failure, InboxMessage, InstanceId, Outgoing, TaskEnded};
use warren_store::{OutboxEntry, OutboxTurn, PendingRow, TimerRow, TurnKey, TurnRow};

use super::{
    Owner,
    batch::{Fresh, Origin, Work, ended_by},
};

impl<P: Programs> Owner<P> {
    pub(super) fn turn(&mut self, id: &InstanceId, fresh: Vec<Fresh>, work: &mut Work) {
        let (messages, origins): (Vec<InboxMessage>, Vec<Origin>) =
            fresh.into_iter().map(|fresh| (fresh.message, fresh.origin)).unzip();
        let slot = self.cache.touch(id);
        let Some(live) = &mut slot.live else { return };
        let had_condition = live.instance.record.condition.is_some();
        let mut turn = live.turn(&slot.pending, &messages, self.now, &self.programs, &self.settings.limits);
        let record = live.instance.record.clone();
        if let Some(condition) = record.condition.as_ref().filter(|_| !had_condition) {
            tracing::warn!(
                partition = %self.me, instance = %id, orchestrator = %record.name, kind = ?condition.kind,
                reason = %condition.message, "instance can't go on and waits"
            );
        }
        self.keep_pending(id, &mut turn, &messages, &origins, work);
        self.keep_timers(id, &turn, record.execution, work);
        if let Some(recorded) = turn.recorded.take() {
            self.send_messages(id, &recorded, std::mem::take(&mut turn.messages), work);
            if let Some(outcome) = recorded.events.iter().rev().find_map(ended_by) {
                self.has_ended(id, outcome, work);
            }
            let key = TurnKey { instance: id.clone(), execution: recorded.execution, turn: recorded.turn };
            work.commit.turns.push(TurnRow { key, body: recorded.body });
        }
        if let Some(continued) = &turn.continued {
            work.entries.push(OutboxEntry::Over { instance: id.clone(), execution: continued.from });
        }
        self.write_row(id, record, work);
        let verdicts = turn.verdicts.split_off(turn.verdicts.len() - messages.len());
        for ((message, origin), verdict) in messages.iter().zip(origins).zip(verdicts) {
            let has_ended = verdict == Verdict::ENDED;
            self.answer(id, message, origin, has_ended, work);
        }
    }

    /// Keeps what was held and what the instance sends itself, and drops what was handled.
    fn keep_pending(
        &mut self,
        id: &InstanceId,
        turn: &mut Turn,
        messages: &[InboxMessage],
        origins: &[Origin],
        work: &mut Work,
    ) {
        let slot = self.cache.touch(id);
        let (number, before) = (work.commit.number, slot.pending.len());
        let mut changed = false;
        let mut at = 0;
        let held_from = work.held_from.get(id).copied().unwrap_or(u64::MAX);
        let mut unwritten = BTreeSet::new();
        let positions = std::mem::take(&mut slot.positions);
        slot.pending.retain(|_| {
            at += 1;
            turn.verdicts[at - 1] == Verdict::Held
        });
        for (position, verdict) in positions.into_iter().zip(&turn.verdicts) {
            if *verdict == Verdict::Held {
                slot.positions.push(position);
            } else if position < held_from {
                work.commit.pending_done.push((id.clone(), position));
                changed = true;
            } else {
                unwritten.insert(position);
            }
        }
        if !unwritten.is_empty() {
            work.commit.pending.retain(|row| row.instance != *id || !unwritten.contains(&row.position));
        }
        let held = messages.iter().zip(&turn.verdicts[before..]).filter(|(_, verdict)| **verdict == Verdict::Held);
        let held: Vec<InboxMessage> = held.map(|(message, _)| message.clone()).collect();
        for message in held.into_iter().chain(std::mem::take(&mut turn.follow_up)) {
            let position = slot.next_position;
            slot.next_position += 1;
            slot.pending.push(message.clone());
            slot.positions.push(position);
            work.commit.pending.push(PendingRow { instance: id.clone(), position, message, expires_at: None });
            changed = true;
        }
        if changed {
            slot.touched = number;
            work.touched.push(id.clone());
        }
        if !slot.pending.is_empty() && slot.live.as_ref().is_some_and(|live| live.instance.can_run()) {
            self.ready.insert(id.clone());
        }
        for ((message, origin), verdict) in messages.iter().zip(origins).zip(&turn.verdicts[before..]) {
            if let (InboxMessage::Timer { id: timer, .. }, Origin::Timer, Verdict::Held) = (message, origin, verdict) {
                work.commit.timers_done.push((id.clone(), *timer));
            }
        }
    }

    fn keep_timers(&mut self, id: &InstanceId, turn: &Turn, execution: warren_model::ExecutionId, work: &mut Work) {
        if turn.timers_clear {
            work.commit.timers_clear.push(id.clone());
        }
        work.commit.timers_done.extend(turn.timers_done.iter().map(|timer| (id.clone(), *timer)));
        for timer in &turn.timers {
            let row = TimerRow { instance: id.clone(), execution, id: timer.id, fire_at: timer.fire_at };
            self.wheel.add(row.clone());
            work.commit.timers.push(row);
        }
    }

    /// Gives each message its sequence and enters the turn into the outbox (H3, H4).
    fn send_messages(&mut self, id: &InstanceId, recorded: &Recorded, messages: Vec<Outgoing>, work: &mut Work) {
        let entry = work.entries.len();
        let mut sequences = Vec::new();
        let mut has_ended = None;
        let mut sent = 0;
        for message in messages {
            let sequence = if let Outgoing::ToPartition(message) = &message {
                let target = self.codec.partitions().of(message.target());
                sequences.push((target, self.links.number(target)));
                sequences.last().map(|(_, number)| (self.me, *number))
            } else {
                None
            };
            if let Outgoing::Outcome { to, .. } = &message {
                has_ended = Some(to.clone());
            }
            match self.codec.outgoing(&message, self.me, sequence) {
                Ok(publication) => {
                    work.tracked.push((entry, publication));
                    sent += 1;
                }
                Err(malformed) => self.fail_unsendable(id, recorded, &message, malformed.reason, work),
            }
        }
        if sent > 0 {
            let record = self.cache.get(id).and_then(|slot| slot.live.as_ref()).map(|live| &live.instance.record);
            let parent = record.filter(|r| r.status.is_terminal()).and_then(|r| r.parent.clone());
            let (instance, execution, turn) = (id.clone(), recorded.execution, recorded.turn);
            let payload_max = Some(self.settings.limits.payload_bytes);
            let turn = OutboxTurn { instance, execution, turn, sequences, parent, answer_to: has_ended, payload_max };
            work.entries.push(OutboxEntry::Turn(turn));
        }
    }

    /// A work item that AMQP can't carry (the activity's name is no queue name, say) fails its task.
    fn fail_unsendable(
        &mut self,
        id: &InstanceId,
        recorded: &Recorded,
        message: &Outgoing,
        reason: String,
        work: &mut Work,
    ) {
        tracing::error!(partition = %self.me, instance = %id, %reason, "message can't be sent");
        let Outgoing::WorkItem { task, .. } = message else { return };
        let outcome = Err(Failure::permanent("unsendable", reason));
        let ended = TaskEnded { execution: recorded.execution, task: task.id, attempt: task.attempt, outcome };
        self.hold(id, InboxMessage::Task(ended), None, work);
        self.ready.insert(id.clone());
    }

    /// Tells who waits.
    fn has_ended(&mut self, id: &InstanceId, outcome: warren_model::Outcome, work: &mut Work) {
        let slot = self.cache.touch(id);
        slot.outcome = Some(outcome.clone());
        let Some(live) = &slot.live else { return };
        let (execution, status) = (live.instance.record.execution, live.instance.record.status);
        for to in self.waiters.take(id) {
            let (instance, outcome) = (id.clone(), outcome.clone());
            let outgoing = Outgoing::Outcome { to, instance, execution, status, outcome };
            if let Ok(publication) = self.codec.outgoing(&outgoing, self.me, None) {
                work.answers.push(publication);
            }
        }
    }

    /// Writes the instance's row if the turn changed it.
    fn write_row(&mut self, id: &InstanceId, record: warren_model::InstanceRecord, work: &mut Work) {
        let has_turn = work.commit.turns.last().is_some_and(|row| row.key.instance == *id);
        let slot = self.cache.touch(id);
        if !has_turn && !slot.is_new && slot.stored == record.condition {
            return;
        }
        slot.is_new = false;
        slot.stored.clone_from(&record.condition);
        slot.touched = work.commit.number;
        work.touched.push(id.clone());
        work.commit.instances.push(record);
    }
}
