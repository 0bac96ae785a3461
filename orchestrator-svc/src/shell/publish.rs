//! Publishing, and what is done about what did not arrive.

use std::time::Duration;

use warren_broker::{Address, Broker, Publication, Published, Publisher, QueueKind, QueueSpec};

/// Fails if a publication was lost: its channel publishes nothing any more.
pub(super) fn lost(results: &[Published]) -> anyhow::Result<()> {
    match results.iter().find(|result| matches!(result, Published::Lost(_))) {
        Some(Published::Lost(why)) => anyhow::bail!("the channel that publishes was lost: {why}"),
        Some(_) | None => Ok(()),
    }
}

/// Makes the queues that returned messages were meant for; the owner publishes them again.
pub(super) async fn declare_missing<B: Broker>(
    broker: &B,
    topology: &warren_broker::Topology,
    addresses: &[Address],
    results: &[Published],
) {
    let returned = addresses.iter().zip(results).filter(|(_, result)| **result == Published::Returned);
    let mut missing: Vec<&str> =
        returned.filter_map(|(to, _)| if let Address::Queue(name) = to { Some(&**name) } else { None }).collect();
    missing.sort_unstable();
    missing.dedup();
    for name in missing {
        let kind = if topology.partition_of_control(name).is_some() {
            QueueKind::Control
        } else if topology.dead().name == name {
            QueueKind::Dead
        } else if let Some(queue) = topology.queue_of_work(name) {
            topology.kind_of_work(queue)
        } else {
            continue; // a client's own queue, which is gone
        };
        match broker.declare(&QueueSpec { name: name.into(), kind }).await {
            Ok(()) => tracing::info!(queue = name, "queue was missing, declared"),
            Err(error) => {
                tracing::warn!(queue = name, %error, "queue is missing and can't be declared, its messages wait")
            }
        }
    }
}

/// Publishes until everything is confirmed, for messages whose originals wait unacknowledged.
pub(super) async fn publish_all<B: Broker>(
    broker: &B,
    topology: &warren_broker::Topology,
    publisher: &B::Publisher,
    mut batch: Vec<Publication>,
) -> anyhow::Result<()> {
    let mut pause = Duration::from_millis(50);
    while !batch.is_empty() {
        let addresses: Vec<Address> = batch.iter().map(|publication| publication.to.clone()).collect();
        let results = publisher.publish(batch.clone()).await;
        lost(&results)?;
        declare_missing(broker, topology, &addresses, &results).await;
        let mut results = results.iter();
        batch.retain(|publication| {
            let result = results.next();
            let is_safe = result == Some(&Published::Confirmed)
                || (result == Some(&Published::Returned) && !publication.mandatory);
            !is_safe
        });
        if !batch.is_empty() {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }
    Ok(())
}
