//! The clients of the storm: by HTTP, by the Rust client and by AMQP as another system. Each asks again, with the same
//! ids, until it is answered.

mod http;
mod ingress;
mod notes;
mod rust;

use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;
use warren_chaos_checker::{Answered, Told};

pub(crate) use self::notes::{Notes, Page};
use self::{http::Http, ingress::Ingress, rust::Rust};
use crate::{
    fleet::Fleet,
    plan::{Deed, Script, Sent, Way},
    workload::contract::{SIGNAL, Signal},
};

/// How long a client waits before it asks again: at first, and at most.
const AGAIN: Duration = Duration::from_millis(100);
const AGAIN_MAX: Duration = Duration::from_secs(2);

/// What came of asking once.
pub(crate) enum Attempt<T> {
    /// It was answered.
    Done(T),
    /// It may or may not have been carried out: ask again.
    Again(String),
    /// It was refused.
    Refused(String),
}

/// All clients. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Clients {
    http: Http,
    rust: Rust,
    ingress: Ingress,
    pub(crate) notes: Notes,
}

/// A start, as each client sends it.
pub(crate) struct StartOrder<'a> {
    pub(crate) script: &'a Script,
    /// Whether AMQP answers at the end, and not at the beginning.
    pub(crate) wants_outcome: bool,
}

/// An event or another command, as each client sends it.
pub(crate) struct Order<'a> {
    pub(crate) instance: &'a str,
    pub(crate) message: &'a str,
    pub(crate) deed: Deed,
}

impl Clients {
    /// Connects all clients to a fleet that is ready.
    pub(crate) async fn connect(fleet: &Fleet) -> anyhow::Result<Self> {
        let notes = Notes::default();
        Ok(Self {
            http: Http::new(&fleet.apis)?,
            rust: Rust::connect(&fleet.broker_url, &fleet.store_url).await?,
            ingress: Ingress::connect(&fleet.broker_url, notes.clone()),
            notes,
        })
    }

    /// Starts an instance; returns its id once that is known, `None` where only the hub knows it.
    pub(crate) async fn start(&self, script: &Script, way: Way, wants_outcome: bool) -> Option<String> {
        let order = StartOrder { script, wants_outcome };
        let answered = self
            .until_done(&script.case.message, || async {
                match way {
                    Way::Http => self.http.start(&order).await.map(Some),
                    Way::Rust => self.rust.start(&order).await.map(Some),
                    Way::Ingress => self.ingress.start(&order).await.map(|()| None),
                }
            })
            .await?;
        match answered {
            Some(answered) => {
                let instance = answered.instance.clone();
                self.notes.answered(answered);
                Some(instance)
            }
            None => script.case.instance.clone(),
        }
    }

    /// Sends an event or another command. `is_unseen`: its instance may not be there yet, which HTTP and the Rust client
    /// are told.
    pub(crate) async fn send(&self, instance: &str, sent: &Sent, way: Way, is_unseen: bool) {
        let order = Order { instance, message: &sent.message, deed: sent.deed };
        self.until_done(&sent.message, || async {
            let attempt = match way {
                Way::Http => self.http.send(&order).await,
                Way::Rust => self.rust.send(&order).await,
                Way::Ingress => self.ingress.send(&order).await,
            };
            match attempt {
                Attempt::Refused(why) if is_unseen && why.contains("not_found") => Attempt::Again("not_found".into()),
                attempt @ (Attempt::Done(()) | Attempt::Again(_) | Attempt::Refused(_)) => attempt,
            }
        })
        .await;
    }

    /// Waits for the end of an instance, and writes down what it is told.
    pub(crate) async fn wait(&self, script: &Script, instance: &str) {
        let (status, body) = loop {
            if let Some(ended) = self.http.ended(instance).await {
                break ended;
            }
        };
        let (message, instance) = (script.case.message.clone(), instance.to_owned());
        self.notes.told(Told { message, instance, status, body });
    }

    async fn until_done<T, F: Future<Output = Attempt<T>>>(&self, what: &str, ask: impl Fn() -> F) -> Option<T> {
        let mut again = AGAIN;
        loop {
            match ask().await {
                Attempt::Done(answer) => return Some(answer),
                Attempt::Again(why) => self.notes.repeated(&why),
                Attempt::Refused(why) => {
                    self.notes.refused(format!("{what}: {why}"));
                    return None;
                }
            }
            sleep(again).await;
            again = (again * 2).min(AGAIN_MAX);
        }
    }
}

impl<T> Attempt<T> {
    fn map<U>(self, with: impl FnOnce(T) -> U) -> Attempt<U> {
        match self {
            Self::Done(answer) => Attempt::Done(with(answer)),
            Self::Again(why) => Attempt::Again(why),
            Self::Refused(why) => Attempt::Refused(why),
        }
    }
}

/// Returns what a client notes of an answer to a start.
fn answered(message: &str, instance: String, execution: Option<String>) -> Answered {
    Answered { message: message.to_owned(), instance, execution }
}

/// Returns what events are called.
fn event_name() -> &'static str {
    SIGNAL.name()
}

/// Returns an input as bytes.
fn bytes(input: &Value) -> Vec<u8> {
    input.to_string().into_bytes()
}

/// Returns what an event says.
fn body(signal: Signal) -> Vec<u8> {
    serde_json::to_vec(&signal).expect("a signal has names for keys")
}
