//! The load: as many instances under way as was asked for, until the faults are through and enough have been started.

use std::time::Duration;

use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use super::watch::Watch;
use crate::{
    clients::Clients,
    plan::{Script, Sent, Way, script},
};

/// How often the load is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// Most that are started at a time.
const BURST: u64 = 20;
/// Most starts that wait for their answer: a fleet that answers nobody is not asked for ever more.
const UNANSWERED_MAX: u64 = 300;

/// What load there is to be.
pub(crate) struct Load {
    /// Names the run.
    pub(crate) run: String,
    /// Its seed.
    pub(crate) seed: u64,
    /// At least so many instances in all.
    pub(crate) instances: u32,
    /// So many under way.
    pub(crate) in_flight: u64,
}

impl Load {
    /// Starts instances until enough are started and `is_over` says so; then waits until every client is answered.
    pub(crate) async fn run(self, clients: Clients, watch: Watch, is_over: watch::Receiver<bool>) {
        let mut busy = JoinSet::new();
        let mut number = 0;
        while number < self.instances || !*is_over.borrow() {
            let asked = u64::from(number);
            let known = watch.under_way() + watch.ended();
            let wanted = self.in_flight.saturating_sub(watch.under_way() + asked.saturating_sub(known));
            let allowed = UNANSWERED_MAX.saturating_sub(asked.saturating_sub(known));
            for _ in 0..wanted.min(allowed).min(BURST) {
                let script = script(&self.run, self.seed, number);
                clients.notes.case(&script.case);
                busy.spawn(play(clients.clone(), script));
                number += 1;
            }
            while busy.try_join_next().is_some() {}
            sleep(LOOK).await;
        }
        while busy.join_next().await.is_some() {}
    }
}

/// Plays one script: early events, the start and its repetitions, the other events and theirs, each in its time.
async fn play(clients: Clients, script: Script) {
    for event in script.events.iter().filter(|event| event.is_early) {
        if let Some(id) = &script.case.instance {
            clients.notes.event();
            clients.send(id, event, Way::Ingress, true).await;
        }
    }
    let (_, first) = script.starts[0];
    let instance = clients.start(&script, first, true).await;
    let since = Instant::now();
    let starts = async {
        for (after, way) in &script.starts[1..] {
            sleep_until(since + *after).await;
            clients.notes.duplicate();
            clients.start(&script, *way, false).await;
        }
    };
    let events = async {
        if let Some(instance) = &instance {
            let sent = script.events.iter().map(|event| send(&clients, instance, event, (first, since)));
            futures_util::future::join_all(sent).await;
        }
    };
    let commands = async {
        if let Some(instance) = &instance {
            command(&clients, instance, &script.commands, (first, since)).await;
        }
    };
    let wait = async {
        if let Some(instance) = instance.as_ref().filter(|_| script.waits) {
            clients.wait(&script, instance).await;
        }
    };
    tokio::join!(starts, events, commands, wait);
}

/// Sends commands, each after the one before was answered; then those again that are sent twice.
async fn command(clients: &Clients, instance: &str, commands: &[Sent], (first, since): (Way, Instant)) {
    for command in commands {
        let (after, way) = command.sendings[0];
        sleep_until(since + after).await;
        clients.send(instance, command, way, first == Way::Ingress).await;
    }
    for command in commands {
        for (after, way) in &command.sendings[1..] {
            sleep_until(since + *after).await;
            clients.notes.duplicate();
            clients.send(instance, command, *way, false).await;
        }
    }
}

async fn send(clients: &Clients, instance: &str, event: &Sent, (first, since): (Way, Instant)) {
    // An early event has been sent once: what follows are its repetitions.
    let skip = usize::from(event.is_early);
    for (number, (after, way)) in event.sendings.iter().enumerate().skip(skip) {
        sleep_until(since + *after).await;
        match number {
            0 => clients.notes.event(),
            _ => clients.notes.duplicate(),
        }
        // A start by AMQP is confirmed by the broker, not by the owner: its instance may not be there yet.
        clients.send(instance, event, *way, first == Way::Ingress).await;
    }
}
