use super::{testing::Place, *};
use crate::{
    HubSpec, Result, TurnKey,
    conformance::{Damage, Fixture},
};

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

    async fn damage(&self, turn: &TurnKey, damage: Damage<'_>) {
        let TurnKey { instance, execution, turn } = turn;
        let key = format!("WHERE instance = '{instance}' AND execution = '{execution}' AND turn = {turn}");
        let sql = match damage {
            Damage::Body(body) => format!("UPDATE history SET body = '{body}' {key}"),
            Damage::Gone => format!("DELETE FROM history {key}"),
        };
        self.sql().await.batch_execute(&sql).await.unwrap();
    }
}

mod conformance {
    use super::Place;

    crate::store_conformance!(Place);
}
