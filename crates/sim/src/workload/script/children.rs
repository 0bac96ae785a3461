//! Instances with children.

use super::Builder;
use crate::workload::{
    Expect,
    contract::{LEAVER, PARENT, STUBBORN, TWIN},
};

pub(super) fn parent(builder: &mut Builder<'_>) {
    let (id, n) = (builder.instance("parent"), i64::from(builder.small(0, 2)));
    // Each level adds 2n of its own child, and 0 and 2 of the others.
    let sum: i64 = (0..=n).map(|level| 2 * level + 2).sum();
    builder.start(&id, PARENT, &n, Expect::value(&sum));
}

pub(super) fn stubborn(builder: &mut Builder<'_>) {
    let id = builder.instance("stubborn");
    builder.start(&id, STUBBORN, &5, Expect::value(&5).or(Expect::Failure("chance")));
}

/// The child that is left alone is sent its event later.
pub(super) fn leaver(builder: &mut Builder<'_>) {
    let id = builder.instance("leaver");
    let alone = builder.instance("alone");
    let (value, at) = (builder.value(), builder.moment());
    builder.start(&id, LEAVER, &alone.to_string(), Expect::value(&42));
    let way = crate::client::Way::Control;
    builder.ask(at, crate::client::Ask::Raise { instance: alone.clone(), event: "go", value, way });
    builder.script.expected.push((alone, Expect::value(&value)));
}

/// Two parents that want the same child.
pub(super) fn twins(builder: &mut Builder<'_>) {
    let child = builder.instance("child");
    for _ in 0..2 {
        let id = builder.instance("twin");
        let taken = Expect::Failure(warren_model::code::INSTANCE_EXISTS);
        builder.start(&id, TWIN, &child.to_string(), Expect::value(&4).or(taken));
    }
}
