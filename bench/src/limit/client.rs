//! Publishes starts, or work items where round trips are measured, and takes what comes back.

use std::{
    cell::RefCell,
    collections::VecDeque,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use futures_util::{FutureExt, StreamExt};
use lapin::{
    Channel, PublisherConfirm,
    options::{BasicAckOptions, BasicConsumeOptions},
    types::{FieldTable, ShortString},
};
use tokio::sync::Semaphore;

use super::{
    Answers, Places, Role,
    messages::{Messages, read_token},
    stage::{publish, taken},
};
use crate::{driver, shape::Work};

const DIRECT: &str = "amq.rabbitmq.reply-to";
/// Most deliveries that one acknowledgement takes in.
const ACKED_MAX: usize = 200;

pub(super) async fn run(role: &Role, places: &Places, messages: &Messages, channel: Channel) -> anyhow::Result<()> {
    let is_round_trip = role.round_trips;
    let (answers, no_ack) = match (is_round_trip, role.answers) {
        (true, _) => (places.control.as_str(), false),
        (false, Answers::Direct) => (DIRECT, true),
        (false, Answers::Queue) => (places.answers.as_str(), false),
    };
    let options = BasicConsumeOptions { no_ack, ..BasicConsumeOptions::default() };
    let mut deliveries = channel.basic_consume(answers.into(), "".into(), options, FieldTable::default()).await?;
    let mut client = Client { channel, places, messages, is_round_trip, answers, no_ack };
    client.load(&mut deliveries, role.work.warm_up(), role.work.inflight).await?;
    driver::measured(async || {
        let begun = Instant::now();
        let Work { instances, inflight, .. } = role.work;
        let (count, inflight) = match is_round_trip {
            true => (role.work.messages(), role.work.messages_inflight()),
            false => (instances, inflight),
        };
        let took = client.load(&mut deliveries, count, inflight).await?;
        Ok(driver::Figures::new(took, begun.elapsed()))
    })
    .await
}

struct Client<'a> {
    channel: Channel,
    places: &'a Places,
    messages: &'a Messages,
    is_round_trip: bool,
    answers: &'a str,
    no_ack: bool,
}

impl Client<'_> {
    /// Sends so many and takes what comes back; returns how long each took.
    async fn load(
        &mut self,
        deliveries: &mut lapin::Consumer,
        count: u32,
        inflight: usize,
    ) -> anyhow::Result<Vec<Duration>> {
        let free = Semaphore::new(inflight);
        let sent = RefCell::new(Vec::with_capacity(count as usize));
        let (_, took) =
            tokio::try_join!(self.send(count, inflight, &free, &sent), self.take(deliveries, count, &free, &sent))?;
        Ok(took)
    }

    async fn send(
        &self,
        count: u32,
        inflight: usize,
        free: &Semaphore,
        sent: &RefCell<Vec<Instant>>,
    ) -> anyhow::Result<()> {
        let mut open: VecDeque<PublisherConfirm> = VecDeque::new();
        for number in 0..count {
            free.acquire().await?.forget();
            sent.borrow_mut().push(Instant::now());
            open.push_back(self.send_one(number).await?);
            if open.len() > inflight
                && let Some(oldest) = open.pop_front()
            {
                taken(oldest.await?)?;
            }
            while let Some(Some(confirm)) = open.front_mut().map(FutureExt::now_or_never) {
                taken(confirm?)?;
                open.pop_front();
            }
        }
        for confirm in open {
            taken(confirm.await?)?;
        }
        Ok(())
    }

    async fn send_one(&self, number: u32) -> lapin::Result<PublisherConfirm> {
        let (queue, template, message, correlation) = if self.is_round_trip {
            let token = ShortString::from(self.messages.token(number, 1));
            (&self.places.work, &self.messages.work_item, token.clone(), token)
        } else {
            let start = &self.messages.start;
            let message = start.properties.message_id().clone().unwrap_or_default();
            (&self.places.control, start, message, number.to_string().into())
        };
        let properties = template.with(message, correlation).with_reply_to(self.answers.into());
        publish(&self.channel, queue.as_str().into(), template, properties).await
    }

    async fn take(
        &self,
        deliveries: &mut lapin::Consumer,
        count: u32,
        free: &Semaphore,
        sent: &RefCell<Vec<Instant>>,
    ) -> anyhow::Result<Vec<Duration>> {
        let mut took = vec![None; count as usize];
        let mut left = took.len();
        while left > 0 {
            let mut delivery = deliveries.next().await.context("the consumer has ended")??;
            let mut batch = 0;
            let last = loop {
                let id = delivery.properties.correlation_id().as_ref().context("an answer has no correlation id")?;
                let number = if self.is_round_trip { read_token(id.as_str())?.0 } else { id.as_str().parse()? };
                let since = *sent.borrow().get(number as usize).context("an answer to nothing")?;
                ensure!(
                    took[number as usize].replace(since.elapsed()).is_none(),
                    "message {number} was answered twice"
                );
                batch += 1;
                if batch == ACKED_MAX {
                    break delivery.delivery_tag;
                }
                match deliveries.next().now_or_never() {
                    Some(Some(next)) => delivery = next?,
                    Some(None) | None => break delivery.delivery_tag,
                }
            };
            if !self.no_ack {
                self.channel.basic_ack(last, BasicAckOptions { multiple: true }).await?;
            }
            left -= batch;
            free.add_permits(batch);
        }
        took.into_iter().map(|one| one.context("an answer is missing")).collect()
    }
}
