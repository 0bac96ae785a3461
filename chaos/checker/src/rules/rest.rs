//! Nothing is left over: no timer, no message, no unconfirmed batch, and empty queues.

use crate::{Kind, Verdict, judge::World};

pub(crate) fn check(world: &World<'_>, verdict: &mut Verdict) {
    for rest in &world.hub.rest {
        verdict.add(Kind::Leftover, &rest.of, format!("table {}: {}", rest.table, rest.what));
    }
    for queue in world.hub.queues.iter().filter(|queue| queue.messages > 0) {
        let samples = queue.samples.join("; ");
        verdict.add(Kind::Leftover, &queue.name, format!("{} messages rest in it {samples}", queue.messages));
    }
}
