//! Messages for instances that can't be reached now: nobody has seen them yet, or their row can't be read.

use warren_engine::Programs;
use warren_model::{Answer, ExecutionId, InboxMessage, InstanceId, Refusal, RefusalCode, Status, Timestamp};
use warren_store::PendingRow;

use super::{Owner, batch::Work};

impl<P: Programs> Owner<P> {
    /// Returns why the instance's row can't be read, if it can't.
    pub(super) fn trouble(&self, instance: &InstanceId) -> Option<&str> {
        let slot = self.cache.get(instance).filter(|slot| slot.live.is_none())?;
        slot.unreadable.as_deref()
    }

    /// Commits a message as pending, behind those that wait already.
    pub(super) fn hold(
        &mut self,
        instance: &InstanceId,
        message: InboxMessage,
        expires_at: Option<Timestamp>,
        work: &mut Work,
    ) {
        let slot = self.cache.touch(instance);
        let position = slot.next_position;
        slot.next_position += 1;
        slot.pending.push(message.clone());
        slot.positions.push(position);
        slot.touched = work.commit.number;
        work.touched.push(instance.clone());
        work.held_from.entry(instance.clone()).or_insert(position);
        work.commit.pending.push(PendingRow { instance: instance.clone(), position, message, expires_at });
    }

    /// Returns the answer to whoever has sent an instance an event before somebody has started it.
    pub(super) fn kept_for_later(&self, instance: &InstanceId) -> Answer {
        let warning = format!("nobody has started instance {instance} yet: the event waits for it");
        Answer {
            instance: instance.clone(),
            execution: ExecutionId::from_u128(0),
            status: Status::Pending,
            warning: Some(warning),
        }
    }

    /// Returns the refusal for a command that can't be carried out because of what is stored.
    pub(super) fn unreadable(&self, instance: &InstanceId, why: &str) -> Refusal {
        let message = format!("what is stored of instance {instance} can't be read: {why}; mend or restore the row");
        Refusal { code: RefusalCode::Unreadable, message }
    }
}
