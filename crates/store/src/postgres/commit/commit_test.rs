use std::time::{Duration, Instant};

use tokio::{spawn, task::yield_now, time::timeout};
use warren_model::{ActionId, MessageId, Timestamp};

use super::*;
use crate::{
    Epoch, OutboxRow, Progress, Store, TimerRow, TurnKey, TurnRow,
    postgres::{
        Postgres,
        pool::{Use, pool},
        testing::{DEADLINE, FIRST, P0, Place, empty, id, process, record, spec, take, waiting_for},
        url::Address,
    },
};

fn turn(body: &str) -> TurnRow {
    let key = TurnKey { instance: id(), execution: FIRST, turn: 0 };
    TurnRow { key, body: body.into(), progress: Progress::of(&record("checkout")) }
}

fn timer() -> TimerRow {
    TimerRow { instance: id(), execution: FIRST, id: ActionId(1), fire_at: Timestamp::UNIX_EPOCH }
}

/// A batch of one statement, and one of two: it adds a timer where it removes one.
fn batches(epoch: Epoch) -> [Commit; 2] {
    let mut one = empty(epoch, 1);
    one.turns.push(turn("{}"));
    let mut two = one.clone();
    two.timers.push(timer());
    two.timers_clear.push(id());
    assert!(Flight::of(from_ref(&one)).unwrap().then.is_none() && Flight::of(from_ref(&two)).unwrap().then.is_some());
    [one, two]
}

#[test]
fn a_small_batch_has_the_same_text_each_time_and_a_value_for_each_of_its_places() {
    for rows in 0..1_u8 << ROWS {
        let has = |bit: u8| rows & 1 << bit != 0;
        let mut commit = empty(Epoch(1), 2);
        commit.instances.extend(has(0).then(|| record("checkout")));
        commit.turns.extend(has(1).then(|| turn("{}")));
        commit.outbox.extend(has(2).then(|| OutboxRow { number: 2, entries: vec![] }));
        commit.outbox_done.extend(has(3).then_some(1));
        commit.fresh.extend(has(4).then(|| (id(), MessageId::new("m").unwrap())));
        let is_small = small(from_ref(&commit)).is_some();
        assert_eq!(is_small, has(0) || !has(4), "what is new has a row");
        if is_small {
            let new = written_small(&commit, None).unwrap();
            let places = (1..).take_while(|at| new.sql().contains(&format!("${at}"))).count();
            for _ in 0..2 {
                let Flight { first, .. } = Flight::of_small(&commit).unwrap();
                assert_eq!((first.sql(), first.values().len()), (new.sql(), places));
            }
        }
    }
}

/// When a turn that was added is to be committed.
const AT_COMMIT: &str = "CONSTRAINT TRIGGER hold AFTER INSERT ON history DEFERRABLE INITIALLY DEFERRED FOR EACH ROW";

/// Has a transaction wait, where the trigger says, for whoever has locked the hub's row.
async fn hold(sql: &tokio_postgres::Client, trigger: &str) {
    let function = "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN PERFORM FROM hub FOR UPDATE; RETURN NULL; END'";
    sql.batch_execute(&format!("{function}; CREATE {trigger} EXECUTE FUNCTION hold()")).await.unwrap();
}

async fn number(store: &Postgres, epoch: Epoch) -> u64 {
    store.partition(P0, epoch).await.unwrap().number
}

#[tokio::test]
async fn h2_a_takeover_waits_until_an_open_commit_has_ended() {
    for which in 0..2 {
        let place = Place::new();
        let (old, epoch) = place.owned().await;
        let new = Postgres::open(&place.url(), &spec()).await.unwrap();
        // Holds the commit up where it has its number, and its turn is to be added.
        let mut sql = place.sql().await;
        let holder = process(&sql).await;
        hold(&sql, AT_COMMIT).await;
        let transaction = sql.transaction().await.unwrap();
        transaction.execute("SELECT FROM hub FOR UPDATE", &[]).await.unwrap();
        let commit = batches(epoch)[which].clone();
        let committing = spawn(async move { old.commit(commit).await });
        let watch = place.sql().await;
        let committer = waiting_for(&watch, holder).await;
        let taking = spawn(async move { (take(&new).await, new) });
        waiting_for(&watch, committer).await;
        assert!(!taking.is_finished());
        transaction.rollback().await.unwrap();
        committing.await.unwrap().unwrap();
        let (epoch, new) = timeout(DEADLINE, taking).await.unwrap().unwrap();
        assert_eq!((epoch, number(&new, epoch).await), (Epoch(2), 1));
    }
}

#[tokio::test]
async fn h2_a_commit_waits_for_an_open_takeover_and_is_fenced() {
    for which in 0..2 {
        let place = Place::new();
        let (old, epoch) = place.owned().await;
        let mut sql = place.sql().await;
        let holder = process(&sql).await;
        let transaction = sql.transaction().await.unwrap();
        transaction.execute("UPDATE lease SET epoch = epoch + 1, counter = counter + 1", &[]).await.unwrap();
        transaction.execute("UPDATE progress SET epoch = epoch + 1", &[]).await.unwrap();
        let commit = batches(epoch)[which].clone();
        let committing = spawn(async move { old.commit(commit).await });
        waiting_for(&place.sql().await, holder).await;
        transaction.commit().await.unwrap();
        let fenced = committing.await.unwrap();
        assert!(matches!(fenced, Err(Error::Fenced { epoch: 1, .. })), "{fenced:?}");
        let written = "SELECT (SELECT count(*) FROM history) + (SELECT sum(number)::bigint FROM progress)";
        assert_eq!(sql.query_one(written, &[]).await.unwrap().get::<_, i64>(0), 0);
    }
}

/// H1: what it removes is what was handled, and would be handled again.
#[tokio::test]
async fn a_batch_whose_number_follows_too_late_is_not_written_by_half() {
    let place = Place::new();
    let (store, epoch) = place.owned().await;
    // The one before it is on its way still, by another connection.
    let mut before = place.sql().await;
    let first = before.transaction().await.unwrap();
    first.execute("UPDATE progress SET number = 1", &[]).await.unwrap();
    // Holds it up between its statements, where the first has found that its number does not follow.
    let holder = place.sql().await;
    hold(&holder, "TRIGGER hold AFTER DELETE ON timer FOR EACH STATEMENT").await;
    holder.batch_execute("BEGIN; SELECT FROM hub FOR UPDATE").await.unwrap();
    let [_, two] = batches(epoch);
    let committing = {
        let store = store.clone();
        spawn(async move { store.commit(Commit { number: 2, ..two }).await })
    };
    waiting_for(&place.sql().await, process(&holder).await).await;
    first.commit().await.unwrap();
    holder.batch_execute("ROLLBACK").await.unwrap();
    let late = timeout(DEADLINE, committing).await.unwrap().unwrap();
    assert!(matches!(late, Err(Error::OutOfTurn { number: 2, last: 0, .. })), "{late:?}");
    assert_eq!(number(&store, epoch).await, 1);
    let turns = holder.query_one("SELECT count(*) FROM history", &[]).await.unwrap();
    assert_eq!(turns.get::<_, i64>(0), 0);
}

#[tokio::test]
async fn a_renewal_does_not_wait_for_an_open_commit() {
    let place = Place::new();
    let (store, epoch) = place.owned().await;
    let mut sql = place.sql().await;
    let transaction = sql.transaction().await.unwrap();
    transaction.execute("SELECT FROM progress FOR UPDATE", &[]).await.unwrap();
    let renewal = timeout(DEADLINE, store.renew("a", true, &[(P0, epoch)])).await.unwrap().unwrap();
    assert_eq!(renewal.lost, []);
    transaction.commit().await.unwrap();
}

/// H2: whoever gives a lease back renews no other meanwhile.
#[tokio::test]
async fn a_lease_is_not_given_back_while_a_commit_stays_open() {
    let place = Place::new();
    let (store, epoch) = place.owned().await;
    let sql = place.sql().await;
    sql.batch_execute("BEGIN; UPDATE progress SET number = number").await.unwrap();
    let open = timeout(DEADLINE, store.release(P0, epoch)).await.unwrap();
    assert!(matches!(&open, Err(Error::Unavailable(why)) if why.contains("lock timeout")), "{open:?}");
    sql.batch_execute("COMMIT").await.unwrap();
    store.release(P0, epoch).await.unwrap();
    let twice = store.release(P0, epoch).await;
    assert!(matches!(twice, Err(Error::Fenced { .. })), "{twice:?}");
}

/// H2: an owner that is stopped between the statements of a commit holds its successor up for less than a lease.
#[tokio::test]
async fn h2_a_commit_whose_owner_is_frozen_is_ended_by_the_server() {
    let place = Place::new();
    let (_, epoch) = place.owned().await;
    let new = Postgres::open(&place.url(), &spec()).await.unwrap();
    // As a frozen owner leaves it: the first statement has been carried out, the next one does not come.
    let address = Address::parse(&place.url(), "orders").unwrap();
    let frozen = pool(&address, Use::Turns).unwrap().get().await.unwrap();
    let commit = batches(epoch)[1].clone();
    let flight = Flight::of(from_ref(&commit)).unwrap();
    frozen.batch_execute(READ_COMMITTED).await.unwrap();
    let counted = frozen.query(&*flight.first.sql(), &flight.first.values()).await.unwrap();
    judge(&counted[0], &commit).unwrap();
    let before = Instant::now();
    assert_eq!(timeout(DEADLINE, take(&new)).await.unwrap(), Epoch(2));
    assert!(before.elapsed() > Duration::from_secs(1), "the takeover waited for the frozen commit");
    assert!(before.elapsed() < Duration::from_secs(4), "{:?}", before.elapsed());
    // It wakes up, and finds its session gone.
    let then = flight.then.unwrap();
    frozen.query(&*then.sql(), &then.values()).await.unwrap_err();
    frozen.batch_execute("COMMIT").await.unwrap_err();
    assert_eq!(number(&new, Epoch(2)).await, 0);
}

/// H3: killed where the server writes the commit, after it has reported the statement as carried out.
#[tokio::test]
async fn a_connection_that_is_killed_at_commit_leaves_it_unknown() {
    for which in 0..2 {
        let place = Place::new();
        let (store, epoch) = place.owned().await;
        let sql = place.sql().await;
        hold(&sql, AT_COMMIT).await;
        sql.batch_execute("BEGIN; SELECT FROM hub FOR UPDATE").await.unwrap();
        let (committing, commit) = (store.clone(), batches(epoch)[which].clone());
        let committing = spawn(async move { committing.commit(commit).await });
        let watch = place.sql().await;
        let committer = waiting_for(&watch, process(&sql).await).await;
        watch.execute("SELECT pg_terminate_backend($1)", &[&committer]).await.unwrap();
        let unknown = timeout(DEADLINE, committing).await.unwrap().unwrap();
        assert!(matches!(unknown, Err(Error::Unknown(_))), "{unknown:?}");
        sql.batch_execute("ROLLBACK; DROP TRIGGER hold ON history").await.unwrap();
        // What is read tells that it was not written, and the same batch may be written again.
        assert_eq!(number(&store, epoch).await, 0);
        store.commit(batches(epoch)[which].clone()).await.unwrap();
    }
}

#[tokio::test]
async fn a_text_with_a_nul_is_refused_with_the_row_s_name() {
    let place = Place::new();
    let (store, epoch) = place.owned().await;
    let mut of_turn = empty(epoch, 1);
    of_turn.turns.push(turn("{\0}"));
    let mut of_name = empty(epoch, 1);
    of_name.instances.push(record("check\0out"));
    for (commit, named) in [(of_turn, "history of instance order-1"), (of_name, "instance order-1: has a NUL")] {
        let refused = store.commit(commit).await;
        assert!(matches!(&refused, Err(Error::Refused(why)) if why.contains(named)), "{refused:?}");
    }
    store.commit(empty(epoch, 1)).await.unwrap();
}

#[tokio::test]
async fn the_row_that_is_there_already_is_named_whatever_its_neighbours() {
    let place = Place::new();
    let (store, epoch) = place.owned().await;
    let with_timers = |number, ids: &[u32]| {
        let mut commit = empty(epoch, number);
        commit.timers.extend(ids.iter().map(|id| TimerRow { id: ActionId(*id), ..timer() }));
        commit
    };
    store.commit(with_timers(1, &[12])).await.unwrap();
    let refused = store.commit(with_timers(2, &[1, 2, 112, 12, 13])).await;
    let is_named = |why: &str| why.ends_with("timer 12 of instance order-1: exists already");
    assert!(matches!(&refused, Err(Error::Refused(why)) if is_named(why)), "{refused:?}");
}

#[tokio::test]
async fn of_two_rows_with_one_key_the_last_is_kept() {
    let place = Place::new();
    let (store, epoch) = place.owned().await;
    let mut commit = empty(epoch, 1);
    commit.instances.extend([record("a"), record("b")]);
    commit.sent.extend([(P0, 1), (P0, 2)]);
    commit.outbox.extend([1, 1].map(|number| OutboxRow { number, entries: vec![] }));
    store.commit(commit).await.unwrap();
    let name = place.sql().await.query_one("SELECT name FROM instance", &[]).await.unwrap();
    assert_eq!(name.get::<_, &str>(0), "b");
    assert_eq!(store.partition(P0, epoch).await.unwrap().sent, [(P0, 2)].into());
}

#[tokio::test]
async fn a_commit_goes_on_when_its_caller_stops_waiting() {
    let place = Place::new();
    let (store, epoch) = place.owned().await;
    // So that there is a connection, with the statement prepared.
    let [_, two] = batches(epoch);
    store.commit(Commit { number: 1, ..two.clone() }).await.unwrap();
    let sql = place.sql().await;
    sql.batch_execute("BEGIN; SELECT FROM progress FOR UPDATE").await.unwrap();
    let again = Commit { number: 2, turns: vec![], ..two };
    let committing = {
        let store = store.clone();
        spawn(async move { store.commit(again).await })
    };
    waiting_for(&place.sql().await, process(&sql).await).await;
    committing.abort();
    sql.batch_execute("COMMIT").await.unwrap();
    // What reads the state waits for it.
    assert_eq!(number(&store, epoch).await, 2);
}

#[tokio::test]
async fn a_commit_is_sent_while_the_one_before_it_is_written() {
    let place = Place::new();
    let (store, epoch) = place.owned().await;
    // So that their statements are prepared.
    let [_, two] = batches(epoch);
    store.commit(Commit { number: 1, ..two.clone() }).await.unwrap();
    store.commit(empty(epoch, 2)).await.unwrap();
    let sql = place.sql().await;
    sql.batch_execute("BEGIN; SELECT FROM progress FOR UPDATE").await.unwrap();
    let commits = [Commit { number: 3, turns: vec![], ..two }, empty(epoch, 4), empty(epoch, 5)].map(|commit| {
        let store = store.clone();
        spawn(async move { store.commit(commit).await })
    });
    waiting_for(&place.sql().await, process(&sql).await).await;
    let all_are_sent = async {
        while store.line.turn().await.on_their_way() < commits.len() {
            yield_now().await;
        }
    };
    timeout(DEADLINE, all_are_sent).await.unwrap();
    assert!(commits.iter().all(|commit| !commit.is_finished()));
    sql.batch_execute("COMMIT").await.unwrap();
    for commit in commits {
        timeout(DEADLINE, commit).await.unwrap().unwrap().unwrap();
    }
    assert_eq!((number(&store, epoch).await, store.line.turn().await.on_their_way()), (5, 0));
}
