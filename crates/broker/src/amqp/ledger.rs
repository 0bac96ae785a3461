//! What became of each publication of a channel: pure bookkeeping.
//!
//! lapin hangs a returned message on whichever confirm completes next, not on its own. So the returned message itself
//! says whose it is, by its message id, exchange and routing key. A return reaches us before the confirm of its
//! publication or with one that completes together with it; therefore nothing is settled between the first return
//! that shows and the moment when every confirm has come.
//!
//! A queue confirms a channel's messages in order. A quorum queue of RabbitMQ 3.10 that had no leader yet may forget one
//! for ever; then a later one that is confirmed tells that the earlier is lost.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Instant,
};

use tokio::sync::oneshot;

use super::{full::Full, refusals::Refusals};
use crate::{Published, Text};

/// By what a returned message is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ReturnKey {
    pub(super) message_id: Text,
    pub(super) exchange: Text,
    pub(super) routing_key: Text,
}

/// Names a publication of the channel.
pub(super) type Sequence = u64;

/// The results of one batch.
#[derive(Debug)]
struct Batch {
    results: Vec<Option<Published>>,
    left: usize,
    reply: oneshot::Sender<Vec<Published>>,
}

/// A publication without its confirm.
#[derive(Debug)]
struct Open {
    batch: u64,
    index: usize,
    key: Option<ReturnKey>,
    since: Instant,
}

/// A publication with its confirm, which is not settled yet.
#[derive(Debug)]
struct Done {
    open: Open,
    is_ack: bool,
}

/// All publications of a channel whose callers wait.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) refusals: Refusals,
    full: Full,
    batches: BTreeMap<u64, Batch>,
    open: BTreeMap<Sequence, Open>,
    done: Vec<Done>,
    returned: HashSet<ReturnKey>,
    /// Of the queues that owe a confirm for suspiciously long, the last publication that does.
    overdue: HashMap<Text, Sequence>,
    overtaken: Option<Text>,
    next: u64,
}

impl Ledger {
    /// Begins with nothing.
    pub(super) fn new(refusals: Refusals, full: Full) -> Self {
        let (batches, open, done, returned) = (BTreeMap::new(), BTreeMap::new(), Vec::new(), HashSet::new());
        let (overdue, overtaken) = (HashMap::new(), None);
        Self { refusals, full, batches, open, done, returned, overdue, overtaken, next: 0 }
    }

    /// Enters a batch of this many publications; the results go to `reply` when all are known.
    pub(super) fn begin(&mut self, count: usize, reply: oneshot::Sender<Vec<Published>>) -> u64 {
        let id = self.number();
        self.batches.insert(id, Batch { results: vec![None; count], left: count, reply });
        id
    }

    /// Enters a publication that is on its way. `key` is by what it may come back.
    pub(super) fn sent(&mut self, batch: u64, index: usize, key: Option<ReturnKey>, since: Instant) -> Sequence {
        let sequence = self.number();
        self.open.insert(sequence, Open { batch, index, key, since });
        sequence
    }

    /// Notes what became of a publication that was not sent.
    pub(super) fn decided(&mut self, batch: u64, index: usize, published: Published) {
        let Some(waiting) = self.batches.get_mut(&batch) else { return };
        if waiting.results[index].replace(published).is_none() {
            waiting.left -= 1;
        }
        if waiting.left == 0
            && let Some(Batch { results, reply, .. }) = self.batches.remove(&batch)
        {
            // A caller that went away does not want to know.
            let _ = reply.send(results.into_iter().flatten().collect());
        }
    }

    /// Notes a confirm, and the returned message that lapin hung on it.
    pub(super) fn confirmed(&mut self, sequence: Sequence, is_ack: bool, returned: Option<ReturnKey>) {
        self.returned.extend(returned);
        if let Some(open) = self.open.remove(&sequence) {
            self.compare(sequence, open.key.as_ref());
            self.done.push(Done { open, is_ack });
        }
    }

    fn compare(&mut self, sequence: Sequence, key: Option<&ReturnKey>) {
        if self.overdue.is_empty() {
            return;
        }
        let Some(ReturnKey { routing_key, .. }) = key else { return };
        let earlier = self.overdue.get(routing_key).filter(|earlier| **earlier < sequence);
        if earlier.is_some_and(|earlier| self.open.contains_key(earlier)) {
            self.overtaken = Some(routing_key.clone());
        }
    }

    /// Looks closely at the queues that owe a confirm of what was sent before then.
    pub(super) fn suspect(&mut self, before: Instant) {
        let late = self.open.iter().take_while(|(_, open)| open.since <= before);
        let named = late.filter_map(|(sequence, open)| Some((open.key.as_ref()?.routing_key.clone(), *sequence)));
        self.overdue = named.collect();
    }

    /// Returns a queue that has confirmed a message after one that it owes for suspiciously long.
    pub(super) fn overtaken(&self) -> Option<&str> {
        self.overtaken.as_deref()
    }

    /// Notes that there will be no confirm.
    pub(super) fn lost(&mut self, sequence: Sequence, why: &str) {
        if let Some(open) = self.open.remove(&sequence) {
            self.decided(open.batch, open.index, Published::Lost(why.into()));
        }
    }

    /// Notes that there will be no confirm for anything.
    pub(super) fn lose_all(&mut self, why: &str) {
        let open = std::mem::take(&mut self.open);
        self.settle();
        for (_, open) in open {
            self.decided(open.batch, open.index, Published::Lost(why.into()));
        }
    }

    /// Tells the callers what is certain. Call it when every confirm that has come is noted.
    pub(super) fn settle(&mut self) {
        if self.is_draining() {
            return;
        }
        for Done { open, is_ack } in std::mem::take(&mut self.done) {
            let published = match &open.key {
                Some(key) if self.returned.contains(key) => Published::Returned,
                Some(_) | None if is_ack => Published::Confirmed,
                Some(_) | None => Published::Refused("the broker does not take it: its queue may be full".into()),
            };
            if let Some(key) = &open.key {
                if is_ack {
                    self.refusals.taken(&key.routing_key);
                    self.full.taken(&key.routing_key);
                } else {
                    self.refusals.refused(&key.routing_key, open.since);
                    self.full.refused(&key.routing_key, Instant::now());
                }
            }
            self.decided(open.batch, open.index, published);
        }
        self.returned.clear();
    }

    /// Returns whether a return has shown and confirms are still to come. Nothing more should be sent until then.
    pub(super) fn is_draining(&self) -> bool {
        !self.returned.is_empty() && !self.open.is_empty()
    }

    /// Returns how many publications have no confirm yet.
    pub(super) fn open(&self) -> usize {
        self.open.len()
    }

    /// Returns when the oldest publication without a confirm was sent.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.open.first_key_value().map(|(_, open)| open.since)
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

#[cfg(test)]
#[path = "ledger_test.rs"]
mod test;
