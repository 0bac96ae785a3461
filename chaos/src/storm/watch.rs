//! Somebody who looks into the database all the time: who owns what, and how many instances are under way.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::bail;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::{Client, NoTls};

use super::takeover::{Lease, Takeovers};
use crate::fleet::HUB;

/// How often leases are read: takeovers are measured to as much.
const LOOK: Duration = Duration::from_millis(50);
/// How long the database may take to answer before it counts as away.
const ANSWER: Duration = Duration::from_secs(2);
/// How long a fleet may take to share the partitions.
const SHARED: Duration = Duration::from_secs(60);
/// Every how many looks instances are counted.
const COUNT_EVERY: u32 = 5;

/// What was seen last.
#[derive(Debug, Default)]
struct Seen {
    leases: Vec<Lease>,
    under_way: u64,
    ended: u64,
    takeovers: Takeovers,
    /// Why it did not see anything the last time it looked.
    trouble: Option<String>,
}

/// What the watch sees. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch(Arc<Mutex<Seen>>);

impl Watch {
    /// Looks for ever.
    pub(crate) async fn run(self, url: String) {
        loop {
            if let Err(error) = self.look(&url).await {
                self.seen().trouble = Some(format!("{error:#}"));
            }
            sleep(LOOK).await;
        }
    }

    async fn look(&self, url: &str) -> anyhow::Result<()> {
        let client = connect(url).await?;
        for number in 0_u32.. {
            let leases = timeout(ANSWER, leases(&client)).await??;
            self.seen().takeovers.see(&leases, Instant::now());
            self.seen().leases = leases;
            if number % COUNT_EVERY == 0 {
                let (under_way, ended) = timeout(ANSWER, counts(&client)).await??;
                let mut seen = self.seen();
                (seen.under_way, seen.ended) = (under_way, ended);
            }
            self.seen().trouble = None;
            sleep(LOOK).await;
        }
        Ok(())
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // What is seen is replaced as a whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Names the processes that own partitions, those with the most first.
    pub(crate) fn owners(&self) -> Vec<String> {
        let mut owners: Vec<(usize, String)> = Vec::new();
        for owner in self.seen().leases.iter().filter_map(Lease::replica).map(ToOwned::to_owned) {
            match owners.iter_mut().find(|(_, known)| *known == owner) {
                Some((count, _)) => *count += 1,
                None => owners.push((1, owner)),
            }
        }
        owners.sort_by(|(more, _), (less, _)| less.cmp(more));
        owners.into_iter().map(|(_, owner)| owner).collect()
    }

    /// Returns whether every partition has an owner.
    fn is_owned(&self) -> bool {
        let seen = self.seen();
        !seen.leases.is_empty() && seen.leases.iter().all(|lease| lease.owner.is_some())
    }

    /// Waits until every partition has an owner, and so many processes own some.
    pub(crate) async fn shared_by(&self, processes: usize) -> anyhow::Result<()> {
        let until = Instant::now() + SHARED;
        while !self.is_owned() || self.owners().len() < processes {
            if Instant::now() > until {
                let (within, owners, trouble) = (SHARED.as_secs(), self.owners(), self.seen().trouble.take());
                let trouble = trouble.unwrap_or_else(|| "the database answers".into());
                bail!(
                    "{processes} processes do not share all partitions after {within} s: owners are {owners:?}; {trouble}"
                );
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Returns whether every partition has an owner that has committed since the last fault, and both servers are there.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_owned() && self.seen().takeovers.is_settled()
    }

    /// Returns how many instances are under way, children aside.
    pub(crate) fn under_way(&self) -> u64 {
        self.seen().under_way
    }

    /// Returns how many have ended, children aside.
    pub(crate) fn ended(&self) -> u64 {
        self.seen().ended
    }

    /// Begins to measure how long the partitions of an owner stand still, from now on.
    pub(crate) fn strike(&self, fault: usize, owner: &str, is_polite: bool) {
        let mut seen = self.seen();
        let leases = seen.leases.clone();
        seen.takeovers.strike(&leases, (fault, owner, is_polite), Instant::now());
    }

    /// Says that whoever was struck goes on: what nobody has taken over by now is its own still.
    pub(crate) fn survived(&self, fault: usize) {
        self.seen().takeovers.survived(fault);
    }

    /// Says that the broker or the database has gone away: what is measured meanwhile says nothing of takeovers.
    pub(crate) fn outage(&self) {
        self.seen().takeovers.disturb();
    }

    /// Says whether the broker and the database are there.
    pub(crate) fn outages(&self, change: i32) {
        self.seen().takeovers.outages(change);
    }

    /// Takes what was measured.
    pub(crate) fn takeovers(&self) -> Takeovers {
        std::mem::take(&mut self.seen().takeovers)
    }
}

/// Connects to the hub's schema.
pub(crate) async fn connect(url: &str) -> anyhow::Result<Client> {
    let mut config: tokio_postgres::Config = url.parse()?;
    config.options(format!("-c search_path=\"warren_{HUB}\" -c jit=off")).connect_timeout(ANSWER);
    let (client, connection) = timeout(ANSWER, config.connect(NoTls)).await??;
    // Ends with the client.
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection of the storm ended");
        }
    });
    Ok(client)
}

async fn leases(client: &Client) -> Result<Vec<Lease>, tokio_postgres::Error> {
    let sql =
        "SELECT partition, owner, lease.epoch, number FROM lease JOIN progress USING (partition) ORDER BY partition";
    let read = |row: &tokio_postgres::Row| {
        Ok(Lease {
            partition: row.try_get(0)?,
            owner: row.try_get(1)?,
            epoch: row.try_get(2)?,
            number: row.try_get(3)?,
        })
    };
    client.query(sql, &[]).await?.iter().map(read).collect()
}

async fn counts(client: &Client) -> Result<(u64, u64), tokio_postgres::Error> {
    let sql = "SELECT count(*) FILTER (WHERE status NOT IN ('Completed', 'Failed', 'Terminated')),
        count(*) FILTER (WHERE status IN ('Completed', 'Failed', 'Terminated')) FROM instance WHERE parent IS NULL";
    let row = client.query_one(sql, &[]).await?;
    let count = |column| -> Result<u64, tokio_postgres::Error> { Ok(row.try_get::<_, i64>(column)?.unsigned_abs()) };
    Ok((count(0)?, count(1)?))
}
