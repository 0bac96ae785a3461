//! Whole or not at all, and only under the present epoch.

use warren_model::{ActionId, InstanceRecord, Partition, Refusal, RefusalCode, Status};

use super::{Fixture, sample::*};
use crate::{CommandRow, Commit, Error, Load, PartitionState, Store, TurnKey};

pub async fn h2_a_commit_under_an_old_epoch_writes_nothing<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    a.commit(|commit| whole(commit, "order-1", 0)).await;
    let mut b = owned(fixture).await;
    let before = (b.state().await, b.timers().await);
    let late = a.try_commit(|commit| whole(commit, "order-1", 1)).await;
    assert!(is_fenced(&late), "{late:?}");
    assert!(late.unwrap_err().to_string().contains(&format!("epoch {}", a.epoch)));
    assert_eq!((b.state().await, b.timers().await), before);
    assert_eq!(b.load("order-1").await.turns.unwrap().len(), 1);
    // The number is still free for the owner.
    b.commit(|commit| whole(commit, "order-1", 1)).await;
}

pub async fn h2_an_old_epoch_reads_nothing<F: Fixture>(fixture: &F) {
    let a = owned(fixture).await;
    owned(fixture).await;
    let (store, epoch) = (&a.store, a.epoch);
    assert!(is_fenced(&store.partition(P0, epoch).await));
    assert!(is_fenced(&store.load(P0, epoch, Load::default()).await));
    assert!(is_fenced(&store.turns(P0, epoch, vec![key("order-1", 0)]).await));
    assert!(is_fenced(&store.timers(P0, epoch, at(9_000), 10).await));
    assert!(is_fenced(&store.expire(P0, epoch, at(9_000), at(9_000), 10).await));
    assert!(is_fenced(&store.release(P0, epoch).await));
}

pub async fn h24_what_was_made_of_an_older_state_is_refused<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    a.commit(|commit| whole(commit, "order-1", 0)).await;
    let seen = a.load("order-1").await.turns.unwrap();
    let mut b = owned(fixture).await;
    b.commit(|commit| whole(commit, "order-1", 1)).await;
    // What was read before another owner has come is of no use, neither under the old epoch …
    let late = a.try_commit(|commit| whole(commit, "order-1", 1)).await;
    assert!(is_fenced(&late), "{late:?}");
    // … nor under a new one, unless the state is read again: the commit's number says what it follows.
    let again = owned(fixture).await;
    a.epoch = again.epoch;
    let late = a.try_commit(|commit| whole(commit, "order-1", 2)).await;
    assert!(matches!(late, Err(Error::OutOfTurn { .. })), "{late:?}");
    let stored = again.load("order-1").await.turns.unwrap();
    assert_eq!((seen.len(), stored.len()), (1, 2), "the other owner's turn stands");
}

pub async fn h2_a_commit_that_meets_a_takeover_is_whole_or_absent<F: Fixture>(fixture: &F) {
    let (a, b) = (fixture.open(&spec()).await.unwrap(), fixture.open(&spec()).await.unwrap());
    for round in 0..20 {
        let old = take(a.clone(), P0).await;
        let instance = format!("order-{round}");
        let seen = lease(&b, P0).await;
        let commit = old.next(|commit| whole(commit, &instance, 0));
        let (written, new) = if round % 2 == 0 {
            tokio::join!(a.commit(commit), take_as_seen(b.clone(), &seen))
        } else {
            let (new, written) = tokio::join!(take_as_seen(b.clone(), &seen), a.commit(commit));
            (written, new)
        };
        assert!(written.is_ok() || is_fenced(&written), "{written:?}");
        // What the new owner read at once already has the commit, or never will.
        assert_eq!(new.number, old.number + u64::from(written.is_ok()), "round {round}: {written:?}");
        assert_eq!(new.state().await.number, new.number);
        let record = new.load(&instance).await.record;
        let timers = new.timers().await.into_iter().filter(|timer| timer.instance == id(&instance)).count();
        assert_eq!((record.is_some(), timers), (written.is_ok(), usize::from(written.is_ok())));
    }
}

pub async fn a_commit_number_counts_once<F: Fixture>(fixture: &F) {
    let a = owned(fixture).await;
    let commit = |number| Commit::new(P0, a.epoch, number);
    for wrong in [0, 2, u64::MAX] {
        let refused = a.store.commit(commit(wrong)).await;
        // The last one is no number of PostgreSQL's.
        let (Err(why @ Error::OutOfTurn { .. }) | Err(why @ Error::Refused(_))) = refused else {
            panic!("{refused:?}")
        };
        assert!(why.to_string().contains(&wrong.to_string()), "{why}");
    }
    a.store.commit(commit(1)).await.unwrap();
    assert!(matches!(a.store.commit(commit(1)).await, Err(Error::OutOfTurn { .. })));
    a.store.commit(commit(2)).await.unwrap();
    assert_eq!(a.state().await.number, 2);
}

pub async fn partitions_count_for_themselves<F: Fixture>(fixture: &F) {
    let store = fixture.open(&wide(2)).await.unwrap();
    let (mut one, mut other) = (take(store.clone(), P0).await, take(store, Partition(1)).await);
    one.commit(|commit| whole(commit, "order-1", 0)).await;
    one.commit(|commit| {
        commit.sent.push((P0, 5));
        commit.pending.push(pending("order-1", 7));
    })
    .await;
    let loaded = other.load("order-1").await;
    assert_eq!((loaded.record, loaded.turns, loaded.pending), (None, Ok(vec![]), vec![]));
    assert_eq!((other.state().await, other.timers().await), (PartitionState::default(), vec![]));
    assert_eq!(other.store.turns(Partition(1), other.epoch, vec![key("order-1", 0)]).await.unwrap(), []);
    // The same keys elsewhere are other rows.
    other.commit(|commit| whole(commit, "order-1", 0)).await;
    assert_eq!((one.state().await.number, other.state().await.number), (2, 1));
}

pub async fn h3_a_refused_row_takes_everything_with_it<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    a.commit(|commit| whole(commit, "order-1", 0)).await;
    let before = (a.state().await, a.timers().await);
    let refused = a
        .try_commit(|commit| {
            whole(commit, "order-2", 0);
            commit.timers_clear.push(id("order-1"));
            commit.outbox_done.push(1);
            commit.sent.push((P0, 1));
            commit.turns.push(turn("order-1", 0));
        })
        .await;
    assert!(matches!(&refused, Err(Error::Refused(why)) if why.contains("order-1")), "{refused:?}");
    assert_eq!((a.state().await, a.timers().await), before);
    assert!(a.load("order-2").await.record.is_none());
    a.commit(|commit| whole(commit, "order-2", 0)).await;
}

pub async fn h4_an_event_its_timer_and_its_outbox_are_written_together<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    // Whichever part is refused, no other part is there.
    let parts: [fn(&mut Commit); 4] = [
        |commit| commit.turns.push(turn("order-1", 0)),
        |commit| commit.timers.push(timer("order-1", 1, 2_000)),
        |commit| commit.outbox.push(outbox(u64::MAX, "order-1", 0)),
        |commit| commit.pending.push(pending("order-1", u64::MAX)),
    ];
    for refused in parts {
        let result = a
            .try_commit(|commit| {
                whole(commit, "order-1", 0);
                refused(commit);
            })
            .await;
        assert!(matches!(result, Err(Error::Refused(_))), "{result:?}");
        assert_eq!((a.state().await, a.timers().await), (PartitionState::default(), vec![]));
        let loaded = a.load("order-1").await;
        assert_eq!((loaded.record, loaded.pending), (None, vec![]));
        assert_eq!(a.store.turns(P0, a.epoch, vec![key("order-1", 0)]).await.unwrap(), []);
    }
    a.commit(|commit| whole(commit, "order-1", 0)).await;
    assert_eq!(a.state().await.outbox, [outbox(1, "order-1", 0)]);
    assert_eq!(a.timers().await, [timer("order-1", 1, 2_000)]);
    assert_eq!(a.load("order-1").await.turns.unwrap().len(), 1);
}

pub async fn deletions_come_before_insertions<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    a.commit(|commit| {
        whole(commit, "order-1", 0);
        commit.pending.push(pending("order-1", 7));
    })
    .await;
    a.commit(|commit| {
        commit.forget.push((id("order-1"), FIRST));
        commit.turns.push(turn("order-1", 0));
        commit.timers_done.push((id("order-1"), ActionId(1)));
        commit.timers_clear.push(id("order-1"));
        commit.timers.push(timer("order-1", 1, 3_000));
        commit.pending_done.push((id("order-1"), 7));
        commit.pending.push(pending("order-1", 7));
        commit.outbox_done.push(1);
        commit.outbox.push(outbox(1, "order-2", 4));
    })
    .await;
    assert_eq!(a.timers().await, [timer("order-1", 1, 3_000)]);
    let loaded = a.load("order-1").await;
    assert_eq!((loaded.turns.unwrap().len(), loaded.pending), (1, vec![pending("order-1", 7)]));
    assert_eq!(a.state().await.outbox, [outbox(1, "order-2", 4)]);
}

fn tombstone(second: i64) -> CommandRow {
    let refusal = Refusal { code: RefusalCode::Gone, message: "it was purged".into() };
    CommandRow { id: message_id("start of order-1"), answer: Err(refusal), at: at(second) }
}

pub async fn h12_a_purged_instance_is_gone_and_its_start_stays_known<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    a.commit(|commit| {
        for name in ["order-1", "order-2"] {
            commit.instances.push(record(name, 1));
            commit.turns.push(turn(name, 0));
            commit.pending.push(pending(name, 4));
        }
    })
    .await;
    a.commit(|commit| {
        commit.purged.extend([id("order-1"), id("nobody")]);
        commit.tombstones.push(tombstone(10));
    })
    .await;
    let loaded = a.load("order-1").await;
    assert_eq!((loaded.record, loaded.turns, loaded.pending), (None, Ok(vec![]), vec![]));
    // Its turns go by `forget`, once nothing of them is unconfirmed.
    assert_eq!(a.store.turns(P0, a.epoch, vec![key("order-1", 0)]).await.unwrap().len(), 1);
    a.commit(|commit| commit.forget.push((id("order-1"), FIRST))).await;
    assert_eq!(a.store.turns(P0, a.epoch, vec![key("order-1", 0)]).await.unwrap(), []);
    let kept = a.load("order-2").await;
    assert_eq!((kept.record, kept.turns.unwrap().len(), kept.pending.len()), (Some(record("order-2", 1)), 1, 1));
    let commands = vec![message_id("start of order-1")];
    let found = a.store.load(P0, a.epoch, Load { instances: vec![], commands }).await.unwrap().commands;
    assert_eq!(found, [tombstone(10)]);
}

pub async fn h12_an_id_that_was_purged_is_used_again_in_the_same_commit<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    a.commit(|commit| {
        whole(commit, "order-1", 0);
        commit.pending.push(pending("order-1", 0));
        commit.tombstones.push(tombstone(10));
    })
    .await;
    let again = InstanceRecord { execution: SECOND, start_id: message_id("another"), ..record("order-1", 1) };
    a.commit(|commit| {
        commit.purged.push(id("order-1"));
        // Replaces the one that is there, and counts once.
        commit.tombstones.extend([tombstone(20), tombstone(30)]);
        commit.instances.push(again.clone());
        commit.turns.push(turn_of(TurnKey { execution: SECOND, ..key("order-1", 0) }, &[]));
        commit.pending.push(pending("order-1", 0));
    })
    .await;
    let loaded = a.load("order-1").await;
    assert_eq!((loaded.record, loaded.turns.unwrap().len()), (Some(again), 1));
    assert_eq!(loaded.pending, [pending("order-1", 0)]);
    let commands = vec![message_id("start of order-1")];
    let found = a.store.load(P0, a.epoch, Load { instances: vec![], commands }).await.unwrap().commands;
    assert_eq!(found, [tombstone(30)]);
}

pub async fn a_commit_outlives_its_process<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    a.commit(|commit| whole(commit, "order-1", 0)).await;
    let (state, timers) = (a.state().await, a.timers().await);
    drop(a);
    let b = owned(fixture).await;
    assert_eq!((b.state().await, b.timers().await), (state, timers));
    assert_eq!(b.load("order-1").await.record, Some(record("order-1", 1)));
}

pub async fn many_rows_are_one_commit<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let names: Vec<String> = (0..2_000).map(|n| format!("order-{n}")).collect();
    a.commit(|commit| {
        for name in &names {
            let mut ended = record(name, 1);
            ended.status = Status::Completed;
            commit.instances.push(ended);
            commit.turns.push(turn(name, 0));
            commit.timers.push(timer(name, 1, 2_000));
        }
    })
    .await;
    let instances = names.iter().map(|name| id(name)).collect();
    let loaded = a.store.load(P0, a.epoch, Load { instances, commands: vec![] }).await.unwrap();
    assert!(loaded.instances.iter().zip(&names).all(|(loaded, name)| loaded.id == id(name) && loaded.record.is_some()));
    assert_eq!(loaded.instances.len(), names.len());
}
