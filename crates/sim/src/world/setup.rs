//! A world from a seed.

use std::num::NonZeroU16;

use jiff::SignedDuration;
use warren_broker::{Codec, Topology};
use warren_engine::Limits;
use warren_model::PartitionCount;

use super::{Disaster, Hub, Step, World};
use crate::{
    agenda::Agenda,
    broker::Broker,
    client::{ClientStep, Clients},
    fault::Faults,
    ledger::Ledger,
    mutation::Mutation,
    profile::Profile,
    random::Random,
    replica::{Replica, ReplicaStep},
    store::Store,
    time::{MS, SECOND, Time},
    trace::Trace,
    worker::{WorkerProcess, WorkerStep},
    workload::{self, HISTORY_EVENTS_MAX, PAYLOAD_BYTES_MAX, Script},
};

impl World {
    /// Makes the cluster and the script of a seed; nothing has happened yet.
    pub(crate) fn new(seed: u64, mutation: Option<Mutation>, keeps_trace: bool) -> Self {
        let mut random = Random::new(seed);
        let profile = Profile::draw(&mut random);
        let script = workload::draw(&mut random);
        let partitions = PartitionCount(NonZeroU16::new(*random.pick(&[1, 2, 2, 3, 4])).expect("none of them is 0"));
        let hub = hub(&mut random, partitions, &script);
        let mut store = Store::new(partitions);
        store.has_no_fence = mutation == Some(Mutation::NoFence);
        store.believes_all = mutation == Some(Mutation::NoFreshCheck);
        let broker = Broker::new(hub.codec.topology().clone(), random.one_in(4));
        let replicas = (0..random.between(1, 3)).map(|_| Replica::new()).collect();
        let workers = (0..random.between(1, 3)).map(|_| WorkerProcess::new()).collect();
        let mut world = Self {
            now: Time::default(),
            random,
            profile,
            agenda: Agenda::new(),
            trace: Trace::new(keeps_trace),
            faults: Faults::default(),
            hub,
            store,
            store_back_at: Time::default(),
            broker,
            replicas,
            sessions: std::collections::BTreeMap::new(),
            workers,
            clients: Clients::default(),
            ledger: Ledger::default(),
            mutation,
            violation: None,
            steps: 0,
            calm_since: None,
            is_over: false,
            rested_at: None,
        };
        world.begin(script);
        world
    }

    fn begin(&mut self, script: Script) {
        let (profile, count) = (self.profile.name, self.store.partitions.len());
        let settings = self.hub.owner;
        let packed: Vec<&String> =
            self.hub.queues.iter().filter(|queue| self.hub.codec.topology().is_packed(queue)).collect();
        let packed = format!("{packed:?}");
        self.note(format_args!("profile {profile}, {count} partitions, packed {packed}, {settings:?}"));
        for replica in 0..self.replicas.len() {
            self.soon(Step::Replica { replica, life: 0, step: ReplicaStep::Boot });
            let at = self.random.between(SECOND, 20 * SECOND);
            self.later(at, Step::Deploy { replica });
        }
        for worker in 0..self.workers.len() {
            self.soon(Step::Worker { worker, life: 0, step: WorkerStep::Boot });
        }
        Disaster::RECURRING.into_iter().for_each(|disaster| self.plan(disaster));
        for moves in script.threads {
            self.clients.threads.push(moves.into());
            self.plan_move(self.clients.threads.len() - 1);
        }
        for (instance, _) in &script.expected {
            self.clients.watched.insert(instance.clone(), false);
            let at = self.random.below(25 * SECOND);
            self.later(at, Step::Client(ClientStep::Watch(instance.clone())));
        }
        self.ledger.expected = script.expected;
        self.ledger.shown = script.shown;
        let calm = self.random.between(15 * SECOND, 30 * SECOND);
        self.later(calm, Step::Calm);
        self.later(SECOND, Step::Look);
        self.later(SECOND, Step::Client(ClientStep::Round));
    }
}

fn hub(random: &mut Random, partitions: PartitionCount, script: &Script) -> Hub {
    let registry = workload::before();
    let mut queues: Vec<String> = registry.activities().map(|activity| activity.queue.to_owned()).collect();
    queues.sort();
    queues.dedup();
    let packed = queues.iter().filter(|_| random.one_in(2)).cloned().collect();
    let topology = Topology::new("h").expect("a letter is a hub's name").with_packed_queues(packed);
    let mut limits = Limits { payload_bytes: PAYLOAD_BYTES_MAX, ..Limits::default() };
    if script.has_long_history {
        limits.history_events = HISTORY_EVENTS_MAX;
    }
    let owner = orchestrator_svc::owner::Settings {
        batch: *random.pick(&[1, 2, 5, 500]),
        cache_instances: *random.pick(&[1, 2, 5, 10_000]),
        limits,
        duplicate_window: SignedDuration::from_secs(*random.pick(&[150, 7 * 24 * 3_600])),
        overlap_min: *random.pick(&[1, 1, 3, 100]),
        unseen_event: SignedDuration::from_secs(90),
        expiry_interval: SignedDuration::from_millis(i64::try_from(random.between(500, 20_000)).unwrap_or(500)),
        begins_max: *random.pick(&[1, 2, 5]),
        doubt: SignedDuration::from_millis(*random.pick(&[0, 500, 10_000])),
        distrust: SignedDuration::from_secs(*random.pick(&[30, 3_600])),
        timers_max: *random.pick(&[1, 2, 5, 50_000]),
        ..orchestrator_svc::owner::Settings::default()
    };
    let concurrency = NonZeroU16::new(*random.pick(&[1, 2, 8])).expect("none of them is 0");
    let drain = std::time::Duration::from_micros(random.between(100 * MS, 5 * SECOND));
    let (lease, hold) = (random.between(4 * SECOND, 10 * SECOND), random.between(SECOND, 5 * SECOND));
    let (lease, hold) = (std::time::Duration::from_micros(lease), std::time::Duration::from_micros(hold));
    Hub {
        codec: Codec::new(topology, partitions, [7; 16]),
        before: registry,
        after: workload::after(),
        owner,
        prefetch: *random.pick(&[1, 3, 10, 1_000]),
        worker: activity_worker::worker::Limits { concurrency, payload_bytes: PAYLOAD_BYTES_MAX, drain, lease, hold },
        queues,
    }
}
