use warren_model::Timestamp;

use super::{
    testing::{P0, Place, empty, id, record},
    *,
};
use crate::{HubSpec, Load, Result, Store, conformance::Fixture};

impl Fixture for Place {
    type Store = Postgres;
    type Reader = PostgresReader;

    fn fresh() -> Self {
        Self::new()
    }

    async fn open(&self, spec: &HubSpec) -> Result<Postgres> {
        Postgres::open(&self.url(), spec).await
    }

    async fn reader(&self, hub_name: &str) -> Result<PostgresReader> {
        PostgresReader::open(&self.url(), hub_name).await
    }

    async fn sql(&self, sql: &str) {
        Place::sql(self).await.batch_execute(sql).await.unwrap();
    }
}

mod conformance {
    use super::Place;

    crate::store_conformance!(Place);
}

/// The plans are made while the tables are empty, when any plan is cheap, and must be good for a million rows too.
#[tokio::test]
async fn every_row_of_a_turn_is_looked_up_by_its_whole_key() {
    let place = Place::new();
    let (store, epoch) = place.owned().await;
    let instance = id();
    let commands = vec![warren_model::MessageId::new("m").unwrap()];
    store.load(P0, epoch, Load { instances: vec![instance.clone()], commands }).await.unwrap();
    store.turns(P0, epoch, vec![]).await.unwrap();
    store.partition(P0, epoch).await.unwrap();
    store.expire(P0, epoch, Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH, 1).await.unwrap();
    let mut commit = empty(epoch, 1);
    commit.timers_clear.push(instance.clone());
    commit.pending_done.push((instance.clone(), 0));
    commit.fresh.push((instance.clone(), warren_model::MessageId::new("m").unwrap()));
    commit.aside_done.push((P0, 0));
    store.commit(commit).await.unwrap();
    let mut small = empty(epoch, 2);
    small.instances.push(record("checkout"));
    small.fresh.push((instance, warren_model::MessageId::new("m").unwrap()));
    small.outbox_done.push(1);
    store.commit(small).await.unwrap();

    let plans = store.plans().await;
    assert!(plans.len() > 12, "{}", plans.len());
    assert!(plans.iter().any(|plan| plan.starts_with("Update on progress") && plan.contains("command_")), "{plans:#?}");
    let tables = ["instance", "history", "timer", "command", "pending", "outbox", "aside"];
    // Read as a whole, in order: what an owner begins with.
    let wholes = ["outbox_pkey", "aside_pkey", "pending_pkey", "instance_with_condition"];
    for plan in plans {
        assert!(!plan.contains("Seq Scan"), "{plan}");
        let is_whole = wholes.iter().any(|index| plan.contains(&format!("{index} "))) && !plan.contains("unnest");
        for lines in plan.lines().collect::<Vec<_>>().windows(2) {
            let is_scan = lines[0].contains("Index Scan") || lines[0].contains("Index Only Scan");
            let scans = is_scan && tables.iter().any(|table| lines[0].contains(&format!(" {table}_")));
            let has_key = lines[1].contains("Index Cond") && lines[1].contains(" AND ");
            assert!(!scans || has_key || is_whole, "{plan}");
        }
    }
}
