//! Carries out what an owner wants.

use orchestrator_svc::owner::{Effect, Input};
use warren_broker::{Address, Publication, Published};

use super::{End, Session, SessionStep};
use crate::{
    broker::{FlightId, Ticket},
    fault::Fault,
    mutation::Mutation,
    time::{MS, SECOND},
    world::{BrokerStep, Step, StoreStep, World},
};

impl World {
    /// Carries out the next effect. Acknowledges only what the owner says, which is after its commit.
    pub(super) fn act(&mut self, id: u64, session: &mut Session) -> Result<(), End> {
        session.is_acting = false;
        let Some(effect) = session.effects.pop_front() else { return Ok(()) };
        self.note(format_args!("s{id}: wants {}", crate::show::effect(&effect)));
        match effect {
            Effect::Load(load) => self.read(id, StoreStep::Load(load)),
            Effect::ReadTurns { number, keys } => self.read(id, StoreStep::Turns { number, keys }),
            Effect::Sweep(sweep) => self.read(id, StoreStep::Sweep(sweep)),
            Effect::Publish { ticket, batch } => {
                let Some(publisher) = session.publisher else { return Ok(()) };
                if !self.broker.publishers.contains_key(&publisher) {
                    return Err(End::Failed("the channel that publishes was lost".into()));
                }
                self.publish(publisher, Ticket::Owner(ticket), batch);
            }
            Effect::Ack(tag) => {
                if let Some(channel) = session.channel.filter(|_| self.mutation != Some(Mutation::AckBeforeCommit)) {
                    let at = self.frame_of_channel(channel);
                    self.agenda.add(at, Step::Broker(BrokerStep::Ack { channel, tag, multiple: true }));
                }
            }
            Effect::Commit(_) | Effect::ReadTimers { .. } | Effect::Expire { .. } => {
                session.lane.push_back(effect);
                self.write_next(id, session);
            }
            Effect::Trace(_) => {}
            Effect::Drained => return Err(End::Drained),
        }
        if !session.effects.is_empty() {
            session.is_acting = true;
            let micros = self.random.between(1, 100);
            self.later(micros, Step::Session { session: id, step: SessionStep::Act });
        }
        Ok(())
    }

    fn read(&mut self, session: u64, step: StoreStep) {
        if self.fails(self.profile.read_failed, Fault::ReadFailed) {
            self.soon(Step::Session { session, step: SessionStep::Fail("a read failed") });
        } else {
            self.soon(Step::Store { session, step });
        }
    }

    /// Begins the next writes of the lane: a commit goes behind others, but marks wait for all that is on its way.
    pub(super) fn write_next(&mut self, id: u64, session: &mut Session) {
        while let Some(effect) = session.lane.front() {
            let is_commit = matches!(effect, Effect::Commit(commit) if commit.suspects.is_empty());
            if session.writing > 0 && !(is_commit && session.is_committing) {
                return;
            }
            session.writing += 1;
            session.is_committing = is_commit;
            let Some(effect) = session.lane.pop_front() else { return };
            self.begin_write(id, session, effect);
        }
    }

    fn begin_write(&mut self, id: u64, session: &mut Session, effect: Effect) {
        match effect {
            Effect::Commit(commit) => self.send_commit(id, session, commit),
            Effect::ReadTimers { until, limit } => self.read(id, StoreStep::Timers { until, limit }),
            Effect::Expire { answered_before, now } => self.read(id, StoreStep::Expire { answered_before, now }),
            Effect::Load(_)
            | Effect::ReadTurns { .. }
            | Effect::Sweep(_)
            | Effect::Publish { .. }
            | Effect::Ack(_)
            | Effect::Trace(_)
            | Effect::Drained => session.writing -= 1,
        }
    }

    /// A commit is on its way: it may fail, be slow, or nobody may learn what became of it.
    fn send_commit(&mut self, id: u64, session: &mut Session, commit: Box<warren_store::Commit>) {
        let fail = |why| Step::Session { session: id, step: SessionStep::Fail(why) };
        if self.fails(self.profile.commit_failed, Fault::CommitFailed) {
            session.has_lost = true;
            return self.soon(fail("a commit failed"));
        }
        if self.random.happens(self.profile.commit_unknown) {
            session.has_lost = true;
            self.soon(fail("nobody knows whether a commit was written"));
            let (kind, latest) = match self.random.below(3) {
                0 => return self.faults.count(Fault::CommitUnknownLost),
                1 => (Fault::CommitUnknownWritten, 2 * MS),
                _ => (Fault::CommitLate, *self.random.pick(&[50 * MS, SECOND, 8 * SECOND])),
            };
            self.faults.count(kind);
            let micros = self.random.between(1, latest);
            return self.send_behind(micros, id, session, StoreStep::Commit { commit, is_heard: false });
        }
        let step = StoreStep::Commit { commit, is_heard: true };
        let micros = if self.fails(self.profile.commit_slow, Fault::CommitSlow) {
            let longest = *self.random.pick(&[100 * MS, 2 * SECOND, 8 * SECOND]);
            self.random.between(10 * MS, longest)
        } else {
            self.latency()
        };
        self.send_behind(micros, id, session, step);
    }

    /// What is on its way reaches the store in order.
    fn send_behind(&mut self, micros: u64, id: u64, session: &mut Session, step: StoreStep) {
        let at = session.written_at.never_before(self.now.after(micros));
        self.agenda.add(at, Step::Store { session: id, step });
    }

    /// What became of publications.
    pub(super) fn heard_of_flight(&mut self, id: u64, session: &mut Session, flight: FlightId) -> Result<(), End> {
        let Some((flight, landed)) = self.landed(flight) else { return Ok(()) };
        if flight.results.iter().any(|result| matches!(result, Published::Lost(_))) {
            return Err(End::Failed("the channel that publishes was lost".into()));
        }
        flight.returned.iter().for_each(|publication| self.declare_missing(publication));
        for (ticket, results) in landed {
            if let Ticket::Owner(ticket) = ticket {
                self.tell(id, session, Input::Published { ticket, results });
            }
        }
        Ok(())
    }

    /// Makes the queues of the hub that a returned message was meant for.
    pub(crate) fn declare_missing(&mut self, publication: &Publication) {
        let Address::Queue(name) = &publication.to else { return };
        if self.hub.codec.topology().is_engine_queue(name) && !self.broker.is_away {
            self.broker.declare(name);
        }
    }
}
