//! How a session ends: its channel closes, its lease is given back, and another one begins.

use warren_model::Partition;
use warren_store::Epoch;

use super::{End, ReplicaStep, Session};
use crate::world::{BrokerStep, Step, World};

impl World {
    /// Ends a session. What it had on its way may still arrive; nothing of it is heard any more.
    pub(super) fn end_session(&mut self, id: u64, session: Session, end: End) {
        self.note(format_args!("s{id}: ends, {end:?}"));
        if let Some(channel) = session.channel {
            let at = self.frame_of_channel(channel);
            self.agenda.add(at, Step::Broker(BrokerStep::Forget(channel)));
        }
        if let Some(publisher) = session.publisher {
            self.soon(Step::Broker(BrokerStep::ForgetPublisher(publisher)));
        }
        let (partition, epoch) = (session.partition, session.epoch);
        let latency = self.latency();
        self.in_replica(latency, session.replica, ReplicaStep::SessionEnded { partition, epoch, end });
    }

    /// Gives the lease back, unless it is lost or may be.
    pub(super) fn session_ended(&mut self, replica: usize, partition: Partition, epoch: Epoch, end: End) {
        self.replicas[replica].held.remove(&partition);
        if matches!(end, End::Misled(_)) {
            self.replicas[replica].misled.insert(partition);
        }
        let is_released = end != End::Stopped && !self.is_store_away() && self.store.release(partition, epoch).is_ok();
        self.note(format_args!("replica {replica}: session of partition {partition} is over, released: {is_released}"));
        self.stop_if_drained(replica);
    }
}
