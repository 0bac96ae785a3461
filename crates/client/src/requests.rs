//! The requests that are open: when each is sent, when it is given up, and what its caller is told.
//!
//! Decides without I/O and clock; the [`Link`](crate::Link) carries the decisions out.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use tokio::{sync::oneshot, time::Instant};
use warren_broker::{Address, ClientReply, Publication, Published};
use warren_model::MessageId;

use crate::{About, Error, Result, pace};

/// How often a request looks whether a broker that takes nothing at the moment (its alarm) takes something again.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// A command on its way, and who waits for the answer.
#[derive(Debug)]
pub(crate) struct Request {
    /// The message. Its correlation id is filled in, unless it has one that the answer names: a token.
    pub(crate) publication: Publication,
    /// What it is about.
    pub(crate) about: About,
    /// The command's message id.
    pub(crate) message: MessageId,
    /// When the caller began to wait.
    pub(crate) since: Instant,
    /// How long the caller waits.
    pub(crate) within: Duration,
    /// How long the caller waits while nothing could be sent.
    pub(crate) unsent_within: Duration,
    /// The caller.
    pub(crate) told: oneshot::Sender<Result<ClientReply>>,
}

/// Whether messages can be sent at the moment.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way<'a> {
    /// They can.
    Open,
    /// They can't; says why.
    Shut(&'a str),
}

/// The open requests of a client.
#[derive(Debug)]
pub(crate) struct Requests {
    hub: String,
    last: u64,
    open: HashMap<u64, Open>,
    /// When to look at which request next; each open request has exactly one alarm.
    alarms: BTreeSet<(Instant, u64)>,
}

#[derive(Debug)]
struct Open {
    request: Request,
    alarm: Instant,
    /// How often it was sent.
    attempt: u32,
    is_sending: bool,
    /// Whether the owner may have it: then nobody may say that nothing was accepted.
    may_have_arrived: bool,
    /// Why it has not arrived.
    trouble: Option<String>,
}

impl Requests {
    /// Returns no requests. `hub` is for messages.
    pub(crate) fn new(hub: String) -> Self {
        Self { hub, last: 0, open: HashMap::new(), alarms: BTreeSet::new() }
    }

    /// Returns how many are open.
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// Takes a request; the next [`tick`](Self::tick) sends it.
    pub(crate) fn add(&mut self, mut request: Request, now: Instant) {
        self.last += 1;
        let id = self.last;
        request.publication.message.correlation_id.get_or_insert_with(|| id.to_string().into());
        self.open.insert(
            id,
            Open { request, alarm: now, attempt: 0, is_sending: false, may_have_arrived: false, trouble: None },
        );
        self.alarms.insert((now, id));
    }

    /// Returns when to call [`tick`](Self::tick) next.
    pub(crate) fn alarm(&self) -> Option<Instant> {
        self.alarms.first().map(|(at, _)| *at)
    }

    /// Gives up what is over its time, and returns what is to be sent now.
    pub(crate) fn tick(&mut self, now: Instant, way: Way<'_>) -> Vec<(u64, Publication)> {
        let mut due = Vec::new();
        while let Some((at, id)) = self.alarms.first().copied() {
            if at > now {
                break;
            }
            self.alarms.pop_first();
            due.extend(self.ring(id, now, way).map(|publication| (id, publication)));
        }
        due
    }

    /// Takes what became of a message.
    pub(crate) fn published(&mut self, id: u64, published: Published, now: Instant) {
        let Some(open) = self.open.get_mut(&id) else { return };
        open.is_sending = false;
        let pause = match published {
            Published::Confirmed => {
                open.may_have_arrived = true;
                open.trouble = None;
                pace::answer(open.attempt, id)
            }
            Published::Returned => return self.tell_no_queue(id),
            Published::Refused(why) => {
                open.trouble = Some(format!("the broker does not take the command: {why}"));
                pace::retry(open.attempt, id)
            }
            Published::Lost(why) => {
                open.may_have_arrived = true;
                open.trouble = Some(why);
                pace::retry(open.attempt, id)
            }
        };
        self.arm(id, now + pause);
    }

    /// Takes an answer. One that nobody waits for any more (a duplicate, say) is dropped.
    pub(crate) fn answered(&mut self, correlation_id: &str, reply: Result<ClientReply, String>) {
        let open = self.named(correlation_id).and_then(|id| self.remove(id));
        let Some(Open { request, .. }) = open else {
            tracing::debug!(correlation_id, "dropped an answer that nobody waits for");
            return;
        };
        let about = request.about;
        tell(request.told, reply.map_err(|why| Error::Answer { about, why }));
    }

    /// Sends everything anew: the channel is another one, and answers to the one before are lost.
    pub(crate) fn resend(&mut self, now: Instant) {
        self.alarms.clear();
        for (id, open) in &mut self.open {
            open.may_have_arrived |= open.is_sending;
            open.is_sending = false;
            open.alarm = now;
            self.alarms.insert((now, *id));
        }
    }

    /// Looks at a request whose alarm rang; returns what it sends.
    fn ring(&mut self, id: u64, now: Instant, way: Way<'_>) -> Option<Publication> {
        let open = self.open.get_mut(&id).expect("an alarm belongs to an open request");
        if open.request.told.is_closed() {
            self.open.remove(&id);
            return None;
        }
        if let Way::Shut(why) = way {
            open.trouble = Some(why.to_owned());
        }
        if now >= open.deadline() {
            let open = self.open.remove(&id).expect("the request was there above");
            open.give_up(&self.hub);
            return None;
        }
        if open.is_sending {
            let deadline = open.deadline();
            self.arm(id, deadline);
            return None;
        }
        match way {
            Way::Shut(_) => {
                self.arm(id, now + LOOK_AGAIN);
                None
            }
            Way::Open => {
                open.is_sending = true;
                open.attempt += 1;
                let (publication, deadline) = (open.request.publication.clone(), open.deadline());
                open.request.publication.message.mark_repeated();
                self.arm(id, deadline);
                Some(publication)
            }
        }
    }

    /// Sets the one alarm of a request, not beyond its deadline.
    fn arm(&mut self, id: u64, at: Instant) {
        let open = self.open.get_mut(&id).expect("only open requests are armed");
        self.alarms.remove(&(open.alarm, id));
        open.alarm = at.min(open.deadline());
        self.alarms.insert((open.alarm, id));
    }

    /// Returns the request that an answer names. Those named by a token are looked for one by one: heartbeats are rare.
    fn named(&self, correlation_id: &str) -> Option<u64> {
        correlation_id.parse().ok().or_else(|| {
            let is_it =
                |open: &Open| open.request.publication.message.correlation_id.as_deref() == Some(correlation_id);
            self.open.iter().find_map(|(id, open)| is_it(open).then_some(*id))
        })
    }

    fn remove(&mut self, id: u64) -> Option<Open> {
        let open = self.open.remove(&id)?;
        self.alarms.remove(&(open.alarm, id));
        Some(open)
    }

    fn tell_no_queue(&mut self, id: u64) {
        let Some(Open { request, .. }) = self.remove(id) else { return };
        let queue = match &request.publication.to {
            Address::Queue(queue) => queue,
            Address::Exchange { exchange, .. } => exchange,
        };
        let why =
            format!("queue {queue} is missing: no orchestrator-svc has created the hub on this broker yet, start one");
        tell(request.told, Err(Error::Unavailable { hub: self.hub.clone(), why }));
    }
}

impl Open {
    /// Returns when the caller is told that it was in vain.
    fn deadline(&self) -> Instant {
        let Request { since, within, unsent_within, .. } = &self.request;
        // What the broker has never taken nobody will carry out: its caller need not wait for an owner.
        let is_out = self.is_sending || self.may_have_arrived;
        let within = if is_out { *within } else { (*unsent_within).min(*within) };
        since.checked_add(within).unwrap_or_else(|| far(*since))
    }

    fn give_up(self, hub: &str) {
        let Request { about, message, within, told, .. } = self.request;
        let error = if self.is_sending || self.may_have_arrived {
            let sent = "the command was sent, and is carried out when an orchestrator-svc owns the partition";
            let why = self.trouble.map_or_else(|| sent.to_owned(), |trouble| format!("{trouble}; {sent}"));
            Error::Timeout { about, message, within, why }
        } else {
            let why = self.trouble.unwrap_or_else(|| "the client was too busy to send the command".into());
            Error::Unavailable { hub: hub.to_owned(), why }
        };
        tell(told, Err(error));
    }
}

/// A caller that has gone needs no answer.
fn tell(told: oneshot::Sender<Result<ClientReply>>, reply: Result<ClientReply>) {
    if told.send(reply).is_err() {
        tracing::debug!("dropped an answer whose caller has gone");
    }
}

/// Stands for never: thirty years.
fn far(since: Instant) -> Instant {
    since + Duration::from_secs(30 * 365 * 24 * 3600)
}

#[cfg(test)]
#[path = "requests_test.rs"]
mod test;
