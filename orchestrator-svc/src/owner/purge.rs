//! Instances that go: purged by a client, or replaced by a later start (H12).
//!
//! A row goes with the commit, the turns once nothing of them is unconfirmed, as those of every execution that is over.
//! What started the instance stays known for the duplicate window, like a command that was answered: so the same start
//! again begins nothing. Replies, timers and children's words find no such execution and are dropped.

use warren_engine::Programs;
use warren_model::{ExecutionId, InstanceId, InstanceRecord, Refusal, RefusalCode};
use warren_store::{CommandRow, OutboxEntry};

use super::{
    Owner,
    batch::{Origin, Work},
};

impl<P: Programs> Owner<P> {
    /// Removes an instance that has ended.
    pub(super) fn purge(
        &mut self,
        instance: &InstanceId,
        execution: Option<ExecutionId>,
        origin: Origin,
        work: &mut Work,
    ) {
        let Origin::Command { id, answer_to, .. } = origin else { return };
        let answer_to = answer_to.as_ref();
        let Some(live) = self.cache.get(instance).and_then(|slot| slot.live.as_ref()) else {
            return self.refuse_unseen(instance, answer_to, work);
        };
        let record = &live.instance.record;
        if let Some(execution) = execution.filter(|execution| *execution != record.execution) {
            let message = format!("instance {instance} has no execution {execution}: it is {} now", record.execution);
            return self.refuse(answer_to, Refusal { code: RefusalCode::NotFound, message }, work);
        }
        if !record.status.is_terminal() {
            let message = format!("instance {instance} is {}: terminate it first, then purge it", record.status);
            return self.refuse(answer_to, Refusal { code: RefusalCode::Running, message }, work);
        }
        let answer = self.answer_of(instance);
        self.remove(instance, work);
        self.remember(id, &answer, work);
        self.tell(answer_to, &answer, work);
    }

    /// Removes an instance that has ended, but for what may still be on its way.
    pub(super) fn remove(&mut self, instance: &InstanceId, work: &mut Work) {
        let slot = self.cache.touch(instance);
        let Some(live) = slot.live.take() else { return };
        (slot.outcome, slot.unreadable, slot.stored) = (None, None, None);
        slot.pending.clear();
        slot.positions.clear();
        slot.touched = work.commit.number;
        work.touched.push(instance.clone());
        work.commit.purged.push(instance.clone());
        self.is_over(&live.instance.record, "was purged", work);
    }

    /// Lets the turns of an instance's last execution go, and keeps its start known.
    pub(super) fn is_over(&mut self, record: &InstanceRecord, how: &str, work: &mut Work) {
        let (instance, execution) = (record.id.clone(), record.execution);
        work.entries.push(OutboxEntry::Over { instance, execution });
        let id = record.start_id.clone();
        if work.commit.commands.iter().any(|row| row.id == id) {
            return; // the same id was used for a command as well, and is known by that
        }
        let message = format!("instance {} was started by this message, is {} and {how}", record.id, record.status);
        let row =
            CommandRow { id: id.clone(), answer: Err(Refusal { code: RefusalCode::Gone, message }), at: self.now };
        work.commit.tombstones.push(row.clone());
        self.answered.insert(id, (work.commit.number, row));
    }
}
