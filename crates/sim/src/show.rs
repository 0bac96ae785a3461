//! Inputs and effects of owners in one line, for the trace.

use orchestrator_svc::owner::{Effect, Input};
use warren_broker::{Delivery, Publication, Published};

pub(crate) fn input(input: &Input) -> String {
    match input {
        Input::Delivered(deliveries) => {
            let list: Vec<String> = deliveries.iter().map(delivery).collect();
            format!("delivered {}", list.join(", "))
        }
        Input::Loaded(loaded) => {
            let ids: Vec<&str> = loaded.instances.iter().map(|instance| instance.id.as_str()).collect();
            format!("loaded {}; {} commands", ids.join(" "), loaded.commands.len())
        }
        Input::Turns { number, rows } => format!("{} turns of commit {number}", rows.len()),
        Input::Timers(rows) => format!("{} timers", rows.len()),
        Input::Expired(expired) => format!("{} expired", expired.pending.len()),
        Input::Swept { swept, .. } => format!("swept {} instances", swept.instances.len()),
        Input::Committed(number) => format!("committed {number}"),
        Input::Published { ticket, results } => {
            let confirmed = results.iter().filter(|result| **result == Published::Confirmed).count();
            format!("published {ticket:?}: {confirmed} of {} confirmed", results.len())
        }
        Input::Tick => "tick".into(),
        Input::Drain => "drain".into(),
    }
}

pub(crate) fn effect(effect: &Effect) -> String {
    match effect {
        Effect::Load(load) => {
            let ids: Vec<&str> = load.instances.iter().map(warren_model::InstanceId::as_str).collect();
            format!("load {}; {} commands", ids.join(" "), load.commands.len())
        }
        Effect::ReadTurns { number, keys } => format!("{} turns of commit {number}", keys.len()),
        Effect::ReadTimers { until, .. } => format!("timers until {until}"),
        Effect::Expire { .. } => "what has expired".into(),
        Effect::Sweep(sweep) => format!("{sweep:?}"),
        Effect::Commit(commit) => format!("commit {}", commit.number),
        Effect::Publish { ticket, batch } => {
            let list: Vec<String> = batch.iter().map(publication).collect();
            format!("publish {ticket:?}: {}", list.join(", "))
        }
        Effect::Ack(tag) => format!("ack {tag}"),
        Effect::Trace(spans) => format!("{} spans", spans.len()),
        Effect::Drained => "its end, drained".into(),
    }
}

fn delivery(delivery: &Delivery) -> String {
    let again = if delivery.redelivered { " again" } else { "" };
    format!("{}: {}{again}", delivery.tag, message(&delivery.message))
}

fn publication(publication: &Publication) -> String {
    message(&publication.message)
}

/// Returns a message's type and id.
pub(crate) fn message(message: &warren_broker::Message) -> String {
    let (kind, id) = (message.kind.as_deref().unwrap_or("-"), message.message_id.as_deref().unwrap_or("-"));
    format!("{kind} {id}")
}
