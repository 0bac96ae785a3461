//! Instances that wait for events: before their start and after, within a deadline, across executions, from each other.

use super::Builder;
use crate::workload::{
    Expect,
    contract::{ADDER, COLLECTOR, PING, PONG, WITHIN},
};

pub(super) fn adder(builder: &mut Builder<'_>) {
    let (id, count) = (builder.instance("adder"), builder.small(1, 5));
    let sum: i64 = (0..count).map(|_| raise(builder, &id)).sum();
    builder.start(&id, ADDER, &count, Expect::value(&sum));
}

pub(super) fn within(builder: &mut Builder<'_>) {
    let (id, millis) = (builder.instance("within"), builder.random.below(4_000));
    let value = raise(builder, &id);
    builder.start(&id, WITHIN, &millis, Expect::value(&value).or(Expect::value(&None::<i64>)));
}

pub(super) fn collector(builder: &mut Builder<'_>) {
    let (id, count) = (builder.instance("collector"), builder.small(1, 6));
    let sum: i64 = (0..count).map(|_| raise(builder, &id)).sum();
    builder.start(&id, COLLECTOR, &(count, 0), Expect::value(&sum));
}

fn raise(builder: &mut Builder<'_>, id: &warren_model::InstanceId) -> i64 {
    let value = builder.value();
    builder.raise(id, "go", value);
    value
}

/// Two instances that send each other events; the first may arrive before its receiver is started.
pub(super) fn ping_pong(builder: &mut Builder<'_>) {
    let (ping, pong) = (builder.instance("ping"), builder.instance("pong"));
    let (rounds, first) = (builder.small(1, 4), builder.value());
    builder.values += i64::from(rounds);
    let sum: i64 = (0..i64::from(rounds)).map(|round| -(first + round)).sum();
    builder.start(&ping, PING, &(pong.to_string(), first, rounds), Expect::value(&sum));
    builder.start(&pong, PONG, &(ping.to_string(), rounds), Expect::value(&0));
}

/// An event for an instance that nobody ever starts.
pub(super) fn nobody_comes(builder: &mut Builder<'_>) {
    let (id, value, at) = (builder.instance("nobody"), builder.value(), builder.moment());
    let way = crate::client::Way::Ingress { answers: false };
    builder.ask(at, crate::client::Ask::Raise { instance: id, event: "go", value, way });
}
