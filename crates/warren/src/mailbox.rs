//! Events that have arrived and that nobody has consumed, and who waits for one.

use std::{
    collections::{BTreeMap, VecDeque},
    task::{Poll, Waker},
};

use warren_model::{EventRaised, Payload};

/// Says which of the futures that wait for one name this is; earlier ones have lower tickets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

/// Keeps events per name, first in first out.
///
/// An event leaves the mailbox only in the hands of a future that resolves with it, so a future that is dropped while
/// it waits swallows none. An arrival wakes all who wait for the name, since one that is woken may never be polled.
#[derive(Default)]
pub(crate) struct Mailbox {
    names: BTreeMap<String, Compartment>,
    arrivals: u64,
    tickets: u64,
    /// How many futures wait, whatever the name.
    awaited: usize,
}

#[derive(Default)]
struct Compartment {
    /// Each with the number of its arrival.
    events: VecDeque<(u64, Payload)>,
    waiting: BTreeMap<Ticket, Waker>,
}

impl Mailbox {
    /// Returns a place in the line.
    pub(crate) fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    /// Keeps an event and returns who waits for it, to be woken in this order.
    pub(crate) fn arrive(&mut self, event: EventRaised) -> Vec<Waker> {
        self.arrivals += 1;
        let compartment = self.names.entry(event.name).or_default();
        compartment.events.push_back((self.arrivals, event.input));
        let woken = std::mem::take(&mut compartment.waiting);
        self.awaited -= woken.len();
        woken.into_values().collect()
    }

    /// Hands out the oldest event of the name; until there is one, remembers whom to wake.
    pub(crate) fn poll(&mut self, name: &str, ticket: Ticket, waker: &Waker) -> Poll<Payload> {
        if !self.names.contains_key(name) {
            self.names.insert(name.to_owned(), Compartment::default());
        }
        let compartment = self.names.get_mut(name).expect("the compartment was made above");
        let waits_already = match compartment.events.pop_front() {
            Some((_, payload)) => {
                self.leave(name, ticket);
                return Poll::Ready(payload);
            }
            None => compartment.waiting.insert(ticket, waker.clone()).is_some(),
        };
        self.awaited += usize::from(!waits_already);
        Poll::Pending
    }

    /// Takes a future out of the line; compartments that hold nothing go.
    pub(crate) fn leave(&mut self, name: &str, ticket: Ticket) {
        let Some(compartment) = self.names.get_mut(name) else { return };
        self.awaited -= usize::from(compartment.waiting.remove(&ticket).is_some());
        if compartment.events.is_empty() && compartment.waiting.is_empty() {
            self.names.remove(name);
        }
    }

    pub(crate) fn is_awaited(&self) -> bool {
        self.awaited > 0
    }

    /// Takes out whatever nobody has consumed, in the order of arrival.
    pub(crate) fn drain(&mut self) -> Vec<EventRaised> {
        let mut left: Vec<(u64, EventRaised)> = Vec::new();
        for (name, compartment) in &mut self.names {
            let events = compartment.events.drain(..);
            left.extend(events.map(|(arrival, input)| (arrival, EventRaised { name: name.clone(), input })));
        }
        left.sort_by_key(|(arrival, _)| *arrival);
        left.into_iter().map(|(_, event)| event).collect()
    }
}
