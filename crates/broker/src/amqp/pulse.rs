//! A sign of life on the connection that publishes.
//!
//! RabbitMQ tells a connection of its memory or disk alarm once that connection publishes, and not before: a process that
//! has had nothing to say would think that all is well. So it says something, to nobody. The broker drops it, and counts
//! it among the unroutable messages that it has dropped.

use std::{convert::Infallible, time::Duration};

use lapin::{
    BasicProperties, Connection,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};

/// How often.
const EVERY: Duration = Duration::from_secs(3);

/// A queue that does not exist: the broker lets nobody declare a name that begins so.
const NOBODY: &str = "amq.nobody";

/// Publishes to nobody from time to time, for as long as it is polled. Waits while the broker is in an alarm.
pub(super) async fn pulse(connection: &Connection) -> Infallible {
    loop {
        let Err(error) = publish(connection).await;
        tracing::debug!(%error, "no sign of life could be given");
        tokio::time::sleep(EVERY).await;
    }
}

/// Ends only with the channel.
async fn publish(connection: &Connection) -> lapin::Result<Infallible> {
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    loop {
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        channel.basic_publish("".into(), NOBODY.into(), options, &[], properties).await?.await?;
        tokio::time::sleep(EVERY).await;
    }
}
