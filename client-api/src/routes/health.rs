//! `/health/live` and `/health/ready`: what the services share, with checks that are made when somebody asks.

use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use warren_broker::{Broker, Health as BrokerHealth};
use warren_service::health::{Health, router};
use warren_store::{Payloads, Queries};

use crate::api::{Api, Stage};

/// The checks of this service.
pub(crate) const CHECKS: [&str; 2] = [BROKER, STORE];
const BROKER: &str = "broker";
const STORE: &str = "store";

/// What the checks look at.
#[derive(Clone)]
struct Probes<B, Q> {
    health: Health,
    broker: B,
    api: Api<Q>,
}

/// Returns the two routes.
pub(crate) fn health<B: Broker, Q: Queries + Payloads>(health: Health, broker: B, api: Api<Q>) -> Router {
    let probes = Probes { health: health.clone(), broker, api };
    router(health).layer(from_fn_with_state(probes, check))
}

async fn check<B: Broker, Q: Queries + Payloads>(
    State(probes): State<Probes<B, Q>>,
    request: Request,
    next: Next,
) -> Response {
    if request.uri().path() == "/health/ready" {
        probes.check().await;
    }
    next.run(request).await
}

impl<B: Broker, Q: Queries + Payloads> Probes<B, Q> {
    async fn check(&self) {
        match self.broker.health() {
            BrokerHealth::Up => self.health.pass(BROKER),
            // The rest of the hub can be reached.
            BrokerHealth::Refusing(why) => self.health.pass_but(BROKER, why),
            BrokerHealth::Down(why) => self.health.fail(BROKER, why),
            BrokerHealth::Blocked(why) => self.health.fail(BROKER, format!("takes no messages at the moment: {why}")),
        }
        let stored = match self.api.stage() {
            Stage::Waiting(why) => Err(why),
            Stage::Open(client) => stored(client.queries()).await.map_err(|error| error.to_string()),
        };
        match stored {
            Ok(()) => self.health.pass(STORE),
            Err(why) => self.health.fail(STORE, why),
        }
    }
}

/// Whether the store can be read, and written by those who do.
async fn stored(queries: &(impl Queries + Payloads)) -> warren_store::Result<()> {
    queries.survey().await?;
    queries.can_write().await
}
