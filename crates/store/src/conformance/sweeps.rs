//! Looking through all instances of a partition, page by page.

use warren_model::{InstanceId, InstanceRecord, Partition, Status};

use super::{Fixture, sample::*};
use crate::{Error, Store, Sweep};

/// Sweeps to the end; returns the ids that were found, and how many pages there were.
async fn all<S: Store>(a: &Owned<S>, of: impl Fn(Option<InstanceId>) -> Sweep) -> (Vec<String>, usize) {
    let (mut found, mut pages, mut after) = (Vec::new(), 0, None);
    loop {
        let swept = a.store.sweep(P0, a.epoch, of(after)).await.unwrap();
        found.extend(swept.instances.iter().map(|instance| instance.id.to_string()));
        pages += 1;
        match swept.next {
            Some(next) => after = Some(next),
            None => return (found, pages),
        }
    }
}

fn ended(name: &str, second: i64) -> InstanceRecord {
    InstanceRecord { status: Status::Completed, updated_at: at(second), ..record(name, 1) }
}

pub async fn open_instances_are_found_with_their_turns_each_once<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let names: Vec<String> = (0..1_300).map(|n| format!("i{n:04}")).collect();
    a.commit(|commit| {
        for (n, name) in names.iter().enumerate() {
            commit.instances.push(if n % 2 == 0 { record(name, 1) } else { ended(name, 5) });
            commit.turns.push(turn(name, 0));
        }
    })
    .await;
    let open = |after| Sweep::Open { after };
    let (found, pages) = all(&a, open).await;
    let expected: Vec<String> = names.iter().step_by(2).cloned().collect();
    assert!(found == expected && pages == 2, "{} in {pages} pages", found.len());
    let first = a.store.sweep(P0, a.epoch, Sweep::Open { after: None }).await.unwrap();
    let one = a.store.sweep(P0, a.epoch, Sweep::One(id("i0002"))).await.unwrap();
    for instance in first.instances.iter().chain(&one.instances) {
        assert_eq!((instance.record.as_ref().unwrap().turn, instance.turns.as_ref().unwrap().len()), (1, 1));
    }
    assert_eq!((one.instances.len(), one.next), (1, None));
    for other in ["i0003", "i00", "nobody"] {
        assert!(a.store.sweep(P0, a.epoch, Sweep::One(id(other))).await.unwrap().instances.is_empty(), "{other}");
    }
    assert!(matches!(a.store.sweep(P0, crate::Epoch(0), open(None)).await, Err(Error::Fenced { .. })));
}

pub async fn a_page_of_long_histories_is_short<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    a.commit(|commit| {
        for name in ["a", "b", "c", "d"] {
            commit.instances.push(InstanceRecord { history_bytes: 10 << 20, ..record(name, 1) });
            commit.turns.push(turn(name, 0));
        }
    })
    .await;
    let (found, pages) = all(&a, |after| Sweep::Open { after }).await;
    assert_eq!((found, pages), (["a", "b", "c", "d"].map(String::from).into(), 2));
}

pub async fn instances_that_ended_long_ago_are_found<F: Fixture>(fixture: &F) {
    let store = fixture.open(&wide(2)).await.unwrap();
    let mut other = take(store.clone(), Partition(1)).await;
    other.commit(|commit| commit.instances.push(ended("elsewhere", 1))).await;
    let mut a = take(store, P0).await;
    a.commit(|commit| {
        commit.instances.extend([ended("a", 5), ended("b", 10), ended("c", 9), record("runs", 1)]);
        commit.turns.push(turn("a", 0));
    })
    .await;
    let (found, pages) = all(&a, |after| Sweep::EndedBefore { time: at(10), after }).await;
    assert_eq!((found, pages), (["a", "c"].map(String::from).into(), 1));
}
