//! How a worker begins and ends.

use activity_worker::worker::{Input, Worker};

use super::{WorkerProcess, WorkerStep};
use crate::{
    time::{MS, SECOND},
    world::{Process, World},
};

impl World {
    pub(super) fn boot_worker(&mut self, worker: usize) {
        let (topology, queues) = (self.hub.codec.topology().clone(), self.hub.queues.clone());
        let life = self.random.below(u64::MAX);
        let process = &mut self.workers[worker];
        let name = format!("worker-{worker}.{}", process.life);
        process.worker = Some(Worker::new(topology, &queues, name, self.hub.worker).with_life(life));
        process.channels = vec![None; queues.len()];
        process.began = self.now;
        self.note(format_args!("worker {worker}: begins"));
        for queue in 0..queues.len() {
            let latency = self.latency();
            self.worker_later(latency, worker, WorkerStep::Open { queue });
        }
    }

    /// Ends a process at once: what it held is given back by the broker a moment later.
    pub(crate) fn kill_worker(&mut self, worker: usize) {
        self.abandon_channels_of(Process::Worker { worker, life: self.workers[worker].life });
        let life = self.workers[worker].life + 1;
        self.workers[worker] = WorkerProcess { life, ..WorkerProcess::new() };
        let pause = self.random.between(10 * MS, 3 * SECOND);
        self.worker_later(pause, worker, WorkerStep::Boot);
    }

    /// Tells a process to finish and to stop.
    pub(crate) fn drain_worker(&mut self, worker: usize) {
        let process = &mut self.workers[worker];
        if process.worker.is_some() && !std::mem::replace(&mut process.is_draining, true) {
            self.in_worker(worker, Input::Drain);
        }
    }
}
