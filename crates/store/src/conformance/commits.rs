//! Whole or not at all, and only under the present epoch.

use warren_model::{ActionId, InstanceRecord, Partition, Refusal, RefusalCode, Status};

use super::{Fixture, sample::*};
use crate::{
    CommandRow, Commit, Error, Load, Loaded, OutboxEntry, OutboxRow, OutboxTurn, PartitionState, Store, TurnKey,
};

/// A turn with all that belongs to it.
fn whole(commit: &mut Commit, instance: &str, number: u32) {
    commit.instances.push(record(instance, number + 1));
    commit.turns.push(turn(instance, number));
    commit.timers.push(timer(instance, number + 1, 2_000));
    commit.outbox.push(outbox(commit.number, instance, number));
}

fn outbox(number: u64, instance: &str, turn: u32) -> OutboxRow {
    let turn = OutboxTurn {
        instance: id(instance),
        execution: FIRST,
        turn,
        parent: None,
        answer_to: None,
        sequences: vec![(Partition(3), number)],
        payload_max: None,
        traceparent: None,
        only_words: number % 2 == 1,
    };
    OutboxRow { number, entries: vec![OutboxEntry::Turn(turn)] }
}

fn is_fenced<T>(result: &crate::Result<T>) -> bool {
    matches!(result, Err(Error::Fenced { partition: P0, .. }))
}

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
    assert!(matches!(late, Err(Error::Refused { .. })), "{late:?}");
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
        assert!(matches!(&refused, Err(Error::Refused(why)) if why.contains(&wrong.to_string())), "{refused:?}");
    }
    a.store.commit(commit(1)).await.unwrap();
    assert!(matches!(a.store.commit(commit(1)).await, Err(Error::Refused(_))));
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

/// Returns the owners of three partitions of one hub.
async fn three<F: Fixture>(fixture: &F) -> [Owned<F::Store>; 3] {
    let store = fixture.open(&wide(3)).await.unwrap();
    let [a, b, c] = [0, 1, 2].map(|partition| take(store.clone(), Partition(partition)));
    [a.await, b.await, c.await]
}

pub async fn h1_nothing_is_written_if_what_is_taken_for_new_is_not<F: Fixture>(fixture: &F) {
    let mut owners = three(fixture).await;
    owners[1].commit(|commit| whole(commit, "order-1", 0)).await;
    owners[1].commit(|commit| commit.pending.push(pending("order-2", 0))).await;
    let answer = Err(Refusal { code: RefusalCode::Gone, message: "it was purged".into() });
    owners[1].commit(|commit| commit.commands.push(CommandRow { id: message_id("m-1"), answer, at: at(1) })).await;
    let begin = |commit: &mut Commit, instance: &str, start: &str| {
        whole(commit, instance, 0);
        commit.fresh.push((id(instance), message_id(start)));
    };
    for (instance, start) in [("order-1", "m-2"), ("order-2", "m-2"), ("order-3", "m-1")] {
        // One of them removes and adds a row with one key, which takes two statements.
        for is_twofold in [false, true] {
            let before = (owners[1].state().await, owners[1].timers().await);
            let commits = owners.iter().map(|owner| {
                owner.next(|commit| {
                    begin(commit, if owner.partition == Partition(1) { instance } else { "order-1" }, start);
                    begin(commit, "order-9", "m-9");
                    commit.timers_done.extend(is_twofold.then(|| (id("order-9"), ActionId(1))));
                })
            });
            let (store, commits) = (owners[0].store.clone(), commits.collect());
            let results = store.commit_together(commits).await;
            let [first, Err(Error::Used { instance: used }), last] = &results[..] else { panic!("{results:?}") };
            assert_eq!(used.as_str(), instance);
            assert_eq!((owners[1].state().await, owners[1].timers().await), before);
            assert!(owners[1].load("order-9").await.record.is_none());
            // The neighbours' are new once.
            let is_first = owners[0].number == 0;
            assert_eq!((first.is_ok(), last.is_ok()), (is_first, is_first), "{results:?}");
            owners[0].number = 1;
            owners[2].number = 1;
        }
    }
    owners[1].commit(|commit| begin(commit, "order-9", "m-9")).await;
    assert!(owners[1].load("order-9").await.record.is_some());
}

pub async fn batches_of_partitions_are_written_together<F: Fixture>(fixture: &F) {
    let owners = three(fixture).await;
    // The same keys in each: numbers, instances, targets.
    let store = &owners[0].store;
    let first = owners.iter().map(|owner| owner.next(|commit| whole(commit, "order-1", 0))).collect();
    assert!(store.commit_together(first).await.iter().all(Result::is_ok));
    // One of them removes and adds a row with one key, which takes two statements.
    let second = owners.iter().enumerate().map(|(at, owner)| {
        let mut commit = Commit::new(owner.partition, owner.epoch, 2);
        commit.timers_done.push((id("order-1"), ActionId(1)));
        if at == 1 {
            commit.timers.push(timer("order-1", 1, 3_000));
        }
        commit.outbox.push(outbox(1, "order-2", 4));
        commit
    });
    assert!(store.commit_together(second.collect()).await.iter().all(Result::is_ok));
    for (at, owner) in owners.iter().enumerate() {
        let state = owner.state().await;
        assert_eq!((state.number, state.outbox), (2, vec![outbox(1, "order-2", 4)]));
        let timers = if at == 1 { vec![timer("order-1", 1, 3_000)] } else { vec![] };
        assert_eq!(owner.timers().await, timers);
        assert_eq!(owner.load("order-1").await.turns.unwrap().len(), 1);
    }
    assert!(store.commit_together(vec![]).await.is_empty());
}

pub async fn h2_a_fenced_batch_takes_none_with_it<F: Fixture>(fixture: &F) {
    let owners = three(fixture).await;
    let store = &owners[0].store;
    take(store.clone(), Partition(1)).await;
    let commits = owners.iter().map(|owner| owner.next(|commit| whole(commit, "order-1", 0))).collect();
    let results = store.commit_together(commits).await;
    assert!(
        matches!(&results[..], [Ok(()), Err(Error::Fenced { partition: Partition(1), .. }), Ok(())]),
        "{results:?}"
    );
    // A number that does not follow is another batch's trouble as little.
    let numbers = [3, 1, 2];
    let late = owners.iter().zip(numbers).map(|(owner, number)| Commit::new(owner.partition, owner.epoch, number));
    let results = store.commit_together(late.collect()).await;
    let [Err(Error::Refused(why)), Err(Error::Fenced { .. }), Ok(())] = &results[..] else { panic!("{results:?}") };
    assert!(why.contains("commit 3 of partition 0"), "{why}");
    assert_eq!((owners[0].state().await.number, owners[2].state().await.number), (1, 2));
}

pub async fn h18_a_refused_batch_takes_none_with_it<F: Fixture>(fixture: &F) {
    let owners = three(fixture).await;
    let store = &owners[0].store;
    for (number, refused) in [
        (1, (|commit| commit.turns.push(turn("order-1", 0))) as fn(&mut Commit)),
        (2, |commit| commit.pending.push(pending("order-1", u64::MAX))),
    ] {
        let commits = owners.iter().enumerate().map(|(at, owner)| {
            let mut commit = Commit::new(owner.partition, owner.epoch, if at == 1 { 1 } else { number });
            whole(&mut commit, "order-1", u32::try_from(number).unwrap() - 1);
            if at == 1 {
                refused(&mut commit);
            }
            commit
        });
        let results = store.commit_together(commits.collect()).await;
        let [Ok(()), Err(Error::Refused(why)), Ok(())] = &results[..] else { panic!("{results:?}") };
        assert!(why.contains("order-1"), "{why}");
        assert_eq!(owners[1].state().await, PartitionState::default());
        assert_eq!(owners[1].load("order-1").await.record, None);
        for owner in [&owners[0], &owners[2]] {
            assert_eq!(owner.state().await.number, number);
        }
    }
}

pub async fn what_batches_need_is_read_together<F: Fixture>(fixture: &F) {
    let mut owners = three(fixture).await;
    let store = owners[0].store.clone();
    // Of instances that begin: as many commands as instances, and nothing is there.
    let begins = |owner: &Owned<F::Store>, instances: &[&str]| {
        let load = Load {
            instances: instances.iter().map(|instance| id(instance)).collect(),
            commands: instances.iter().map(|instance| message_id(instance)).collect(),
        };
        (owner.partition, owner.epoch, load)
    };
    let of_all =
        |owners: &[Owned<F::Store>; 3]| owners.iter().map(|owner| begins(owner, &["a", "b"])).collect::<Vec<_>>();
    // For each that could be read: how many messages wait for `a` and `b`.
    let told = |loaded: Vec<crate::Result<Loaded>>| {
        let of_one = |loaded: Loaded| {
            assert!(loaded.commands.is_empty() && loaded.instances.iter().all(|instance| instance.record.is_none()));
            assert_eq!(loaded.instances.iter().map(|instance| instance.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
            loaded.instances.iter().map(|instance| instance.pending.len()).collect::<Vec<_>>()
        };
        loaded.into_iter().map(|loaded| loaded.map(of_one)).collect::<Vec<_>>()
    };
    let loaded = told(store.load_together(of_all(&owners)).await);
    assert!(loaded.iter().all(|loaded| matches!(loaded.as_deref(), Ok([0, 0]))) && loaded.len() == 3, "{loaded:?}");
    assert!(store.load_together(vec![]).await.is_empty());

    // What one partition has is not taken for what another has under the same id.
    owners[1].commit(|commit| commit.pending.push(pending("b", 7))).await;
    let loaded = told(store.load_together(of_all(&owners)).await);
    let loaded = loaded.iter().map(|loaded| loaded.as_deref().unwrap()).collect::<Vec<_>>();
    assert_eq!(loaded, [[0, 0], [0, 1], [0, 0]]);

    // H2: who has lost its partition reads nothing, and is no trouble of the others.
    take(store.clone(), Partition(0)).await;
    let loaded = told(store.load_together(of_all(&owners)).await);
    assert!(matches!(&loaded[..], [Err(Error::Fenced { partition: Partition(0), .. }), Ok(_), Ok(_)]), "{loaded:?}");
}
