//! Which functions serve which names, before and after the deployment.

use warren::{ActivityContext, Failure, Registry};

use super::{
    contract::{
        ADDER, CANCELLED, CHAIN, CHANCE, COLLECTOR, DARING, DEADLY, DISTANT, DOUBLE, ECHO, ENDLESS, FAIL, FAN, FICKLE,
        FIRST, FLAKY, LATE, LEAVER, LIMITED, LONG, PARENT, PING, PLANNED, PONG, RACE, RECORDED, REFUSED, RETRIES,
        SETTLED, SHOWN, SLEEPER, SLOW, STUBBORN, TOO_LARGE, TWIN, UNLUCKY, VERSIONED, WATCHER, WITHIN,
    },
    orchestrators as functions, plan,
};

/// Activities wait for nothing, depend on their input alone, and are the same wherever they run.
fn activities(registry: Registry) -> Registry {
    registry
        .activity(DOUBLE, |_: ActivityContext, n: i64| async move { Ok::<_, Failure>(n.wrapping_mul(2)) })
        .activity(ECHO, |_: ActivityContext, text: String| async move { Ok::<_, Failure>(text) })
        .activity(FLAKY, |ctx: ActivityContext, (fails, n): (u32, i64)| async move {
            if ctx.attempt() > fails { Ok(n) } else { Err(Failure::new("flaky", "not yet")) }
        })
        .activity(CHANCE, |_: ActivityContext, n: i64| async move { Ok::<_, Failure>(n) })
        .activity(FAIL, |_: ActivityContext, _: i64| async move {
            Err::<i64, _>(Failure::permanent("no", "it never works"))
        })
        .activity(DEADLY, |_: ActivityContext, n: i64| async move { Ok::<_, Failure>(n) })
        .activity(SLOW, |_: ActivityContext, n: i64| async move { Ok::<_, Failure>(n) })
        .activity(ENDLESS, |_: ActivityContext, _: i64| async move {
            // It runs until it is told: because nobody waits for it, or because its worker stops, which hands it back.
            Err::<i64, _>(Failure::new("told", "it has ended as it was told"))
        })
        .activity(LONG, |_: ActivityContext, bytes: usize| async move { Ok::<_, Failure>("x".repeat(bytes)) })
}

/// The orchestrators that are known from the beginning.
pub(crate) fn before() -> Registry {
    activities(Registry::new())
        .orchestrator(CHAIN, functions::chain)
        .orchestrator(DARING, functions::daring)
        .orchestrator(FAN, functions::fan)
        .orchestrator(FIRST, functions::first)
        .orchestrator(SETTLED, functions::settle)
        .orchestrator(RACE, functions::race_against_time)
        .orchestrator(SLEEPER, functions::sleeper)
        .orchestrator(CANCELLED, functions::cancelled)
        .orchestrator(FICKLE, functions::fickle)
        .orchestrator(WATCHER, functions::watcher)
        .orchestrator(LIMITED, functions::limited)
        .orchestrator(ADDER, functions::adder)
        .orchestrator(WITHIN, functions::within)
        .orchestrator(PARENT, functions::parent)
        .orchestrator(STUBBORN, functions::stubborn)
        .orchestrator(UNLUCKY, functions::unlucky)
        .orchestrator(LEAVER, functions::leaver)
        .orchestrator(COLLECTOR, functions::collector)
        .orchestrator(PING, functions::ping)
        .orchestrator(PONG, functions::pong)
        .orchestrator(RECORDED, functions::recorded)
        .orchestrator(RETRIES, functions::retries)
        .orchestrator(REFUSED, functions::refused)
        .orchestrator(TOO_LARGE, functions::too_large)
        .orchestrator(SHOWN, functions::shown)
        .orchestrator(PLANNED, plan::planned)
        .orchestrator(TWIN, functions::twin)
        .orchestrator(DISTANT, functions::distant)
        .orchestrator(VERSIONED.version("1"), functions::versioned_once)
}

/// The same, another one, and a newer version of one: instances that run keep the older.
pub(crate) fn after() -> Registry {
    before().orchestrator(LATE, functions::late).orchestrator(VERSIONED.version("2"), functions::versioned_twice)
}
