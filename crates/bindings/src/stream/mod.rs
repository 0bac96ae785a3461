//! Messages of another system's stream, which one process at a time reads, in order.
//!
//! A stream keeps its messages whoever has read them, and for readers by AMQP 0.9.1 nobody keeps the place. Here a message
//! in a queue of the hub does, the **baton**: who holds it reads, and publishes another one as the hub has accepted more.
//! What is read again after a crash is known by its offset.

mod baton;
mod place;
mod short;
mod window;

use std::time::Duration;

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};
use tokio_util::sync::CancellationToken;
use warren_broker::{
    Acker, Consumer, Delivery, HeaderValue, Message, QueueSpec,
    amqp::{Amqp, AmqpAcker, AmqpConsumer, STREAM_OFFSET},
};
use warren_client::Client;
use warren_model::InstanceId;
use warren_service::{backoff::chance, metrics::Share, settings::StreamBindingSettings};
use warren_store::Queries;

use self::{
    baton::Baton,
    place::{From, Place},
    short::Short,
    window::Window,
};
use crate::{
    Error, Maker, Order, metrics,
    source::{GRACE, Source, backoff},
    standing::Standing,
};

/// How often the place is written down, at most: what was read since then is read again after a crash.
const KEEP: Duration = Duration::from_secs(1);
/// After how long a reading, or a wait for the baton, is taken for one that lasts: what is wrong shows at once.
const LASTS: Duration = Duration::from_secs(1);

/// One stream, and what becomes of its messages.
#[derive(Debug)]
pub(crate) struct StreamBinding {
    source: Source,
    from: From,
    hub: Amqp,
    baton: QueueSpec,
}

/// A message that is to be settled.
struct Task {
    offset: u64,
    message: Message,
    order: Result<Order, String>,
}

/// What is settled: its offset, and whose turn it was.
type Done = (u64, Option<InstanceId>);

/// What one reading holds, from a place on.
struct Reading<'a> {
    acker: AmqpAcker,
    begun_at: Place,
    window: Window<Task>,
    running: FuturesUnordered<BoxFuture<'a, Done>>,
    shown: Share,
}

impl StreamBinding {
    /// `hub` is the hub's broker, and `baton` the queue there that keeps the place.
    pub(crate) fn new(
        maker: Maker<'_>,
        settings: &StreamBindingSettings,
        broker: Amqp,
        (hub, baton): (Amqp, QueueSpec),
    ) -> Result<Self, Error> {
        let from = From::parse(&settings.from).map_err(|why| maker.wrong("from", why))?;
        Ok(Self { source: Source::new(maker, &settings.source, broker)?, from, hub, baton })
    }

    pub(crate) fn name(&self) -> &str {
        &self.source.name
    }

    /// Reads whenever it is this process's turn, until `stopping`; then ends what is under way.
    pub(crate) async fn run<Q: Queries>(&self, client: Client<Q>, stopping: CancellationToken, standing: Standing) {
        let mut backoff = backoff();
        while !stopping.is_cancelled() {
            let Some(taken) = stopping.run_until_cancelled(self.take(&standing)).await else { return };
            let lasts = |short: Option<&Short>| {
                backoff.reset();
                short.map_or_else(|| standing.up(), |short| standing.down(short.why()));
            };
            let ended = match taken {
                Ok((mut baton, place)) => self.read(&mut baton, place, &client, &stopping, lasts).await,
                Err(why) => Err(why),
            };
            if let Err(why) = ended {
                standing.down(why);
            }
            let _ = stopping.run_until_cancelled(sleep(backoff.next(chance()))).await;
        }
    }

    /// Waits for the baton. Where another process reads meanwhile, all is well.
    async fn take(&self, standing: &Standing) -> Result<(Baton, Place), String> {
        let mut baton = Baton::ask(&self.hub, &self.baton).await?;
        let place = match timeout(LASTS, baton.take()).await {
            Ok(taken) => taken?,
            Err(_) => {
                standing.up();
                baton.take().await?
            }
        };
        Ok((baton, place))
    }

    /// Reads from a place on until `stopping`, or until another process turns out to be further. Fails if the stream can't
    /// be read, or the baton is lost. Calls `lasts` now and then, and says if the stream is shorter than it was read.
    async fn read<Q: Queries>(
        &self,
        baton: &mut Baton,
        place: Place,
        client: &Client<Q>,
        stopping: &CancellationToken,
        mut lasts: impl FnMut(Option<&Short>),
    ) -> Result<(), String> {
        let Source { name, broker, queue, prefetch, .. } = &self.source;
        let opening = broker.read_stream(queue, *prefetch, place.start(self.from));
        let Some(opened) = stopping.run_until_cancelled(opening).await else { return Ok(()) };
        let mut reader = opened.map_err(|error| error.to_string())?;
        let looking = Short::look(&self.source, place);
        let Some(looked) = stopping.run_until_cancelled(looking).await else { return Ok(()) };
        let mut short = looked?;
        tracing::info!(binding = name, stream = queue, ?place, "reading a stream");
        let mut reading = Reading::new(name, &reader, place);
        let mut keeping = FuturesUnordered::new();
        let mut clock = interval_at(Instant::now() + LASTS, KEEP);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                deliveries = reader.next((*prefetch).into()) => {
                    let deliveries = deliveries.ok_or_else(|| format!("stream {queue} is lost"))?;
                    deliveries.into_iter().try_for_each(|delivery| reading.arrive(self, delivery, client))?;
                }
                Some(done) = reading.running.next() => reading.done(self, done, client).await?,
                _ = clock.tick() => {
                    short = short.filter(|_| reading.place() == place);
                    lasts(short.as_ref());
                    if keeping.is_empty() {
                        keeping.extend(baton.due(reading.place()).map(|place| baton.keep(place)));
                    }
                }
                Some(kept) = keeping.next() => kept?,
                batons = baton.next() => if baton.sort(batons?).await? > Some(reading.place()) {
                    return Ok(());
                },
                () = stopping.cancelled() => break,
            }
        }
        reading.end().await;
        match baton.due(reading.place()) {
            Some(place) => timeout(GRACE, baton.keep(place)).await.unwrap_or_else(|_| Err("no answer".into())),
            None => Ok(()),
        }
    }

    async fn settle<Q: Queries>(&self, task: Task, client: &Client<Q>) -> Done {
        let instance = task.instance();
        // Without a queue for it, what was put aside is in the log: the stream goes on.
        self.source.settle(task.message, task.order, client).await;
        (task.offset, instance)
    }
}

impl Task {
    fn instance(&self) -> Option<InstanceId> {
        self.order.as_ref().ok()?.instance().cloned()
    }
}

impl<'a> Reading<'a> {
    fn new(name: &str, reader: &AmqpConsumer, begun_at: Place) -> Self {
        let (acker, window, running) = (reader.acker(), Window::new(), FuturesUnordered::new());
        Self { acker, begun_at, window, running, shown: metrics::stream_offset(name) }
    }

    /// Begins what has arrived, unless an earlier message of its instance is under way.
    fn arrive<Q: Queries>(
        &mut self,
        binding: &'a StreamBinding,
        delivery: Delivery,
        client: &'a Client<Q>,
    ) -> Result<(), String> {
        let Delivery { tag, message, .. } = delivery;
        let offset = offset(&message).ok_or_else(|| format!("queue {} is no stream", binding.source.queue))?;
        let order = binding.source.order(&message, Some(offset.to_string()));
        let task = Task { offset, message, order };
        let instance = task.instance();
        if let Some(task) = self.window.arrive(offset, tag, instance.as_ref(), task) {
            self.running.push(binding.settle(task, client).boxed());
        }
        Ok(())
    }

    async fn done<Q: Queries>(
        &mut self,
        binding: &'a StreamBinding,
        (offset, instance): Done,
        client: &'a Client<Q>,
    ) -> Result<(), String> {
        if let Some(task) = self.window.done(offset, instance.as_ref()) {
            self.running.push(binding.settle(task, client).boxed());
        }
        if let Some(tag) = self.window.advance() {
            self.shown.set(self.window.next().unwrap_or_default());
            self.acker.ack(tag, true).await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Returns how far all is done with.
    fn place(&self) -> Place {
        self.window.next().map_or(self.begun_at, Place::Next).max(self.begun_at)
    }

    /// Asks for no more, and waits for what is under way; what waits for that is read again by the next.
    async fn end(&mut self) {
        let _ = self.acker.cancel().await;
        let end = async {
            while let Some((offset, instance)) = self.running.next().await {
                self.window.done(offset, instance.as_ref());
                self.window.advance();
            }
        };
        let _ = timeout(GRACE, end).await;
    }
}

/// Returns where a message stands in its stream.
fn offset(message: &Message) -> Option<u64> {
    match message.headers.get(STREAM_OFFSET)? {
        HeaderValue::Number(offset) => u64::try_from(*offset).ok(),
        HeaderValue::Text(_) | HeaderValue::Bool(_) => None,
    }
}

#[cfg(test)]
#[path = "stream_test.rs"]
mod test;
