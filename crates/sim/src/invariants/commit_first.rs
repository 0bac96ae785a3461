//! Nothing is acknowledged, published or answered before the commit that it belongs to (H3, H4, H5).

use warren_broker::{ClientReply, Delivery, Inbound, Message, Publication, Text, decode_client_reply};
use warren_model::{Command, InboxMessage, InstanceId, MessageId, Partition, TaskEnded, Token};

use super::{Violation, events::is_pending, links::sent};
use crate::{
    broker::{Holder, Stored},
    client::{Ask, QUEUE},
    ledger::Open,
    time::Time,
    world::World,
};

/// A session, a worker or a client has published something: what a session says is committed.
pub(crate) fn published(world: &World, publication: &Publication, from: Option<Holder>) -> Result<(), Violation> {
    let Some(Holder::Session { .. }) = from else { return Ok(()) };
    let warren_broker::Address::Queue(queue) = &publication.to else { return Ok(()) };
    let fail = |text: String| {
        let message = crate::show::message(&publication.message);
        Err(Violation::new("commit first", format!("{message} is published, and {text}")))
    };
    let topology = world.hub.codec.topology();
    if queue == QUEUE {
        return match decode_client_reply(&delivery(queue, &publication.message)) {
            Ok((_, ClientReply::Answer(answer))) if !is_known(world, &answer.instance) => {
                fail(format!("there is no instance {}", answer.instance))
            }
            Ok((correlation, ClientReply::Answer(answer)))
                if !is_remembered(world, correlation.as_deref(), &answer.instance) =>
            {
                fail("its command is not committed".into())
            }
            Ok(_) | Err(_) => Ok(()),
        };
    }
    if topology.partition_of_control(queue).is_some() {
        let inbound = world.hub.codec.decode_control(&delivery(queue, &publication.message));
        if let Ok(Inbound::Partition { source, sequence, message }) = &inbound {
            let target = world.hub.codec.partitions().of(message.target());
            let committed = sent(world, *source, target);
            if *sequence > committed {
                return fail(format!("{source} has committed {committed} to {target}"));
            }
        }
        if let Ok(Inbound::Taken { by, up_to }) = &inbound {
            let source = topology.partition_of_control(queue).unwrap_or(*by);
            let committed = world.store.tables(*by).received.get(&source).copied().unwrap_or(0);
            if *up_to > committed {
                return fail(format!("{by} has committed {committed} from {source}"));
            }
        }
        return Ok(());
    }
    if queue.contains(".work.") && !is_scheduled(world, &publication.message) {
        return fail("no committed turn has asked for it".into());
    }
    Ok(())
}

/// Returns whether the command that is answered is committed: a start by its instance, another by its own row.
fn is_remembered(world: &World, correlation: Option<&str>, instance: &InstanceId) -> bool {
    let number = correlation.and_then(|text| text.strip_prefix('r')?.parse::<u64>().ok());
    let Some(number) = number else { return true };
    match world.clients.requests.get(&number).map(|request| &request.ask) {
        Some(
            Ask::Raise { .. } | Ask::Suspend { .. } | Ask::Resume { .. } | Ask::Terminate { .. } | Ask::Purge { .. },
        ) => {
            let id = MessageId::new(&format!("m{number}")).expect("a letter and digits are an id");
            world.store.home(instance).commands.contains_key(&id)
        }
        Some(Ask::Start { .. } | Ask::Wait { .. } | Ask::Redispatch { .. } | Ask::Nonsense { .. }) | None => true,
    }
}

fn is_scheduled(world: &World, message: &Message) -> bool {
    let token = message.correlation_id.as_deref().and_then(|text| text.parse::<Token>().ok());
    let execution = token.as_ref().and_then(|t| world.ledger.executions.get(&(t.instance.clone(), t.execution)));
    token.zip(execution).is_some_and(|(token, execution)| execution.tasks.contains(&(token.task, token.attempt)))
}

/// A delivery was acknowledged: all that it brought is safe.
pub(crate) fn acknowledged(world: &World, queue: &str, stored: &Stored) -> Result<(), Violation> {
    stored
        .messages()
        .into_iter()
        .try_for_each(|message| acknowledged_part(world, queue, &Stored { message, ..stored.clone() }))
}

fn acknowledged_part(world: &World, queue: &str, stored: &Stored) -> Result<(), Violation> {
    let fail = |text: &str| {
        let message = crate::show::message(&stored.message);
        Err(Violation::new("commit first", format!("{message} of {queue} is acknowledged, and {text}")))
    };
    let topology = world.hub.codec.topology();
    let has = |set: &std::collections::BTreeSet<Text>, id: &Option<Text>| id.as_ref().is_none_or(|id| set.contains(id));
    if let Some(partition) = topology.partition_of_control(queue) {
        let delivery = Delivery { routing_key: stored.routing_key.as_str().into(), ..delivery(queue, &stored.message) };
        return match world.hub.codec.decode_control(&delivery) {
            Ok(inbound) => match unsafe_yet(world, partition, &inbound, stored.published_at) {
                Some(why) => fail(why),
                None => Ok(()),
            },
            Err(_) if has(&world.ledger.forwarded, &stored.message.message_id) => Ok(()),
            Err(_) => fail("it makes no sense and is not in the dead queue"),
        };
    }
    if queue == topology.ingress_queue().name && !has(&world.ledger.forwarded, &stored.message.message_id) {
        return fail("it was not forwarded");
    }
    let token = &stored.message.correlation_id;
    let ledger = &world.ledger;
    let is_safe = [&ledger.replied, &ledger.dropped, &ledger.given_back].iter().any(|set| has(set, token));
    if queue.contains(".work.") && !is_safe {
        return fail("no reply has reached the broker, no owner has said to drop it, and it is not in its queue again");
    }
    Ok(())
}

/// Returns why a message of a control queue may not be forgotten yet.
fn unsafe_yet(world: &World, partition: Partition, inbound: &Inbound, since: Time) -> Option<&'static str> {
    let is_safe = match inbound {
        // Whoever asks for a redispatch asks until it is done, and a worker until it is answered.
        Inbound::Heartbeat(_)
        | Inbound::HandBack(_)
        | Inbound::Redispatch(_)
        | Inbound::Begin(_)
        | Inbound::Taken { .. } => true,
        Inbound::Partition { source, sequence, .. } => {
            let tables = world.store.tables(partition);
            let taken = tables.received.get(source).copied().unwrap_or(0);
            taken >= *sequence || tables.aside.contains_key(&(*source, *sequence))
        }
        Inbound::Reply { instance, ended } => is_reply_safe(world, instance, ended),
        Inbound::Command(envelope) => {
            let id = &envelope.instance;
            let tables = world.store.tables(partition);
            // Nobody may have seen the instance, or it may have ended, when the command was judged: then it was refused.
            let was_unseen = world.ledger.born.get(id).is_none_or(|born| *born >= since);
            let is_over = was_unseen || world.ledger.ended.contains_key(id);
            let is_known = tables.commands.contains_key(&envelope.id) || is_over;
            match &envelope.command {
                Command::Start(_) => exists(world, id) || world.ledger.purged.contains(id),
                Command::Raise { input, keep_unseen, .. } => {
                    let value = crate::ledger::number(input.as_str().as_bytes())?;
                    let is_kept = is_pending(world, id, value);
                    let raised = world.ledger.raised.get(&value);
                    let is_seen = raised.is_some_and(|raised| raised.is_dead || !raised.seen_in.is_empty());
                    is_kept || is_seen || (is_known && !keep_unseen)
                }
                Command::Terminate { .. }
                | Command::Suspend { .. }
                | Command::Resume { .. }
                | Command::Complete { .. }
                | Command::Purge { .. } => is_known,
                Command::Wait => true,
            }
        }
    };
    (!is_safe).then_some("what it asks for is not committed")
}

fn is_reply_safe(world: &World, instance: &InstanceId, ended: &TaskEnded) -> bool {
    let Some(execution) = world.ledger.executions.get(&(instance.clone(), ended.execution)) else { return true };
    let is_open = execution.open.get(&ended.task) == Some(&Open::Task { attempt: ended.attempt });
    let is_it = |message: &InboxMessage| {
        let InboxMessage::Task(held) = message else { return false };
        (held.execution, held.task, held.attempt) == (ended.execution, ended.task, ended.attempt)
    };
    execution.end.is_some()
        || !is_open
        || world.store.home(instance).pending_of(instance).any(|row| is_it(&row.message))
}

/// Returns whether the store holds an instance or a message for it.
fn is_known(world: &World, instance: &InstanceId) -> bool {
    let was_kept = world.ledger.raised.values().any(|raised| raised.instance == *instance && raised.is_dead);
    let was_there = exists(world, instance) || world.ledger.purged.contains(instance);
    was_there || was_kept || world.store.home(instance).pending_of(instance).next().is_some()
}

fn exists(world: &World, instance: &InstanceId) -> bool {
    world.store.home(instance).instances.contains_key(instance)
}

fn delivery(queue: &str, message: &Message) -> Delivery {
    Delivery { tag: 1, redelivered: false, routing_key: queue.into(), message: message.clone() }
}
