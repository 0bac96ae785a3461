//! One session of one partition: moves inputs and effects between the real owner, the broker and the store.

use std::collections::VecDeque;

use orchestrator_svc::owner::{self, Effect, Input, Owner};
use warren::Registry;
use warren_model::{InstanceId, Partition};
use warren_store::{Epoch, Expired, Loaded, PartitionState, Sweep, Swept, TimerRow, TurnRow};

use crate::{
    broker::{ChannelId, FlightId, Holder, PublisherId, Taken},
    mutation::Mutation,
    store::Trouble,
    time::{SECOND, Time},
    world::{BrokerStep, Step, StoreStep, World},
};

/// How long an owner that wants nothing sleeps at most, in microseconds.
const SLEEP_MAX: u64 = SECOND;
/// How long a session may take to finish when it is told to drain.
const DRAIN_MAX: u64 = 10 * SECOND;

/// What a session is told by its replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Go,
    Drain,
    Stop,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Drained,
    Stopped,
    Failed(String),
    /// A start was not as new as its sender has said.
    Misled(InstanceId),
}

/// What the store has answered.
#[derive(Debug)]
pub(crate) enum Answer {
    Partition(PartitionState),
    Loaded(Loaded),
    Turns { number: u64, rows: Vec<TurnRow> },
    Timers(Vec<TimerRow>),
    Swept { sweep: Sweep, swept: Swept },
    Expired(Expired),
    Committed(u64),
}

/// What happens in a session.
#[derive(Debug)]
pub(crate) enum SessionStep {
    Begin,
    /// The store answered, or could not.
    Heard(Result<Answer, Trouble>),
    /// The owner takes its next input.
    Turn,
    /// The next effect is carried out.
    Act,
    /// The owner has slept long enough, unless something came in between.
    Wake(u64),
    /// Deliveries have arrived.
    Arrive,
    Published(FlightId),
    Order(Order),
    DrainedTooLong,
    Fail(&'static str),
}

/// An owner with its consumer, its publisher and its lane of writes.
pub(crate) struct Session {
    pub(crate) replica: usize,
    pub(crate) life: u32,
    pub(crate) partition: Partition,
    pub(crate) epoch: Epoch,
    pub(crate) is_after_crash: bool,
    pub(crate) is_misled: bool,
    pub(super) owner: Option<Owner<Registry>>,
    pub(super) channel: Option<ChannelId>,
    pub(super) publisher: Option<PublisherId>,
    /// What the owner has not taken yet, …
    pub(super) inputs: VecDeque<Input>,
    pub(super) is_turning: bool,
    /// … and what it wants done.
    pub(super) effects: VecDeque<Effect>,
    pub(super) is_acting: bool,
    /// Writes, and reads that must see them, in order: commits one behind the other, the rest one at a time.
    pub(super) lane: VecDeque<Effect>,
    /// How many of the lane are on their way, …
    pub(super) writing: usize,
    /// … whether those are commits, …
    pub(super) is_committing: bool,
    /// … and when the last of them reaches the store, and its answer the session: never before the one before it.
    pub(super) written_at: Time,
    pub(crate) answered_at: Time,
    /// Whether a commit was not written, or nobody knows whether it was.
    pub(crate) has_lost: bool,
    /// Counts what the owner has taken; a wake of an earlier count is over.
    taken: u64,
    pub(super) order: Order,
    is_consuming: bool,
}

impl Session {
    pub(crate) fn new(replica: usize, life: u32, partition: Partition, epoch: Epoch) -> Self {
        Self {
            replica,
            life,
            partition,
            epoch,
            is_after_crash: false,
            is_misled: false,
            owner: None,
            channel: None,
            publisher: None,
            inputs: VecDeque::new(),
            is_turning: false,
            effects: VecDeque::new(),
            is_acting: false,
            lane: VecDeque::new(),
            writing: 0,
            is_committing: false,
            written_at: Time::default(),
            answered_at: Time::default(),
            has_lost: false,
            taken: 0,
            order: Order::Go,
            is_consuming: true,
        }
    }
}

impl World {
    pub(crate) fn session_step(&mut self, id: u64, step: SessionStep) {
        let Some(mut session) = self.sessions.remove(&id) else { return };
        let end = match step {
            SessionStep::Begin => self.begin_session(id, &mut session),
            SessionStep::Heard(answer) => self.heard(id, &mut session, answer),
            SessionStep::Turn => self.turn(id, &mut session),
            SessionStep::Act => self.act(id, &mut session),
            SessionStep::Wake(taken) => {
                if taken == session.taken && session.inputs.is_empty() && !session.is_turning {
                    self.tell(id, &mut session, Input::Tick);
                }
                Ok(())
            }
            SessionStep::Arrive => self.arrived(id, &mut session),
            SessionStep::Published(flight) => self.heard_of_flight(id, &mut session, flight),
            SessionStep::Order(order) => self.obey(id, &mut session, order),
            SessionStep::DrainedTooLong => Err(End::Failed("draining took too long".into())),
            SessionStep::Fail(why) => Err(End::Failed(why.into())),
        };
        match end {
            Ok(()) => drop(self.sessions.insert(id, session)),
            Err(end) => self.end_session(id, session, end),
        }
    }

    fn begin_session(&mut self, id: u64, session: &mut Session) -> Result<(), End> {
        if self.broker.is_away {
            return Err(End::Failed("the broker is away".into()));
        }
        let queue = self.hub.codec.topology().control(session.partition).name;
        self.broker.declare(&queue);
        self.broker.declare(&self.hub.codec.topology().dead().name);
        let holder = Holder::Session { session: id, replica: session.replica, life: session.life };
        session.publisher = Some(self.broker.publisher(holder));
        self.soon(Step::Store { session: id, step: StoreStep::Partition });
        Ok(())
    }

    /// Consumes, and begins the owner from what the store holds.
    fn open(&mut self, id: u64, session: &mut Session, mut state: PartitionState) -> Result<(), End> {
        let queue = self.hub.codec.topology().control(session.partition).name;
        let holder = Holder::Session { session: id, replica: session.replica, life: session.life };
        if self.broker.is_away {
            return Err(End::Failed("the broker is away".into()));
        }
        session.channel = self.broker.consume(&queue, self.hub.prefetch, holder);
        if session.channel.is_none() {
            return Err(End::Failed("the control queue is missing".into()));
        }
        if self.mutation == Some(Mutation::NoDuplicateCheck) {
            state.received.clear();
        }
        let replica = &self.replicas[session.replica];
        let programs = if replica.is_deployed { &self.hub.after } else { &self.hub.before };
        let (partition, epoch, codec) = (session.partition, session.epoch, self.hub.codec.clone());
        let (is_after_crash, is_misled) = (session.is_after_crash, session.is_misled);
        let begin = owner::Session { partition, epoch, codec, state, is_after_crash, is_misled };
        let now = replica.clock(self.now);
        let mut effects = Vec::new();
        session.owner = Some(Owner::new(begin, programs.clone(), self.hub.owner, now, &mut effects));
        self.take_effects(id, session, effects);
        Ok(())
    }

    fn heard(&mut self, id: u64, session: &mut Session, answer: Result<Answer, Trouble>) -> Result<(), End> {
        let answer = answer.map_err(|trouble| match trouble {
            Trouble::Used(instance) => End::Misled(instance),
            Trouble::Fenced | Trouble::Refused(_) | Trouble::OutOfTurn(_) | Trouble::Away => {
                End::Failed(format!("the store: {trouble:?}"))
            }
        })?;
        let is_of_lane = matches!(answer, Answer::Committed(_) | Answer::Timers(_) | Answer::Expired(_));
        let input = match answer {
            Answer::Partition(state) => return self.open(id, session, state),
            Answer::Loaded(loaded) if self.mutation == Some(Mutation::NoDuplicateCheck) => {
                Input::Loaded(Loaded { commands: Vec::new(), ..loaded })
            }
            Answer::Loaded(loaded) => Input::Loaded(loaded),
            Answer::Turns { number, rows } => Input::Turns { number, rows },
            Answer::Swept { sweep, swept } => Input::Swept { sweep, swept },
            Answer::Timers(rows) => Input::Timers(rows),
            Answer::Expired(expired) => Input::Expired(expired),
            Answer::Committed(number) => Input::Committed(number),
        };
        self.tell(id, session, input);
        if is_of_lane {
            session.writing -= 1;
            self.write_next(id, session);
        }
        Ok(())
    }

    /// Passes word to the owner.
    pub(super) fn tell(&mut self, id: u64, session: &mut Session, input: Input) {
        session.inputs.push_back(input);
        if !std::mem::replace(&mut session.is_turning, true) {
            let micros = self.random.between(1, 300);
            self.later(micros, Step::Session { session: id, step: SessionStep::Turn });
        }
    }

    fn turn(&mut self, id: u64, session: &mut Session) -> Result<(), End> {
        session.is_turning = false;
        let (Some(input), Some(owner)) = (session.inputs.pop_front(), &mut session.owner) else { return Ok(()) };
        let now = self.replicas[session.replica].clock(self.now);
        let mut effects = Vec::new();
        self.trace.line(self.now, format_args!("s{id}: {}", crate::show::input(&input)));
        owner.step(input, now, &mut effects);
        self.take_effects(id, session, effects);
        if !session.inputs.is_empty() {
            session.is_turning = true;
            let micros = self.random.between(1, 300);
            self.later(micros, Step::Session { session: id, step: SessionStep::Turn });
        }
        Ok(())
    }

    fn take_effects(&mut self, id: u64, session: &mut Session, effects: Vec<Effect>) {
        session.effects.extend(effects);
        if !session.effects.is_empty() && !std::mem::replace(&mut session.is_acting, true) {
            let micros = self.random.between(1, 100);
            self.later(micros, Step::Session { session: id, step: SessionStep::Act });
        }
        session.taken += 1;
        let Some(owner) = &session.owner else { return };
        let clock = self.replicas[session.replica].clock(self.now);
        let wait = owner.wakes_at().duration_since(clock);
        let micros = u64::try_from(wait.as_micros()).unwrap_or(0).clamp(50, SLEEP_MAX);
        self.later(micros, Step::Session { session: id, step: SessionStep::Wake(session.taken) });
    }

    fn arrived(&mut self, id: u64, session: &mut Session) -> Result<(), End> {
        let Some(channel) = session.channel else { return Ok(()) };
        if let Some(channel) = self.broker.channels.get_mut(&channel) {
            channel.is_announced = false;
        }
        if !session.is_consuming {
            return Ok(());
        }
        match self.broker.take(channel, self.hub.owner.batch) {
            Taken::Nothing => {}
            Taken::Deliveries(deliveries) => {
                self.broker.news.push(channel); // there may be more
                if self.mutation == Some(Mutation::AckBeforeCommit) {
                    let tag = deliveries.last().map_or(0, |delivery| delivery.tag);
                    self.later(0, Step::Broker(BrokerStep::Ack { channel, tag, multiple: true }));
                }
                self.tell(id, session, Input::Delivered(deliveries));
            }
            Taken::End => {
                session.is_consuming = false;
                if session.order != Order::Drain {
                    return Err(End::Failed("the broker closed the channel or deleted the control queue".into()));
                }
                self.tell(id, session, Input::Drain);
            }
        }
        Ok(())
    }

    fn obey(&mut self, id: u64, session: &mut Session, order: Order) -> Result<(), End> {
        session.order = order;
        match order {
            Order::Go => Ok(()),
            Order::Stop => Err(End::Stopped),
            Order::Drain if session.channel.is_none() => Err(End::Drained), // it has not begun
            Order::Drain => {
                self.later(DRAIN_MAX, Step::Session { session: id, step: SessionStep::DrainedTooLong });
                self.cancel(session);
                Ok(())
            }
        }
    }

    /// Asks for no further deliveries.
    fn cancel(&mut self, session: &Session) {
        if let Some(channel) = session.channel {
            let at = self.frame_of_channel(channel);
            self.agenda.add(at, Step::Broker(BrokerStep::Cancel(channel)));
        }
    }
}
