//! A whole hub in one process, for tests of orchestrators: virtual time, no broker, no database, no runtime.
//!
//! It runs the engine that the services run. By default it forgets every orchestration after each turn and rebuilds it
//! by replay, so that code which is not deterministic fails here and not at a failover; and each turn runs on a fresh
//! plain thread, so that a stray `tokio::time::sleep` fails as it does in production.
//!
//! ```
//! use warren::{Activity, Context, Failure, Orchestrator, Registry, days, test::Hub};
//!
//! const REMIND: Activity<String, u32> = Activity::new("remind");
//! const DUNNING: Orchestrator<String, u32> = Orchestrator::new("dunning");
//!
//! async fn dunning(ctx: Context, customer: String) -> Result<u32, Failure> {
//!     ctx.timer(days(30)).await; // takes no time here
//!     ctx.call(REMIND, customer).await
//! }
//!
//! let hub = Hub::new(Registry::new().orchestrator(DUNNING, dunning)).mock(REMIND, |customer| {
//!     assert_eq!(customer, "ada");
//!     Ok(1)
//! });
//! assert_eq!(hub.run_blocking(DUNNING, "ada".into()), Ok(1));
//! ```

mod agenda;
mod block_on;
mod handle;
mod hub;
mod mock;
mod resident;
mod world;

pub use block_on::block_on;
pub use handle::Handle;
pub use hub::Hub;
pub use warren_model::{Condition, ConditionKind, Event, Status};
