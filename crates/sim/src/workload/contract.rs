//! The names that the workload's orchestrators and activities share.

use warren::{Activity, Event, Orchestrator};

use super::plan::Plan;

pub(crate) const DOUBLE: Activity<i64, i64> = Activity::new("double");
pub(crate) const ECHO: Activity<String, String> = Activity::new("echo").queue("shared");
/// Fails so many times, then gives the second number.
pub(crate) const FLAKY: Activity<(u32, i64), i64> = Activity::new("flaky").queue("shared");
/// Fails by chance, else gives its input.
pub(crate) const CHANCE: Activity<i64, i64> = Activity::new("chance").queue("shared");
/// Always fails, and not to be tried again.
pub(crate) const FAIL: Activity<i64, i64> = Activity::new("fail").queue("shared");
/// Kills its worker, until somebody has mended that; then gives its input.
pub(crate) const DEADLY: Activity<i64, i64> = Activity::new("deadly").queue("shared");
/// Gives a text of so many bytes.
pub(crate) const LONG: Activity<usize, String> = Activity::new("long").queue("shared");
/// Takes some seconds, and gives its input.
pub(crate) const SLOW: Activity<i64, i64> = Activity::new("slow").queue("shared");
/// Ends only when it is told to.
pub(crate) const ENDLESS: Activity<i64, i64> = Activity::new("endless").queue("shared");

pub(crate) const GO: Event<i64> = Event::new("go");
/// Events of plans, each awaited once.
pub(crate) const NAMED: [Event<i64>; 6] =
    [Event::new("e0"), Event::new("e1"), Event::new("e2"), Event::new("e3"), Event::new("e4"), Event::new("e5")];

pub(crate) const CHAIN: Orchestrator<(u32, i64), i64> = Orchestrator::new("chain");
pub(crate) const DARING: Orchestrator<i64, i64> = Orchestrator::new("daring");
pub(crate) const FAN: Orchestrator<i64, i64> = Orchestrator::new("fan");
pub(crate) const FIRST: Orchestrator<i64, i64> = Orchestrator::new("first");
pub(crate) const SETTLED: Orchestrator<i64, i64> = Orchestrator::new("settled");
pub(crate) const RACE: Orchestrator<u64, i64> = Orchestrator::new("race");
pub(crate) const SLEEPER: Orchestrator<u32, i64> = Orchestrator::new("sleeper");
pub(crate) const CANCELLED: Orchestrator<i64, i64> = Orchestrator::new("cancelled");
pub(crate) const FICKLE: Orchestrator<(u32, u64), i64> = Orchestrator::new("fickle");
pub(crate) const WATCHER: Orchestrator<u64, i64> = Orchestrator::new("watcher");
pub(crate) const LIMITED: Orchestrator<(u32, u64), i64> = Orchestrator::new("limited");
pub(crate) const ADDER: Orchestrator<u32, i64> = Orchestrator::new("adder");
pub(crate) const WITHIN: Orchestrator<u64, Option<i64>> = Orchestrator::new("within");
pub(crate) const PARENT: Orchestrator<i64, i64> = Orchestrator::new("parent");
pub(crate) const STUBBORN: Orchestrator<i64, i64> = Orchestrator::new("stubborn");
pub(crate) const UNLUCKY: Orchestrator<i64, i64> = Orchestrator::new("unlucky");
pub(crate) const LEAVER: Orchestrator<String, i64> = Orchestrator::new("leaver");
pub(crate) const COLLECTOR: Orchestrator<(u32, i64), i64> = Orchestrator::new("collector");
pub(crate) const PING: Orchestrator<(String, i64, u32), i64> = Orchestrator::new("ping");
pub(crate) const PONG: Orchestrator<(String, u32), i64> = Orchestrator::new("pong");
pub(crate) const RECORDED: Orchestrator<u32, bool> = Orchestrator::new("recorded");
pub(crate) const RETRIES: Orchestrator<(u32, i64), i64> = Orchestrator::new("retries");
pub(crate) const REFUSED: Orchestrator<i64, i64> = Orchestrator::new("refused");
pub(crate) const TOO_LARGE: Orchestrator<usize, Vec<String>> = Orchestrator::new("too_large");
pub(crate) const SHOWN: Orchestrator<u32, u32> = Orchestrator::new("shown");
pub(crate) const PLANNED: Orchestrator<Plan, i64> = Orchestrator::new("planned");
/// Served in one version before the deployment and in two after it.
pub(crate) const VERSIONED: Orchestrator<i64, i64> = Orchestrator::new("versioned");
pub(crate) const TWIN: Orchestrator<String, i64> = Orchestrator::new("twin");
pub(crate) const DISTANT: Orchestrator<u64, i64> = Orchestrator::new("distant");
/// Known only after the deployment.
pub(crate) const LATE: Orchestrator<i64, i64> = Orchestrator::new("late");
