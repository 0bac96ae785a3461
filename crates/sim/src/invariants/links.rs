//! Messages between partitions are taken in the order in which they were given their numbers: none before it was
//! committed at its source, none twice.

use warren_model::Partition;
use warren_store::Commit;

use super::Violation;
use crate::world::World;

pub(super) fn written(world: &World, commit: &Commit) -> Result<(), Violation> {
    for (source, received) in &commit.received {
        let sent = sent(world, *source, commit.partition);
        if *received > sent {
            let text = format!(
                "partition {} has taken message {received} from {source}, which has sent {sent}",
                commit.partition
            );
            return Err(Violation::new("links", text));
        }
    }
    Ok(())
}

/// Returns the number of the last message that a partition has committed for another.
pub(super) fn sent(world: &World, source: Partition, target: Partition) -> u64 {
    world.store.tables(source).sent.get(&target).copied().unwrap_or(0)
}
