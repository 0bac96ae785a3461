//! Publications on their way, and what became of them.

use std::collections::VecDeque;

use warren_broker::{Publication, Published};

use super::{Broker, Holder};

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
    /// Of a worker: a question to an owner, which is asked again if it has no answer.
    Question,
    /// Of an ingress.
    Forward,
}

/// A publisher's channel.
#[derive(Debug)]
pub(crate) struct Publisher {
    pub(crate) holder: Holder,
}

/// A batch of publications.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) publisher: PublisherId,
    pub(crate) holder: Holder,
    pub(crate) ticket: Ticket,
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
        id
    }

    pub(crate) fn send(&mut self, publisher: PublisherId, ticket: Ticket, batch: Vec<Publication>) -> FlightId {
        let id = FlightId(self.id());
        let holder = self.publishers[&publisher].holder;
        let (left, results, returned) = (batch.into(), Vec::new(), Vec::new());
        self.flights.insert(id, Flight { publisher, holder, ticket, left, results, returned, is_settled: false });
        id
    }

    /// Closes a publisher's channel and returns its batches on their way: what has not arrived never does.
    pub(crate) fn close_publisher(&mut self, id: PublisherId) -> Vec<FlightId> {
        if self.publishers.remove(&id).is_none() {
            return Vec::new();
        }
        self.flights.iter().filter(|(_, flight)| flight.publisher == id).map(|(id, _)| *id).collect()
    }
}

impl std::fmt::Display for FlightId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "f{}", self.0)
    }
}
