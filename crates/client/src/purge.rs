//! Purges: of one instance, of its children with it, of all that a filter names.

use std::{collections::BTreeSet, time::Duration};

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::Instant;
use warren_model::{
    AnswerWhen, ClosePolicy, Command, Event, ExecutionId, InstanceId, InstanceRecord, MessageId, Refusal, RefusalCode,
    Status, SubOrchestrationCreated,
};
use warren_store::{Filter, Queries};

use crate::{
    Client, Error, Result,
    ask::accepted,
    client::{envelope, fresh_id},
};

/// How many purges are on their way at a time: enough to fill the owners' commits.
const AT_A_TIME: usize = 500;
/// How many turns of history are read in one short transaction.
const TURNS_READ: usize = 500;
/// Most instances that are purged with their parents in one request: their ids are held in memory.
const TREE_MAX: usize = 100_000;

/// A purge that is ready to be sent.
#[derive(Debug)]
#[must_use = "nothing happens until it is sent"]
pub struct Purge<'a, Q> {
    client: &'a Client<Q>,
    instance: InstanceId,
    is_recursive: bool,
    message: Option<MessageId>,
    within: Duration,
}

/// One execution that is to go.
type Gone = (InstanceId, ExecutionId);

impl<'a, Q: Queries> Purge<'a, Q> {
    pub(crate) fn new(client: &'a Client<Q>, instance: InstanceId) -> Self {
        Self { client, instance, is_recursive: false, message: None, within: client.options().within }
    }

    /// Also removes its children, and theirs. They must have ended as well, but for those that were to go on alone, which
    /// are left.
    pub fn recursive(mut self) -> Self {
        self.is_recursive = true;
        self
    }

    /// Sets the message id, so that the caller may ask again: the same id never acts twice, and is answered the same.
    pub fn message(mut self, id: MessageId) -> Self {
        self.message = Some(id);
        self
    }

    /// Sets how long to wait for each answer.
    pub fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// Sends the purge; returns how many instances are gone once that is committed. Children go before their parents, so
    /// that one that fails halfway can be asked for again.
    pub async fn send(self) -> Result<u64> {
        let Self { client, instance, is_recursive, message, within } = self;
        let mut count = 0;
        if is_recursive {
            for level in descendants(client, &instance).await?.into_iter().rev() {
                count += purge_each(client, level, within).await?;
            }
        }
        purge_one(client, instance, None, message.unwrap_or_else(fresh_id), within).await?;
        Ok(count + 1)
    }
}

/// A purge of many instances that is ready to be sent.
#[derive(Debug)]
#[must_use = "nothing happens until it is sent"]
pub struct PurgeAll<'a, Q> {
    client: &'a Client<Q>,
    filter: Filter,
    within: Duration,
}

/// What a purge of many instances has come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// How many instances are gone.
    pub instances: u64,
    /// Whether all that the filter names are; else the time was up before.
    pub is_complete: bool,
    /// Where to go on ([`Filter::after`]).
    pub next: Option<String>,
}

impl<'a, Q: Queries> PurgeAll<'a, Q> {
    pub(crate) fn new(client: &'a Client<Q>, filter: Filter) -> Self {
        Self { client, filter, within: client.options().within }
    }

    /// Sets how long it may take; what is left by then is for the next.
    pub fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// Purges page after page, each instance in the execution that was seen. An instance that has not ended, or is gone
    /// meanwhile, is passed over; what could not be done in time is left to the next.
    pub async fn send(self) -> Result<Purged> {
        let Self { client, mut filter, within } = self;
        filter.statuses = ended_of(&filter.statuses);
        let mut purged = Purged::default();
        if filter.statuses.is_empty() {
            return Ok(Purged { is_complete: true, ..purged });
        }
        let begin = Instant::now();
        loop {
            let page = client.list(&filter).await?;
            let left = within.saturating_sub(begin.elapsed()).max(client.options().unsent_within);
            let gone = page.instances.into_iter().map(|record| (record.id, record.execution)).collect();
            match purge_each(client, gone, left).await {
                Ok(count) => purged.instances += count,
                // What is done is done: the caller learns of it, and goes on from this page.
                Err(Error::Timeout { .. } | Error::Unavailable { .. }) if purged.instances > 0 => {
                    return Ok(Purged { next: filter.after, ..purged });
                }
                Err(error) => return Err(error),
            }
            if page.next.is_none() || begin.elapsed() >= within {
                return Ok(Purged { is_complete: page.next.is_none(), next: page.next, ..purged });
            }
            filter.after = page.next;
        }
    }
}

/// Returns those statuses of a filter that an instance has once it has ended; no status at all means any.
fn ended_of(statuses: &[Status]) -> Vec<Status> {
    let is_wanted = |status: &Status| status.is_terminal() && (statuses.is_empty() || statuses.contains(status));
    Status::ALL.into_iter().filter(is_wanted).collect()
}

/// Purges several executions, in any order; returns how many were there.
async fn purge_each<Q: Queries>(client: &Client<Q>, gone: Vec<Gone>, within: Duration) -> Result<u64> {
    let purges = gone.into_iter().map(|(instance, execution)| async move {
        match purge_one(client, instance, Some(execution), fresh_id(), within).await {
            Ok(()) => Ok(1),
            Err(Error::Refused(refusal)) if is_passed_over(&refusal) => Ok(0),
            Err(error) => Err(error),
        }
    });
    let count = |sum, one| async move { Ok(sum + one) };
    stream::iter(purges).buffer_unordered(AT_A_TIME).try_fold(0, count).await
}

/// Somebody else has purged it, or it was started again.
fn is_passed_over(refusal: &Refusal) -> bool {
    match refusal.code {
        RefusalCode::NotFound | RefusalCode::Running | RefusalCode::Gone => true,
        RefusalCode::Exists | RefusalCode::Invalid | RefusalCode::Unreadable | RefusalCode::TooLarge => false,
    }
}

async fn purge_one<Q: Queries>(
    client: &Client<Q>,
    instance: InstanceId,
    execution: Option<ExecutionId>,
    message: MessageId,
    within: Duration,
) -> Result<()> {
    let command = Command::Purge { execution };
    let reply = client.ask(envelope(message, instance.clone(), command, AnswerWhen::Accepted), within).await?;
    accepted(instance, reply).map(drop)
}

/// Returns the children of an instance, the children of these, and so on, level by level; fails if one of them that its
/// parent did not leave alone has not ended.
async fn descendants<Q: Queries>(client: &Client<Q>, root: &InstanceId) -> Result<Vec<Vec<Gone>>> {
    let Some(view) = client.status(root).await? else { return Ok(Vec::new()) };
    let (mut levels, mut parents) = (Vec::new(), vec![(view.record.id, view.record.execution)]);
    let mut seen: BTreeSet<InstanceId> = [root.clone()].into();
    loop {
        let mut level = Vec::new();
        for parent in &parents {
            for child in children(client, parent).await? {
                level.extend(ended_child(client, parent, &child).await?);
            }
        }
        level.retain(|(child, _)| seen.insert(child.clone()));
        if level.is_empty() {
            return Ok(levels);
        }
        if seen.len() > TREE_MAX {
            let message = format!("instance {root} has more than {TREE_MAX} descendants: purge some of them first");
            return Err(Refusal { code: RefusalCode::TooLarge, message }.into());
        }
        levels.push(level.clone());
        parents = level;
    }
}

/// Returns the children that an execution has asked for, as its history tells.
async fn children<Q: Queries>(client: &Client<Q>, (parent, _): &Gone) -> Result<Vec<SubOrchestrationCreated>> {
    let (mut children, mut from) = (Vec::new(), 0);
    loop {
        let turns = client.queries().history(parent, from, TURNS_READ).await?;
        from += u32::try_from(turns.len()).unwrap_or(u32::MAX);
        let is_last = turns.len() < TURNS_READ;
        for event in turns.into_iter().flat_map(|turn| turn.events) {
            if let Event::SubOrchestrationInstanceCreated(child) = event {
                children.push(child);
            }
        }
        if is_last {
            return Ok(children);
        }
    }
}

/// Returns a child that is to go with its parent, if it is there and is that parent's.
async fn ended_child<Q: Queries>(
    client: &Client<Q>,
    (parent, execution): &Gone,
    child: &SubOrchestrationCreated,
) -> Result<Option<Gone>> {
    let Some(view) = client.status(&child.instance).await? else { return Ok(None) };
    let InstanceRecord { id, execution: present, status, parent: of, .. } = view.record;
    let is_theirs = of.is_some_and(|of| (&of.instance, &of.execution) == (parent, execution));
    if !is_theirs {
        return Ok(None);
    }
    match (status.is_terminal(), child.close) {
        (true, _) => Ok(Some((id, present))),
        (false, ClosePolicy::Abandon) => Ok(None),
        (false, ClosePolicy::Terminate) => {
            let message = format!("child {id} of instance {parent} is {status}: terminate it first, then purge again");
            Err(Refusal { code: RefusalCode::Running, message }.into())
        }
    }
}

#[cfg(test)]
#[path = "purge_test.rs"]
mod test;
