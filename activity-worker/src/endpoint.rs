//! The health endpoint of a worker.

use std::time::Duration;

use tokio::{net::TcpListener, select, time::sleep};
use tokio_util::sync::CancellationToken;
use warren_service::{health, listen};

use crate::Result;

/// How long a request for the health may take once the worker has stopped; a slow reader must not keep the process.
const LINGER: Duration = Duration::from_secs(1);

/// The setting that names the address.
const SETTING: &str = "health.worker";

/// An open socket, or none if the setting is empty.
pub(crate) struct Endpoint(Option<TcpListener>);

impl Endpoint {
    pub(crate) async fn open(address: &str) -> Result<Self> {
        if address.is_empty() {
            return Ok(Self(None));
        }
        let listener = listen::bind(address, SETTING).await?;
        if let Ok(address) = listener.local_addr() {
            tracing::info!(%address, "answering at /health/live and /health/ready");
        }
        Ok(Self(Some(listener)))
    }

    /// Answers until the worker has stopped: so long it can be asked whether it is ready.
    pub(crate) async fn serve(self, health: health::Health, stopped: CancellationToken) -> Result<()> {
        let Some(listener) = self.0 else { return Ok(()) };
        let over = async {
            stopped.cancelled().await;
            sleep(LINGER).await;
        };
        select! {
            served = health::serve(listener, health, stopped.clone().cancelled_owned()) => Ok(served?),
            () = over => Ok(()),
        }
    }
}
