//! What was purged does not come back, whatever is still on its way (H12): the workload begins none of it again.

use warren_store::Commit;

use super::Violation;
use crate::world::World;

pub(super) fn written(world: &mut World, commit: &Commit) -> Result<(), Violation> {
    if let Some(record) = commit.instances.iter().find(|record| world.ledger.purged.contains(&record.id)) {
        let text = format!("instance {} was purged and is there again, begun by {}", record.id, record.start_id);
        return Err(Violation::new("purged", text));
    }
    for instance in &commit.purged {
        if !world.ledger.ended.contains_key(instance) {
            return Err(Violation::new("purged", format!("instance {instance} is purged and has not ended")));
        }
        world.ledger.purged.insert(instance.clone());
    }
    Ok(())
}
