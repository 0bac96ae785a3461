//! Work for a hub, and how long it takes.

use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::{Instant, sleep};
use uuid::Uuid;
use warren_broker::{
    Topology,
    amqp::{Amqp, AmqpConfig},
};
use warren_client::{Client, Error, Options};
use warren_model::{InstanceId, Payload, Status};
use warren_store::postgres::PostgresReader;

use crate::{
    fleet::Places,
    workload::{STEP, WORD},
};

/// How many instances are under way at a time.
const UNDER_WAY: usize = 200;
/// The pause before a start is sent again.
const AGAIN: Duration = Duration::from_millis(20);
/// How long one may take.
const WITHIN: Duration = Duration::from_secs(120);

/// A client of one hub.
pub(crate) struct Load {
    client: Client<PostgresReader>,
}

impl Load {
    pub(crate) async fn connect(hub: &str, places: &Places) -> anyhow::Result<Self> {
        let topology = Topology::new(hub)?;
        let broker = Amqp::connect_lazily(AmqpConfig::new(&places.broker, "bench", topology.clone()))?;
        let reader = PostgresReader::open(&places.store, hub).await?;
        let options = Options { within: WITHIN, unsent_within: WITHIN, ..Options::default() };
        Ok(Self { client: Client::connect(broker, reader, topology, options)? })
    }

    /// Starts an instance and returns its id. A hub that was just made may have no queues yet: then it asks again.
    pub(crate) async fn start(&self, orchestrator: &str, input: Payload) -> anyhow::Result<InstanceId> {
        let until = Instant::now() + WITHIN;
        loop {
            match self.client.start(orchestrator, input.clone()).send().await {
                Ok(answer) => return Ok(answer.instance),
                Err(Error::Unavailable { .. }) if Instant::now() < until => sleep(AGAIN).await,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Starts so many instances; returns how many per second.
    pub(crate) async fn starts(&self, orchestrator: &str, input: &Payload, count: u32) -> anyhow::Result<f64> {
        let begun = Instant::now();
        let start = |_| self.start(orchestrator, input.clone());
        let all = stream::iter(0..count).map(start).buffer_unordered(UNDER_WAY);
        all.try_for_each(|_| async { Ok(()) }).await?;
        Ok(f64::from(count) / begun.elapsed().as_secs_f64())
    }

    /// Runs so many instances of one activity from start to end; returns how many ended per second.
    pub(crate) async fn steps(&self, count: u32) -> anyhow::Result<f64> {
        let begun = Instant::now();
        let all = stream::iter(0..count).map(|number| self.step(number)).buffer_unordered(UNDER_WAY);
        all.try_for_each(|_| async { Ok(()) }).await?;
        Ok(f64::from(count) / begun.elapsed().as_secs_f64())
    }

    /// Runs one instance of one activity; returns how long it took.
    pub(crate) async fn step(&self, number: u32) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        self.run(STEP.name(), Payload::of(&number)?, &Payload::of(&(number + 1))?).await?;
        Ok(begun.elapsed())
    }

    /// Runs one instance, which must return what is expected; returns its id.
    pub(crate) async fn run(
        &self,
        orchestrator: &str,
        input: Payload,
        expected: &Payload,
    ) -> anyhow::Result<InstanceId> {
        let id = self.start(orchestrator, input).await?;
        self.end(&id, expected).await?;
        Ok(id)
    }

    /// Raises an event to an instance, which must then return what is expected.
    pub(crate) async fn tell(
        &self,
        id: &InstanceId,
        event: &str,
        input: Payload,
        expected: &Payload,
    ) -> anyhow::Result<()> {
        self.client.raise(id, event, input).send().await?;
        self.end(id, expected).await
    }

    /// Raises the event that these instances wait for and awaits the end of each; returns how many ended per second.
    pub(crate) async fn wake(&self, ids: &[InstanceId]) -> anyhow::Result<f64> {
        let begun = Instant::now();
        let word = Payload::of(&7)?;
        let wake = |id| self.tell(id, WORD.name(), word.clone(), &word);
        let all = stream::iter(ids).map(wake).buffer_unordered(UNDER_WAY);
        all.try_for_each(|()| async { Ok(()) }).await?;
        Ok(ids.len() as f64 / begun.elapsed().as_secs_f64())
    }

    /// Ends an instance from outside.
    pub(crate) async fn terminate(&self, id: &InstanceId) -> anyhow::Result<()> {
        self.client.terminate(id, None, true).send().await?;
        Ok(())
    }

    async fn end(&self, id: &InstanceId, expected: &Payload) -> anyhow::Result<()> {
        let ended = self.client.wait(id, WITHIN).await?;
        let ended = ended.with_context(|| format!("instance {id} has not ended within {} s", WITHIN.as_secs()))?;
        match (ended.status, ended.outcome) {
            (Status::Completed, Ok(output)) if output == *expected => Ok(()),
            (Status::Completed, Ok(output)) => {
                bail!("instance {id} returned {output:?}, and {expected:?} was expected")
            }
            (status, outcome) => bail!("instance {id} is {status:?}: {outcome:?}"),
        }
    }
}

/// Returns an id that nobody has used.
pub(crate) fn fresh_id() -> InstanceId {
    InstanceId::new(&Uuid::new_v4().to_string()).expect("a UUID is an instance id")
}
