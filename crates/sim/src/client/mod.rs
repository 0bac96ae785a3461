//! Clients: they ask, ask again with the same ids until answered, and check what they are told.

mod purge;
mod redispatch;
mod reply;
mod send;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use warren_broker::{Address, Message, Publication};
use warren_model::{Answer, AnswerTo, AnswerWhen, ConditionKind, InstanceId, Payload};

use crate::{
    time::{SECOND, Time},
    world::{Step, World},
};

/// The queue that answers go to.
pub(crate) const QUEUE: &str = "client";
/// How often somebody looks for instances that only a person can let go on.
const ROUND: u64 = 2 * SECOND;

/// Returns where the answer to a request goes; half of the clients take packs.
fn answer_to(number: u64) -> AnswerTo {
    let (reply_to, correlation_id) = (QUEUE.into(), Some(format!("r{number}")));
    AnswerTo { reply_to, correlation_id, stored: false, packs: number.is_multiple_of(2) }
}

/// By which way a command goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// To the control queue, as client-api sends it.
    Control,
    /// Through the ingress, as other systems send it; whether they want an answer.
    Ingress { answers: bool },
}

/// What a client asks for.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Start {
        instance: InstanceId,
        orchestrator: &'static str,
        input: Payload,
        when: AnswerWhen,
        way: Way,
    },
    Raise {
        instance: InstanceId,
        event: &'static str,
        value: i64,
        way: Way,
    },
    Suspend {
        instance: InstanceId,
    },
    Resume {
        instance: InstanceId,
    },
    Terminate {
        instance: InstanceId,
        recursive: bool,
    },
    /// Once its outcome was told.
    Purge {
        instance: InstanceId,
    },
    Wait {
        instance: InstanceId,
    },
    /// Of one partition; which, modulo their count.
    Redispatch {
        partition: u64,
    },
    /// Something that makes no sense.
    Nonsense {
        to: Address,
        message: Box<Message>,
    },
}

/// Something to ask for, so long after what came before it was answered.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    pub(crate) after: u64,
    pub(crate) ask: Ask,
}

/// What happens at a client.
#[derive(Debug)]
pub(crate) enum ClientStep {
    /// A thread asks for its next thing.
    Next(usize),
    /// A request is sent, unless it was answered; or all the same, as a late duplicate.
    Send {
        request: u64,
        is_late: bool,
    },
    Reply(Message),
    /// Somebody has open work sent again, of every partition.
    Redispatch,
    /// Somebody asks for an instance's outcome.
    Watch(InstanceId),
    /// Somebody looks after instances that are parked.
    Round,
}

/// A command on its way.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) ask: Ask,
    pub(crate) publication: Publication,
    thread: Option<usize>,
    pub(crate) is_done: bool,
    /// The first answer that it was accepted with.
    accepted: Option<Answer>,
    asked_at: Time,
}

/// Every client of the hub.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    pub(crate) requests: BTreeMap<u64, Request>,
    /// What each thread has still to ask for.
    pub(crate) threads: Vec<VecDeque<Move>>,
    /// Instances whose outcome somebody wants, and whether it was told.
    pub(crate) watched: BTreeMap<InstanceId, bool>,
    /// Instances that could not be read: somebody mends them, and resumes them.
    pub(crate) damaged: BTreeSet<InstanceId>,
    next: u64,
}

impl Clients {
    /// Returns the first thing that is not done, for whoever waits for all.
    pub(crate) fn unfinished(&self) -> Option<String> {
        if let Some(moves) = self.threads.iter().find(|moves| !moves.is_empty()) {
            return Some(format!("a client has yet to ask {:?}", moves[0].ask));
        }
        if let Some(request) = self.requests.values().find(|request| !request.is_done) {
            return Some(format!("a client was not answered: {:?}", request.ask));
        }
        let untold = self.watched.iter().find(|(_, is_told)| !**is_told);
        untold.map(|(instance, _)| format!("nobody was told the outcome of {instance}"))
    }
}

impl World {
    pub(crate) fn client_step(&mut self, step: ClientStep) {
        match step {
            ClientStep::Next(thread) => self.next_move(thread),
            ClientStep::Send { request, is_late } => self.send(request, is_late),
            ClientStep::Redispatch => self.ask_to_redispatch(),
            ClientStep::Reply(message) => self.reply(message),
            ClientStep::Watch(instance) => self.watch(&instance),
            ClientStep::Round => self.look_after(),
        }
    }

    /// Begins a thread's next move once its time has come.
    pub(crate) fn plan_move(&mut self, thread: usize) {
        if let Some(next) = self.clients.threads[thread].front() {
            let after = next.after;
            self.later(after, Step::Client(ClientStep::Next(thread)));
        }
    }

    fn next_move(&mut self, thread: usize) {
        if let Some(next) = self.clients.threads[thread].pop_front() {
            self.ask(next.ask, Some(thread));
        }
    }

    fn watch(&mut self, instance: &InstanceId) {
        if self.clients.watched.get(instance) == Some(&false) {
            self.ask(Ask::Wait { instance: instance.clone() }, None);
        }
    }

    /// Resumes instances whose history is over its limit, those that could not be read, and those with a quarantined task,
    /// as a person would once that is mended.
    fn look_after(&mut self) {
        let is_over = |record: &warren_model::InstanceRecord| {
            let kind = record.condition.as_ref().map(|condition| condition.kind);
            matches!(kind, Some(ConditionKind::HistoryLimit | ConditionKind::Corrupt | ConditionKind::Quarantined))
        };
        let records = self.store.partitions.values().flat_map(|tables| tables.instances.values());
        let parked: Vec<InstanceId> =
            records.filter(|record| is_over(record)).map(|record| record.id.clone()).collect();
        let tasks = self.store.partitions.values().flat_map(|tables| tables.task_notes.values());
        let quarantined: Vec<InstanceId> =
            tasks.filter(|task| task.quarantine.is_some()).map(|task| task.instance.clone()).collect();
        self.ledger.mended.extend(quarantined.iter().cloned());
        let parked = parked.into_iter().chain(quarantined);
        for instance in parked.chain(std::mem::take(&mut self.clients.damaged)) {
            self.ask(Ask::Resume { instance }, None);
        }
        self.later(ROUND, Step::Client(ClientStep::Round));
    }
}
