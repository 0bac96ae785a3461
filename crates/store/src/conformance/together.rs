//! Commits of several partitions together, and of one partition behind each other.

use futures_util::join;
use warren_model::{ActionId, Partition, Refusal, RefusalCode};

use super::{Fixture, sample::*};
use crate::{CommandRow, Commit, Error, Load, Loaded, PartitionState, Store};

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
    // What is there may be a successor's: no fault of who began it.
    take(owners[1].store.clone(), Partition(1)).await;
    let late = owners[1].store.commit(owners[1].next(|commit| begin(commit, "order-2", "m-2"))).await;
    assert!(matches!(late, Err(Error::Fenced { .. })), "{late:?}");
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
    let [Err(Error::OutOfTurn { number: 3, last: 1, .. }), Err(Error::Fenced { .. }), Ok(())] = &results[..] else {
        panic!("{results:?}")
    };
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

/// Adds a row that was written before, which only the database can tell.
fn refused(commit: &mut Commit) {
    commit.turns.push(turn("order-0", 0));
}

async fn write_order_0<S: Store>(owner: &mut Owned<S>) {
    owner.commit(|commit| whole(commit, "order-0", 0)).await;
}

pub async fn h4_commits_go_behind_each_other<F: Fixture>(fixture: &F) {
    let owner = owned(fixture).await;
    let turns = |number: u32| {
        let mut commit = Commit { number: owner.number + u64::from(number) + 1, ..owner.next(|_| ()) };
        whole(&mut commit, "order-1", number);
        commit
    };
    let mut twofold = turns(1);
    // What it removes and adds again takes two statements.
    twofold.timers_done.push((id("order-1"), ActionId(1)));
    twofold.timers.push(timer("order-1", 1, 3_000));
    let store = &owner.store;
    let (first, second, third) = join!(store.commit(turns(0)), store.commit(twofold), store.commit(turns(2)));
    assert!(first.is_ok() && second.is_ok() && third.is_ok(), "{first:?} {second:?} {third:?}");
    assert_eq!(owner.state().await.number, owner.number + 3);
    assert_eq!(owner.load("order-1").await.turns.unwrap().len(), 3);
    assert_eq!(owner.timers().await.len(), 3);
}

pub async fn h4_nothing_is_written_behind_what_is_not<F: Fixture>(fixture: &F) {
    let mut owner = owned(fixture).await;
    write_order_0(&mut owner).await;
    for is_twofold in [false, true] {
        let first = owner.next(|commit| {
            refused(commit);
            commit.timers_done.extend(is_twofold.then(|| (id("order-0"), ActionId(1))));
            commit.timers.extend(is_twofold.then(|| timer("order-0", 1, 3_000)));
        });
        let mut second = Commit { number: owner.number + 2, ..owner.next(|_| ()) };
        whole(&mut second, "order-1", 0);
        let third = Commit { number: owner.number + 3, ..owner.next(|_| ()) };
        let before = (owner.state().await, owner.timers().await);
        let store = &owner.store;
        let results = join!(store.commit(first), store.commit(second), store.commit(third));
        assert!(
            matches!(results, (Err(Error::Refused(_)), Err(Error::OutOfTurn { .. }), Err(Error::OutOfTurn { .. }))),
            "{results:?}"
        );
        assert_eq!((owner.state().await, owner.timers().await), before);
        assert!(owner.load("order-1").await.record.is_none());
        // Whoever comes next finds everything as it was.
        owner.commit(|_| ()).await;
    }
}

pub async fn h18_what_goes_behind_a_neighbour_s_refusal_is_written<F: Fixture>(fixture: &F) {
    let mut owners = three(fixture).await;
    for owner in &mut owners {
        write_order_0(owner).await;
    }
    let store = &owners[0].store;
    let group = |number: u64, of: &[usize], refused_at: usize| {
        let commits = of.iter().map(|at| {
            let mut commit = Commit::new(owners[*at].partition, owners[*at].epoch, owners[*at].number + number);
            whole(&mut commit, "order-1", u32::try_from(number).unwrap() - 1);
            if *at == refused_at {
                refused(&mut commit);
            }
            commit
        });
        store.commit_together(commits.collect())
    };
    // The one that is refused comes first, and one that has nothing to do with it between the others.
    let (first, between, second, third) =
        join!(group(1, &[1, 0], 1), group(1, &[2], 9), group(2, &[0, 1, 2], 0), group(3, &[0, 1, 2], 9));
    assert!(matches!(&first[..], [Err(Error::Refused(_)), Ok(())]), "{first:?}");
    assert!(matches!(&between[..], [Ok(())]), "{between:?}");
    let out_of_turn = |result: &crate::Result<()>| matches!(result, Err(Error::OutOfTurn { .. }));
    assert!(matches!(&second[..], [Err(Error::Refused(_)), one, Ok(())] if out_of_turn(one)), "{second:?}");
    assert!(matches!(&third[..], [one, two, Ok(())] if out_of_turn(one) && out_of_turn(two)), "{third:?}");
    for (owner, written) in owners.iter().zip([1, 0, 3]) {
        assert_eq!(owner.state().await.number, owner.number + written);
    }
}

pub async fn h2_what_was_on_its_way_is_superseded<F: Fixture>(fixture: &F) {
    let mut owner = owned(fixture).await;
    let left = [1, 2].map(|number| Commit { number: owner.number + number, ..owner.next(|_| ()) });
    owner.store.supersede(owner.partition, owner.epoch).await.unwrap();
    owner.number = owner.state().await.number;
    for commit in left.clone() {
        let late = owner.store.commit(commit).await;
        assert!(matches!(late, Err(Error::OutOfTurn { .. })), "{late:?}");
    }
    owner.commit(|_| ()).await;
    for commit in left {
        let late = owner.store.commit(commit).await;
        assert!(matches!(late, Err(Error::OutOfTurn { .. })), "not even behind the next: {late:?}");
    }
    take(owner.store.clone(), owner.partition).await;
    let old = owner.store.supersede(owner.partition, owner.epoch).await;
    assert!(matches!(old, Err(Error::Fenced { .. })), "{old:?}");
}
