//! Each step to where it belongs, unless its process is gone or frozen.

use super::{BrokerStep, Process, Step, World};
use crate::{broker::Holder, replica::SessionStep, time::Time, worker::WorkerStep};

impl World {
    pub(super) fn dispatch(&mut self, step: Step) {
        let process = self.process_of(&step);
        if let Some(process) = process {
            if !self.is_alive(process) {
                return;
            }
            let thaws_at = self.thaws_at(process);
            if thaws_at > self.now {
                return self.agenda.add(thaws_at, step); // in the order in which they came
            }
        }
        match step {
            Step::Replica { replica, step, .. } => self.replica_step(replica, step),
            Step::Forwarder { replica, step, .. } => self.forwarder_step(replica, step),
            Step::Session { session, step } => self.session_step(session, step),
            Step::Worker { worker, step, .. } => self.worker_step(worker, step),
            Step::Store { session, step } => self.store_step(session, step),
            Step::Broker(step) => self.broker_step(step),
            Step::Client(step) => self.client_step(step),
            Step::Disaster(disaster) => self.disaster(disaster),
            Step::Heartbeat(process) => self.heartbeat(process),
            Step::Deploy { replica } => self.deploy(replica),
            Step::Calm => self.calm_down(),
            Step::Look => self.look(),
        }
        if let Some(process) = process.filter(|_| self.calm_since.is_none())
            && self.random.happens(self.profile.strike)
        {
            self.strike(process);
        }
        self.announce();
    }

    fn process_of(&self, step: &Step) -> Option<Process> {
        match step {
            Step::Replica { replica, life, .. } | Step::Forwarder { replica, life, .. } => {
                Some(Process::Replica { replica: *replica, life: *life })
            }
            Step::Worker { worker, life, .. } => Some(Process::Worker { worker: *worker, life: *life }),
            Step::Session { session, .. } => {
                let found = self.sessions.get(session);
                found.map(|session| Process::Replica { replica: session.replica, life: session.life })
            }
            Step::Store { .. }
            | Step::Broker(_)
            | Step::Client(_)
            | Step::Disaster(_)
            | Step::Heartbeat(_)
            | Step::Deploy { .. }
            | Step::Calm
            | Step::Look => None,
        }
    }

    pub(crate) fn is_alive(&self, process: Process) -> bool {
        match process {
            Process::Replica { replica, life } => self.replicas[replica].life == life,
            Process::Worker { worker, life } => self.workers[worker].life == life,
        }
    }

    fn thaws_at(&self, process: Process) -> Time {
        match process {
            Process::Replica { replica, .. } => self.replicas[replica].frozen_until,
            Process::Worker { worker, .. } => self.workers[worker].frozen_until,
        }
    }

    fn broker_step(&mut self, step: BrokerStep) {
        match step {
            BrokerStep::Ack { channel, tag, multiple } => self.acknowledge(channel, tag, multiple),
            BrokerStep::Requeue { channel, tag } => {
                self.note(format_args!("broker: {channel} gives back {tag}"));
                self.broker.requeue(channel, tag);
            }
            BrokerStep::Cancel(channel) => {
                self.note(format_args!("broker: {channel} is cancelled"));
                self.broker.cancel(channel);
            }
            BrokerStep::Restart(channel) => {
                self.note(format_args!("broker: {channel} is consumed again"));
                self.broker.restart(channel);
            }
            BrokerStep::Forget(channel) => {
                self.note(format_args!("broker: {channel} is closed by its consumer"));
                self.broker.forget(channel);
            }
            BrokerStep::Publish(flight) => self.publish_some(flight),
            BrokerStep::ForgetPublisher(publisher) => {
                self.broker.forget_publisher(publisher);
            }
        }
    }

    /// Lets consumers hear of what has arrived for them.
    fn announce(&mut self) {
        for id in std::mem::take(&mut self.broker.news) {
            let latency = self.latency();
            let Some(channel) = self.broker.channels.get_mut(&id) else { continue };
            if std::mem::replace(&mut channel.is_announced, true) {
                continue;
            }
            let step = match channel.holder {
                Holder::Session { session, .. } => Step::Session { session, step: SessionStep::Arrive },
                Holder::Forwarder { replica, life } => {
                    Step::Forwarder { replica, life, step: crate::replica::ForwarderStep::Arrive }
                }
                Holder::Worker { worker, life, queue } => {
                    Step::Worker { worker, life, step: WorkerStep::Arrive { queue, channel: id } }
                }
            };
            self.agenda.add(self.now.after(latency), step);
        }
    }
}
