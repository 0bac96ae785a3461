//! What crosses the traits: rows to write, rows that were read.

mod commit;
mod hub;
mod load;
mod outbox;
mod task;
mod turn;

pub use self::{
    commit::{Aside, CommandRow, Commit, PendingRow, TimerRow},
    hub::{Hub, HubSpec, Lease, Renewal, Standing, Survey},
    load::{Expired, Load, Loaded, LoadedInstance, PartitionState, Sweep, Swept},
    outbox::{OutboxEntry, OutboxRow, OutboxTurn},
    task::{Suspect, TaskNote, TaskRun},
    turn::{Progress, TurnKey, TurnRow},
};

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
