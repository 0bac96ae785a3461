//! Which messages leave together: pure, and shared with the simulation.
//!
//! What may be packed takes a lane per destination, and a lane has one departure under way at a time. So a lone message
//! leaves at once and as it is, and what has gathered meanwhile leaves together as soon as the broker has confirmed that.
//! Nothing waits for more to come, and the order to each destination is kept.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::Pace;
use crate::{Address, Message, Publication, Published, Text, codec::pack};

/// Most messages in a pack: beyond this the broker's share of the cost is small already.
pub(super) const PARTS_MAX: usize = 256;
/// Most bytes in a pack: a frame is 128 KiB, and a receiver's prefetch counts packs.
const PACK_BYTES_MAX: usize = 64 << 10;

/// Messages that are to be published now, in order.
#[derive(Debug)]
pub struct Departure {
    /// By which [`Lanes::landed`] knows it.
    pub id: u64,
    /// What to publish.
    pub messages: Vec<Publication>,
}

/// What waits and what is under way. `K` is by what a caller knows its batch.
#[derive(Debug)]
pub struct Lanes<K> {
    /// What waits, for each destination that something waits for or is under way to.
    lanes: HashMap<Route, Vec<(Message, Seat)>>,
    /// Lanes that may depart.
    due: VecDeque<Route>,
    /// What takes no lane.
    alone: VecDeque<(Vec<Publication>, Vec<Seats>)>,
    flights: BTreeMap<u64, Flight>,
    batches: BTreeMap<u64, Batch<K>>,
    next: u64,
}

/// Messages with the same route may share a pack.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Route {
    to: Address,
    mandatory: bool,
    reply_to: Option<Text>,
}

/// Whose message it is: of which batch, and which of it.
type Seat = (u64, usize);
/// Whose messages are in one that is published.
type Seats = Vec<Seat>;

#[derive(Debug)]
struct Flight {
    route: Option<Route>,
    seats: Vec<Seats>,
}

#[derive(Debug)]
struct Batch<K> {
    key: K,
    results: Vec<Option<Published>>,
    left: usize,
}

impl<K> Default for Lanes<K> {
    fn default() -> Self {
        let (lanes, due, alone) = (HashMap::new(), VecDeque::new(), VecDeque::new());
        Self { lanes, due, alone, flights: BTreeMap::new(), batches: BTreeMap::new(), next: 0 }
    }
}

impl<K> Lanes<K> {
    /// Takes a batch; what of it may leave is returned by [`Self::depart`].
    pub fn add(&mut self, key: K, batch: Vec<Publication>) {
        let id = self.number();
        let left = batch.len();
        self.batches.insert(id, Batch { key, results: vec![None; left], left });
        let mut alone = (Vec::new(), Vec::new());
        for (index, publication) in batch.into_iter().enumerate() {
            if publication.packs && pack::can_be_part(&publication.message) {
                self.queue(publication, (id, index));
            } else {
                alone.0.push(publication);
                alone.1.push(vec![(id, index)]);
            }
        }
        if !alone.0.is_empty() {
            self.alone.push_back(alone);
        }
    }

    /// Returns what leaves next, if something does; `pace` says how many messages a pack may hold.
    pub fn depart(&mut self, pace: &mut Pace) -> Option<Departure> {
        let (route, messages, seats) = match self.alone.pop_front() {
            Some((messages, seats)) => (None, messages, seats),
            None => {
                let route = self.due.pop_front()?;
                let (messages, seats) =
                    load(&route, std::mem::take(self.lanes.get_mut(&route)?), pace.parts_max(&route.to));
                (Some(route), messages, seats)
            }
        };
        let id = self.number();
        self.flights.insert(id, Flight { route, seats });
        Some(Departure { id, messages })
    }

    /// Notes what became of a departure's messages, in order; returns the batches of which all is known now. What a pack
    /// met, each of its parts has met.
    pub fn landed(&mut self, id: u64, results: &[Published]) -> Vec<(K, Vec<Published>)> {
        let Some(Flight { route, seats }) = self.flights.remove(&id) else { return Vec::new() };
        if let Some(route) = route {
            self.free(route);
        }
        let mut done = Vec::new();
        for (at, seats) in seats.into_iter().enumerate() {
            let unknown = || Published::Lost("the publisher did not say what became of it".into());
            let result = results.get(at).cloned().unwrap_or_else(unknown);
            done.extend(seats.into_iter().filter_map(|seat| self.settle(seat, result.clone())));
        }
        done
    }

    fn queue(&mut self, publication: Publication, seat: Seat) {
        let Publication { to, mandatory, mut message, .. } = publication;
        let route = Route { to, mandatory, reply_to: message.reply_to.take() };
        if let Some(waiting) = self.lanes.get_mut(&route) {
            waiting.push((message, seat));
        } else {
            self.lanes.insert(route.clone(), vec![(message, seat)]);
            self.due.push_back(route);
        }
    }

    /// Lets a lane depart again, or forgets it.
    fn free(&mut self, route: Route) {
        if self.lanes.get(&route).is_none_or(Vec::is_empty) {
            self.lanes.remove(&route);
        } else {
            self.due.push_back(route);
        }
    }

    fn settle(&mut self, (id, index): Seat, result: Published) -> Option<(K, Vec<Published>)> {
        let batch = self.batches.get_mut(&id)?;
        batch.results[index] = Some(result);
        batch.left -= 1;
        if batch.left > 0 {
            return None;
        }
        let Batch { key, results, .. } = self.batches.remove(&id)?;
        Some((key, results.into_iter().flatten().collect()))
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

/// Puts messages into as few as the bounds allow, in order; one that is alone, or large, stays as it is.
fn load(route: &Route, waiting: Vec<(Message, Seat)>, parts_max: usize) -> (Vec<Publication>, Vec<Seats>) {
    let mut groups: Vec<(Vec<Message>, Seats)> = Vec::new();
    let mut bytes = 0;
    for (message, seat) in waiting {
        let size = pack::size(&message);
        bytes += size;
        match groups.last_mut() {
            Some((messages, seats)) if messages.len() < parts_max && bytes <= PACK_BYTES_MAX => {
                messages.push(message);
                seats.push(seat);
            }
            Some(_) | None => {
                groups.push((vec![message], vec![seat]));
                bytes = size;
            }
        }
    }
    groups.into_iter().map(|(messages, seats)| (together(route, messages), seats)).unzip()
}

fn together(route: &Route, mut group: Vec<Message>) -> Publication {
    let Route { to, mandatory, reply_to } = route.clone();
    let message = match group.len() {
        1 => Message { reply_to, ..group.remove(0) },
        _ => pack::pack(reply_to, &group),
    };
    Publication { to, mandatory, packs: false, message }
}

#[cfg(test)]
#[path = "lanes_test.rs"]
mod test;
