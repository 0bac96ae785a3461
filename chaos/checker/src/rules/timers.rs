//! No timer fires early: the turn that tells of it began no earlier than the timer was due.

use std::collections::HashMap;

use crate::{Kind, Verdict, history::Event, judge::World};

pub(crate) fn check(world: &World<'_>, verdict: &mut Verdict) {
    for ((instance, _), turns) in &world.histories {
        let mut due = HashMap::new();
        let mut now = None;
        for event in turns.iter().flat_map(|turn| &turn.events) {
            if let Event::TurnBegan(at) = event {
                if now.is_some_and(|now| now > *at) {
                    verdict.add(Kind::Wrong, *instance, format!("time went back to {at}"));
                }
                now = Some(*at);
            } else if let Event::TimerCreated { id, fire_at } = event {
                due.insert(*id, *fire_at);
            } else if let Event::TimerFired { id } = event
                && let (Some(due), Some(now)) = (due.get(id), now)
                && now < *due
            {
                verdict.add(Kind::Wrong, *instance, format!("timer {id} fired at {now}, due at {due}"));
            }
        }
    }
}
