//! Instances that need nobody.

use warren_model::{AnswerWhen, Payload};

use super::{Builder, PAYLOAD_BYTES_MAX};
use crate::{
    client::{Ask, Way},
    workload::{
        Expect,
        contract::{
            CANCELLED, CHAIN, DARING, DISTANT, FAN, FICKLE, FIRST, LATE, LIMITED, PLANNED, RACE, RECORDED, REFUSED,
            RETRIES, SETTLED, SHOWN, SLEEPER, TOO_LARGE, VERSIONED,
        },
        plan::Plan,
    },
};

pub(super) fn chain(builder: &mut Builder<'_>) {
    let (id, steps) = (builder.instance("chain"), builder.small(1, 6));
    builder.start(&id, CHAIN, &(steps, 3), Expect::value(&(3 << steps)));
}

pub(super) fn fan(builder: &mut Builder<'_>) {
    let (id, n) = (builder.instance("fan"), i64::from(builder.small(1, 8)));
    builder.start(&id, FAN, &n, Expect::value(&(2 * n * (n - 1))));
}

pub(super) fn daring(builder: &mut Builder<'_>) {
    let (id, n) = (builder.instance("daring"), i64::from(builder.small(1, 6)));
    builder.start(&id, DARING, &n, Expect::value(&(n + n * (n - 1))));
}

pub(super) fn first(builder: &mut Builder<'_>) {
    let (id, n) = (builder.instance("first"), i64::from(builder.small(1, 5)));
    let any = (1..=n).map(|i| Expect::value(&(2 * i + 200))).collect();
    builder.start(&id, FIRST, &n, Expect::Any(any));
}

pub(super) fn settled(builder: &mut Builder<'_>) {
    let (id, n) = (builder.instance("settled"), i64::from(builder.small(1, 4)));
    builder.start(&id, SETTLED, &n, Expect::value(&n));
}

pub(super) fn race(builder: &mut Builder<'_>) {
    let (id, millis) = (builder.instance("race"), builder.random.below(300));
    builder.start(&id, RACE, &millis, Expect::value(&0).or(Expect::value(&2)));
}

pub(super) fn sleeper(builder: &mut Builder<'_>) {
    let (id, times) = (builder.instance("sleeper"), builder.small(1, 5));
    builder.start(&id, SLEEPER, &times, Expect::value(&times));
}

pub(super) fn cancelled(builder: &mut Builder<'_>) {
    let (id, n) = (builder.instance("cancelled"), i64::from(builder.small(1, 4)));
    builder.start(&id, CANCELLED, &n, Expect::value(&(n * (n - 1))));
}

pub(super) fn fickle(builder: &mut Builder<'_>) {
    let (id, times) = (builder.instance("fickle"), builder.small(1, 4));
    let millis = builder.random.between(1, 6_000);
    builder.start(&id, FICKLE, &(times, millis), Expect::Any((0..=times).map(|n| Expect::value(&n)).collect()));
}

pub(super) fn limited(builder: &mut Builder<'_>) {
    let (id, which) = (builder.instance("limited"), builder.small(0, 3));
    let millis = builder.random.between(1, 12_000);
    builder.start(&id, LIMITED, &(which, millis), Expect::value(&7).or(Expect::value(&0)));
}

pub(super) fn recorded(builder: &mut Builder<'_>) {
    let (id, times) = (builder.instance("recorded"), builder.small(1, 4));
    builder.start(&id, RECORDED, &times, Expect::value(&true));
}

pub(super) fn retries(builder: &mut Builder<'_>) {
    let (id, fails) = (builder.instance("retries"), builder.small(0, 6));
    let expect = if fails < 5 { Expect::value(&7) } else { Expect::Failure("flaky") };
    builder.start(&id, RETRIES, &(fails, 7), expect);
}

pub(super) fn refused(builder: &mut Builder<'_>) {
    let id = builder.instance("refused");
    builder.start(&id, REFUSED, &1, Expect::Failure("no"));
}

pub(super) fn too_large(builder: &mut Builder<'_>) {
    let id = builder.instance("too-large");
    let code = warren_model::code::PAYLOAD_TOO_LARGE;
    builder.start(&id, TOO_LARGE, &(PAYLOAD_BYTES_MAX + 10), Expect::value(&[code; 3]));
}

pub(super) fn shown(builder: &mut Builder<'_>) {
    let (id, steps) = (builder.instance("shown"), builder.small(1, 4));
    builder.script.shown.push((id.clone(), steps.to_string()));
    builder.start(&id, SHOWN, &steps, Expect::value(&steps));
}

/// Known to nobody before the deployment.
pub(super) fn late(builder: &mut Builder<'_>) {
    let id = builder.instance("late");
    builder.start(&id, LATE, &21, Expect::value(&42));
}

/// Its history goes over the limit.
pub(super) fn long(builder: &mut Builder<'_>) {
    let (id, steps) = (builder.instance("long"), builder.small(12, 18));
    builder.script.has_long_history = true;
    builder.start(&id, CHAIN, &(steps, 1), Expect::value(&(1 << steps)));
}

pub(super) fn planned(builder: &mut Builder<'_>) {
    let id = builder.instance("planned");
    let plan = Plan::draw(builder.random, &mut builder.values);
    let expect = match plan.reckon() {
        Some(value) => Expect::value(&value),
        None => Expect::Failure("no").or(Expect::Failure("flaky")),
    };
    const NAMES: [&str; 6] = ["e0", "e1", "e2", "e3", "e4", "e5"];
    for (which, value) in plan.events() {
        builder.raise(&id, NAMES[which], value);
    }
    builder.start(&id, PLANNED, &plan, expect);
}

/// Two starts of one id: one of them is refused, whichever.
pub(super) fn rivals(builder: &mut Builder<'_>) {
    let id = builder.instance("rivals");
    builder.start(&id, CHAIN, &(2, 1), Expect::value(&4).or(Expect::value(&12)));
    let (at, input) = (builder.moment(), Payload::of(&(2, 3)).expect("numbers are JSON"));
    let (orchestrator, when, way) = (CHAIN.name(), AnswerWhen::Accepted, Way::Control);
    builder.ask(at, Ask::Start { instance: id, orchestrator, input, when, way });
}

/// Started under the older code, or under the newer.
pub(super) fn versioned(builder: &mut Builder<'_>) {
    let id = builder.instance("versioned");
    builder.start(&id, VERSIONED, &5, Expect::value(&40).or(Expect::value(&22)));
}

/// Sleeps for longer than an owner's wheel looks ahead.
pub(super) fn distant(builder: &mut Builder<'_>) {
    let (id, seconds) = (builder.instance("distant"), builder.random.between(200, 500));
    builder.start(&id, DISTANT, &seconds, Expect::value(&1));
}

/// Many at once.
pub(super) fn crowd(builder: &mut Builder<'_>) {
    let (id, n) = (builder.instance("crowd"), i64::from(builder.small(20, 60)));
    builder.start(&id, FAN, &n, Expect::value(&(2 * n * (n - 1))));
}
