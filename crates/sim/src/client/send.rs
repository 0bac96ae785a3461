//! How a command is sent: again and again, lost, duplicated, late.

use std::collections::BTreeMap;

use warren_broker::{Address, Envelope, HeaderValue, Message, Publication};
use warren_model::{AnswerTo, AnswerWhen, Command, IfExists, InstanceId, MessageId, Payload, StartRequest};

use super::{Ask, ClientStep, Request, Way};
use crate::{
    fault::Fault,
    time::{MS, SECOND},
    world::{Step, World},
};

impl World {
    /// Makes a request and sends it for the first time.
    pub(crate) fn ask(&mut self, ask: Ask, thread: Option<usize>) {
        self.clients.next += 1;
        let number = self.clients.next;
        let publication = self.publication(&ask, number);
        self.note(format_args!("client: asks r{number} {ask:?}"));
        self.ledger.asked(&ask);
        let request = Request { ask, publication, thread, is_done: false, accepted: None, asked_at: self.now };
        self.clients.requests.insert(number, request);
        self.soon(Step::Client(ClientStep::Send { request: number, is_late: false }));
    }

    pub(super) fn send(&mut self, number: u64, is_late: bool) {
        let Some(request) = self.clients.requests.get(&number) else { return };
        if request.is_done && !is_late {
            return;
        }
        let (publication, wants_answer) = (request.publication.clone(), request.ask.wants_answer());
        if !is_late {
            let pause = self.random.between(300 * MS, 4 * SECOND);
            self.later(pause, Step::Client(ClientStep::Send { request: number, is_late: false }));
        }
        if self.fails(self.profile.command_duplicated, Fault::CommandDuplicated) {
            let longest = *self.random.pick(&[5 * MS, SECOND, 12 * SECOND]);
            let pause = self.random.between(1, longest);
            self.later(pause, Step::Client(ClientStep::Send { request: number, is_late: true }));
        }
        if self.broker.is_away || self.fails(self.profile.command_lost, Fault::CommandLost) {
            return;
        }
        let is_there = self.arrive(&publication, None);
        let is_confirmed = is_there && !self.fails(self.profile.answer_lost, Fault::AnswerLost);
        if is_confirmed && !wants_answer {
            self.ledger.confirmed(&self.clients.requests[&number]);
            self.finish(number);
        }
    }

    fn publication(&self, ask: &Ask, number: u64) -> Publication {
        let (instance, command, when, way) = match ask {
            Ask::Start { instance, orchestrator, input, when, way } => {
                (instance, start(orchestrator, input), *when, *way)
            }
            Ask::Raise { instance, event, value, way } => {
                let input = Payload::of(value).expect("a number is JSON");
                let keep_unseen = *way != Way::Control;
                let command = Command::Raise { event: (*event).into(), input, keep_unseen };
                (instance, command, AnswerWhen::Accepted, *way)
            }
            Ask::Suspend { instance } => {
                (instance, Command::Suspend { reason: None }, AnswerWhen::Accepted, Way::Control)
            }
            Ask::Resume { instance } => {
                (instance, Command::Resume { reason: None }, AnswerWhen::Accepted, Way::Control)
            }
            Ask::Terminate { instance, recursive } => {
                let command = Command::Terminate { reason: None, recursive: *recursive };
                (instance, command, AnswerWhen::Accepted, Way::Control)
            }
            Ask::Purge { instance } => {
                (instance, Command::Purge { execution: None }, AnswerWhen::Accepted, Way::Control)
            }
            Ask::Wait { instance } => (instance, Command::Wait, AnswerWhen::Outcome, Way::Control),
            Ask::Redispatch { partition } => return self.redispatch_publication(*partition, number),
            Ask::Nonsense { to, message } => {
                let message = Message { message_id: Some(format!("nonsense-{number}").into()), ..(**message).clone() };
                return Publication { to: to.clone(), mandatory: true, packs: false, message };
            }
        };
        let answer_to = super::answer_to(number);
        let id = MessageId::new(&format!("m{number}")).expect("a letter and digits are an id");
        match way {
            Way::Control => {
                let (instance, answer_to) = (instance.clone(), Some(answer_to));
                // Most say of a start that it is fresh, also when they send it again: then they are wrong.
                let is_fresh = matches!(command, Command::Start(_)) && !number.is_multiple_of(3);
                self.hub.codec.command(&Envelope { id, instance, command, answer_to, when, is_fresh })
            }
            Way::Ingress { answers } => {
                let message = foreign(&id, instance, when, answers.then_some(answer_to));
                self.by_ingress(&command, message)
            }
        }
    }

    /// A message as another system publishes it to the ingress.
    fn by_ingress(&self, command: &Command, mut message: Message) -> Publication {
        let (key, input) = match command {
            Command::Start(request) => (format!("start.{}", request.name), &request.input),
            Command::Raise { event, input, .. } => (format!("raise.{event}"), input),
            Command::Terminate { .. }
            | Command::Suspend { .. }
            | Command::Resume { .. }
            | Command::Complete { .. }
            | Command::Purge { .. }
            | Command::Wait => {
                unreachable!("other systems start and raise only")
            }
        };
        message.body = input.as_str().to_owned().into();
        let exchange = self.hub.codec.topology().ingress_exchange();
        Publication {
            to: Address::Exchange { exchange: exchange.into(), key: key.into() },
            mandatory: true,
            packs: false,
            message,
        }
    }
}

fn foreign(id: &MessageId, instance: &InstanceId, when: AnswerWhen, answer_to: Option<AnswerTo>) -> Message {
    let when = if when == AnswerWhen::Accepted { "accepted" } else { "outcome" };
    let text = |value: &str| HeaderValue::Text(value.into());
    let headers = [("instance-id", text(instance.as_str())), ("answer", text(when))];
    let (reply_to, correlation_id) = answer_to.map_or((None, None), |to| (Some(to.reply_to), to.correlation_id));
    Message {
        message_id: Some(id.as_str().into()),
        reply_to: reply_to.map(Into::into),
        correlation_id: correlation_id.map(Into::into),
        headers: headers.into(),
        ..Message::default()
    }
}

fn start(name: &str, input: &Payload) -> Command {
    let (name, input) = (name.into(), input.clone());
    Command::Start(StartRequest {
        name,
        version: None,
        input,
        tags: BTreeMap::new(),
        traceparent: None,
        if_exists: IfExists::Fail,
    })
}

impl Ask {
    /// Returns whether an answer ends the request, or the broker's confirm does.
    fn wants_answer(&self) -> bool {
        match self {
            Self::Start { way, .. } | Self::Raise { way, .. } => *way != Way::Ingress { answers: false },
            Self::Suspend { .. }
            | Self::Resume { .. }
            | Self::Terminate { .. }
            | Self::Purge { .. }
            | Self::Wait { .. }
            | Self::Redispatch { .. } => true,
            Self::Nonsense { .. } => false,
        }
    }
}
