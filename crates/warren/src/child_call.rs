//! The start of a child orchestration before it is made.

use serde::{Serialize, de::DeserializeOwned};
use warren_model::{ClosePolicy, Failure, InstanceId, code};

use crate::{Context, Orchestrator, Pending, RetryPolicy, contract::flaw, json, pending::Options, request::Request};

/// The options of a child orchestration. Nothing is asked for before [`call`](Self::call).
#[must_use = "nothing is asked for before `.call(input)`"]
pub struct ChildCall<'a, I, O> {
    ctx: &'a Context,
    orchestrator: Orchestrator<I, O>,
    id: Option<String>,
    version: Option<String>,
    close: ClosePolicy,
    options: Options,
}

impl<'a, I: Serialize, O: DeserializeOwned> ChildCall<'a, I, O> {
    pub(crate) fn new(ctx: &'a Context, orchestrator: Orchestrator<I, O>) -> Self {
        let version = orchestrator.version.map(str::to_owned);
        let (close, options) = (ClosePolicy::default(), Options::default());
        Self { ctx, orchestrator, id: None, version, close, options }
    }

    /// Gives the child this instance id; without it, one is derived from the execution. Attempts share it.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Asks for this version; without it, the newest one that the child's owner knows.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Tries again after failures, as the policy says.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.options.policy = Some(policy);
        self
    }

    /// Tries again only after failures for which `allows` holds, and which the policy allows too (without a policy of
    /// its own: [`RetryPolicy::default`]). Must answer by the failure alone: it is asked again in a replay.
    pub fn retry_if(mut self, allows: impl Fn(&Failure) -> bool + 'static) -> Self {
        self.options.predicate = Some(Box::new(allows));
        self
    }

    /// Says what becomes of the child when this orchestration ends first; without it, it is terminated.
    pub fn on_close(mut self, close: ClosePolicy) -> Self {
        self.close = close;
        self
    }

    /// Starts the child, now; the future collects its result.
    ///
    /// A start that can't be made (an input that is no JSON, an id or a name that is none) asks for nothing: its future
    /// resolves with a failure that says why.
    pub fn call(self, input: I) -> Pending<O> {
        let request = self.request(&input).map_err(|mut failure| {
            failure.message =
                format!("orchestrator `{}` can't be started: {}", self.orchestrator.name, failure.message);
            failure
        });
        Pending::begin(self.ctx, request, self.options)
    }

    fn request(&self, input: &I) -> Result<Request, Failure> {
        let refuse = |flaw: String| Failure::permanent(code::INVALID_INPUT, flaw);
        if let Some(flaw) = flaw("orchestrator", self.orchestrator.name) {
            return Err(refuse(flaw));
        }
        let instance = self.id.as_deref().map(InstanceId::new).transpose();
        Ok(Request::Child {
            name: self.orchestrator.name.to_owned(),
            version: self.version.clone(),
            instance: instance.map_err(|error| refuse(error.to_string()))?,
            input: json::write(input, code::INVALID_INPUT)?,
            close: self.close,
        })
    }
}

#[cfg(test)]
#[path = "child_call_test.rs"]
mod test;
