//! Timers: rows that the owner's wheel is rebuilt from.

use warren_model::{ActionId, Timestamp};

use super::{Fixture, sample::*};
use crate::{Error, Store, TimerRow};

pub async fn h11_timers_come_soonest_first_up_to_a_time_and_a_number<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let rows = [timer("c", 1, 30), timer("a", 1, 20), timer("a", 2, 10), timer("b", 1, 20), timer("d", 1, 40)];
    a.commit(|commit| commit.timers.extend(rows.clone())).await;
    let [c, a1, a2, b, d] = rows;
    assert_eq!(a.timers().await, [a2.clone(), a1.clone(), b.clone(), c.clone(), d]);
    let some = |until, limit| a.store.timers(P0, a.epoch, at(until), limit);
    assert_eq!(some(40, 100).await.unwrap(), [a2.clone(), a1.clone(), b.clone(), c]);
    assert_eq!(some(30, 2).await.unwrap(), [a2.clone(), a1]);
    assert_eq!(some(10, 100).await.unwrap(), []);
    assert_eq!(some(11, 100).await.unwrap(), [a2]);
}

pub async fn timers_go_one_by_one_or_all_at_once<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let rows = [timer("a", 1, 10), timer("a", 2, 20), timer("b", 1, 30), timer("b", 2, 40)];
    a.commit(|commit| commit.timers.extend(rows.clone())).await;
    let again = a.try_commit(|commit| commit.timers.push(timer("a", 1, 99))).await;
    assert!(matches!(&again, Err(Error::Refused(why)) if why.contains("timer 1 of instance a")), "{again:?}");
    a.commit(|commit| commit.timers_done.extend([(id("a"), ActionId(1)), (id("nobody"), ActionId(7))])).await;
    assert_eq!(a.timers().await, rows[1..]);
    a.commit(|commit| commit.timers_clear.extend([id("b"), id("nobody")])).await;
    assert_eq!(a.timers().await, rows[1..2]);
}

pub async fn a_timer_is_never_early_by_rounding<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let time = |text: &str| -> Timestamp { text.parse().unwrap() };
    let fire_at = time("2026-11-24T10:00:00.000001001Z");
    a.commit(|commit| commit.timers.push(TimerRow { fire_at, ..timer("a", 1, 0) })).await;
    let rounded = time("2026-11-24T10:00:00.000002Z");
    assert_eq!(a.timers().await, [TimerRow { fire_at: rounded, ..timer("a", 1, 0) }]);
    assert_eq!(a.store.timers(P0, a.epoch, rounded, 10).await.unwrap(), []);
    assert_eq!(a.store.timers(P0, a.epoch, time("2026-11-24T10:00:00.000002001Z"), 10).await.unwrap().len(), 1);
}
