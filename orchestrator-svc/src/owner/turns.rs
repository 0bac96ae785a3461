//! One turn of one instance, folded into the batch's commit.

use std::collections::BTreeSet;

use warren_broker::Malformed;
use warren_engine::{Programs, Recorded, Turn, Verdict};
use warren_model::{Failure, InboxMessage, InstanceId, InstanceRecord, Outgoing, TaskEnded};
use warren_store::{OutboxEntry, OutboxTurn, Progress, TimerRow, TurnKey, TurnRow};

use super::{
    Owner,
    batch::{Arrival, Origin, Work, ended_by},
    traces,
};

impl<P: Programs> Owner<P> {
    pub(super) fn turn(&mut self, id: &InstanceId, arrivals: Vec<Arrival>, work: &mut Work) {
        let (messages, origins): (Vec<InboxMessage>, Vec<Origin>) =
            arrivals.into_iter().map(|arrival| (arrival.message, arrival.origin)).unzip();
        let slot = self.cache.touch(id);
        let Some(live) = &mut slot.live else { return };
        if let Some(quarantine) = self.poison.quarantine(id) {
            if live.instance.record.condition.is_none() && !live.instance.record.status.is_terminal() {
                live.instance.park(quarantine.kind, quarantine.message);
            }
            self.poison.absolve(id); // its row says so from now on
            work.commit.suspects_done.push(id.clone());
        }
        let mut record = live.instance.record.clone();
        let had_condition = live.instance.record.condition == slot.stored && slot.stored.is_some();
        // What waits for an instance that can't run is not even looked at: there may be very many.
        let may_run = live.instance.can_run() || messages.iter().any(is_lifecycle);
        let offered = if may_run { slot.pending.len() } else { 0 };
        let mut turn = live.turn(&slot.pending[..offered], &messages, self.now, &self.programs, &self.settings.limits);
        self.counts.has_turned(&turn);
        let has_changed = record.follow(&live.instance.record);
        if let Some(condition) = record.condition.as_ref().filter(|_| !had_condition) {
            tracing::warn!(
                partition = %self.me, instance = %id, orchestrator = %record.name, kind = ?condition.kind,
                reason = %condition.message, "instance can't go on and waits"
            );
        }
        if offered > 0 {
            self.drop_pending(id, &turn.verdicts[..offered], work);
        }
        let verdicts = turn.verdicts.split_off(offered);
        self.keep_pending(id, &mut turn, &messages, &verdicts, work);
        self.keep_timers(id, &turn, record.execution, work);
        if let Some(recorded) = turn.recorded.take() {
            if self.settings.traces {
                let traced = &mut self.cache.touch(id).traced;
                work.spans.extend(traces::of_turn(traced, &recorded, &record));
            }
            self.send_messages(id, &recorded, std::mem::take(&mut turn.messages), work);
            if let Some(outcome) = recorded.events.iter().rev().find_map(ended_by) {
                self.has_ended(id, outcome, work);
            }
            let key = TurnKey { instance: id.clone(), execution: recorded.execution, turn: recorded.turn };
            work.commit.turns.push(TurnRow { key, body: recorded.body, progress: Progress::of(&record) });
        }
        if let Some(continued) = &turn.continued {
            work.entries.push(OutboxEntry::Over { instance: id.clone(), execution: continued.from });
        }
        self.write_row(id, record, has_changed, work);
        self.absolve_tasks(id, work);
        for ((message, origin), verdict) in messages.iter().zip(origins).zip(verdicts) {
            let has_ended = verdict == Verdict::ENDED;
            self.answer(id, message, origin, has_ended, work);
        }
    }

    /// Drops what was handled of the messages that waited.
    fn drop_pending(&mut self, id: &InstanceId, verdicts: &[Verdict], work: &mut Work) {
        let slot = self.cache.touch(id);
        let held_from = work.held_from.get(id).copied().unwrap_or(u64::MAX);
        let (pending, positions) = (std::mem::take(&mut slot.pending), std::mem::take(&mut slot.positions));
        let mut unwritten = BTreeSet::new();
        for ((message, position), verdict) in pending.into_iter().zip(positions).zip(verdicts) {
            if *verdict == Verdict::Held {
                slot.pending.push(message);
                slot.positions.push(position);
            } else if position < held_from {
                work.commit.pending_done.push((id.clone(), position));
            } else {
                unwritten.insert(position);
            }
        }
        if !unwritten.is_empty() {
            work.commit.pending.retain(|row| row.instance != *id || !unwritten.contains(&row.position));
        }
        if verdicts.iter().any(|verdict| *verdict != Verdict::Held) {
            slot.touched = work.commit.number;
            work.touched.push(id.clone());
        }
    }

    /// Keeps what is held of the messages that have just arrived, and what the instance sends itself.
    fn keep_pending(
        &mut self,
        id: &InstanceId,
        turn: &mut Turn,
        messages: &[InboxMessage],
        verdicts: &[Verdict],
        work: &mut Work,
    ) {
        for (message, _) in messages.iter().zip(verdicts).filter(|(_, verdict)| **verdict == Verdict::Held) {
            self.hold(id, message.clone(), None, work);
            if let InboxMessage::Timer { id: timer, .. } = message {
                work.commit.timers_done.push((id.clone(), *timer));
            }
        }
        for message in std::mem::take(&mut turn.follow_up) {
            self.hold(id, message, None, work);
        }
        let slot = self.cache.touch(id);
        if !slot.pending.is_empty() && slot.live.as_ref().is_some_and(|live| live.instance.can_run()) {
            self.ready.insert(id.clone());
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
            let publication = match self.codec.too_large(&message) {
                Some(failure) => Err(failure),
                None => self.codec.outgoing(&message, self.me, sequence).map_err(unsendable),
            };
            match publication {
                Ok(publication) => {
                    work.tracked.push((entry, publication));
                    sent += 1;
                }
                Err(failure) => self.fail_unsendable(id, recorded, &message, failure, work),
            }
        }
        if sent > 0 {
            let live = self.cache.get(id).and_then(|slot| slot.live.as_ref());
            let traceparent = live.and_then(|live| live.instance.trace).map(|trace| trace.to_string());
            let record = live.map(|live| &live.instance.record);
            let parent = record.filter(|r| r.status.is_terminal()).and_then(|r| r.parent.clone());
            let (instance, execution, turn) = (id.clone(), recorded.execution, recorded.turn);
            let payload_max = Some(self.settings.limits.payload_bytes);
            let turn = OutboxTurn {
                instance,
                execution,
                turn,
                sequences,
                parent,
                answer_to: has_ended,
                payload_max,
                traceparent,
                only_words: false,
            };
            work.entries.push(OutboxEntry::Turn(turn));
        }
    }

    /// A work item that AMQP can't carry (the activity's name is no queue name, say) fails its task, before anything is
    /// published.
    fn fail_unsendable(
        &mut self,
        id: &InstanceId,
        recorded: &Recorded,
        message: &Outgoing,
        failure: Failure,
        work: &mut Work,
    ) {
        tracing::error!(partition = %self.me, instance = %id, reason = %failure.message, "message can't be sent");
        let Outgoing::WorkItem { task, .. } = message else { return };
        let live = self.cache.get(id).and_then(|slot| slot.live.as_ref());
        if live.is_none_or(|live| !self.is_alive(id) || live.instance.record.execution != recorded.execution) {
            return; // the turn has ended the execution, so nobody waits for the task
        }
        let ended =
            TaskEnded { execution: recorded.execution, task: task.id, attempt: task.attempt, outcome: Err(failure) };
        self.hold(id, InboxMessage::Task(ended), None, work);
        self.ready.insert(id.clone());
    }

    /// Tells who waits.
    fn has_ended(&mut self, id: &InstanceId, outcome: warren_model::Outcome, work: &mut Work) {
        let slot = self.cache.touch(id);
        slot.outcome = Some(outcome.clone());
        let Some(live) = &slot.live else { return };
        let (execution, status) = (live.instance.record.execution, live.instance.record.status);
        self.counts.has_ended(live.instance.record.name.clone(), status);
        for to in self.waiters.take(id) {
            let (instance, outcome) = (id.clone(), outcome.clone());
            let outgoing = Outgoing::Outcome { to, instance, execution, status, outcome };
            if let Ok(publication) = self.codec.outgoing(&outgoing, self.me, None) {
                work.answers.push(publication);
            }
        }
    }

    /// Notes how the instance stands, and writes its row if more of it has changed than the turn itself says: how far it
    /// has come.
    fn write_row(&mut self, id: &InstanceId, record: InstanceRecord, has_changed: bool, work: &mut Work) {
        self.parked.note(&record);
        let has_turn = work.commit.turns.last().is_some_and(|row| row.key.instance == *id);
        let slot = self.cache.touch(id);
        let is_due = slot.is_new || slot.stored != record.condition || has_changed;
        if !has_turn && !is_due {
            return;
        }
        slot.touched = work.commit.number;
        work.touched.push(id.clone());
        if is_due {
            slot.is_new = false;
            slot.stored.clone_from(&record.condition);
            work.commit.instances.push(record);
        }
    }
}

fn unsendable(malformed: Malformed) -> Failure {
    Failure::permanent("unsendable", malformed.reason)
}

fn is_lifecycle(message: &InboxMessage) -> bool {
    matches!(message, InboxMessage::Terminate { .. } | InboxMessage::Suspend { .. } | InboxMessage::Resume { .. })
}
