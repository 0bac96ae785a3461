//! Publications on their way, and what became of them.

use std::collections::VecDeque;

use warren_broker::{
    Delivery, Publication, Published,
    packing::{Departure, Lanes, Pace},
};

use super::{Broker, ChannelId, Holder};

/// Names a publisher's channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PublisherId(u64);

/// Names a batch of publications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FlightId(u64);

/// What a batch was published for.
#[derive(Clone, Debug)]
pub(crate) enum Ticket {
    /// Of an owner.
    Owner(orchestrator_svc::owner::Ticket),
    /// Of a worker: its items, in the order of the batch.
    Items(Vec<activity_worker::worker::ItemId>),
    /// Of a worker: items that go back to the queue of this channel.
    Back(ChannelId, Vec<Delivery>),
    /// Of a worker: a question to an owner, which is asked again if it has no answer.
    Question,
    /// Of an ingress.
    Forward,
}

/// Batches of which all is known.
pub(crate) type Settled = Vec<(Ticket, Vec<Published>)>;

/// A publisher's channel.
#[derive(Debug)]
pub(crate) struct Publisher {
    pub(crate) holder: Holder,
}

/// Messages that left together.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) publisher: PublisherId,
    pub(crate) holder: Holder,
    /// By which the publisher's lanes know it.
    departure: u64,
    /// How many messages.
    pub(crate) count: usize,
    /// What has not arrived yet.
    pub(crate) left: VecDeque<Publication>,
    /// What became of those that have.
    pub(crate) results: Vec<Published>,
    /// Those that no queue took.
    pub(crate) returned: Vec<Publication>,
    /// Whether its holder will hear of it.
    pub(crate) is_settled: bool,
}

impl Broker {
    pub(crate) fn publisher(&mut self, holder: Holder) -> PublisherId {
        let id = PublisherId(self.id());
        self.publishers.insert(id, Publisher { holder });
        self.lanes.insert(id, (holder, Lanes::default()));
        id
    }

    /// Takes a batch that is to be published.
    pub(crate) fn add(&mut self, publisher: PublisherId, ticket: Ticket, batch: Vec<Publication>) {
        if let Some((_, lanes)) = self.lanes.get_mut(&publisher) {
            lanes.add(ticket, batch);
        }
    }

    /// Returns the next messages that leave together, as the real lanes decide.
    pub(crate) fn depart(&mut self, publisher: PublisherId) -> Option<FlightId> {
        let id = FlightId(self.id());
        let (holder, lanes) = self.lanes.get_mut(&publisher)?;
        let (holder, topology) = (*holder, &self.topology);
        let pace = self.paces.entry(holder.process()).or_insert_with(|| Pace::new(topology.clone()));
        let Departure { id: departure, messages } = lanes.depart(pace)?;
        let (count, left, results, returned) = (messages.len(), messages.into(), Vec::new(), Vec::new());
        let flight = Flight { publisher, holder, departure, count, left, results, returned, is_settled: false };
        self.flights.insert(id, flight);
        Some(id)
    }

    /// Tells the lanes what became of a flight; returns it with the batches of which all is known now.
    pub(crate) fn land(&mut self, id: FlightId) -> Option<(Flight, Settled)> {
        let flight = self.flights.remove(&id)?;
        let (_, lanes) = self.lanes.get_mut(&flight.publisher)?;
        let landed = lanes.landed(flight.departure, &flight.results);
        Some((flight, landed))
    }

    /// Closes a publisher's channel and returns its messages on their way: what has not arrived never does.
    pub(crate) fn close_publisher(&mut self, id: PublisherId) -> Vec<FlightId> {
        if self.publishers.remove(&id).is_none() {
            return Vec::new();
        }
        self.flights.iter().filter(|(_, flight)| flight.publisher == id).map(|(id, _)| *id).collect()
    }

    /// Forgets a publisher that is gone with its process or session.
    pub(crate) fn forget_publisher(&mut self, id: PublisherId) {
        self.publishers.remove(&id);
        self.lanes.remove(&id);
        self.flights.retain(|_, flight| flight.publisher != id);
    }
}

impl std::fmt::Display for FlightId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "f{}", self.0)
    }
}
