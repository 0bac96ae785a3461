//! Instances in memory. Only ever a cache of the store: what a commit on its way has touched stays until it is written.

use std::collections::BTreeSet;

use hashlink::{LinkedHashMap, linked_hash_map::RawEntryMut};
use warren_engine::Live;
use warren_model::{Condition, InboxMessage, InstanceId, Outcome};

use super::traces::Traced;

/// An instance, or an id that nobody has started and that has messages waiting.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// The instance; `None` if nobody has seen it.
    pub(super) live: Option<Live>,
    /// Messages that it could not handle, in order of arrival …
    pub(super) pending: Vec<InboxMessage>,
    /// … and the position of each in the store.
    pub(super) positions: Vec<u64>,
    /// Where the next message goes.
    pub(super) next_position: u64,
    /// How it ended, if it has.
    pub(super) outcome: Option<Outcome>,
    /// What of it can't be read, if something can't.
    pub(super) unreadable: Option<String>,
    /// The condition that its stored row has.
    pub(super) stored: Option<Condition>,
    /// Whether its row has yet to be written.
    pub(super) is_new: bool,
    /// The trace that its execution is in, if somebody wants to see it.
    pub(super) traced: Option<Box<Traced>>,
    /// The last commit that changed it.
    pub(super) touched: u64,
    /// Its part of the cache's estimate, in bytes.
    pub(super) weight: u64,
}

/// What an instance takes besides what its history suggests.
const WEIGHT_MIN: u64 = 4 * 1024;

impl Slot {
    /// Returns an estimate of its memory in bytes: a live future holds about what its history has told it.
    fn weigh(&self) -> u64 {
        let history = self.live.as_ref().map_or(0, |live| live.instance.record.history_bytes);
        WEIGHT_MIN + history + 256 * self.pending.len() as u64
    }

    /// Returns whether it can be dropped without losing time: it has ended, or was never there.
    fn is_over(&self) -> bool {
        match &self.live {
            Some(live) => live.instance.record.status.is_terminal(),
            None => true,
        }
    }
}

/// Slots by id, in the order of their last use. What is used for each message is found by a hash, and never moved.
#[derive(Debug)]
pub(super) struct Cache {
    max: usize,
    bytes_max: u64,
    bytes: u64,
    slots: LinkedHashMap<InstanceId, Slot>,
}

impl Cache {
    pub(super) fn new(max: usize, bytes_max: u64) -> Self {
        Self { max, bytes_max, bytes: 0, slots: LinkedHashMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Returns the bytes that they take, as estimated.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn contains(&self, id: &InstanceId) -> bool {
        self.slots.contains_key(id)
    }

    pub(super) fn get(&self, id: &InstanceId) -> Option<&Slot> {
        self.slots.get(id)
    }

    /// Returns the slot, made if need be, and notes its use.
    pub(super) fn touch(&mut self, id: &InstanceId) -> &mut Slot {
        match self.slots.raw_entry_mut().from_key(id) {
            RawEntryMut::Occupied(mut slot) => {
                slot.to_back();
                slot.into_mut()
            }
            RawEntryMut::Vacant(place) => place.insert(id.clone(), Slot::default()).1,
        }
    }

    pub(super) fn insert(&mut self, id: &InstanceId, slot: Slot) {
        let place = self.touch(id);
        *place = Slot { weight: place.weight, ..slot };
        self.weigh(id);
    }

    pub(super) fn remove(&mut self, id: &InstanceId) {
        if let Some(slot) = self.slots.remove(id) {
            self.bytes -= slot.weight;
        }
    }

    /// Brings the estimate up to date with a slot that has changed.
    fn weigh(&mut self, id: &InstanceId) {
        if let Some(slot) = self.slots.get_mut(id) {
            let weight = slot.weigh();
            self.bytes = self.bytes - slot.weight + weight;
            slot.weight = weight;
        }
    }

    /// Drops what has ended, and the least recently used beyond the bound; never what a commit on its way has touched,
    /// nor what a gathered batch counts on.
    pub(super) fn shrink(&mut self, touched: &[InstanceId], committed: u64, pinned: &BTreeSet<InstanceId>) {
        for id in touched {
            let is_over = self.get(id).is_some_and(|slot| slot.touched <= committed && slot.is_over());
            if is_over && !pinned.contains(id) {
                self.remove(id);
            } else {
                self.weigh(id);
            }
        }
        let (mut count, mut bytes) = (self.slots.len(), self.bytes);
        let mut oldest = Vec::new();
        for (id, slot) in &self.slots {
            // The last one stays whatever it weighs: to read it again for each message would cost far more.
            if count <= self.max && (bytes <= self.bytes_max || count == 1) {
                break;
            }
            if slot.touched <= committed && !pinned.contains(id) {
                (count, bytes) = (count - 1, bytes - slot.weight);
                oldest.push(id.clone());
            }
        }
        oldest.iter().for_each(|id| self.remove(id));
    }
}
