//! The baton of a queue whose lanes are counted together: only who holds it consumes them.
//!
//! ```text
//!             ┌──────────── lost ─────────────┐
//!             ▼                               │
//!   start ─▶ asked ──the broker gives it──▶ held: lanes are consumed
//!             ▲ │                             │
//!             │ └──no slot, or draining──▶ leaving ◀── the same, once nothing of the queue runs
//!        a slot is free                       │
//!             └───────────── left ◀──given back
//! ```
//!
//! Whoever gives it back has nothing of the queue running, so the next one begins to count at nothing. Who loses it still has:
//! until that ends, up to twice the limit may run.

use super::{Effect, ServedId, Worker};

/// How a worker stands to a queue's baton.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Baton {
    /// It has asked for it.
    Asked,
    /// It has it.
    Held,
    /// It does not want it any more, and the broker may not know.
    Leaving,
    /// It has not asked for it.
    Left,
}

impl Worker {
    /// Returns the queues that have a baton, by name, and whether it is held here.
    pub fn batons(&self) -> impl Iterator<Item = (&str, bool)> {
        self.queues.with_baton().map(|(_, whole, baton)| (whole.name.as_str(), baton == Baton::Held))
    }

    /// The broker gives the baton, or it is not here any more.
    pub(super) fn baton(&mut self, queue: ServedId, is_held: bool, effects: &mut Vec<Effect>) {
        let Some(baton) = self.queues.whole(queue).and_then(|whole| whole.baton.as_mut()) else { return };
        let now = match (*baton, is_held) {
            (Baton::Asked, true) => Baton::Held,
            (Baton::Held, false) => Baton::Asked,
            (Baton::Leaving, false) => Baton::Left,
            (Baton::Asked | Baton::Left, false) | (Baton::Held | Baton::Leaving | Baton::Left, true) => return,
        };
        *baton = now;
        match now {
            Baton::Held if self.is_serving() => self.consume_lanes(queue, effects),
            Baton::Asked if self.is_serving() => self.pause_lanes(queue, effects),
            Baton::Left if self.is_serving() && self.has_room() => self.ask_for_batons(effects),
            Baton::Held | Baton::Asked | Baton::Leaving | Baton::Left => {}
        }
    }

    /// Asks for the batons that were given back.
    pub(super) fn ask_for_batons(&mut self, effects: &mut Vec<Effect>) {
        let left: Vec<ServedId> =
            self.queues.with_baton().filter(|(.., baton)| *baton == Baton::Left).map(|(id, ..)| id).collect();
        for queue in left {
            self.queues.whole(queue).into_iter().for_each(|whole| whole.baton = Some(Baton::Asked));
            effects.push(Effect::AskForBaton { queue });
        }
    }

    /// Gives back the batons of queues of which nothing runs.
    pub(super) fn leave_batons(&mut self, effects: &mut Vec<Effect>) {
        let is_free = |(id, whole, baton)| match baton {
            Baton::Asked => Some(id),
            Baton::Held => (self.queues.begun(whole) == 0).then_some(id),
            Baton::Leaving | Baton::Left => None,
        };
        for queue in self.queues.with_baton().filter_map(is_free).collect::<Vec<_>>() {
            self.queues.whole(queue).into_iter().for_each(|whole| whole.baton = Some(Baton::Leaving));
            if self.is_serving() {
                self.pause_lanes(queue, effects);
            }
            effects.push(Effect::LeaveBaton { queue });
        }
    }

    fn consume_lanes(&mut self, queue: ServedId, effects: &mut Vec<Effect>) {
        for id in self.queues.lanes(queue) {
            self.queues.get(id).into_iter().for_each(|lane| lane.is_paused = false);
            effects.push(Effect::Consume { queue: id });
        }
    }

    fn pause_lanes(&mut self, queue: ServedId, effects: &mut Vec<Effect>) {
        for id in self.queues.lanes(queue) {
            if let Some(lane) = self.queues.get(id).filter(|lane| !lane.is_paused) {
                lane.is_paused = true;
                effects.push(Effect::Pause { queue: id });
            }
        }
    }
}

#[cfg(test)]
#[path = "baton_test.rs"]
mod test;
