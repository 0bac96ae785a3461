//! What the cluster is given to do: orchestrators that use every primitive, scripts of clients, and how it may end.

mod contract;
mod expect;
mod orchestrators;
mod plan;
mod registry;
mod script;

pub(crate) use self::{
    contract::{CHANCE, DEADLY, ENDLESS, SLOW},
    expect::Expect,
    registry::{after, before},
    script::{HISTORY_EVENTS_MAX, PAYLOAD_BYTES_MAX, Script, draw},
};
