//! Instances that are suspended, resumed and terminated.

use super::Builder;
use crate::{
    client::{Ask, Move},
    workload::{
        Expect,
        contract::{CHAIN, COLLECTOR, PARENT, SLEEPER, WATCHER},
    },
};

/// Suspended and resumed, twice perhaps.
pub(super) fn paused(builder: &mut Builder<'_>) {
    let id = builder.instance("paused");
    let at = builder.moment();
    if builder.random.one_in(2) {
        builder.start_at(at, &id, CHAIN, &(5, 1), Expect::value(&32));
    } else {
        let count = builder.small(1, 4);
        let values: Vec<i64> = (0..count).map(|_| builder.value()).collect();
        values.iter().for_each(|value| builder.raise(&id, "go", *value));
        builder.start_at(at, &id, COLLECTOR, &(count, 0), Expect::value(&values.iter().sum::<i64>()));
    }
    let mut moves = Vec::new();
    for _ in 0..builder.small(1, 2) {
        let instance = id.clone();
        moves.push(Move { after: builder.pause(), ask: Ask::Suspend { instance: instance.clone() } });
        moves.push(Move { after: builder.pause(), ask: Ask::Resume { instance } });
    }
    moves[0].after += at;
    builder.script.threads.push(moves);
}

pub(super) fn terminated(builder: &mut Builder<'_>) {
    let id = builder.instance("terminated");
    let at = builder.moment();
    let ended = Expect::Failure(warren_model::code::TERMINATED);
    if builder.random.one_in(2) {
        builder.start_at(at, &id, SLEEPER, &5, Expect::value(&5).or(ended));
    } else {
        builder.start_at(at, &id, CHAIN, &(6, 1), Expect::value(&64).or(ended));
    }
    terminate(builder, id, at);
}

/// Ended while something runs for it that never ends by itself.
pub(super) fn terminated_watcher(builder: &mut Builder<'_>) {
    let id = builder.instance("terminated-watcher");
    let at = builder.moment();
    let ended = Expect::Failure(warren_model::code::TERMINATED);
    builder.start_at(at, &id, WATCHER, &60_000, Expect::value(&0).or(ended));
    terminate(builder, id, at + 2_000_000);
}

/// With or without its children.
pub(super) fn terminated_parent(builder: &mut Builder<'_>) {
    let id = builder.instance("terminated-parent");
    let at = builder.moment();
    let ended = Expect::Failure(warren_model::code::TERMINATED);
    builder.start_at(at, &id, PARENT, &1, Expect::value(&6).or(ended));
    terminate(builder, id, at);
}

fn terminate(builder: &mut Builder<'_>, instance: warren_model::InstanceId, at: u64) {
    let (after, recursive) = (at + builder.random.below(1_000_000), builder.random.one_in(2));
    builder.ask(after, Ask::Terminate { instance, recursive });
}

/// Somebody has open work sent again, though nothing was lost.
pub(super) fn redispatched(builder: &mut Builder<'_>) {
    let (partition, at) = (builder.random.below(4), builder.moment());
    builder.ask(at, Ask::Redispatch { partition });
}
