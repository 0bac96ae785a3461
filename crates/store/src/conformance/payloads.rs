//! Large payloads: there before the message that refers to them, and not for ever.

use std::sync::Arc;

use uuid::Uuid;
use warren_model::{ExecutionId, Partition, Status};

use super::{Fixture, sample::*};
use crate::{PayloadRow, Payloads, Queries, Store};

/// A payload of so many bytes, not all of them text.
fn payload(number: u128, instance: &str, execution: Option<ExecutionId>, bytes: usize) -> PayloadRow {
    let body: Arc<[u8]> = (0..bytes).map(|at| u8::try_from(at % 256).unwrap()).collect();
    PayloadRow { partition: P0, id: Uuid::from_u128(number), instance: id(instance), execution, body }
}

/// Returns which of the payloads 1 to 9 are there.
async fn found<R: Payloads>(reader: &R) -> Vec<u128> {
    let mut found = Vec::new();
    for number in 1..10 {
        if reader.payload(P0, Uuid::from_u128(number)).await.unwrap().is_some() {
            found.push(number);
        }
    }
    found
}

pub async fn a_payload_is_kept_once_with_every_byte<F: Fixture>(fixture: &F) {
    let _a = owned(fixture).await;
    let (writer, reader) = (fixture.reader("orders").await.unwrap(), fixture.reader("orders").await.unwrap());
    let row = payload(1, "order-1", None, 3_000_000);
    writer.keep_payload(row.clone()).await.unwrap();
    assert_eq!(reader.payload(P0, row.id).await.unwrap().as_deref(), Some(&*row.body));
    // Whoever publishes again keeps it again; the first stands, as its message may have it already.
    writer.keep_payload(PayloadRow { body: [1].into(), ..row.clone() }).await.unwrap();
    assert_eq!(reader.payload(P0, row.id).await.unwrap().as_deref(), Some(&*row.body));
    assert_eq!(reader.payload(Partition(1), row.id).await.unwrap(), None, "partitions have their own");
    assert!(Queries::instance(&reader, &row.instance).await.unwrap().is_none(), "its instance need not be there");
}

pub async fn payloads_are_dropped_by_id<F: Fixture>(fixture: &F) {
    let _a = owned(fixture).await;
    let reader = fixture.reader("orders").await.unwrap();
    for number in 1..4 {
        reader.keep_payload(payload(number, "order-1", None, 10)).await.unwrap();
    }
    reader.drop_payloads(P0, [1, 3, 99].map(Uuid::from_u128).to_vec()).await.unwrap();
    reader.drop_payloads(Partition(1), vec![Uuid::from_u128(2)]).await.unwrap();
    assert_eq!(found(&reader).await, [2]);
    reader.can_write().await.unwrap();
}

pub async fn h19_the_payloads_of_a_forgotten_execution_go_with_it<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let reader = fixture.reader("orders").await.unwrap();
    let of = [("order-1", Some(FIRST)), ("order-1", Some(SECOND)), ("order-1", None), ("order-2", Some(FIRST))];
    for (number, (instance, execution)) in (1..).zip(of) {
        reader.keep_payload(payload(number, instance, execution, 10)).await.unwrap();
    }
    a.commit(|commit| commit.forget.push((id("order-1"), FIRST))).await;
    assert_eq!(found(&reader).await, [2, 3, 4]);
}

pub async fn payloads_that_nobody_refers_to_are_forgotten_after_the_window<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let reader = fixture.reader("orders").await.unwrap();
    let ended = |name: &str| warren_model::InstanceRecord { status: Status::Completed, ..record(name, 1) };
    a.commit(|commit| commit.instances.extend([record("running", 1), ended("ended")])).await;
    let (running, ended) = (Some(first("running")), Some(first("ended")));
    let of = [("running", running), ("running", Some(SECOND)), ("running", None), ("ended", ended), ("x", None)];
    for (number, (instance, execution)) in (1..).zip(of) {
        reader.keep_payload(payload(number, instance, execution, 10)).await.unwrap();
    }
    let expire = async |before, most| a.store.expire(P0, a.epoch, at(before), at(0), most).await.unwrap().has_more;
    assert!(!expire(1_000_000_000, 100).await, "they are younger than that");
    assert_eq!(found(&reader).await, [1, 2, 3, 4, 5]);
    assert!(expire(i64::from(u32::MAX), 3).await, "there may be more");
    assert_eq!(found(&reader).await.len(), 2);
    expire(i64::from(u32::MAX), 3).await;
    assert_eq!(found(&reader).await, [1], "an open task of a running execution may have it");
}
