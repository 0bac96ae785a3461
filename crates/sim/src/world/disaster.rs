//! What strikes from outside: processes die, freeze and drain, channels break, the broker and the store go away.

use warren_broker::packing::Tally;

use super::{Process, Step, World};
use crate::{
    fault::Fault,
    time::{MS, SECOND},
};

/// A kind of disaster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disaster {
    Kill,
    Freeze,
    Drain,
    Channel,
    Broker,
    /// The broker is there again.
    BrokerBack,
    Store,
    Queue,
    Purge,
}

impl Disaster {
    pub(super) const RECURRING: [Self; 8] =
        [Self::Kill, Self::Freeze, Self::Drain, Self::Channel, Self::Broker, Self::Store, Self::Queue, Self::Purge];
}

impl World {
    /// Strikes, unless faults are over, and plans the next one of the kind.
    pub(super) fn disaster(&mut self, disaster: Disaster) {
        if disaster == Disaster::BrokerBack {
            self.broker.is_away = false;
            return self.note(format_args!("broker: there again"));
        }
        if self.calm_since.is_some() {
            return;
        }
        self.plan(disaster);
        match disaster {
            Disaster::Kill => {
                let victim = self.victim();
                self.kill(victim);
            }
            Disaster::Freeze => {
                let victim = self.victim();
                self.freeze(victim);
            }
            Disaster::Drain => {
                let victim = self.victim();
                self.drain(victim);
            }
            Disaster::Channel => self.lose_a_channel(),
            Disaster::Broker => self.restart_broker(),
            Disaster::Store => {
                let longest = *self.random.pick(&[300 * MS, 3 * SECOND, 8 * SECOND]);
                let micros = self.random.between(MS, longest);
                self.faults.count(Fault::StoreAway);
                self.note(format_args!("DISASTER: the store is away for {} ms", micros / MS));
                self.store_back_at = self.now.after(micros);
            }
            Disaster::Queue => self.delete_a_queue(),
            Disaster::Purge => {
                if self.random.one_in(2) {
                    self.purge_a_work_queue();
                } else {
                    self.lose_words();
                }
            }
            Disaster::BrokerBack => {}
        }
    }

    pub(super) fn plan(&mut self, disaster: Disaster) {
        let mean = match disaster {
            Disaster::Kill => self.profile.kill,
            Disaster::Freeze => self.profile.freeze,
            Disaster::Drain => self.profile.drain,
            Disaster::Channel => self.profile.channel,
            Disaster::Broker => self.profile.broker,
            Disaster::Store => self.profile.store,
            Disaster::Queue => self.profile.queue,
            Disaster::Purge => self.profile.purge,
            Disaster::BrokerBack => 0,
        };
        if mean > 0 {
            let micros = self.random.between(1, 2 * mean);
            self.later(micros, Step::Disaster(disaster));
        }
    }

    /// Returns a process by chance.
    fn victim(&mut self) -> Process {
        let at = self.random.index(self.replicas.len() + self.workers.len());
        match at.checked_sub(self.replicas.len()) {
            None => Process::Replica { replica: at, life: self.replicas[at].life },
            Some(worker) => Process::Worker { worker, life: self.workers[worker].life },
        }
    }

    /// Strikes a process in the middle of what it does.
    pub(super) fn strike(&mut self, process: Process) {
        if !self.is_alive(process) {
            return;
        }
        match self.random.below(6) {
            0..3 => self.kill(process),
            3 => self.freeze(process),
            4 => self.drain(process),
            _ => {
                self.faults.count(Fault::ConsumerLost);
                self.note(format_args!("DISASTER: the channels of {process:?} break"));
                self.close_channels_of(process);
            }
        }
    }

    fn kill(&mut self, process: Process) {
        match process {
            Process::Replica { replica, .. } => {
                self.faults.count(Fault::ReplicaKilled);
                self.note(format_args!("DISASTER: replica {replica} is killed"));
                self.kill_replica(replica);
            }
            Process::Worker { worker, .. } => {
                self.faults.count(Fault::WorkerKilled);
                self.note(format_args!("DISASTER: worker {worker} is killed"));
                self.kill_worker(worker);
            }
        }
    }

    fn freeze(&mut self, process: Process) {
        let longest = *self.random.pick(&[SECOND, 6 * SECOND, 15 * SECOND]);
        let until = self.now.after(self.random.between(100 * MS, longest));
        self.note(format_args!("DISASTER: {process:?} is frozen until {until}"));
        match process {
            Process::Replica { replica, .. } => {
                self.faults.count(Fault::ReplicaFrozen);
                let frozen = &mut self.replicas[replica].frozen_until;
                *frozen = until.max(*frozen);
            }
            Process::Worker { worker, .. } => {
                self.faults.count(Fault::WorkerFrozen);
                let frozen = &mut self.workers[worker].frozen_until;
                *frozen = until.max(*frozen);
            }
        }
        let patience = self.random.between(2 * SECOND, 5 * SECOND);
        self.later(patience, Step::Heartbeat(process));
    }

    /// The broker gives up a process that has been silent for long: its channels are closed, and it does not know yet.
    pub(super) fn heartbeat(&mut self, process: Process) {
        if !self.is_alive(process) {
            return;
        }
        let thaws_at = match process {
            Process::Replica { replica, .. } => self.replicas[replica].frozen_until,
            Process::Worker { worker, .. } => self.workers[worker].frozen_until,
        };
        if thaws_at > self.now {
            self.faults.count(Fault::HeartbeatMissed);
            self.note(format_args!("broker: gives up {process:?}"));
            self.close_channels_of(process);
        }
    }

    fn drain(&mut self, process: Process) {
        match process {
            Process::Replica { replica, .. } => {
                self.faults.count(Fault::ReplicaDrained);
                self.note(format_args!("DISASTER: replica {replica} is told to stop"));
                self.drain_replica(replica);
            }
            Process::Worker { worker, .. } => {
                self.faults.count(Fault::WorkerDrained);
                self.note(format_args!("DISASTER: worker {worker} is told to stop"));
                self.drain_worker(worker);
            }
        }
    }

    fn lose_a_channel(&mut self) {
        let channels: Vec<_> =
            self.broker.channels.iter().filter(|(_, channel)| !channel.is_closed).map(|(id, _)| *id).collect();
        let publishers: Vec<_> = self.broker.publishers.keys().copied().collect();
        if channels.is_empty() && publishers.is_empty() {
            return;
        }
        let at = self.random.index(channels.len() + publishers.len());
        match at.checked_sub(channels.len()) {
            None => {
                self.faults.count(Fault::ConsumerLost);
                self.note(format_args!("DISASTER: channel {} breaks", channels[at]));
                self.break_channel(channels[at]);
            }
            Some(at) => {
                self.faults.count(Fault::PublisherLost);
                self.lose_publisher(publishers[at]);
            }
        }
    }

    /// Closes a channel; what is on its way to the consumer may be lost with it.
    fn break_channel(&mut self, channel: crate::broker::ChannelId) {
        let loses = self.random.one_in(2);
        if let Some(channel) = self.broker.channels.get_mut(&channel).filter(|_| loses) {
            channel.tally = Tally::default();
        }
        self.broker.close(channel);
    }

    fn restart_broker(&mut self) {
        let longest = *self.random.pick(&[100 * MS, 2 * SECOND, 6 * SECOND]);
        let micros = self.random.between(MS, longest);
        self.faults.count(Fault::BrokerRestarted);
        self.note(format_args!("DISASTER: the broker is away for {} ms", micros / MS));
        self.broker.is_away = true;
        let channels: Vec<_> = self.broker.channels.keys().copied().collect();
        channels.into_iter().for_each(|channel| self.break_channel(channel));
        let publishers: Vec<_> = self.broker.publishers.keys().copied().collect();
        publishers.into_iter().for_each(|publisher| self.lose_publisher(publisher));
        self.later(micros, Step::Disaster(Disaster::BrokerBack));
    }

    fn delete_a_queue(&mut self) {
        let dead = self.hub.codec.topology().dead().name;
        let names: Vec<String> = self.broker.queues.keys().filter(|name| **name != dead).cloned().collect();
        if names.is_empty() {
            return;
        }
        let name = self.random.pick(&names).clone();
        if self.broker.delete_empty(&name) {
            self.faults.count(Fault::QueueDeleted);
            self.note(format_args!("DISASTER: queue {name}, which is empty, is deleted"));
        }
    }

    /// Closes every channel of a process.
    pub(crate) fn close_channels_of(&mut self, process: Process) {
        let is_of = |holder: &crate::broker::Holder| holder.process() == process;
        let channels = self.broker.channels.iter().filter(|(_, channel)| is_of(&channel.holder));
        let channels: Vec<_> = channels.map(|(id, _)| *id).collect();
        channels.into_iter().for_each(|channel| self.broker.close(channel));
        let publishers = self.broker.publishers.iter().filter(|(_, publisher)| is_of(&publisher.holder));
        let publishers: Vec<_> = publishers.map(|(id, _)| *id).collect();
        publishers.into_iter().for_each(|publisher| self.lose_publisher(publisher));
    }

    /// The process is gone: so are its channels, a moment later, with what has not left it by then.
    pub(crate) fn abandon_channels_of(&mut self, process: Process) {
        let is_of = |holder: &crate::broker::Holder| holder.process() == process;
        let channels = self.broker.channels.iter().filter(|(_, channel)| is_of(&channel.holder));
        let channels: Vec<_> = channels.map(|(id, _)| *id).collect();
        let publishers = self.broker.publishers.iter().filter(|(_, publisher)| is_of(&publisher.holder));
        let publishers: Vec<_> = publishers.map(|(id, _)| *id).collect();
        for channel in channels {
            self.soon(Step::Broker(super::BrokerStep::Forget(channel)));
        }
        for publisher in publishers {
            self.soon(Step::Broker(super::BrokerStep::ForgetPublisher(publisher)));
        }
    }
}
