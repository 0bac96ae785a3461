//! The ingress: starts and events from other systems, checked and forwarded to their partitions, in order.

use warren_broker::{Delivery, Publication, Published};
use warren_model::{Refusal, RefusalCode};

use crate::{
    broker::{ChannelId, FlightId, Holder, PublisherId, Taken, Ticket},
    time::{MS, SECOND},
    world::{BrokerStep, Step, World},
};

/// Most messages on their way through a replica.
const PREFETCH: usize = 8;

/// What a replica does for the ingress. Only one replica is active at a time (single active consumer).
#[derive(Debug, Default)]
pub(crate) struct Forwarder {
    channel: Option<ChannelId>,
    publisher: Option<PublisherId>,
    /// What is not confirmed yet, and the delivery to acknowledge then.
    batch: Vec<Publication>,
    tag: Option<u64>,
    retries: u32,
}

/// What happens in it.
#[derive(Debug)]
pub(crate) enum ForwarderStep {
    Begin,
    Arrive,
    Published(FlightId),
    Again,
}

impl World {
    pub(crate) fn forwarder_step(&mut self, replica: usize, step: ForwarderStep) {
        if self.replicas[replica].is_draining {
            return;
        }
        match step {
            ForwarderStep::Begin => self.begin_forwarder(replica),
            ForwarderStep::Arrive => self.forward(replica),
            ForwarderStep::Published(flight) => self.forwarded(replica, flight),
            ForwarderStep::Again => self.publish_forward(replica),
        }
    }

    fn in_forwarder(&mut self, micros: u64, replica: usize, step: ForwarderStep) {
        let life = self.replicas[replica].life;
        self.later(micros, Step::Forwarder { replica, life, step });
    }

    fn begin_forwarder(&mut self, replica: usize) {
        if self.replicas[replica].forwarder.channel.is_some() {
            return;
        }
        if self.broker.is_away {
            return self.in_forwarder(SECOND, replica, ForwarderStep::Begin);
        }
        let queue = self.hub.codec.topology().ingress_queue().name;
        self.broker.declare(&self.hub.codec.topology().dead().name);
        self.broker.declare(&queue);
        let holder = Holder::Forwarder { replica, life: self.replicas[replica].life };
        let publisher = self.broker.publisher(holder);
        let channel = self.broker.consume(&queue, PREFETCH, holder);
        self.replicas[replica].forwarder = Forwarder { channel, publisher: Some(publisher), ..Forwarder::default() };
    }

    /// Closes the channel, and begins again after a pause.
    fn fail_forwarder(&mut self, replica: usize) {
        self.note(format_args!("replica {replica}: ingress is interrupted"));
        self.end_forwarder(replica);
        self.in_forwarder(SECOND, replica, ForwarderStep::Begin);
    }

    pub(super) fn end_forwarder(&mut self, replica: usize) {
        let forwarder = std::mem::take(&mut self.replicas[replica].forwarder);
        if let Some(channel) = forwarder.channel {
            let at = self.frame_of_channel(channel);
            self.agenda.add(at, Step::Broker(BrokerStep::Forget(channel)));
        }
        if let Some(publisher) = forwarder.publisher {
            self.soon(Step::Broker(BrokerStep::ForgetPublisher(publisher)));
        }
    }

    fn forward(&mut self, replica: usize) {
        let forwarder = &self.replicas[replica].forwarder;
        let (Some(channel), is_busy) = (forwarder.channel, forwarder.tag.is_some()) else { return };
        if let Some(channel) = self.broker.channels.get_mut(&channel) {
            channel.is_announced = false;
        }
        if is_busy {
            return; // one batch at a time; the end of this one looks again
        }
        match self.broker.take(channel, PREFETCH) {
            Taken::Nothing => {}
            Taken::End => self.fail_forwarder(replica),
            Taken::Deliveries(deliveries) => {
                let batch: Vec<Publication> = deliveries.iter().flat_map(|delivery| self.translate(delivery)).collect();
                let forwarder = &mut self.replicas[replica].forwarder;
                forwarder.tag = deliveries.last().map(|delivery| delivery.tag);
                forwarder.batch = batch;
                forwarder.retries = 0;
                self.note(format_args!("replica {replica}: forwards {} messages", deliveries.len()));
                self.publish_forward(replica);
            }
        }
    }

    /// A command for its partition; or, if it makes no sense or is too large, word to the dead queue and to its sender.
    fn translate(&self, delivery: &Delivery) -> Vec<Publication> {
        let codec = &self.hub.codec;
        let (code, message) = match codec.decode_ingress(delivery) {
            Ok(_) if delivery.message.body.len() > self.hub.owner.limits.payload_bytes => {
                (RefusalCode::TooLarge, "the body is too large".to_owned())
            }
            Ok(ingress) => return vec![codec.command(&ingress.envelope)],
            Err(malformed) => (RefusalCode::Invalid, malformed.reason),
        };
        let mut out = vec![codec.dead(delivery, &message, &codec.topology().ingress_queue().name)];
        if let Some(to) = codec.answer_to(delivery) {
            out.push(codec.answer(&to, &Err(Refusal { code, message })));
        }
        out
    }

    fn publish_forward(&mut self, replica: usize) {
        let forwarder = &self.replicas[replica].forwarder;
        let (Some(publisher), batch) = (forwarder.publisher, forwarder.batch.clone()) else { return };
        if !self.broker.publishers.contains_key(&publisher) {
            return self.fail_forwarder(replica);
        }
        self.publish(publisher, Ticket::Forward, batch);
    }

    /// Acknowledges once everything is confirmed.
    fn forwarded(&mut self, replica: usize, flight: FlightId) {
        let Some((flight, landed)) = self.landed(flight) else { return };
        if self.replicas[replica].forwarder.publisher != Some(flight.publisher) {
            return;
        }
        if flight.results.iter().any(|result| matches!(result, Published::Lost(_))) {
            return self.fail_forwarder(replica);
        }
        flight.returned.iter().for_each(|publication| self.declare_missing(publication));
        landed.into_iter().for_each(|(_, results)| self.forwarded_batch(replica, &results));
    }

    fn forwarded_batch(&mut self, replica: usize, results: &[Published]) {
        let mut left = Vec::new();
        let batch = std::mem::take(&mut self.replicas[replica].forwarder.batch);
        for (publication, result) in batch.into_iter().zip(results) {
            let is_nobody = *result == Published::Returned;
            if *result == Published::Confirmed || (is_nobody && !publication.mandatory) {
                continue;
            }
            left.push(publication);
        }
        let forwarder = &mut self.replicas[replica].forwarder;
        let pause = (50 * MS) << forwarder.retries.min(6);
        forwarder.retries += 1;
        let is_done = left.is_empty();
        forwarder.batch = left;
        if !is_done {
            return self.in_forwarder(pause, replica, ForwarderStep::Again);
        }
        if let (Some(channel), Some(tag)) = (forwarder.channel, forwarder.tag.take()) {
            let at = self.frame_of_channel(channel);
            self.agenda.add(at, Step::Broker(BrokerStep::Ack { channel, tag, multiple: true }));
            self.broker.news.push(channel); // there may be more
        }
    }
}
