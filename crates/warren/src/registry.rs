//! The registry: which functions serve which names.

use std::{borrow::Cow, collections::BTreeMap};

use futures_util::{FutureExt, future::BoxFuture};
use serde::{Serialize, de::DeserializeOwned};
use warren_engine::{Identity, Program, Programs};
use warren_model::{Failure, Outcome, Payload, code};

use crate::{
    Activity, ActivityContext, Context, Orchestrator, activity,
    contract::flaw,
    program::{self, Run},
    unknown::unknown,
};

/// The functions that a process serves. Cheap enough to clone, and may be shared between threads.
///
/// ```
/// use std::sync::Arc;
/// use warren::{Activity, ActivityContext, Context, Failure, Orchestrator, Registry};
///
/// const GREET: Activity<String, String> = Activity::new("greet");
/// const HELLO: Orchestrator<String, String> = Orchestrator::new("hello");
///
/// async fn hello(ctx: Context, name: String) -> Result<String, Failure> {
///     ctx.call(GREET, name).await
/// }
///
/// let greeting = Arc::new(String::from("hello")); // what activities share, closures capture
/// let registry = Registry::new().orchestrator(HELLO, hello).activity(GREET, move |_: ActivityContext, name| {
///     let greeting = greeting.clone();
///     async move { Ok::<_, Failure>(format!("{greeting}, {name}")) }
/// });
/// assert_eq!(registry.activities().map(|activity| activity.queue).collect::<Vec<_>>(), ["greet"]);
/// ```
#[derive(Clone, Default)]
pub struct Registry {
    activities: BTreeMap<Cow<'static, str>, ServedActivity>,
    /// The versions of each name, in the order of registration.
    orchestrators: BTreeMap<&'static str, Vec<ServedVersion>>,
}

#[derive(Clone)]
struct ServedActivity {
    queue: Cow<'static, str>,
    function: activity::Function,
}

#[derive(Clone)]
struct ServedVersion {
    version: Option<&'static str>,
    function: program::Function,
}

/// An activity that a registry serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisteredActivity<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its work-item queue, without the hub's prefix.
    pub queue: &'a str,
}

/// A version of an orchestrator that a registry serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisteredOrchestrator {
    /// Its name.
    pub name: &'static str,
    /// Its version, if it was registered with one.
    pub version: Option<&'static str>,
}

impl Registry {
    /// Returns a registry that serves nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an activity: `async fn(ActivityContext, I) -> Result<O, E>`, where `E` becomes a [`Failure`].
    ///
    /// What activities share (a database pool, a client) a closure captures in an `Arc`; see the example above.
    ///
    /// # Panics
    /// If the name is taken, empty or too long: each is a mistake in the program that no caller could handle.
    #[must_use]
    #[track_caller]
    pub fn activity<I, O, E, F, Fut>(mut self, activity: Activity<I, O>, function: F) -> Self
    where
        I: DeserializeOwned + Send + 'static,
        O: Serialize + 'static,
        E: Into<Failure>,
        F: Fn(ActivityContext, I) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<O, E>> + Send + 'static,
    {
        let queue = activity.queue.unwrap_or(activity.name);
        self.serve(activity.name.into(), queue.into(), activity::erase(function));
        self
    }

    /// Adds an activity whose name is known only at run time, and whose payloads are taken and given as they are.
    ///
    /// # Panics
    /// As [`activity`](Self::activity) does: look at [`activities`](Self::activities) first if the name is a person's.
    #[must_use]
    #[track_caller]
    pub fn untyped_activity<F, Fut>(mut self, name: &str, queue: &str, function: F) -> Self
    where
        F: Fn(ActivityContext, Payload) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        self.serve(name.to_owned().into(), queue.to_owned().into(), activity::guard(function));
        self
    }

    #[track_caller]
    fn serve(&mut self, name: Cow<'static, str>, queue: Cow<'static, str>, function: activity::Function) {
        check("activity", &name);
        assert!(!self.activities.contains_key(&name), "activity `{name}` is registered twice");
        self.activities.insert(name, ServedActivity { queue, function });
    }

    /// Adds an orchestrator: `async fn(Context, I) -> Result<O, E>`, where `E` becomes a [`Failure`].
    ///
    /// One name may be served in several versions. Instances that run keep theirs; a start that names none gets the
    /// version that was registered last.
    ///
    /// # Panics
    /// If the name is served in that version already, is empty or too long.
    #[must_use]
    #[track_caller]
    pub fn orchestrator<I, O, E, F, Fut>(mut self, orchestrator: Orchestrator<I, O>, function: F) -> Self
    where
        I: DeserializeOwned + 'static,
        O: Serialize + 'static,
        E: Into<Failure>,
        F: Fn(Context, I) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<O, E>> + 'static,
    {
        let Orchestrator { name, version, .. } = orchestrator;
        check("orchestrator", name);
        let versions = self.orchestrators.entry(name).or_default();
        let shown = shown(name, version);
        assert!(
            versions.iter().all(|served| served.version != version),
            "orchestrator {shown} is registered twice; give each its own version"
        );
        versions.push(ServedVersion { version, function: program::erase(function) });
        self
    }

    /// Returns the activities that are served, by name.
    pub fn activities(&self) -> impl Iterator<Item = RegisteredActivity<'_>> + '_ {
        self.activities.iter().map(|(name, served)| RegisteredActivity { name, queue: &served.queue })
    }

    /// Returns the orchestrators that are served, by name, each in its versions as they were registered.
    pub fn orchestrators(&self) -> impl Iterator<Item = RegisteredOrchestrator> + '_ {
        self.orchestrators.iter().flat_map(|(&name, versions)| {
            versions.iter().map(move |served| RegisteredOrchestrator { name, version: served.version })
        })
    }

    /// Runs an activity: reads its input, calls it, writes its result. Whatever goes wrong is a failure: an input of
    /// the wrong shape, an error of the activity, a panic, a name that is not served.
    pub fn run_activity(&self, name: &str, ctx: ActivityContext, input: Payload) -> BoxFuture<'static, Outcome> {
        match self.activities.get(name) {
            Some(served) => (served.function)(ctx, input),
            None => {
                let message = unknown("activity", name, self.activities.keys().map(AsRef::as_ref));
                std::future::ready(Err(Failure::new(code::UNKNOWN_ACTIVITY, message))).boxed()
            }
        }
    }

    fn versions(&self, name: &str) -> Result<&[ServedVersion], String> {
        let versions = self.orchestrators.get(name).map(Vec::as_slice);
        versions.ok_or_else(|| unknown("orchestrator", name, self.orchestrators.keys().copied()))
    }

    fn version(&self, name: &str, version: Option<&str>) -> Result<&ServedVersion, String> {
        let versions = self.versions(name)?;
        versions.iter().find(|served| served.version == version).ok_or_else(|| {
            let known: Vec<String> = versions.iter().map(|served| shown(name, served.version)).collect();
            let wanted = shown(name, version);
            format!("orchestrator {wanted} is not registered, but {}; register it too", known.join(", "))
        })
    }
}

impl Programs for Registry {
    fn resolve(&self, name: &str, version: Option<&str>) -> Result<Option<String>, String> {
        let newest = self.versions(name)?.last().and_then(|served| served.version);
        let pinned = if version.is_some() { self.version(name, version)?.version } else { newest };
        Ok(pinned.map(str::to_owned))
    }

    fn create(&self, identity: &Identity) -> Result<Box<dyn Program>, String> {
        let served = self.version(&identity.name, identity.version.as_deref())?;
        Ok(Box::new(Run::new(identity.clone(), served.function.clone())))
    }
}

#[track_caller]
fn check(kind: &str, name: &str) {
    if let Some(flaw) = flaw(kind, name) {
        panic!("{flaw}");
    }
}

fn shown(name: &str, version: Option<&str>) -> String {
    match version {
        Some(version) => format!("`{name}` version `{version}`"),
        None => format!("`{name}` without a version"),
    }
}

#[cfg(test)]
#[path = "registry_test.rs"]
mod test;
