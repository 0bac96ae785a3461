use warren_model::InstanceId;

use super::{
    super::testing::{P0, Place, Role},
    *,
};
use crate::Error;

fn row() -> PayloadRow {
    let (id, instance) = (Uuid::from_u128(7), InstanceId::new("order-1").unwrap());
    PayloadRow { partition: P0, id, instance, execution: None, body: [1, 2, 3].into() }
}

#[tokio::test]
async fn a_database_that_takes_no_writes_says_so() {
    let place = Place::new();
    place.owned().await;
    let payloads = PostgresPayloads::new(&place.url_with("&options=-c%20default_transaction_read_only%3Don"), "orders");
    let payloads = payloads.unwrap();
    let error = payloads.can_write().await.unwrap_err();
    assert!(matches!(&error, Error::Unavailable(why) if why.contains("read-only")), "{error}");
    assert!(matches!(payloads.keep_payload(row()).await, Err(Error::Unavailable(_))));
}

#[tokio::test]
async fn a_worker_s_user_needs_no_right_to_anything_but_payloads() {
    let place = Place::new();
    place.owned().await;
    let sql = place.sql().await;
    let role = Role::new(&sql, "").await;
    let (schema, name) = (&place.schema, &role.name);
    let payloads = PostgresPayloads::new(&role.url(&place), "orders").unwrap();
    let error = payloads.keep_payload(row()).await.unwrap_err();
    assert!(matches!(&error, Error::Unavailable(why) if why.contains("rights")), "{error}");
    let grant =
        format!("GRANT USAGE ON SCHEMA \"{schema}\" TO {name}; GRANT SELECT, INSERT ON \"{schema}\".payload TO {name}");
    sql.batch_execute(&grant).await.unwrap();
    payloads.keep_payload(row()).await.unwrap();
    assert_eq!(payloads.payload(P0, row().id).await.unwrap().as_deref(), Some(&[1, 2, 3][..]));
}
