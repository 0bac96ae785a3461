//! What the storm's orchestrators and activities are called and pass to each other.

use serde::{Deserialize, Serialize};
use warren::{Activity, Event, Orchestrator};
use warren_chaos_checker::Report;

/// Steps one after the other, with a pause in the middle.
pub(crate) const CHAIN: Orchestrator<Job, Report> = Orchestrator::new("storm_chain");
/// Steps side by side.
pub(crate) const FAN: Orchestrator<Job, Report> = Orchestrator::new("storm_fan");
/// Timers side by side, a race between two, and one step.
pub(crate) const TIMERS: Orchestrator<Job, Report> = Orchestrator::new("storm_timers");
/// Waits for signals, then does one step.
pub(crate) const SIGNALS: Orchestrator<Job, Report> = Orchestrator::new("storm_signals");
/// Children, each of which also signals its parent.
pub(crate) const TREE: Orchestrator<Job, Report> = Orchestrator::new("storm_tree");
/// A child of a tree.
pub(crate) const LEAF: Orchestrator<LeafJob, Report> = Orchestrator::new("storm_leaf");
/// Rounds of a step, a signal and a pause, each in an execution of its own.
pub(crate) const ROUNDS: Orchestrator<Job, Report> = Orchestrator::new("storm_rounds");
/// Steps that fail at first and are tried again.
pub(crate) const RETRIES: Orchestrator<Job, Report> = Orchestrator::new("storm_retries");

/// Steps with large inputs and results; large are its own input and result too.
pub(crate) const BULK: Orchestrator<Job, Report> = Orchestrator::new("storm_bulk");
/// Tries a step that fails at each attempt.
pub(crate) const FAILING: Orchestrator<Job, Report> = Orchestrator::new("storm_failing");
/// Has children and an activity, and waits for what never comes, as each child does.
pub(crate) const DOOMED: Orchestrator<Job, Report> = Orchestrator::new("storm_doomed");
/// One step that takes long.
pub(crate) const LONG: Orchestrator<Job, Report> = Orchestrator::new("storm_long");
/// Has something watched for a while, gives that up, and does one step.
pub(crate) const FICKLE: Orchestrator<Job, Report> = Orchestrator::new("storm_fickle");

/// Does a step.
pub(crate) const STEP: Activity<Step, Done> = Activity::new("storm_step");
/// Does a step with much ballast.
pub(crate) const CARRY: Activity<Bulk, BulkDone> = Activity::new("storm_carry");
/// Does a step, and fails at the first attempts.
pub(crate) const UNSTEADY: Activity<Step, Done> = Activity::new("storm_unsteady");
/// Does a step that takes long, and says so meanwhile.
pub(crate) const TOIL: Activity<Step, Done> = Activity::new("storm_toil");
/// Ends only when it is told to.
pub(crate) const WATCH: Activity<Step, Done> = Activity::new("storm_watch");

/// What clients, and a tree's leaves, send.
pub(crate) const SIGNAL: Event<Signal> = Event::new("signal");

/// What an orchestration is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Job {
    /// The message that started the root.
    pub(crate) case: String,
    /// What the value is computed from.
    pub(crate) seed: u32,
    /// How many steps, children, rounds, signals.
    pub(crate) size: u32,
    /// How long it pauses.
    pub(crate) pause_ms: u32,
    /// What the rounds before have done.
    #[serde(default)]
    pub(crate) so_far: Report,
    /// What makes it large, where it is to be.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) ballast: String,
}

/// What a leaf is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LeafJob {
    /// Its share of the tree's job.
    pub(crate) job: Job,
    /// Who is to be signalled.
    pub(crate) parent: String,
    /// Which leaf it is.
    pub(crate) leaf: u32,
}

/// What an activity is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Step {
    /// The message that started the root.
    pub(crate) case: String,
    /// Which step of it.
    pub(crate) step: u32,
    /// What the value is computed from.
    pub(crate) carry: u32,
    /// How many attempts fail.
    pub(crate) failures: u32,
}

/// What an activity has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Done {
    /// What follows from the step.
    pub(crate) value: u32,
    /// Which run it was: no other has this number.
    pub(crate) run: u64,
}

/// What an activity is to do, and much else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bulk {
    pub(crate) step: Step,
    pub(crate) ballast: String,
}

/// What an activity has done, and much else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BulkDone {
    #[serde(flatten)]
    pub(crate) done: Done,
    pub(crate) ballast: String,
}

/// What an event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Signal {
    /// Its number among the events of the instance.
    pub(crate) serial: u32,
    /// What it adds.
    pub(crate) number: u32,
}

/// The value of a step: what both the activity and the plan compute.
pub(crate) fn value(carry: u32, step: u32) -> u32 {
    let mixed = carry ^ step.wrapping_mul(0x9E37_79B9);
    (mixed ^ (mixed >> 15)).wrapping_mul(0x85EB_CA6B) ^ (mixed >> 3)
}

/// How large ballast is, in bytes: beyond what the storm's fleet sends inline, [`INLINE_KILOBYTES`].
const BALLAST_BYTES: usize = 12 * 1024;
/// How large a body may be before it travels by claim, in KiB.
pub(crate) const INLINE_KILOBYTES: usize = 8;

/// Ballast that follows from a number, so that anybody can tell whether it is whole.
pub(crate) fn ballast(of: u32) -> String {
    format!("{of:08x}").repeat(BALLAST_BYTES / 8)
}

/// How long a step takes, in milliseconds: mostly short, now and then long enough to be caught by a kill.
pub(crate) fn takes_ms(carry: u32, step: u32) -> u64 {
    match value(carry, step) % 20 {
        0 => 2_000,
        1..=4 => 300,
        _ => 20,
    }
}

/// How long a long step takes, in milliseconds: longer than most faults last.
pub(crate) fn toils_ms(carry: u32, step: u32) -> u64 {
    5_000 + u64::from(value(carry, step) % 15_000)
}

/// How many attempts of an unsteady step fail.
pub(crate) fn failures(carry: u32, step: u32) -> u32 {
    value(step, carry) % 3
}
