//! Whether a command could be carried out: looked at all the time, so that one that could not is refused at once.
//!
//! A command needs the broker, of which the client itself tells, and an owner who can write to the store. Owners show
//! that they can by renewing their leases.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use warren_model::Partition;
use warren_store::{Lease, Payloads, Queries};

/// How often to look.
const LOOK: Duration = Duration::from_secs(1);
/// How long an answer may take: a store that is as slow as that is of no use to owners either.
const ANSWER: Duration = Duration::from_secs(3);

/// Says what is wrong, if something is.
pub(crate) type Trouble = Option<String>;

/// Looks for as long as somebody wants to know, and tells.
pub(crate) async fn look<Q: Queries + Payloads>(queries: Q, lapse: Duration, told: watch::Sender<Trouble>) {
    let mut leases = Leases { lapse, seen: BTreeMap::new() };
    while !told.is_closed() {
        let trouble = match timeout(ANSWER, ask(&queries)).await {
            Ok(Ok(found)) => leases.judge(found, Instant::now()),
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("reach the store: it gives no answer".into()),
        };
        tell(&told, trouble);
        sleep(LOOK).await;
    }
}

async fn ask<Q: Queries + Payloads>(queries: &Q) -> warren_store::Result<Vec<Lease>> {
    let survey = queries.survey().await?;
    queries.can_write().await?;
    Ok(survey.leases)
}

fn tell(told: &watch::Sender<Trouble>, trouble: Trouble) {
    let has_changed = told.send_if_modified(|last| {
        let is_news = last.is_some() != trouble.is_some();
        let has_changed = *last != trouble;
        *last = trouble.clone();
        has_changed && is_news
    });
    match trouble {
        Some(why) if has_changed => tracing::warn!(why, "commands are refused until it is over"),
        None if has_changed => tracing::info!("commands are taken again"),
        Some(_) | None => {}
    }
}

/// What was seen of every lease.
struct Leases {
    lapse: Duration,
    seen: BTreeMap<Partition, (Lease, Instant)>,
}

impl Leases {
    /// Takes a reading; says if no lease at all has changed for too long.
    fn judge(&mut self, leases: Vec<Lease>, now: Instant) -> Trouble {
        let mut is_alive = leases.is_empty();
        for lease in leases {
            let since = match self.seen.get(&lease.partition) {
                Some((before, since)) if *before == lease => *since,
                Some(_) | None => now,
            };
            is_alive |= now.duration_since(since) < self.lapse;
            self.seen.insert(lease.partition, (lease, since));
        }
        (!is_alive).then(|| {
            let seconds = self.lapse.as_secs();
            format!(
                "find an owner: no orchestrator-svc has renewed a lease for {seconds} s, so none runs or none can write \
                 to the store: see its log"
            )
        })
    }
}

#[cfg(test)]
#[path = "standing_test.rs"]
mod test;
