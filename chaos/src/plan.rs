//! What clients will ask for: made from the seed, with the answer that each instance must give.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;
use warren_chaos_checker::{Case, End, Report};

use crate::{
    dice::Dice,
    workload::{
        LEAF_STEPS,
        contract::{self, Job, Signal},
    },
};

/// How many in a hundred starts and events are sent again on purpose.
const DUPLICATES_PERCENT: u32 = 15;
/// How many in a hundred starts leave it to the hub to choose the instance's id.
const DERIVED_PERCENT: u32 = 25;

/// By which way something reaches the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// A client-api, by HTTP.
    Http,
    /// The Rust client.
    Rust,
    /// AMQP, as another system.
    Ingress,
}

const WAYS: [Way; 3] = [Way::Http, Way::Rust, Way::Ingress];

/// One instance: how it is asked for, and how it must end.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// How it must end.
    pub(crate) case: Case,
    /// Its input.
    pub(crate) input: Value,
    /// The way of each start, with its delay: all with one message id.
    pub(crate) starts: Vec<(Duration, Way)>,
    /// Its events, in no order.
    pub(crate) events: Vec<Sent>,
    /// Its other commands, each after the one before was answered.
    pub(crate) commands: Vec<Sent>,
    /// Whether its client waits for the outcome.
    pub(crate) waits: bool,
}

/// What clients send to an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// An event.
    Raise(Signal),
    /// It is to pause.
    Suspend,
    /// It is to go on.
    Resume,
    /// It is to end.
    Terminate,
}

/// An event or another command that clients send.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// Its message id.
    pub(crate) message: String,
    /// What it says.
    pub(crate) deed: Deed,
    /// Whether it is sent before the instance is started, which only the ingress takes.
    pub(crate) is_early: bool,
    /// The way of each sending, with its delay after the start was answered: all with one message id.
    pub(crate) sendings: Vec<(Duration, Way)>,
}

/// The shapes, as often as they come.
const SHAPES: [fn(&Job) -> Answer; 18] = [
    chain, chain, chain, fan, fan, timers, signals, signals, paused, tree, rounds, rounds, retries, bulk, failing,
    doomed, long, fickle,
];

/// What a job must give.
struct Answer {
    orchestrator: &'static str,
    steps: u32,
    end: End,
    /// The events that clients are to send; their numbers are in the value.
    events: Vec<Signal>,
    /// The other commands.
    commands: Vec<Deed>,
    /// The serials of all events that the instance gets.
    signals: BTreeSet<u32>,
}

/// Returns the script of the `number`th instance of a run.
pub(crate) fn script(run: &str, seed: u64, number: u32) -> Script {
    let mut dice = Dice::new(seed, &format!("case {number}"));
    let message = format!("{run}-start-{number:05}");
    let shape = dice.pick(&SHAPES);
    let mut job = Job {
        case: message.clone(),
        seed: dice.between(1, u32::MAX),
        size: dice.between(2, 7),
        pause_ms: dice.between(4_000, 24_000),
        so_far: Report::default(),
        ballast: String::new(),
    };
    let answer = shape(&job);
    if answer.orchestrator == contract::BULK.name() {
        job.ballast = contract::ballast(job.seed);
    }
    let starts = sendings(&mut dice, Duration::ZERO, &WAYS);
    // Whoever sends something needs an id that it knows.
    let is_alone = answer.events.is_empty() && answer.commands.is_empty();
    let is_derived = is_alone && dice.percent(DERIVED_PERCENT);
    let events = answer.events.iter().map(|signal| event(&mut dice, run, number, *signal)).collect();
    let instance = (!is_derived).then(|| format!("{run}-{number:05}"));
    let commands = commands(&mut dice, run, number, &answer.commands);
    let Answer { orchestrator, steps, end, signals, .. } = answer;
    let continues = orchestrator == contract::ROUNDS.name();
    let case = Case { message, instance, orchestrator: orchestrator.to_owned(), steps, continues, end, signals };
    let input = serde_json::to_value(&job).expect("a job has names for keys");
    Script { case, input, starts, events, commands, waits: dice.percent(20) }
}

fn event(dice: &mut Dice, run: &str, number: u32, signal: Signal) -> Sent {
    let message = event_id(run, number, signal);
    let is_early = dice.percent(10);
    let first = Duration::from_millis(dice.between(0, 15_000).into());
    Sent { message, deed: Deed::Raise(signal), is_early, sendings: sendings(dice, first, &WAYS) }
}

fn event_id(run: &str, number: u32, signal: Signal) -> String {
    format!("{run}-event-{number:05}-{}", signal.serial)
}

/// Commands, some seconds after each other, by the ways that take them.
fn commands(dice: &mut Dice, run: &str, number: u32, deeds: &[Deed]) -> Vec<Sent> {
    let mut at = Duration::ZERO;
    let mut sent = |deed: &Deed| {
        at += Duration::from_millis(dice.between(500, 9_000).into());
        let message = match deed {
            Deed::Raise(signal) => event_id(run, number, *signal),
            Deed::Suspend | Deed::Resume | Deed::Terminate => format!("{run}-{deed:?}-{number:05}"),
        };
        Sent { message, deed: *deed, is_early: false, sendings: sendings(dice, at, &WAYS[..2]) }
    };
    deeds.iter().map(&mut sent).collect()
}

/// The first sending, and on purpose another one now and then: mostly soon after, or much later.
fn sendings(dice: &mut Dice, first: Duration, ways: &[Way]) -> Vec<(Duration, Way)> {
    let mut sendings = vec![(first, *dice.pick(ways))];
    if dice.percent(DUPLICATES_PERCENT) {
        let longest = if dice.percent(50) { 50 } else { 15_000 };
        let later = Duration::from_millis(dice.between(0, longest).into());
        sendings.push((first + later, *dice.pick(ways)));
    }
    sendings
}

fn chain(job: &Job) -> Answer {
    let value = (0..job.size).fold(job.seed, contract::value);
    Answer::plain(contract::CHAIN.name(), job.size, value)
}

fn fan(job: &Job) -> Answer {
    let value = (0..job.size).fold(0, |sum: u32, step| sum.wrapping_add(contract::value(job.seed, step)));
    Answer::plain(contract::FAN.name(), job.size, value)
}

fn timers(job: &Job) -> Answer {
    Answer::plain(contract::TIMERS.name(), 1, contract::value(job.seed, 0))
}

fn long(job: &Job) -> Answer {
    Answer::plain(contract::LONG.name(), 1, contract::value(job.seed, 0))
}

fn fickle(job: &Job) -> Answer {
    Answer::plain(contract::FICKLE.name(), 1, contract::value(job.seed, 0))
}

fn retries(job: &Job) -> Answer {
    let value = (0..job.size).fold(job.seed, contract::value);
    Answer::plain(contract::RETRIES.name(), job.size, value)
}

fn bulk(job: &Job) -> Answer {
    let value = (0..job.size).fold(job.seed, contract::value);
    Answer::plain(contract::BULK.name(), job.size, value)
}

fn signals(job: &Job) -> Answer {
    let events = events(job);
    let sum = events.iter().fold(job.seed, |sum, signal| sum.wrapping_add(signal.number));
    let signals = events.iter().map(|signal| signal.serial).collect();
    Answer { events, signals, ..Answer::plain(contract::SIGNALS.name(), 1, contract::value(sum, 0)) }
}

/// Like signals, and paused meanwhile: the last event is sent after it was told to go on, so that it can't end before.
fn paused(job: &Job) -> Answer {
    let mut answer = signals(job);
    let last = answer.events.pop().map(Deed::Raise);
    answer.commands = [Deed::Suspend, Deed::Resume].into_iter().chain(last).collect();
    answer
}

/// Fails.
fn failing(_: &Job) -> Answer {
    Answer { end: End::Fails, ..Answer::plain(contract::FAILING.name(), 0, 0) }
}

/// Never ends by itself.
fn doomed(_: &Job) -> Answer {
    Answer { end: End::Terminated, commands: vec![Deed::Terminate], ..Answer::plain(contract::DOOMED.name(), 0, 0) }
}

fn rounds(job: &Job) -> Answer {
    let events = events(job);
    let steps = (0..job.size).fold(0_u32, |sum, step| sum.wrapping_add(contract::value(job.seed, step)));
    let value = events.iter().fold(steps, |sum, signal| sum.wrapping_add(signal.number));
    let signals = events.iter().map(|signal| signal.serial).collect();
    Answer { events, signals, ..Answer::plain(contract::ROUNDS.name(), job.size, value) }
}

fn tree(job: &Job) -> Answer {
    let mut value = 0_u32;
    for leaf in 0..job.size {
        let first = contract::value(job.seed, leaf * LEAF_STEPS);
        let last = (leaf * LEAF_STEPS + 1..(leaf + 1) * LEAF_STEPS).fold(first, contract::value);
        value = value.wrapping_add(first).wrapping_add(last);
    }
    let signals = (0..job.size).collect();
    Answer { signals, ..Answer::plain(contract::TREE.name(), job.size * LEAF_STEPS, value) }
}

fn events(job: &Job) -> Vec<Signal> {
    (0..job.size).map(|serial| Signal { serial, number: contract::value(job.seed, 1_000 + serial) }).collect()
}

impl Answer {
    fn plain(orchestrator: &'static str, steps: u32, value: u32) -> Self {
        Self {
            orchestrator,
            steps,
            end: End::Returns(value),
            events: vec![],
            commands: vec![],
            signals: BTreeSet::new(),
        }
    }
}

#[cfg(test)]
#[path = "plan_test.rs"]
mod test;
