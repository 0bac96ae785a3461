//! The ingress: starts and events from other systems, checked and forwarded to their partitions, in order.

use std::time::Duration;

use warren_broker::{Acker, Broker, Codec, Consumer, Delivery, Publication, QueueSpec, Topology};
use warren_model::{Refusal, RefusalCode};
use warren_store::Store;

use super::{Replica, metrics, publish::publish_all};

/// Most messages on their way through this replica.
const PREFETCH: u16 = 500;
/// The check of readiness that says whether the ingress can be read.
pub(crate) const CHECK: &str = "ingress";
/// How long to wait before the ingress is consumed again after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// Forwards for as long as it is polled. Only one replica is active at a time (single active consumer); the others wait.
pub(crate) async fn run<S: Store, B: Broker>(replica: &Replica<S, B>) {
    loop {
        if let Err(error) = forward(replica).await {
            tracing::warn!(%error, "ingress is interrupted, trying again");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Each message is acknowledged after its forward is confirmed.
async fn forward<S: Store, B: Broker>(replica: &Replica<S, B>) -> anyhow::Result<()> {
    let (broker, topology) = (&replica.broker, replica.codec.topology());
    let queue = topology.ingress_queue();
    let opened = open(broker, topology, &queue).await;
    match &opened {
        Ok(_) => replica.health.pass(CHECK),
        Err(error) => replica.health.fail(CHECK, format!("queue {} can't be read: failed to {error}", queue.name)),
    }
    let (publisher, mut consumer) = opened?;
    let acker = consumer.acker();
    while let Some(deliveries) = consumer.next(PREFETCH.into()).await {
        let max = replica.owner.limits.payload_bytes;
        let batch = deliveries.iter().flat_map(|delivery| translate(&replica.codec, delivery, max)).collect();
        publish_all(broker, topology, &publisher, batch).await?;
        if let Some(last) = deliveries.last() {
            acker.ack(last.tag, true).await?;
        }
    }
    anyhow::bail!("the broker closed the channel or deleted queue {}", queue.name)
}

async fn open<B: Broker>(
    broker: &B,
    topology: &Topology,
    queue: &QueueSpec,
) -> warren_broker::Result<(B::Publisher, B::Consumer)> {
    broker.declare(&topology.dead()).await?;
    broker.declare(queue).await?;
    let publisher = broker.publisher().await?;
    Ok((publisher, broker.consume(&queue.name, PREFETCH).await?))
}

/// A command for its partition; or, if it makes no sense, word to the dead queue and to its sender.
///
/// What could not be carried further is refused here: it would be tried for ever, and all behind it would wait.
fn translate(codec: &Codec, delivery: &Delivery, payload_max: usize) -> Vec<Publication> {
    let size = delivery.message.body.len();
    let (code, reason) = match codec.decode_ingress(delivery) {
        Ok(_) if size > payload_max => {
            let max = format!("at most {payload_max} are allowed: pass a reference, or raise payload_megabytes_max");
            (RefusalCode::TooLarge, format!("the body has {size} bytes, {max}"))
        }
        Ok(ingress) => {
            if ingress.has_random_id {
                tracing::debug!(instance = %ingress.envelope.instance, "ingress message without a message_id: it is not protected from duplicates");
            }
            return vec![codec.command(&ingress.envelope)];
        }
        Err(malformed) => (RefusalCode::Invalid, malformed.reason),
    };
    tracing::warn!(%reason, routing_key = %delivery.routing_key, "message can't be taken, moved to the dead queue");
    metrics::has_buried("malformed");
    let mut out = vec![codec.dead(delivery, &reason, &codec.topology().ingress_queue().name)];
    if let Some(to) = codec.answer_to(delivery) {
        out.push(codec.answer(&to, &Err(Refusal { code, message: reason })));
    }
    out
}

#[cfg(test)]
#[path = "ingress_test.rs"]
mod test;
