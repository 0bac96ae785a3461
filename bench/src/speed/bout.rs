//! One run of one contender.

use std::collections::BTreeMap;

use anyhow::ensure;

use super::{
    contender::Contender,
    hub::Hub,
    plan::{Plan, Row},
};
use crate::{
    driver::Figures,
    limit::Answers,
    meter::{self, Database, Moved, Process, Written, moved, wait_for_idle},
    part::Part,
    shape::{Shape, Work},
};

/// How many messages without a confirm a run may see: services send some to nobody, to learn whether the broker takes any.
const PULSES_MAX: u64 = 200;

/// What one run has shown.
#[derive(Clone, Debug)]
pub(crate) struct Bout {
    pub(crate) work: Work,
    pub(crate) figures: Figures,
    /// Microseconds of processor time per instance, by process.
    pub(crate) cpu_us: BTreeMap<&'static str, f64>,
    /// Which share of the processors somebody else took meanwhile.
    pub(crate) others: f64,
    /// Whether it began on an idle machine.
    pub(crate) is_idle: bool,
    /// What was moved and written, if it was looked at.
    pub(crate) cost: Option<Cost>,
}

/// What was moved and written per activity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cost {
    pub(crate) messages: f64,
    pub(crate) bytes: f64,
    pub(crate) commits: Option<f64>,
    pub(crate) rows: Option<f64>,
    pub(crate) log_bytes: Option<f64>,
}

impl Bout {
    /// Returns what is compared: instances or activities per second, or how long one takes.
    pub(crate) fn rate(&self) -> f64 {
        match self.work.shape {
            Shape::W1 | Shape::W2 => f64::from(self.work.instances) / self.figures.seconds,
            Shape::W3 => f64::from(self.work.instances * self.work.shape.activities()) / self.figures.seconds,
            Shape::L1 => self.figures.p50_ms,
        }
    }
}

/// Runs it. `has_cost`: looks also at what is moved and written, which takes some seconds before and after.
pub(crate) async fn run(
    plan: &Plan,
    hub: &Hub,
    contender: Contender,
    work: Work,
    has_cost: bool,
) -> anyhow::Result<Bout> {
    let database = Database::connect(&plan.store).await?;
    database.checkpoint().await?;
    let is_idle = wait_for_idle(plan.patience()).await?;
    let mut crew = Crew::start(hub, contender, work).await?;
    let before = if has_cost { Some((moved().await?, database.written().await?)) } else { None };
    let since = crew.processes.read()?;
    let figures = crew.client.measure().await?;
    let taken = crew.processes.read()?.since(&since);
    let expected = crew.expected;
    ensure!(figures.count == expected, "{} of {expected} were answered as they should be", figures.count);
    let per = 1.0 / f64::from(work.instances);
    let cost = match before {
        Some(before) => {
            let now = (moved().await?, database.written().await?);
            let (sent, confirmed) = (now.0.messages - before.0.messages, now.0.confirmed - before.0.confirmed);
            ensure!(sent <= confirmed + PULSES_MAX, "{sent} messages were sent, and {confirmed} of them with confirms");
            let has_store = contender.has_store() && hub.row != Row::Sqlite;
            Some(Cost::between(before, now, per / f64::from(work.shape.activities()), has_store))
        }
        None => None,
    };
    Ok(Bout {
        work,
        cpu_us: taken.cpu_us.iter().map(|(name, us)| (*name, *us as f64 * per)).collect(),
        others: taken.others_share(figures.seconds),
        figures,
        is_idle,
        cost,
    })
}

impl Cost {
    fn between(before: (Moved, Written), now: (Moved, Written), per: f64, has_store: bool) -> Self {
        let stored = |before: i64, now: i64| has_store.then_some((now - before) as f64 * per);
        Self {
            messages: (now.0.messages - before.0.messages) as f64 * per,
            bytes: now.0.bytes.saturating_sub(before.0.bytes) as f64 * per,
            commits: stored(before.1.commits, now.1.commits),
            rows: stored(before.1.rows, now.1.rows),
            log_bytes: stored(before.1.log_bytes, now.1.log_bytes),
        }
    }
}

/// The processes of a run.
struct Crew {
    client: Part,
    /// Those that are there for this run only; they live as long as it does.
    _others: Vec<Part>,
    processes: meter::Crew,
    /// How many answers there must be.
    expected: usize,
}

impl Crew {
    async fn start(hub: &Hub, contender: Contender, work: Work) -> anyhow::Result<Self> {
        let mut processes = meter::Crew::default();
        processes.add("broker", Process::one(hub.broker_pid));
        let (client, others, expected) = match contender {
            Contender::Ours | Contender::Packed => {
                processes.add("orchestrator", Process::one(hub.orchestrator.pid()));
                processes.add("worker", Process::one(hub.worker.pid()));
                if hub.row != Row::Sqlite {
                    processes.add("database", Process::with_children(hub.database_pid));
                }
                if let Some(api) = &hub.api {
                    processes.add("api", Process::one(api.pid()));
                }
                (Part::start("client", &hub.client(work, contender)).await?, Vec::new(), work.instances)
            }
            Contender::Limit => limit(hub, work, Answers::Direct, &mut processes).await?,
            Contender::LimitQueue => limit(hub, work, Answers::Queue, &mut processes).await?,
            Contender::Path => path(hub, work, &mut processes).await?,
        };
        processes.add("client", Process::one(client.pid()));
        Ok(Self { client, _others: others, processes, expected: expected as usize })
    }
}

/// The processes of a run besides those of the fleet: the client, the others, and how many answers there must be.
type Extras = (Part, Vec<Part>, u32);

async fn limit(hub: &Hub, work: Work, answers: Answers, processes: &mut meter::Crew) -> anyhow::Result<Extras> {
    let is_round_trip = work.shape.width() > 1;
    let mut more = vec!["--answers", answers.name()];
    if is_round_trip {
        more.push("--round-trips");
    }
    let arguments = |part: &str| bare(hub, part, &more, work);
    drop(Part::start("preparation of the limit", &arguments("prepare")).await?);
    let mut others = Vec::new();
    if !is_round_trip {
        let relay = Part::start("relay of the limit", &arguments("relay")).await?;
        processes.add("orchestrator", Process::one(relay.pid()));
        others.push(relay);
    }
    let worker = Part::start("worker of the limit", &arguments("worker")).await?;
    processes.add("worker", Process::one(worker.pid()));
    others.push(worker);
    let expected = if is_round_trip { work.messages() } else { work.instances };
    Ok((Part::start("client of the limit", &arguments("client")).await?, others, expected))
}

async fn path(hub: &Hub, work: Work, processes: &mut meter::Crew) -> anyhow::Result<Extras> {
    let more = ["--store", &hub.places.store];
    drop(Part::start("preparation of the commit path", &bare(hub, "prepare", &more, work)).await?);
    let owner = Part::start("owner of the commit path", &bare(hub, "owner", &more, work)).await?;
    processes.add("orchestrator", Process::one(owner.pid()));
    processes.add("database", Process::with_children(hub.database_pid));
    let worker = Part::start("worker of the commit path", &bare(hub, "worker", &more, work)).await?;
    processes.add("worker", Process::one(worker.pid()));
    let client = Part::start("client of the commit path", &bare(hub, "client", &more, work)).await?;
    Ok((client, vec![owner, worker], work.instances))
}

/// Returns the arguments of a process without an engine.
fn bare(hub: &Hub, part: &str, more: &[&str], work: Work) -> Vec<String> {
    let own = ["limit", part, "--broker", &hub.places.broker, "--queues", hub.row.queues().name()];
    own.iter().chain(more).map(|text| (*text).to_owned()).chain(work.arguments()).collect()
}
