//! How fast RabbitMQ alone would be: the same messages through lapin, with no state and no engine.
//!
//! A client, a relay in place of the owner and a worker, a process each, move messages with the properties, headers and
//! bodies of ours, made by our codec: persistent, confirmed, mandatory where ours are, acknowledged in multiples once
//! what follows of them is confirmed. They keep nothing, so that nothing can be slower than it must.
//!
//! With an owner that commits in place of the relay it is the commit path: what durability costs on top.

mod client;
mod messages;
mod owner;
mod stage;

use clap::{Args, ValueEnum};
use lapin::{
    Channel, Connection, ConnectionProperties,
    options::{BasicQosOptions, ConfirmSelectOptions, QueueDeleteOptions},
};
use warren_broker::{
    Broker, QueueType, Topology,
    amqp::{Amqp, AmqpConfig},
};
use warren_model::Partition;

use crate::shape::Work;
use messages::Messages;

/// Its queues begin so, as those of a hub.
const HUB: &str = "bench_limit";
/// Most deliveries that are unacknowledged per consumer.
const PREFETCH: u16 = 1_000;

/// One process of it.
#[derive(Args, Debug)]
pub(crate) struct Role {
    /// Which
    #[arg(value_enum)]
    part: Part,

    /// RabbitMQ
    #[arg(long, value_name = "URL")]
    broker: String,

    /// How its queues are kept
    #[arg(long, value_enum, default_value_t = Queues::Quorum)]
    queues: Queues,

    /// How outcomes come back to the client
    #[arg(long, value_enum, default_value_t = Answers::Direct)]
    answers: Answers,

    /// A database, for an owner that commits
    #[arg(long, value_name = "URL", required_if_eq("part", "owner"))]
    store: Option<String>,

    /// The client sends work items itself, and takes replies
    #[arg(long)]
    round_trips: bool,

    #[command(flatten)]
    work: Work,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Makes the queues anew
    Prepare,
    /// Starts, and takes outcomes
    Client,
    /// Stands where the owner would
    Relay,
    /// Stands there too, and commits
    Owner,
    /// Answers work items
    Worker,
}

/// How queues are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Queues {
    /// Replicated
    Quorum,
    /// On one node
    Classic,
}

impl Queues {
    /// Returns the name that settings and flags have.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Quorum => "quorum",
            Self::Classic => "classic",
        }
    }
}

/// How outcomes come back to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Answers {
    /// By direct reply-to, as to the Rust client
    Direct,
    /// By a queue like the others
    Queue,
}

impl Answers {
    /// Returns the name that flags have.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Queue => "queue",
        }
    }
}

/// The queues.
struct Places {
    control: String,
    work: String,
    answers: String,
}

/// Runs one process of it.
pub(crate) async fn run(role: &Role) -> anyhow::Result<()> {
    let topology = Topology::new(HUB)?.with_queue_type(match role.queues {
        Queues::Quorum => QueueType::Quorum,
        Queues::Classic => QueueType::Classic,
    });
    let (control, work) = (topology.control(Partition(0)), topology.work(crate::workload::PASS.name())?);
    let answers = topology.work("answers")?;
    let places = Places { control: control.name.clone(), work: work.name.clone(), answers: answers.name.clone() };
    if role.part == Part::Prepare {
        let channel = channel(&role.broker).await?.1;
        let broker = Amqp::connect_lazily(AmqpConfig::new(&role.broker, "limit", topology.clone()))?;
        for queue in [topology.dead(), control, work, answers] {
            channel.queue_delete(queue.name.as_str().into(), QueueDeleteOptions::default()).await?;
            broker.declare(&queue).await?;
        }
        return crate::driver::say_ready();
    }
    let messages = Messages::new(&topology, role.work.shape)?;
    let (_connection, channel) = channel(&role.broker).await?;
    match role.part {
        Part::Client => client::run(role, &places, &messages, channel).await,
        Part::Relay => {
            std::thread::spawn(crate::roles::end_with_parent);
            let mut orchestrator = stage::Orchestrator::new(&messages, places.work.clone());
            stage::relay(channel, &places.control, |delivery| orchestrator.follow(delivery)).await
        }
        Part::Owner => {
            std::thread::spawn(crate::roles::end_with_parent);
            let store = role.store.as_deref().unwrap_or_default();
            owner::run(store, &messages, &places, role.work.shape, channel).await
        }
        Part::Worker => {
            std::thread::spawn(crate::roles::end_with_parent);
            stage::relay(channel, &places.work, |delivery| stage::reply(&messages, delivery)).await
        }
        Part::Prepare => Ok(()),
    }
}

/// Opens a channel in confirm mode.
async fn channel(broker: &str) -> anyhow::Result<(Connection, Channel)> {
    let connection = Connection::connect(broker, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
    Ok((connection, channel))
}
