//! `GET /hub`: who owns the hub's partitions, and how its instances stand.

use axum::{Json, extract::State};
use serde::Serialize;
use serde_json::{Map, Value};
use warren_store::{Lease, Queries, Standing, Survey};

use crate::{api::Api, problem::Problem, show::QuarantinedTask};

/// A hub.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HubBody {
    hub: String,
    partition_count: u16,
    partitions: Vec<PartitionBody>,
    /// The processes that share the partitions.
    replicas: Vec<ReplicaBody>,
    /// How many instances have each status.
    instances: Map<String, Value>,
    /// Tasks that no worker begins any more, the first ones by instance.
    quarantined_tasks: Vec<QuarantinedTask>,
}

/// A partition.
#[derive(Serialize)]
struct PartitionBody {
    partition: u16,
    /// Who owns it; `null` after a release.
    owner: Option<String>,
    /// Rises with each change of owner.
    epoch: i64,
    /// Rises every second while the owner lives.
    renewals: i64,
}

/// A process that stands for a share of the partitions.
#[derive(Serialize)]
struct ReplicaBody {
    replica: String,
    /// How many partitions it owns.
    partitions: usize,
    /// Rises every second while it lives; who is gone is forgotten after a minute.
    renewals: i64,
}

/// How many quarantined tasks one answer shows.
const QUARANTINED_MAX: usize = 100;

/// Shows the hub.
pub(crate) async fn hub<Q: Queries>(State(api): State<Api<Q>>) -> Result<Json<HubBody>, Problem> {
    let client = api.client()?;
    let queries = client.queries();
    let Survey { leases, replicas, .. } = queries.survey().await?;
    let counts = queries.counts().await?;
    let quarantined = queries.quarantined(None, QUARANTINED_MAX).await?;
    let owned = |name: &str| leases.iter().filter(|lease| lease.owner.as_deref() == Some(name)).count();
    let replica =
        |Standing { replica, counter }| ReplicaBody { partitions: owned(&replica), replica, renewals: counter };
    let replicas = replicas.into_iter().map(replica).collect();
    let partition = |Lease { partition, owner, epoch, counter }| PartitionBody {
        partition: partition.0,
        owner,
        epoch: epoch.0,
        renewals: counter,
    };
    Ok(Json(HubBody {
        hub: api.hub().to_owned(),
        partition_count: queries.hub().partitions.0.get(),
        partitions: leases.into_iter().map(partition).collect(),
        replicas,
        instances: counts.into_iter().map(|(status, count)| (status.as_str().to_owned(), count.into())).collect(),
        quarantined_tasks: quarantined.into_iter().map(QuarantinedTask::from).collect(),
    }))
}
