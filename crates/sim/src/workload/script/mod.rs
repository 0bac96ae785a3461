//! What clients do in one run, made up by chance, and how everything may end.

mod children;
mod events;
mod lifecycle;
mod nonsense;
mod single;

use serde::Serialize;
use warren::Orchestrator;
use warren_model::{AnswerWhen, InstanceId, Payload};

use super::Expect;
use crate::{
    client::{Ask, Move, Way},
    random::Random,
    time::{MS, SECOND},
};

/// The limit of histories where a script has a long one.
pub(crate) const HISTORY_EVENTS_MAX: u64 = 40;
/// The limit of payloads.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 3_000;
/// What clients do, and what comes of it.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// Each thread asks for one thing after the other.
    pub(crate) threads: Vec<Vec<Move>>,
    pub(crate) expected: Vec<(InstanceId, Expect)>,
    /// The custom status that an instance shows if it completes.
    pub(crate) shown: Vec<(InstanceId, String)>,
    /// Whether a history goes over its limit.
    pub(crate) has_long_history: bool,
}

/// Puts a script together.
struct Builder<'a> {
    random: &'a mut Random,
    /// Until when everything begins, in microseconds.
    beginnings: u64,
    script: Script,
    instances: u32,
    /// The number of the last event: each carries another one.
    values: i64,
}

type Scene = fn(&mut Builder<'_>);

/// Every scene; those that are listed twice come twice as often.
const SCENES: [Scene; 46] = [
    single::chain,
    single::fan,
    single::first,
    single::settled,
    single::race,
    single::sleeper,
    single::cancelled,
    single::fickle,
    single::fickle,
    single::limited,
    single::limited,
    single::recorded,
    single::retries,
    single::refused,
    single::too_large,
    single::shown,
    single::late,
    single::long,
    single::planned,
    single::planned,
    single::planned,
    single::planned,
    single::rivals,
    single::versioned,
    single::distant,
    single::crowd,
    single::daring,
    events::adder,
    events::adder,
    events::within,
    events::collector,
    events::collector,
    events::ping_pong,
    events::nobody_comes,
    children::parent,
    children::stubborn,
    children::leaver,
    children::twins,
    nonsense::by_ingress,
    nonsense::to_an_owner,
    nonsense::to_a_worker,
    lifecycle::paused,
    lifecycle::redispatched,
    lifecycle::terminated,
    lifecycle::terminated_parent,
    lifecycle::terminated_watcher,
];

/// Makes up a script.
pub(crate) fn draw(random: &mut Random) -> Script {
    let scenes = *random.pick(&[1, 3, 8, 16, 30]);
    let beginnings = *random.pick(&[100 * MS, 2 * SECOND, 6 * SECOND, 12 * SECOND]);
    let mut builder = Builder { random, beginnings, script: Script::default(), instances: 0, values: 1_000 };
    for _ in 0..scenes {
        let scene = *builder.random.pick(&SCENES);
        scene(&mut builder);
    }
    builder.script
}

impl Builder<'_> {
    fn instance(&mut self, kind: &str) -> InstanceId {
        self.instances += 1;
        InstanceId::new(&format!("{kind}-{}", self.instances)).expect("letters and digits are an id")
    }

    fn value(&mut self) -> i64 {
        self.values += 1;
        self.values
    }

    fn small(&mut self, from: u64, to: u64) -> u32 {
        u32::try_from(self.random.between(from, to)).expect("small numbers are small")
    }

    fn moment(&mut self) -> u64 {
        self.random.below(self.beginnings)
    }

    fn way(&mut self) -> Way {
        *self.random.pick(&[
            Way::Control,
            Way::Control,
            Way::Ingress { answers: true },
            Way::Ingress { answers: false },
        ])
    }

    fn ask(&mut self, after: u64, ask: Ask) {
        self.script.threads.push(vec![Move { after, ask }]);
    }

    /// Starts an instance at `at`, and says how it may end.
    fn start_at<I: Serialize, O>(
        &mut self,
        at: u64,
        instance: &InstanceId,
        orchestrator: Orchestrator<I, O>,
        input: &I,
        expect: Expect,
    ) {
        let way = self.way();
        let when = *self.random.pick(&[AnswerWhen::Accepted, AnswerWhen::Outcome]);
        let input = Payload::of(input).expect("inputs of the workload are JSON");
        let (orchestrator, instance) = (orchestrator.name(), instance.clone());
        self.script.expected.push((instance.clone(), expect));
        self.ask(at, Ask::Start { instance, orchestrator, input, when, way });
    }

    /// Starts an instance at some time, and says how it may end.
    fn start<I: Serialize, O>(
        &mut self,
        instance: &InstanceId,
        orchestrator: Orchestrator<I, O>,
        input: &I,
        expect: Expect,
    ) {
        let at = self.moment();
        self.start_at(at, instance, orchestrator, input, expect);
    }

    /// Sends an instance an event, before it is started or after.
    fn raise(&mut self, instance: &InstanceId, event: &'static str, value: i64) {
        let (at, way) = (self.moment(), self.way());
        self.ask(at, Ask::Raise { instance: instance.clone(), event, value, way });
    }

    fn pause(&mut self) -> u64 {
        self.random.between(MS, 2 * SECOND)
    }
}
