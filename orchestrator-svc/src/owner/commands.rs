//! Commands: what each does to its instance, and what its sender is told.

use warren_broker::{Attempt, Delivery, Envelope};
use warren_engine::{Instance, Live, Programs};
use warren_model::{
    Answer, AnswerTo, AnswerWhen, Command, EventRaised, ExecutionStarted, IfExists, InboxMessage, InstanceId,
    InstanceRecord, MessageId, Outcome, Outgoing, Refusal, RefusalCode, StartRequest, Status, TaskEnded, Token,
    execution_id,
};
use warren_store::CommandRow;

use super::{
    Owner,
    batch::{Origin, Work},
};

impl<P: Programs> Owner<P> {
    pub(super) fn command(&mut self, envelope: Envelope, delivery: Box<Delivery>, work: &mut Work) {
        self.counts.has_commanded(&envelope.command);
        if let Some(answer) = self.known(&envelope.id, work) {
            self.counts.repeated += 1;
            return self.tell_again(envelope, &answer, work);
        }
        if envelope.command != Command::Wait && !work.seen.insert(envelope.id.clone()) {
            return; // the same message twice in one batch: the first is answered
        }
        let (id, instance) = (envelope.id.clone(), envelope.instance.clone());
        let origin = Origin::Command { id, answer_to: envelope.answer_to.clone(), when: envelope.when, delivery };
        match envelope.command {
            Command::Start(request) => self.start(&instance, request, origin, work),
            Command::Raise { event, input, keep_unseen } => {
                self.raise(&instance, EventRaised { name: event, input }, keep_unseen, origin, work);
            }
            Command::Terminate { reason, recursive } => {
                self.act(&instance, InboxMessage::Terminate { reason, recursive }, origin, work);
            }
            Command::Suspend { reason } => self.act(&instance, InboxMessage::Suspend { reason }, origin, work),
            Command::Resume { reason } => self.act(&instance, InboxMessage::Resume { reason }, origin, work),
            Command::Complete { token, outcome } => self.complete(&token, outcome, origin, work),
            Command::Purge { execution } => self.purge(&instance, execution, origin, work),
            Command::Wait => self.wait(&instance, envelope.answer_to, work),
        }
    }

    /// Returns the answer to a command that was carried out before, also in this very batch.
    pub(super) fn known(&self, id: &MessageId, work: &Work) -> Option<Result<Answer, Refusal>> {
        let row = work.known.get(id).or_else(|| self.answered.get(id).map(|(_, row)| row))?;
        Some(row.answer.clone())
    }

    fn start(&mut self, instance: &InstanceId, request: StartRequest, origin: Origin, work: &mut Work) {
        let Origin::Command { id, answer_to, when, delivery } = origin else { return };
        if request.input.size() > self.settings.limits.payload_bytes {
            let refusal = self.too_large("input", request.input.size());
            return self.refuse(answer_to.as_ref(), refusal, work);
        }
        let existing = self.cache.get(instance).and_then(|slot| slot.live.as_ref());
        let existing = existing.map(|live| live.instance.record.clone());
        if let Some(record) = &existing {
            if record.start_id == id || request.if_exists == IfExists::UseExisting {
                return self.start_again(instance, answer_to, when, work);
            }
            if request.if_exists == IfExists::Fail || !record.status.is_terminal() {
                return self.refuse(answer_to.as_ref(), exists(record), work);
            }
        }
        if let Some(why) = self.trouble(instance) {
            let message = format!("instance {instance} exists already, and its row can't be read: {why}");
            return self.refuse(answer_to.as_ref(), Refusal { code: RefusalCode::Exists, message }, work);
        }
        if let Some(reason) = self.codec.missing(&delivery) {
            return self.refuse_vanished(&delivery, reason, answer_to.as_ref(), work);
        }
        if !self.cache.contains(instance) {
            work.commit.fresh.push((instance.clone(), id.clone())); // nobody has looked
        }
        if let Some(record) = existing {
            self.is_over(&record, "was replaced by a later start", work);
        }
        let started = ExecutionStarted {
            name: request.name,
            version: request.version,
            input: request.input,
            parent: None,
            answer_to: answer_to.clone().filter(|_| when == AnswerWhen::Outcome),
            tags: request.tags,
            traceparent: request.traceparent,
        };
        self.accept(instance, id.clone(), started, Origin::Command { id, answer_to, when, delivery }, work);
    }

    /// Makes an instance; its first turn follows in this batch.
    pub(super) fn accept(
        &mut self,
        instance: &InstanceId,
        cause: MessageId,
        started: ExecutionStarted,
        origin: Origin,
        work: &mut Work,
    ) {
        let execution = execution_id(instance, cause.as_str());
        let now = self.now;
        let slot = self.cache.touch(instance);
        let accepted = Instance::accept(instance.clone(), execution, cause.clone(), &started, now);
        slot.live = Some(Live::new(accepted));
        slot.is_new = true;
        (slot.outcome, slot.unreadable, slot.stored) = (None, None, None);
        self.counts.has_started(&started.name);
        work.push(instance, InboxMessage::Start { execution, cause, started }, origin);
    }

    /// Answers a start that was seen before (H1, H14).
    fn start_again(&mut self, instance: &InstanceId, to: Option<AnswerTo>, when: AnswerWhen, work: &mut Work) {
        match when {
            AnswerWhen::Accepted => {
                let answer = self.answer_of(instance);
                self.tell(to.as_ref(), &answer, work);
            }
            AnswerWhen::Outcome => self.wait(instance, to, work),
        }
    }

    fn raise(&mut self, instance: &InstanceId, event: EventRaised, keep_unseen: bool, origin: Origin, work: &mut Work) {
        let Origin::Command { answer_to, delivery, .. } = &origin else { return };
        let slot = self.cache.get(instance);
        let (is_seen, held) = slot.map_or((false, 0), |slot| (slot.live.is_some(), slot.pending.len()));
        if event.input.size() > self.settings.limits.payload_bytes {
            let refusal = self.too_large("event", event.input.size());
            return self.refuse(answer_to.as_ref(), refusal, work);
        }
        if let Some(reason) = self.codec.missing(delivery) {
            return self.refuse_vanished(delivery, reason, answer_to.as_ref(), work);
        }
        if held >= self.settings.mailbox_messages {
            let message = format!("instance {instance} holds {held} messages already and can't run: see its condition");
            self.counts.has_buried("mailbox_full");
            work.dead.push(self.dead(delivery, &message));
            return self.refuse(answer_to.as_ref(), Refusal { code: RefusalCode::TooLarge, message }, work);
        }
        match (is_seen, keep_unseen) {
            (true, true) if !self.is_alive(instance) => {
                self.counts.has_buried("ended");
                work.dead.push(self.dead(delivery, &format!("instance {instance} has ended")));
                self.refuse(answer_to.as_ref(), self.ended(instance), work);
            }
            (true, _) => self.act(instance, InboxMessage::Raise(event), origin, work),
            (false, true) => self.keep_for_later(instance, event, origin, work),
            (false, false) => self.refuse_unseen(instance, answer_to.as_ref(), work),
        }
    }

    /// Keeps an event for an instance that nobody has seen yet (H10), and remembers that it did (H1).
    fn keep_for_later(&mut self, instance: &InstanceId, event: EventRaised, origin: Origin, work: &mut Work) {
        let Origin::Command { id, answer_to, when, .. } = origin else { return };
        // An instance whose row can't be read is there, so its messages don't expire.
        let expires_at = self.trouble(instance).is_none().then(|| self.now + self.settings.unseen_event);
        self.hold(instance, InboxMessage::Raise(event), expires_at, work);
        let answer = Ok(self.kept_for_later(instance));
        self.remember(id, &answer, work);
        match (when, answer_to) {
            (AnswerWhen::Outcome, Some(to)) => self.waiters.add(instance, to, self.now),
            (AnswerWhen::Outcome | AnswerWhen::Accepted, to) => self.tell(to.as_ref(), &answer, work),
        }
    }

    /// Remembers the answer to a command for its duplicates.
    pub(super) fn remember(&mut self, id: MessageId, answer: &Result<Answer, Refusal>, work: &mut Work) {
        let row = CommandRow { id: id.clone(), answer: answer.clone(), at: self.now };
        work.commit.commands.push(row.clone());
        self.answered.insert(id, (work.commit.number, row));
    }

    /// Answers a command that was seen before, as its sender wants it.
    fn tell_again(&mut self, envelope: Envelope, answer: &Result<Answer, Refusal>, work: &mut Work) {
        let is_seen = self.cache.get(&envelope.instance).is_some_and(|slot| slot.live.is_some());
        match (envelope.when, envelope.answer_to) {
            (AnswerWhen::Outcome, to) if answer.is_ok() && is_seen => self.wait(&envelope.instance, to, work),
            (AnswerWhen::Outcome, Some(to)) if answer.is_ok() => self.waiters.add(&envelope.instance, to, self.now),
            (AnswerWhen::Outcome | AnswerWhen::Accepted, to) => self.tell(to.as_ref(), answer, work),
        }
    }

    /// A command whose payload travelled apart and is gone: nobody can carry it out, and its sender may send it again.
    fn refuse_vanished(&mut self, delivery: &Delivery, reason: String, to: Option<&AnswerTo>, work: &mut Work) {
        tracing::error!(partition = %self.me, %reason, "command has lost its payload, moved to the dead queue");
        self.counts.has_buried("payload_missing");
        work.dead.push(self.dead(delivery, &reason));
        self.refuse(to, Refusal { code: RefusalCode::Invalid, message: reason }, work);
    }

    pub(super) fn refuse_unseen(&mut self, instance: &InstanceId, to: Option<&AnswerTo>, work: &mut Work) {
        let refusal = match self.trouble(instance) {
            Some(why) => self.unreadable(instance, why),
            None => not_found(instance),
        };
        self.refuse(to, refusal, work);
    }

    /// Ends a task as a worker's reply would, and says so, or that nobody waits for it.
    fn complete(&mut self, token: &Token, outcome: Outcome, origin: Origin, work: &mut Work) {
        let Origin::Command { answer_to, delivery, .. } = &origin else { return };
        let (instance, answer_to) = (&token.instance, answer_to.as_ref());
        if let Some(reason) = self.codec.missing(delivery) {
            return self.refuse_vanished(delivery, reason, answer_to, work);
        }
        let of = Attempt {
            instance: instance.clone(),
            execution: token.execution,
            task: token.task,
            attempt: token.attempt,
        };
        match self.awaits(&of) {
            None => self.refuse_unseen(instance, answer_to, work),
            Some(false) => {
                let message = format!("nobody waits for task {} of instance {instance} any more", token.task);
                self.refuse(answer_to, Refusal { code: RefusalCode::Gone, message }, work);
            }
            Some(true) => {
                let outcome = self.settings.limits.bound("the result", outcome);
                let Attempt { execution, task, attempt, .. } = of;
                let ended = self.with_progress(instance, TaskEnded { execution, task, attempt, outcome });
                work.push(instance, InboxMessage::Task(ended), origin);
            }
        }
    }

    /// Passes a command on to an instance that exists; the answer follows from what the turn makes of it.
    fn act(&mut self, instance: &InstanceId, message: InboxMessage, origin: Origin, work: &mut Work) {
        let Origin::Command { answer_to, .. } = &origin else { return };
        let is_seen = self.cache.get(instance).is_some_and(|slot| slot.live.is_some());
        if !is_seen {
            self.refuse_unseen(instance, answer_to.as_ref(), work);
        } else if !self.is_alive(instance) {
            self.refuse(answer_to.as_ref(), self.ended(instance), work);
        } else {
            work.push(instance, message, origin);
        }
    }

    /// Answers now if the instance has ended, or when it does.
    fn wait(&mut self, instance: &InstanceId, to: Option<AnswerTo>, work: &mut Work) {
        let Some(to) = to else { return };
        let Some(slot) = self.cache.get(instance) else { return };
        let Some(live) = &slot.live else { return self.refuse_unseen(instance, Some(&to), work) };
        if let Some(outcome) = slot.outcome.clone() {
            let record = &live.instance.record;
            let (instance, execution, status) = (instance.clone(), record.execution, record.status);
            let outgoing = Outgoing::Outcome { to, instance, execution, status, outcome };
            if let Ok(publication) = self.codec.outgoing(&outgoing, self.me, None) {
                work.answers.push(publication);
            }
            return;
        }
        if live.instance.record.status.is_terminal() {
            let why = slot.unreadable.as_deref().unwrap_or("its last turn does not say how it ended");
            return self.refuse(Some(&to), self.unreadable(instance, why), work);
        }
        if live.instance.record.answer_to.as_ref() == Some(&to) {
            return; // it is told anyway
        }
        self.waiters.add(instance, to, self.now);
    }

    /// Answers a command whose turn is done, and remembers the answer for a duplicate.
    pub(super) fn answer(
        &mut self,
        instance: &InstanceId,
        message: &InboxMessage,
        origin: Origin,
        has_ended_before: bool,
        work: &mut Work,
    ) {
        let Origin::Command { id, answer_to, when, .. } = origin else { return };
        if has_ended_before {
            return self.refuse(answer_to.as_ref(), self.ended(instance), work);
        }
        let answer = self.answer_of(instance);
        if !matches!(message, InboxMessage::Start { .. }) {
            self.remember(id, &answer, work);
            if when == AnswerWhen::Outcome {
                return self.wait(instance, answer_to, work);
            }
        }
        if when == AnswerWhen::Accepted {
            self.tell(answer_to.as_ref(), &answer, work);
        }
    }

    pub(super) fn answer_of(&self, instance: &InstanceId) -> Result<Answer, Refusal> {
        let Some(live) = self.cache.get(instance).and_then(|slot| slot.live.as_ref()) else {
            return Err(not_found(instance));
        };
        let record = &live.instance.record;
        let warning = record.condition.as_ref().map(|condition| condition.message.clone());
        Ok(Answer { instance: instance.clone(), execution: record.execution, status: record.status, warning })
    }

    fn ended(&self, instance: &InstanceId) -> Refusal {
        let live = self.cache.get(instance).and_then(|slot| slot.live.as_ref());
        let status = live.map_or(Status::Completed, |live| live.instance.record.status);
        Refusal { code: RefusalCode::Gone, message: format!("instance {instance} has ended, it is {status}") }
    }

    fn too_large(&self, what: &str, size: usize) -> Refusal {
        let max = self.settings.limits.payload_bytes;
        let message = format!(
            "the {what} has {size} bytes, at most {max} are allowed: pass a reference, or raise payload_megabytes_max"
        );
        Refusal { code: RefusalCode::TooLarge, message }
    }

    pub(super) fn refuse(&mut self, to: Option<&AnswerTo>, refusal: Refusal, work: &mut Work) {
        self.counts.has_refused(refusal.code);
        tracing::debug!(partition = %self.me, reason = %refusal.message, "command refused");
        self.tell(to, &Err(refusal), work);
    }

    pub(super) fn tell(&self, to: Option<&AnswerTo>, answer: &Result<Answer, Refusal>, work: &mut Work) {
        if let Some(to) = to {
            work.answers.push(self.codec.answer(to, answer));
        }
    }
}

fn exists(record: &InstanceRecord) -> Refusal {
    let (id, status) = (&record.id, record.status);
    let remedy = match status.is_terminal() {
        true => "choose another id, ask for its status, or say `replace-ended`",
        false => "choose another id, or ask for its status",
    };
    Refusal { code: RefusalCode::Exists, message: format!("instance {id} exists already, it is {status}: {remedy}") }
}

fn not_found(instance: &InstanceId) -> Refusal {
    Refusal { code: RefusalCode::NotFound, message: format!("no instance {instance} in this hub") }
}
