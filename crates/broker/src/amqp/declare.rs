//! Makes sure that queues exist, by looking first: declaring needs permissions that a service may do without.
//!
//! Each question has a channel of its own, since the broker closes the channel with a denial.

use lapin::{
    ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::FieldTable,
};

use super::{convert::to_table, error::Answer, link::Link};
use crate::{Binding, QueueKind, QueueSpec, Result, Topology};

/// Makes sure that the queue exists, with the exchange that feeds it and the dead queue behind it.
pub(super) async fn declare(link: &Link, topology: &Topology, spec: &QueueSpec) -> Result<()> {
    let created = ensure_queue(link, topology, spec).await?;
    if created && spec.kind != QueueKind::Dead {
        // A service that may not declare it has a queue all the same; only what dies there has to wait.
        if let Err(error) = ensure_queue(link, topology, &topology.dead()).await {
            tracing::warn!(queue = topology.dead().name, %error, "no queue for dead messages");
        }
    }
    if let Some(binding) = topology.binding(spec.kind) {
        ensure_exchange(link, &binding.exchange).await?;
        bind(link, spec, &binding, created).await?;
    }
    Ok(())
}

/// Returns whether the queue had to be made.
async fn ensure_queue(link: &Link, topology: &Topology, spec: &QueueSpec) -> Result<bool> {
    let look = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
    let exists = match ask_queue(link, topology, spec, look).await? {
        Answer::Done(()) | Answer::Differs(_) => true,
        Answer::Absent => false,
        Answer::Forbidden(why) => return Err(link.asker().refused(format!("look at queue {}: {why}", spec.name))),
    };
    match ask_queue(link, topology, spec, QueueDeclareOptions::durable()).await? {
        Answer::Done(()) | Answer::Absent => {
            if !exists {
                tracing::info!(queue = spec.name, "declared a queue");
            }
        }
        Answer::Differs(why) => {
            let (queue, remedy) = (&spec.name, remedy(spec.kind));
            tracing::warn!(queue, why, remedy, "a queue has other arguments than expected; it is used as it is");
        }
        // It exists, and nobody is owed a proof that it is as it should be.
        Answer::Forbidden(_) if exists => {}
        Answer::Forbidden(why) => return Err(link.asker().refused(format!("declare queue {}: {why}", spec.name))),
    }
    Ok(!exists)
}

/// Returns what a person may do about a queue with other arguments than expected.
fn remedy(kind: QueueKind) -> &'static str {
    match kind {
        QueueKind::Work | QueueKind::LimitedWork => {
            "give every service the same settings broker and queues; if they are, delete the queue while it is empty"
        }
        QueueKind::Ingress | QueueKind::Control | QueueKind::Baton | QueueKind::Dead => {
            "give every service the same settings broker; if they are, delete the queue as docs/operations.md says"
        }
    }
}

async fn ask_queue(
    link: &Link,
    topology: &Topology,
    spec: &QueueSpec,
    options: QueueDeclareOptions,
) -> Result<Answer<()>> {
    let channel = link.channel().await?;
    let arguments = if options.passive { FieldTable::default() } else { to_table(&topology.arguments(spec.kind)) };
    let question = channel.queue_declare(spec.name.as_str().into(), options, arguments);
    link.asker().ask_about(async { question.await.map(drop) }).await
}

async fn ensure_exchange(link: &Link, name: &str) -> Result<()> {
    let passive = ExchangeDeclareOptions { passive: true, durable: true, ..ExchangeDeclareOptions::default() };
    for options in [passive, ExchangeDeclareOptions { passive: false, ..passive }] {
        let channel = link.channel().await?;
        let question = channel.exchange_declare(name.into(), ExchangeKind::Topic, options, FieldTable::default());
        match link.asker().ask_about(question).await? {
            Answer::Done(()) => return Ok(()),
            Answer::Absent => {}
            Answer::Differs(why) => {
                tracing::warn!(exchange = name, why, "an exchange is not as expected; it is used as it is");
                return Ok(());
            }
            Answer::Forbidden(why) => return Err(link.asker().refused(format!("declare exchange {name}: {why}"))),
        }
    }
    Ok(())
}

/// Binds the queue. AMQP can't look at a binding; who may not bind trusts whoever declared the queue.
async fn bind(link: &Link, spec: &QueueSpec, binding: &Binding, created: bool) -> Result<()> {
    for key in &binding.keys {
        let channel = link.channel().await?;
        let (queue, exchange) = (spec.name.as_str().into(), binding.exchange.as_str().into());
        let question =
            channel.queue_bind(queue, exchange, (*key).into(), QueueBindOptions::default(), FieldTable::default());
        match link.asker().ask_about(question).await? {
            Answer::Done(()) => {}
            Answer::Forbidden(_) if !created => {}
            Answer::Forbidden(why) | Answer::Differs(why) => {
                return Err(link.asker().refused(format!("bind queue {} to {}: {why}", spec.name, binding.exchange)));
            }
            Answer::Absent => {
                let why = format!("queue {} or exchange {} was deleted meanwhile", spec.name, binding.exchange);
                return Err(link.asker().unavailable(why));
            }
        }
    }
    Ok(())
}
