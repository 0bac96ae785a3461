//! `POST /hub/redispatch`: sends open work again that was lost on its way.

use axum::{Json, extract::State};
use warren_model::{InstanceId, Redispatch, Redispatched};
use warren_store::Queries;

use crate::{
    api::Api,
    http::{IdempotencyKey, Params},
    problem::Problem,
};

/// Sends open work again; answers once the broker has all of it, or when the time is up.
pub(crate) async fn redispatch<Q: Queries>(
    State(api): State<Api<Q>>,
    params: Params,
    IdempotencyKey(key): IdempotencyKey,
) -> Result<Json<Redispatched>, Problem> {
    let instance = params.text("instanceId").map(InstanceId::new).transpose();
    let what = Redispatch {
        queue: params.text("queue").map(ToOwned::to_owned),
        older_than_seconds: params.number("olderThan")?.unwrap_or(0),
        instance: instance.map_err(|error| Problem::invalid(format!("query parameter instanceId: {error}")))?,
    };
    let longest = api.options().wait_max;
    let within = params.seconds("timeout", longest)?.unwrap_or(longest);
    let client = api.commander()?;
    let mut redispatch = client.redispatch(what).within(within);
    if let Some(key) = key {
        redispatch = redispatch.message(key);
    }
    Ok(Json(redispatch.send().await?))
}

#[cfg(test)]
#[path = "redispatch_test.rs"]
mod test;
