//! Orchestrations made up by chance: a plan is carried out by an orchestrator, and reckoned here.

use std::{pin::Pin, time::Duration};

use serde::{Deserialize, Serialize};
use warren::{ClosePolicy, Context, Failure, First, RetryPolicy, Second, all, hours, race, seconds, settled};

use super::contract::{DOUBLE, FAIL, FLAKY, NAMED, PLANNED};
use crate::random::Random;

/// What an orchestration does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Plan {
    Double(i64),
    Flaky {
        fails: u32,
        value: i64,
    },
    Sleep {
        millis: u64,
        value: i64,
    },
    /// Waits for an event that a client sends.
    Event {
        which: usize,
        value: i64,
    },
    Status(i64),
    Fails,
    Seq(Vec<Plan>),
    All(Vec<Plan>),
    /// Counts those that go well.
    Settled(Vec<Plan>),
    /// Against a timer that never fires.
    Raced(Box<Plan>),
    Child(Box<Plan>),
    /// Has a child do it and does not wait for it.
    Left {
        plan: Box<Plan>,
        is_abandoned: bool,
    },
    /// In the next execution.
    Again(Box<Plan>),
}

/// Carries out a plan.
pub(crate) async fn planned(ctx: Context, plan: Plan) -> Result<i64, Failure> {
    if let Plan::Again(next) = plan {
        ctx.call(DOUBLE, 0).await?;
        return ctx.continue_as_new(*next);
    }
    run(ctx, plan).await
}

fn run(ctx: Context, plan: Plan) -> Pin<Box<dyn Future<Output = Result<i64, Failure>>>> {
    Box::pin(async move {
        match plan {
            Plan::Double(n) => ctx.call(DOUBLE, n).await,
            Plan::Flaky { fails, value } => {
                let policy = RetryPolicy::times(4).first_delay(Duration::from_millis(100)).longest_delay(seconds(1));
                ctx.activity(FLAKY).retry(policy).call((fails, value)).await
            }
            Plan::Sleep { millis, value } => {
                ctx.timer(Duration::from_millis(millis)).await;
                Ok(value)
            }
            Plan::Event { which, .. } => ctx.event(NAMED[which]).await,
            Plan::Status(value) => ctx.set_custom_status(&value).map(|()| value),
            Plan::Fails => ctx.call(FAIL, 0).await,
            Plan::Seq(plans) => {
                let mut sum = 0;
                for plan in plans {
                    sum += run(ctx.clone(), plan).await?;
                }
                Ok(sum)
            }
            Plan::All(plans) => Ok(all(plans.into_iter().map(|plan| run(ctx.clone(), plan))).await?.iter().sum()),
            Plan::Settled(plans) => {
                let ended = settled(plans.into_iter().map(|plan| run(ctx.clone(), plan))).await;
                Ok(i64::try_from(ended.iter().filter(|one| one.is_ok()).count())?)
            }
            Plan::Raced(plan) => match race(run(ctx.clone(), *plan), ctx.timer(hours(3))).await {
                First(ended) => ended,
                Second(()) => Err(Failure::permanent("late", "three hours have passed")),
            },
            Plan::Child(plan) => ctx.orchestrator(PLANNED).call(*plan).await,
            Plan::Left { plan, is_abandoned } => {
                let close = if is_abandoned { ClosePolicy::Abandon } else { ClosePolicy::Terminate };
                let _left = ctx.orchestrator(PLANNED).on_close(close).call(*plan);
                Ok(0)
            }
            Plan::Again(plan) => run(ctx, *plan).await,
        }
    })
}

impl Plan {
    /// Returns what the plan comes to; `None` if it fails.
    pub(crate) fn reckon(&self) -> Option<i64> {
        match self {
            Self::Double(n) => Some(2 * n),
            Self::Flaky { fails, value } => (*fails < 4).then_some(*value),
            Self::Sleep { value, .. } | Self::Event { value, .. } | Self::Status(value) => Some(*value),
            Self::Left { .. } => Some(0),
            Self::Fails => None,
            Self::Seq(plans) | Self::All(plans) => plans.iter().map(Self::reckon).sum(),
            Self::Settled(plans) => i64::try_from(plans.iter().filter(|plan| plan.reckon().is_some()).count()).ok(),
            Self::Raced(plan) | Self::Child(plan) | Self::Again(plan) => plan.reckon(),
        }
    }

    /// Returns the events that it waits for.
    pub(crate) fn events(&self) -> Vec<(usize, i64)> {
        match self {
            Self::Event { which, value } => vec![(*which, *value)],
            Self::Seq(plans) | Self::All(plans) | Self::Settled(plans) => plans.iter().flat_map(Self::events).collect(),
            Self::Raced(plan) | Self::Child(plan) | Self::Again(plan) => plan.events(),
            Self::Double(_)
            | Self::Flaky { .. }
            | Self::Sleep { .. }
            | Self::Status(_)
            | Self::Fails
            | Self::Left { .. } => Vec::new(),
        }
    }

    /// Makes up a plan; `values` gives each event its number.
    pub(crate) fn draw(random: &mut Random, values: &mut i64) -> Self {
        let mut drawing = Drawing { random, values, events: 0 };
        let mut plan = drawing.plan(3, true);
        for _ in 0..drawing.random.below(3) {
            plan = Self::Again(Box::new(plan));
        }
        plan
    }
}

struct Drawing<'a> {
    random: &'a mut Random,
    values: &'a mut i64,
    events: usize,
}

impl Drawing<'_> {
    fn plan(&mut self, depth: u32, has_events: bool) -> Plan {
        let small = i64::try_from(self.random.below(50)).unwrap_or(0);
        match self.random.below(if depth == 0 { 7 } else { 15 }) {
            0..2 => Plan::Double(small),
            2 => Plan::Flaky { fails: u32::try_from(self.random.below(5)).unwrap_or(0), value: small },
            3 => Plan::Sleep { millis: self.random.below(1_500), value: small },
            4 if has_events && self.events < NAMED.len() => {
                self.events += 1;
                *self.values += 1;
                Plan::Event { which: self.events - 1, value: *self.values }
            }
            4 | 5 => Plan::Status(small),
            6 => {
                if self.random.one_in(3) {
                    Plan::Fails
                } else {
                    Plan::Double(small)
                }
            }
            7..9 => Plan::Seq(self.plans(depth, has_events)),
            9 => Plan::All(self.plans(depth, has_events)),
            10 => Plan::Settled(self.plans(depth, has_events)),
            11 => Plan::Left { plan: Box::new(self.plan(depth - 1, false)), is_abandoned: self.random.one_in(2) },
            12 => Plan::Raced(Box::new(self.plan(depth - 1, has_events))),
            _ => Plan::Child(Box::new(self.plan(depth - 1, false))),
        }
    }

    fn plans(&mut self, depth: u32, has_events: bool) -> Vec<Plan> {
        (0..self.random.between(1, 3)).map(|_| self.plan(depth - 1, has_events)).collect()
    }
}
