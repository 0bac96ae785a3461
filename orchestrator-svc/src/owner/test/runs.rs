//! Activities that run for long: leases, limits, cancellation, workers that hand back (H7).

use std::time::Duration;

use warren::{Activity, Context, Failure, Orchestrator, Registry, RetryPolicy, seconds};
use warren_broker::{
    Address, Beat, ClientReply, Delivery, Message, OwnerWord, Permit, WorkItem,
    codec::{begin, hand_back, heartbeat, reply},
    decode_owner_word, decode_work_item,
};
use warren_model::{Command, Event, Payload, Redispatch, RefusalCode, Status, Token, TurnRecord, code};
use warren_store::TaskNote;

use super::{
    super::*,
    world::{World, id, json},
};

const LEASE: Duration = Duration::from_secs(20);
const DIG: Activity<i64, i64> = Activity::new("dig");

async fn plain(ctx: Context, n: i64) -> Result<i64, Failure> {
    ctx.call(DIG, n).await
}

async fn limited(ctx: Context, n: i64) -> Result<i64, Failure> {
    let twice = RetryPolicy::times(2).first_delay(seconds(1)).jitter(0.0);
    ctx.activity(DIG).start_to_close(seconds(60)).heartbeat(seconds(10)).retry(twice).call(n).await
}

async fn hasty(ctx: Context, n: i64) -> Result<i64, Failure> {
    ctx.activity(DIG).schedule_to_start(seconds(30)).call(n).await
}

/// Waits for a minute, and gives the work up.
async fn impatient(ctx: Context, n: i64) -> Result<i64, Failure> {
    let digging = ctx.activity(DIG).cancel_when_dropped().call(n);
    ctx.timer(seconds(60)).await;
    drop(digging);
    ctx.event(warren::Event::<i64>::new("go")).await
}

fn world(orchestrator: &str) -> World {
    let registry = Registry::new()
        .orchestrator(Orchestrator::new("plain"), plain)
        .orchestrator(Orchestrator::new("limited"), limited)
        .orchestrator(Orchestrator::new("hasty"), hasty)
        .orchestrator(Orchestrator::new("impatient"), impatient);
    let mut world = World::with(registry, Settings { begins_max: 2, ..Settings::default() });
    world.has_workers = false;
    world.start("a", orchestrator, "1");
    world.settle();
    world
}

/// The work items that were published, in order.
fn items(world: &World) -> Vec<WorkItem> {
    let items = world.published.iter().filter(|it| it.message.kind.as_deref() == Some("dig"));
    items.map(|it| decode_work_item(&delivery(it.message.clone())).unwrap()).collect()
}

fn item(world: &World) -> WorkItem {
    items(world).pop().unwrap()
}

fn delivery(message: Message) -> Delivery {
    Delivery { tag: 1, redelivered: false, routing_key: "t.work.dig".into(), message }
}

fn hear(world: &mut World, item: &WorkItem, beat: &Beat) {
    hear_from(world, "w-1", item, beat);
}

fn hear_from(world: &mut World, worker: &str, item: &WorkItem, beat: &Beat) {
    let mut message = heartbeat(item, worker, beat, None).message;
    message.reply_to = Some(worker.into());
    world.queue.push_back((message, false));
    world.settle();
}

fn alive() -> Beat {
    Beat { lease: Some(LEASE), is_workers: true, ..Beat::default() }
}

fn at(progress: &str) -> Beat {
    Beat { lease: Some(LEASE), progress: Some(json(progress)), ..Beat::default() }
}

fn ask(world: &mut World, item: &WorkItem, question: &str) -> Permit {
    let mut message = begin(item, question, "w-2", false).message;
    message.reply_to = Some("w-2".into());
    world.queue.push_back((message, false));
    world.settle();
    let said = words(world, "w-2").pop();
    let Some(OwnerWord::Permit { permit, .. }) = said else { panic!("{said:?}") };
    permit
}

/// What a worker was told.
fn words(world: &World, worker: &str) -> Vec<OwnerWord> {
    let told = world.published.iter().filter(|it| it.to == Address::Queue(worker.into()));
    told.map(|it| decode_owner_word(&delivery(it.message.clone())).unwrap()).collect()
}

fn held(item: &WorkItem) -> OwnerWord {
    OwnerWord::Held { token: item.token.clone(), id: None }
}

fn cancel(item: &WorkItem) -> OwnerWord {
    OwnerWord::Cancel { token: item.token.clone() }
}

fn note(world: &World) -> Option<&TaskNote> {
    world.shelf.task_notes.values().next()
}

fn events(world: &World) -> Vec<Event> {
    let turns = world.shelf.turns.values().map(|row| serde_json::from_str::<TurnRecord>(&row.body).unwrap());
    turns.flat_map(|turn| turn.events).collect()
}

fn failures(world: &World) -> Vec<Failure> {
    let failed = |event| if let Event::TaskFailed { failure, .. } = event { Some(failure) } else { None };
    events(world).into_iter().filter_map(failed).collect()
}

#[test]
fn h7_a_worker_hears_that_it_holds_a_task_once_that_is_written_down() {
    let mut world = world("plain");
    let item = item(&world);
    let mut message = heartbeat(&item, "w-1", &at("1"), None).message;
    message.reply_to = Some("w-1".into());
    world.queue.push_back((message, false));
    world.deliver();
    while !world.effects.iter().any(|effect| matches!(effect, Effect::Commit(_))) {
        assert!(world.act());
    }
    assert!(words(&world, "w-1").is_empty());
    world.settle();
    assert_eq!(words(&world, "w-1"), [held(&item)]);
    let run = note(&world).unwrap().run.clone().unwrap();
    assert_eq!((run.worker.as_str(), run.lease_ms), ("w-1", Some(20_000)));
    let commits = world.shelf.number;
    for _ in 0..4 {
        world.wait(15);
        hear(&mut world, &item, &alive());
    }
    assert_eq!(world.shelf.number, commits, "no news, no commit");
    assert_eq!((words(&world, "w-1").len(), items(&world).len()), (5, 1), "it is believed and answered");
    world.queue.push_back((reply(&item, &Ok(json("2")), "w-1").message, false));
    world.settle();
    assert_eq!((world.record("a").status, note(&world)), (Status::Completed, None));
    assert_eq!(words(&world, "w-1").len(), 5, "whoever has replied need not be told to stop");
}

#[test]
fn h7_the_task_of_a_silent_worker_is_sent_again_with_its_progress_and_counted() {
    let mut world = world("plain");
    let first = item(&world);
    for round in 1..=2 {
        hear(&mut world, &first, &at(&format!("{{\"rows\":{round}}}")));
        world.wait(19);
        assert_eq!(items(&world).len(), round);
        world.wait(2);
        let again = item(&world);
        assert_eq!((items(&world).len(), &again.token), (round + 1, &first.token));
        assert_eq!(again.progress, Some(json(&format!("{{\"rows\":{round}}}"))));
        let note = note(&world).unwrap();
        assert_eq!((note.count, note.run.as_ref()), (u32::try_from(round).unwrap(), None));
    }
    hear(&mut world, &first, &alive());
    world.wait(21);
    assert_eq!(items(&world).len(), 3, "H18: it has taken too many workers down");
    assert!(note(&world).unwrap().quarantine.is_some());
}

/// Whoever follows an owner can't know when it heard of a worker last.
#[test]
fn h7_a_run_has_its_whole_lease_under_the_next_owner() {
    let mut world = world("plain");
    let first = item(&world);
    hear(&mut world, &first, &alive());
    world.wait(15);
    world.crash();
    world.settle();
    world.wait(15);
    assert_eq!(items(&world).len(), 1);
    hear(&mut world, &first, &alive());
    assert_eq!(words(&world, "w-1").last(), Some(&held(&first)));
    world.wait(15);
    assert_eq!(items(&world).len(), 1);
    world.wait(6);
    assert_eq!(items(&world).len(), 2);
}

#[test]
fn h7_what_is_delivered_again_is_dropped_if_its_worker_lives_and_begun_if_it_does_not() {
    for lives in [true, false] {
        let mut world = world("plain");
        let item = item(&world);
        hear(&mut world, &item, &alive());
        world.wait(2);
        assert_eq!(ask(&mut world, &item, "q1"), Permit::Wait);
        world.wait(1);
        if lives {
            hear(&mut world, &item, &alive());
            assert_eq!(ask(&mut world, &item, "q1"), Permit::Drop);
        } else {
            assert_eq!(ask(&mut world, &item, "q1"), Permit::Wait);
            world.wait(2);
            assert_eq!(ask(&mut world, &item, "q1"), Permit::Go);
            assert_eq!(note(&world).map(|note| (note.count, note.run.is_some())), Some((1, false)));
        }
    }
}

/// A task that runs, and a redispatch that passes over it.
fn passed_over() -> (World, WorkItem) {
    let mut world = world("plain");
    let item = item(&world);
    hear(&mut world, &item, &alive());
    world.redispatch("r", Redispatch::default());
    world.settle();
    (world, item)
}

/// A copy that a redispatch sends would not come as one that is delivered again.
#[test]
fn h8_a_redispatch_passes_over_what_runs() {
    let mut world = world("plain");
    let item = item(&world);
    hear(&mut world, &item, &alive());
    world.redispatch("r", Redispatch { queue: None, older_than_seconds: 0, instance: None });
    world.settle();
    assert_eq!(items(&world).len(), 1);
}

/// A queue was purged, and what was sent again left out what ran: nobody else has a copy once its worker is given up.
#[test]
fn h5_what_a_redispatch_passed_over_is_sent_again_once_its_worker_is_given_up() {
    let (mut world, item) = passed_over();
    assert_eq!(items(&world).len(), 1);
    assert_eq!(ask(&mut world, &item, "q1"), Permit::Wait);
    world.wait(4);
    assert_eq!(ask(&mut world, &item, "q1"), Permit::Drop, "by who may have lost it as well");
    world.wait(1);
    assert_eq!(items(&world).iter().map(|item| &*item.token).collect::<Vec<_>>(), [&*item.token, &*item.token]);
    assert_eq!(ask(&mut world, &item, "q2"), Permit::Alone, "it is nobody's now, and counted");
}

/// Found by the simulation: a worker thaws after its channel was closed, and hands back what it no longer holds.
#[test]
fn h5_what_a_redispatch_passed_over_is_sent_again_once_it_is_handed_back() {
    let (mut world, item) = passed_over();
    world.queue.push_back((hand_back(&item, "w-1", false, None).message, false));
    world.settle();
    world.wait(1);
    assert_eq!(items(&world).iter().map(|item| &*item.token).collect::<Vec<_>>(), [&*item.token, &*item.token]);
    assert_eq!(note(&world).map(|note| (note.count, note.run.is_some())), Some((0, false)));
}

#[test]
fn a_worker_is_told_when_nobody_waits_any_more() {
    let mut world = world("plain");
    let item = item(&world);
    hear(&mut world, &item, &alive());
    world.send("a", "stop", Command::Terminate { reason: None, recursive: false });
    world.settle();
    assert_eq!(words(&world, "w-1"), [held(&item), cancel(&item)]);
    assert_eq!(note(&world), None);
    hear(&mut world, &item, &alive());
    assert_eq!(words(&world, "w-1").last(), Some(&cancel(&item)), "should the first word be lost");
}

#[test]
fn an_orchestrator_gives_an_activity_up() {
    let mut world = world("impatient");
    let item = item(&world);
    hear(&mut world, &item, &Beat { lease: Some(Duration::from_secs(100)), ..Beat::default() });
    world.wait(61);
    assert_eq!(words(&world, "w-1").last(), Some(&cancel(&item)));
    assert_eq!((world.record("a").status, note(&world)), (Status::Running, None));
    world.queue.push_back((reply(&item, &Ok(json("2")), "w-1").message, false));
    world.settle();
    assert!(!events(&world).iter().any(|event| matches!(event, Event::TaskCompleted { .. })));
}

#[test]
fn a_run_that_says_nothing_fails_and_the_next_attempt_knows_how_far_it_came() {
    let mut world = world("limited");
    let first = item(&world);
    assert_eq!((first.timeouts.start_to_close_ms, first.timeouts.heartbeat_ms), (Some(60_000), Some(10_000)));
    hear(&mut world, &first, &at("7"));
    world.wait(9);
    hear(&mut world, &first, &alive());
    assert_eq!(failures(&world), []);
    world.wait(2);
    let failed = failures(&world).pop().unwrap();
    assert_eq!((failed.code.as_str(), failed.retryable, failed.progress), (code::HEARTBEAT, true, Some(json("7"))));
    assert_eq!(failed.message, "activity dig on w-1 has said nothing for 10000 ms");
    assert_eq!(words(&world, "w-1").last(), Some(&cancel(&first)));
    world.wait(2);
    let second = item(&world);
    assert_eq!((second.attempt, second.progress), (2, Some(json("7"))));
}

#[test]
fn a_run_that_takes_too_long_fails() {
    let mut world = world("limited");
    let first = item(&world);
    for _ in 0..7 {
        hear(&mut world, &first, &at("1"));
        world.wait(9);
    }
    assert_eq!(failures(&world)[0].code, code::START_TO_CLOSE);
    assert_eq!(words(&world, "w-1").last(), Some(&cancel(&first)));
    world.crash();
    world.settle();
    assert_eq!(failures(&world).len(), 1);
}

#[test]
fn a_task_that_nobody_begins_in_time_fails_and_one_that_runs_does_not() {
    for begins in [true, false] {
        let mut world = world("hasty");
        let item = item(&world);
        if begins {
            hear(&mut world, &item, &Beat { lease: Some(Duration::from_secs(100)), ..Beat::default() });
        }
        world.crash();
        world.settle();
        world.wait(31);
        if begins {
            assert_eq!((world.record("a").status, world.shelf.timers.len()), (Status::Running, 0));
            world.queue.push_back((reply(&item, &Ok(json("2")), "w-1").message, false));
            world.settle();
            assert_eq!(world.record("a").status, Status::Completed);
        } else {
            let Err(failure) = world.outcome("a") else { panic!("it does not fail") };
            assert_eq!((failure.code.as_str(), failure.retryable), (code::SCHEDULE_TO_START, false));
        }
    }
}

#[test]
fn h8_what_a_worker_that_stops_hands_back_is_sent_again_at_once_and_counts_for_nothing() {
    let mut world = world("plain");
    let first = item(&world);
    for round in 1..=4 {
        hear(&mut world, &first, &alive());
        let message = hand_back(&first, "w-1", true, Some(&json("5"))).message;
        world.queue.push_back((message, false));
        world.settle();
        world.wait(1);
        assert_eq!((items(&world).len(), item(&world).progress), (round + 1, Some(json("5"))));
    }
    assert_eq!(note(&world).map(|note| (note.count, note.run.is_some())), Some((0, false)));
    world.crash();
    world.settle();
    assert_eq!(item(&world).progress, Some(json("5")), "what may not have been published");
    let sent = items(&world).len();
    // What is not acknowledged yet comes again by the broker.
    hear(&mut world, &first, &alive());
    world.queue.push_back((hand_back(&first, "w-1", false, None).message, false));
    world.settle();
    world.wait(30);
    assert_eq!(items(&world).len(), sent);
    assert_eq!(ask(&mut world, &first, "q1"), Permit::Go);
    assert_eq!(note(&world).map(|note| note.count), Some(0));
}

/// H7: a work item that was published twice runs twice. One that gives it back leaves it to the other, which may have
/// acknowledged its own: only its lease says then that the task is under way.
#[test]
fn h7_what_one_of_two_workers_hands_back_is_left_to_the_other() {
    for (leaves, must_resend) in [("w-1", false), ("w-2", false), ("w-1", true), ("w-2", true)] {
        let mut world = world("plain");
        let item = item(&world);
        ["w-1", "w-2", "w-1"].into_iter().for_each(|worker| hear_from(&mut world, worker, &item, &alive()));
        world.queue.push_back((hand_back(&item, leaves, must_resend, None).message, false));
        world.settle();
        world.crash();
        world.settle();
        let stays = if leaves == "w-1" { "w-2" } else { "w-1" };
        let run = note(&world).and_then(|note| note.run.clone()).unwrap();
        assert_eq!((&*run.worker, &run.beside, items(&world).len()), (stays, &None, 1));
        world.wait(30);
        assert_eq!(items(&world).len(), 2, "the other is silent for longer than its lease");
        hear_from(&mut world, stays, &item, &alive());
        world.queue.push_back((hand_back(&item, stays, true, None).message, false));
        world.settle();
        world.wait(1);
        assert_eq!(items(&world).len(), 3, "nobody is left");
    }
}

#[test]
fn what_something_else_completes_has_no_worker_to_be_silent() {
    let mut world = world("plain");
    let item = item(&world);
    hear(&mut world, &item, &Beat { is_handed_over: true, ..alive() });
    assert_eq!(words(&world, "w-1"), [held(&item)]);
    world.wait(3_600);
    world.crash();
    world.settle();
    world.wait(3_600);
    assert_eq!(items(&world).len(), 1);
    assert_eq!(ask(&mut world, &item, "q1"), Permit::Drop);
    world.queue.push_back((reply(&item, &Ok(json("2")), "somebody").message, false));
    world.settle();
    assert_eq!((world.record("a").status, note(&world)), (Status::Completed, None));
}

#[test]
fn a_client_completes_a_task_by_its_token_once_and_is_told_when_nobody_waits() {
    let mut world = world("plain");
    let item = item(&world);
    hear(&mut world, &item, &Beat { is_handed_over: true, ..alive() });
    let token: Token = item.token.parse().unwrap();
    let complete = || Command::Complete { token: token.clone(), outcome: Ok(json("2")) };
    for id in ["c1", "c1", "c2"] {
        world.send("a", id, complete());
        world.settle();
    }
    assert_eq!((world.record("a").status, note(&world)), (Status::Completed, None));
    assert_eq!(*world.outcome("a"), Ok(json("2")));
    let [ClientReply::Answer(first), ClientReply::Answer(again)] = world.told("c1")[..] else {
        panic!("{:?}", world.told("c1"))
    };
    assert_eq!(first, again, "H1: a duplicate gets the first answer");
    let [ClientReply::Refused(refusal)] = world.told("c2")[..] else { panic!("{:?}", world.told("c2")) };
    assert_eq!(
        (refusal.code, refusal.message.as_str()),
        (RefusalCode::Gone, "nobody waits for task 1 of instance a any more")
    );
}

#[test]
fn progress_that_no_header_holds_is_not_kept() {
    let mut world = world("plain");
    let item = item(&world);
    hear(&mut world, &item, &at("1"));
    hear(&mut world, &item, &Beat { progress: Payload::of(&"x".repeat(100_000)).ok(), ..alive() });
    assert_eq!(note(&world).and_then(|note| note.progress.clone()), Some(json("1")));
    assert_eq!(id("a"), note(&world).unwrap().instance);
}
