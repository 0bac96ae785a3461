//! Who owns a partition. When a lease may be taken from its owner is the caller's to judge.

use super::{Fixture, sample::*};
use crate::{Epoch, Error, Store};
use warren_model::Partition;

pub async fn a_free_lease_is_taken_once<F: Fixture>(fixture: &F) {
    let (a, b) = (fixture.open(&spec()).await.unwrap(), fixture.open(&spec()).await.unwrap());
    let seen = lease(&a, P0).await;
    assert_eq!(a.acquire(&seen, "a").await.unwrap(), Some(Epoch(1)));
    assert_eq!(b.acquire(&seen, "b").await.unwrap(), None);
    let now = lease(&b, P0).await;
    assert_eq!((now.owner.as_deref(), now.epoch, now.counter), (Some("a"), Epoch(1), 1));
}

pub async fn a_lease_that_is_renewed_is_not_taken<F: Fixture>(fixture: &F) {
    let a = owned(fixture).await;
    let b = fixture.open(&spec()).await.unwrap();
    let seen = lease(&b, P0).await;
    let renewal = a.store.renew("a", true, &[(P0, a.epoch)]).await.unwrap();
    assert_eq!(renewal.lost, []);
    assert!(renewal.now > at(1_600_000_000), "{}", renewal.now);
    assert_eq!(lease(&b, P0).await.counter, seen.counter + 1);
    assert_eq!(b.acquire(&seen, "b").await.unwrap(), None);
    a.state().await;
}

pub async fn a_lease_that_stands_still_is_taken<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let b = fixture.open(&spec()).await.unwrap();
    let seen = lease(&b, P0).await;
    // A commit is no renewal.
    a.commit(|_| {}).await;
    assert_eq!(b.acquire(&seen, "b").await.unwrap(), Some(Epoch(2)));
    let now = lease(&a.store, P0).await;
    assert_eq!((now.owner.as_deref(), now.counter), (Some("b"), seen.counter + 1));
}

pub async fn a_lost_lease_is_named_by_the_renewal<F: Fixture>(fixture: &F) {
    let a = fixture.open(&wide(3)).await.unwrap();
    let mut held = Vec::new();
    for partition in wide(3).partitions.all() {
        held.push((partition, a.acquire(&lease(&a, partition).await, "a").await.unwrap().unwrap()));
    }
    take(fixture.open(&wide(3)).await.unwrap(), Partition(1)).await;
    let before = lease(&a, Partition(1)).await;
    assert_eq!(a.renew("a", true, &held).await.unwrap().lost, [Partition(1)]);
    assert_eq!(lease(&a, Partition(1)).await, before);
    assert_eq!(lease(&a, Partition(2)).await.counter, 2);
}

pub async fn a_replica_is_seen_for_as_long_as_it_stands<F: Fixture>(fixture: &F) {
    let a = owned(fixture).await;
    let b = fixture.open(&spec()).await.unwrap();
    let seen =
        async || b.survey().await.unwrap().replicas.into_iter().map(|it| (it.replica, it.counter)).collect::<Vec<_>>();
    assert_eq!(seen().await, []);
    b.renew("b", true, &[]).await.unwrap();
    a.store.renew("a", true, &[(P0, a.epoch)]).await.unwrap();
    b.renew("b", true, &[]).await.unwrap();
    assert_eq!(seen().await, [("a".to_owned(), 0), ("b".to_owned(), 1)]);
    // Who hands over renews what it still holds, and is counted no more.
    a.store.renew("a", false, &[(P0, a.epoch)]).await.unwrap();
    assert_eq!(seen().await, [("b".to_owned(), 1)]);
    assert_eq!(lease(&b, P0).await.counter, 3);
}

pub async fn a_released_lease_is_free_at_once_and_writes_no_more<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    a.store.release(P0, a.epoch).await.unwrap();
    assert_eq!(lease(&a.store, P0).await.owner, None);
    assert!(matches!(a.try_commit(|_| {}).await, Err(Error::Fenced { .. })));
    assert!(matches!(a.store.release(P0, a.epoch).await, Err(Error::Fenced { .. })));
    assert_eq!(a.store.renew("a", true, &[(P0, a.epoch)]).await.unwrap().lost, [P0]);
    // Whatever was seen of it before: a free lease is anybody's.
    let b = fixture.open(&spec()).await.unwrap();
    let stale = crate::Lease { partition: P0, owner: Some("a".into()), epoch: a.epoch, counter: 0 };
    assert_eq!(b.acquire(&stale, "b").await.unwrap(), Some(Epoch(2)));
}

pub async fn h2_epochs_rise_with_each_owner<F: Fixture>(fixture: &F) {
    let store = fixture.open(&spec()).await.unwrap();
    for epoch in 1..=4 {
        let owned = take(store.clone(), P0).await;
        assert_eq!(owned.epoch, Epoch(epoch));
        if epoch % 2 == 0 {
            store.release(P0, owned.epoch).await.unwrap();
        }
    }
}

pub async fn of_two_that_race_for_a_lease_one_gets_it<F: Fixture>(fixture: &F) {
    let (a, b) = (fixture.open(&spec()).await.unwrap(), fixture.open(&spec()).await.unwrap());
    for round in 1..=20 {
        let seen = lease(&a, P0).await;
        let (one, other) = tokio::join!(a.acquire(&seen, "a"), b.acquire(&seen, "b"));
        let won: Vec<Epoch> = [one.unwrap(), other.unwrap()].into_iter().flatten().collect();
        assert_eq!(won, [Epoch(round)]);
    }
}
