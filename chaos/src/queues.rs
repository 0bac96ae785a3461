//! What rests in the hub's queues.

use anyhow::Context;
use lapin::{
    Connection, ConnectionProperties,
    options::BasicGetOptions,
    types::{AMQPValue, ShortString},
};
use warren_chaos_checker::Queue;

use crate::fleet::{HUB, Server, Servers};

/// How many messages of a queue are shown.
const SAMPLES: usize = 5;

/// Counts what rests in each of the hub's queues, unacknowledged deliveries included.
pub(crate) async fn read(servers: &Servers) -> anyhow::Result<Vec<Queue>> {
    let text = servers
        .run(Server::Broker, &["ctl", "--quiet", "list_queues", "--no-table-headers", "name", "messages"])
        .await?;
    let mut queues = Vec::new();
    for line in text.lines() {
        let (name, messages) = line.rsplit_once('\t').with_context(|| format!("no queue: {line:?}"))?;
        if name.starts_with(&format!("{HUB}.")) {
            queues.push(Queue { name: name.into(), messages: messages.trim().parse()?, samples: Vec::new() });
        }
    }
    anyhow::ensure!(!queues.is_empty(), "rabbitmqctl names no queue of the hub: {text:?}");
    Ok(queues)
}

/// Looks at some messages of each queue that is not empty; as far as that can be done.
pub(crate) async fn sample(mut queues: Vec<Queue>, url: &str) -> Vec<Queue> {
    for queue in queues.iter_mut().filter(|queue| queue.messages > 0) {
        queue.samples =
            look(&queue.name, url).await.unwrap_or_else(|error| vec![format!("can't be looked at: {error:#}")]);
    }
    queues
}

async fn look(queue: &str, url: &str) -> anyhow::Result<Vec<String>> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let mut samples = Vec::new();
    while samples.len() < SAMPLES {
        // Unacknowledged, so that they go back when the connection closes.
        let Some(message) = channel.basic_get(ShortString::from(queue), BasicGetOptions::default()).await? else {
            break;
        };
        let properties = &message.properties;
        let reason = properties.headers().as_ref().and_then(|headers| headers.inner().get("warren-reason"));
        let reason = if let Some(AMQPValue::LongString(reason)) = reason { reason.to_string() } else { String::new() };
        let id = properties.message_id().as_ref().map_or_else(|| "without id".to_owned(), ToString::to_string);
        samples.push(format!("{id}: {reason} {}", String::from_utf8_lossy(&message.data)));
    }
    Ok(samples)
}
