//! The owner's side.

use std::sync::Arc;

use deadpool_postgres::Pool;
use uuid::Uuid;
use warren_model::{InstanceId, Partition, Status, Timestamp, TurnRecord};

use super::{
    PostgresReader,
    commit::{self, Line},
    expire, lease, load,
    pool::{Use, pool},
    schema, state, sweep,
    url::Address,
};
use crate::{
    Commit, Epoch, Expired, Filter, Hub, HubSpec, InstanceView, Lease, Load, Loaded, Page, PartitionState, PayloadRow,
    Payloads, Queries, Renewal, Result, Store, Survey, Sweep, Swept, TaskNote, TimerRow, TurnKey, TurnRow,
};

/// A hub in a PostgreSQL database, with the right to write it. Cheap to clone; connections are made when they are needed
/// and again when they broke.
#[derive(Clone)]
pub struct Postgres {
    address: Arc<Address>,
    leases: Pool,
    turns: Pool,
    pub(super) line: Arc<Line>,
    queries: PostgresReader,
}

impl Postgres {
    /// Opens the hub; makes its schema, tables and row if they are absent, and brings older tables up to date.
    ///
    /// `url` is what PostgreSQL's users write, `postgres://user:password@host:port/database?sslmode=…`; `schema=` there
    /// names another schema than `warren_HUB`. A server that can't be reached is
    /// [`Error::Unavailable`](crate::Error::Unavailable): try again.
    pub async fn open(url: &str, spec: &HubSpec) -> Result<Self> {
        let address = Address::parse(url, &spec.name)?;
        let hub = schema::open(&address, spec).await?;
        Ok(Self {
            leases: pool(&address, Use::Leases)?,
            turns: pool(&address, Use::Turns)?,
            line: Arc::default(),
            queries: PostgresReader::of(hub, &address)?,
            address: Arc::new(address),
        })
    }
}

#[cfg(test)]
impl Postgres {
    /// Returns the plans of what the owner's connection has prepared so far (there is one, if nothing ran at once).
    pub(super) async fn plans(&self) -> Vec<String> {
        let client = self.turns.get().await.unwrap();
        let sql = "SELECT name, cardinality(parameter_types) FROM pg_prepared_statements WHERE statement ~ '^(WITH|SELECT|UPDATE)'";
        let mut plans = Vec::new();
        for statement in client.query(sql, &[]).await.unwrap() {
            let (name, count): (&str, i32) = (statement.get(0), statement.get(1));
            let values = if count == 0 {
                String::new()
            } else {
                format!("({})", vec!["NULL"; usize::try_from(count).unwrap()].join(", "))
            };
            let lines = client.query(&format!("EXPLAIN EXECUTE \"{name}\"{values}"), &[]).await.unwrap();
            plans.push(lines.iter().map(|line| line.get::<_, String>(0)).collect::<Vec<_>>().join("\n"));
        }
        plans
    }
}

impl Store for Postgres {
    fn hub(&self) -> &Hub {
        Queries::hub(&self.queries)
    }

    fn apart(&self) -> Self {
        let turns = pool(&self.address, Use::Turns).expect("there is one with the same settings");
        Self { turns, line: Arc::default(), ..self.clone() }
    }

    async fn survey(&self) -> Result<Survey> {
        lease::survey(&self.leases).await
    }

    async fn acquire(&self, seen: &Lease, owner: &str) -> Result<Option<Epoch>> {
        lease::acquire(&self.leases, seen, owner).await
    }

    async fn renew(&self, replica: &str, stands: bool, held: &[(Partition, Epoch)]) -> Result<Renewal> {
        lease::renew(&self.leases, replica, stands, held).await
    }

    async fn release(&self, partition: Partition, epoch: Epoch) -> Result<()> {
        lease::release(&self.leases, partition, epoch).await
    }

    async fn partition(&self, partition: Partition, epoch: Epoch) -> Result<PartitionState> {
        state::partition(&self.turns, partition, epoch).await
    }

    async fn supersede(&self, partition: Partition, epoch: Epoch) -> Result<()> {
        lease::supersede(&self.turns, partition, epoch).await
    }

    async fn load(&self, partition: Partition, epoch: Epoch, load: Load) -> Result<Loaded> {
        load::load(&self.turns, partition, epoch, load).await
    }

    async fn load_together(&self, loads: Vec<(Partition, Epoch, Load)>) -> Vec<Result<Loaded>> {
        load::load_together(&self.turns, loads).await
    }

    async fn turns(&self, partition: Partition, epoch: Epoch, keys: Vec<TurnKey>) -> Result<Vec<TurnRow>> {
        load::turns(&self.turns, partition, epoch, keys).await
    }

    async fn timers(
        &self,
        partition: Partition,
        epoch: Epoch,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<TimerRow>> {
        load::timers(&self.turns, partition, epoch, until, limit).await
    }

    async fn sweep(&self, partition: Partition, epoch: Epoch, sweep: Sweep) -> Result<Swept> {
        sweep::sweep(&self.turns, partition, epoch, &sweep).await
    }

    async fn commit_together(&self, commits: Vec<Commit>) -> Vec<Result<()>> {
        commit::commit(&self.line, &self.turns, &commits).await
    }

    async fn expire(
        &self,
        partition: Partition,
        epoch: Epoch,
        answered_before: Timestamp,
        now: Timestamp,
        limit: usize,
    ) -> Result<Expired> {
        expire::expire(&self.turns, (partition, epoch), answered_before, now, limit).await
    }
}

/// Large payloads have connections of their own too.
impl Payloads for Postgres {
    async fn keep_payload(&self, row: PayloadRow) -> Result<()> {
        self.queries.keep_payload(row).await
    }

    async fn payload(&self, partition: Partition, id: Uuid) -> Result<Option<Arc<[u8]>>> {
        self.queries.payload(partition, id).await
    }

    async fn can_write(&self) -> Result<()> {
        self.queries.can_write().await
    }

    async fn drop_payloads(&self, partition: Partition, ids: Vec<Uuid>) -> Result<()> {
        self.queries.drop_payloads(partition, ids).await
    }
}

/// Clients' reads have connections of their own.
impl Queries for Postgres {
    fn hub(&self) -> &Hub {
        Queries::hub(&self.queries)
    }

    async fn instance(&self, id: &InstanceId) -> Result<Option<InstanceView>> {
        self.queries.instance(id).await
    }

    async fn history(&self, id: &InstanceId, from: u32, limit: usize) -> Result<Vec<TurnRecord>> {
        self.queries.history(id, from, limit).await
    }

    async fn list(&self, filter: &Filter) -> Result<Page> {
        self.queries.list(filter).await
    }

    async fn quarantined(&self, instance: Option<&InstanceId>, most: usize) -> Result<Vec<TaskNote>> {
        self.queries.quarantined(instance, most).await
    }

    async fn counts(&self) -> Result<Vec<(Status, u64)>> {
        self.queries.counts().await
    }

    async fn survey(&self) -> Result<Survey> {
        Queries::survey(&self.queries).await
    }
}
