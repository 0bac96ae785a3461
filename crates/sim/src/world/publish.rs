//! Publications on their way to the broker, and acknowledgements.

use warren_broker::{Publication, Published, packing::Word};

use super::{BrokerStep, Step, World};
use crate::{
    broker::{ChannelId, Flight, FlightId, Holder, PublisherId, Settled, Stored, Ticket, parts},
    client::ClientStep,
    fault::Fault,
    invariants,
    replica::{ForwarderStep, SessionStep},
    worker::WorkerStep,
};

impl World {
    /// Sends a batch on its way. Each has a task of its own, so one may overtake another; within it the order holds.
    pub(crate) fn publish(&mut self, publisher: PublisherId, ticket: Ticket, batch: Vec<Publication>) {
        self.broker.add(publisher, ticket, batch);
        self.depart(publisher);
    }

    /// Sends on their way what may leave.
    fn depart(&mut self, publisher: PublisherId) {
        while let Some(flight) = self.broker.depart(publisher) {
            self.soon(Step::Broker(BrokerStep::Publish(flight)));
            if !self.broker.publishers.contains_key(&publisher) {
                self.lose_flight(flight, false);
            }
        }
    }

    /// Takes what became of messages that left together; returns the batches of which all is known.
    pub(crate) fn landed(&mut self, id: FlightId) -> Option<(Flight, Settled)> {
        let landed = self.broker.land(id)?;
        self.depart(landed.0.publisher);
        Some(landed)
    }

    /// Some of a batch arrive, in order; the rest comes later.
    pub(super) fn publish_some(&mut self, id: FlightId) {
        if self.broker.flights.get(&id).is_none_or(|flight| flight.is_settled) {
            return; // its publisher is lost
        }
        let Some(mut flight) = self.broker.flights.remove(&id) else { return };
        let count = self.random.between(1, flight.left.len().max(1) as u64);
        for _ in 0..count {
            let Some(publication) = flight.left.pop_front() else { break };
            if self.fails(self.profile.publication_lost, Fault::PublicationLost) {
                if self.random.one_in(2) {
                    self.arrive(&publication, Some(flight.holder));
                }
                let publisher = flight.publisher;
                self.broker.flights.insert(id, flight);
                return self.lose_publisher(publisher);
            }
            let result = self.take(&publication, flight.holder);
            if result == Published::Returned {
                flight.returned.push(publication);
            }
            flight.results.push(result);
        }
        let is_done = flight.left.is_empty();
        self.broker.flights.insert(id, flight);
        if is_done { self.soon_confirm(id) } else { self.soon(Step::Broker(BrokerStep::Publish(id))) }
    }

    fn take(&mut self, publication: &Publication, holder: Holder) -> Published {
        if self.fails(self.profile.publication_refused, Fault::PublicationRefused) {
            return Published::Refused("the queue is full".into());
        }
        if self.fails(self.profile.publication_duplicated, Fault::PublicationDuplicated) {
            self.arrive(publication, Some(holder));
        }
        if self.arrive(publication, Some(holder)) || !publication.mandatory {
            Published::Confirmed
        } else {
            self.faults.count(Fault::PublicationReturned);
            Published::Returned
        }
    }

    /// Puts a message where it goes; returns whether anybody is there.
    pub(crate) fn arrive(&mut self, publication: &Publication, from: Option<Holder>) -> bool {
        if let warren_broker::Address::Queue(name) = &publication.to
            && name == crate::client::QUEUE
        {
            let is_lost = self.fails(self.profile.answer_lost, Fault::AnswerLost);
            for message in parts(&publication.message) {
                let part = Publication { message, ..publication.clone() };
                let verdict = invariants::commit_first::published(self, &part, from);
                self.judge(verdict);
                if !is_lost {
                    self.soon(Step::Client(ClientStep::Reply(part.message)));
                }
            }
            return true;
        }
        if let warren_broker::Address::Queue(name) = &publication.to
            && let Some((worker, life)) = crate::worker::asker(name)
        {
            if matches!(publication.message.kind.as_deref(), Some("drop" | "held" | "cancel")) {
                self.ledger.dropped.extend(publication.message.correlation_id.clone());
            }
            if !self.fails(self.profile.answer_lost, Fault::AnswerLost) {
                let step = WorkerStep::Answered(publication.message.clone());
                self.soon(Step::Worker { worker, life, step });
            }
            return true;
        }
        let Some((queue, key)) = self.broker.target(publication) else { return false };
        self.note(format_args!("broker: {} to {queue}", crate::show::message(&publication.message)));
        for message in parts(&publication.message) {
            let part = Publication { message, ..publication.clone() };
            let verdict = invariants::commit_first::published(self, &part, from);
            self.judge(verdict);
            self.ledger.published(&queue, &part, self.hub.codec.topology());
            if queue.contains(".work.") && matches!(from, Some(Holder::Worker { .. })) {
                self.ledger.given_back.extend(part.message.correlation_id.clone());
            }
        }
        self.broker.enqueue(&queue, &key, publication.message.clone(), self.now);
        true
    }

    fn soon_confirm(&mut self, id: FlightId) {
        let Some(flight) = self.broker.flights.get_mut(&id) else { return };
        if std::mem::replace(&mut flight.is_settled, true) {
            return;
        }
        let step = match flight.holder {
            Holder::Session { session, .. } => Step::Session { session, step: SessionStep::Published(id) },
            Holder::Forwarder { replica, life } => {
                Step::Forwarder { replica, life, step: ForwarderStep::Published(id) }
            }
            Holder::Worker { worker, life, .. } => Step::Worker { worker, life, step: WorkerStep::Published(id) },
        };
        self.soon(step);
    }

    /// A publisher's channel breaks: what has not been confirmed may or may not have arrived.
    pub(crate) fn lose_publisher(&mut self, publisher: PublisherId) {
        self.note(format_args!("broker: a publisher's channel is lost"));
        for id in self.broker.close_publisher(publisher) {
            let keeps = self.random.index(2) == 0;
            self.lose_flight(id, keeps);
        }
    }

    /// No confirm comes any more; `keeps`: those that came are heard.
    fn lose_flight(&mut self, id: FlightId, keeps: bool) {
        let Some(flight) = self.broker.flights.get_mut(&id) else { return };
        let lost = || Published::Lost("the channel was closed".into());
        if !keeps {
            flight.results.iter_mut().for_each(|result| *result = lost());
        }
        flight.left.clear();
        if !flight.is_settled {
            flight.results.resize(flight.count, lost());
        }
        self.soon_confirm(id);
    }

    pub(super) fn acknowledge(&mut self, channel: ChannelId, tag: u64, multiple: bool) {
        let Some(found) = self.broker.channels.get(&channel) else { return };
        let (queue, is_closed) = (found.queue.clone(), found.is_closed);
        if is_closed {
            return;
        }
        let gone = self.broker.ack(channel, tag, multiple);
        self.note(format_args!("broker: {queue} is acknowledged up to {tag}: {} messages", gone.len()));
        self.judge_gone(&queue, &gone);
    }

    /// The broker is told of deliveries whose items went back.
    pub(crate) fn broker_hears(&mut self, channel: ChannelId, words: Vec<Word>) {
        let Some(found) = self.broker.channels.get(&channel).filter(|found| !found.is_closed) else { return };
        let queue = found.queue.clone();
        let gone = self.broker.hear(channel, words);
        self.judge_gone(&queue, &gone);
    }

    fn judge_gone(&mut self, queue: &str, gone: &[Stored]) {
        for stored in gone {
            let verdict = invariants::commit_first::acknowledged(self, queue, stored);
            self.judge(verdict);
        }
    }
}
