//! Making a hub and finding it again.

use super::{Fixture, sample::*};
use crate::{Epoch, Error, Hub, HubSpec, Lease, PartitionState, Queries, Store};

pub async fn a_new_hub_is_empty<F: Fixture>(fixture: &F) {
    let store = fixture.open(&wide(3)).await.unwrap();
    let crate::Survey { leases, now, .. } = Store::survey(&store).await.unwrap();
    let free = |partition| Lease { partition, owner: None, epoch: Epoch(0), counter: 0 };
    assert_eq!(leases, wide(3).partitions.all().map(free).collect::<Vec<_>>());
    assert!(now > at(1_600_000_000), "{now}");
    let owned = take(store, P0).await;
    assert_eq!(owned.state().await, PartitionState::default());
    let unseen = owned.load("order-1").await;
    assert_eq!((unseen.record, unseen.turns, unseen.pending), (None, Ok(vec![]), vec![]));
}

pub async fn a_hub_keeps_its_secret_and_does_not_print_it<F: Fixture>(fixture: &F) {
    let hub: Hub = Store::hub(&fixture.open(&spec()).await.unwrap()).clone();
    assert_eq!((hub.name.as_str(), hub.partitions), ("orders", spec().partitions));
    assert_ne!(hub.secret, [0; 16]);
    assert_eq!(Store::hub(&fixture.open(&spec()).await.unwrap()), &hub);
    let elsewhere = F::fresh();
    assert_ne!(Store::hub(&elsewhere.open(&spec()).await.unwrap()).secret, hub.secret);
    let printed = format!("{hub:?}");
    assert!(printed.contains("orders") && !printed.contains(&format!("{:?}", hub.secret)), "{printed}");
}

pub async fn another_hub_s_name_is_refused_with_both_names<F: Fixture>(fixture: &F) {
    fixture.open(&spec()).await.unwrap();
    let other = HubSpec { name: "invoices".into(), ..spec() };
    for error in [fixture.open(&other).await.err().unwrap(), fixture.reader("invoices").await.err().unwrap()] {
        let says = |name| error.to_string().contains(name);
        assert!(matches!(error, Error::Mismatch(_)) && says("orders") && says("invoices"), "{error}");
    }
}

pub async fn another_partition_count_is_refused_with_both_counts<F: Fixture>(fixture: &F) {
    fixture.open(&wide(4)).await.unwrap();
    let error = fixture.open(&wide(7)).await.err().unwrap();
    let says = |count| error.to_string().contains(count);
    assert!(matches!(error, Error::Mismatch(_)) && says("4 partitions") && says("7"), "{error}");
    fixture.open(&wide(4)).await.unwrap();
}

pub async fn a_reader_finds_the_hub<F: Fixture>(fixture: &F) {
    let error = fixture.reader("orders").await.err().unwrap();
    assert!(matches!(&error, Error::Unavailable(why) if why.contains("orchestrator-svc")), "{error}");
    let store = fixture.open(&wide(2)).await.unwrap();
    assert_eq!(Queries::hub(&fixture.reader("orders").await.unwrap()), Store::hub(&store));
    drop(store);
    assert_eq!(Queries::hub(&fixture.reader("orders").await.unwrap()).partitions, wide(2).partitions);
}
