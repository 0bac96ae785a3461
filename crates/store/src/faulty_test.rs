use std::time::{Duration, Instant};

use warren_model::TurnRecord;

use super::*;
use crate::{
    HubSpec, Progress,
    conformance::{
        Fixture,
        sample::{P0, id, key, record, spec},
    },
    postgres::testing::Place,
    sqlite::test::File,
};

const DEADLINE: Duration = Duration::from_secs(60);

/// Another fixture, through a wrapper that fails nothing.
struct Through<F>(F);

impl<F: Fixture> Fixture for Through<F> {
    type Store = Faulty<F::Store>;
    type Reader = F::Reader;

    fn fresh() -> Self {
        Self(F::fresh())
    }

    async fn open(&self, spec: &HubSpec) -> Result<Self::Store> {
        Ok(Faulty::new(self.0.open(spec).await?, Script::none()))
    }

    async fn reader(&self, hub_name: &str) -> Result<F::Reader> {
        self.0.reader(hub_name).await
    }

    async fn sql(&self, sql: &str) {
        self.0.sql(sql).await;
    }
}

mod conformance {
    use super::{File, Through};

    crate::store_conformance!(Through<File>);
}

async fn take(store: &impl Store) -> Result<Option<Epoch>> {
    let seen = Store::survey(store).await?.leases.remove(0);
    store.acquire(&seen, "owner").await
}

async fn faulty<F: Fixture>(fixture: &F) -> (Faulty<F::Store>, Epoch) {
    let store = Faulty::new(fixture.open(&spec()).await.unwrap(), Script::none());
    let epoch = take(&store).await.unwrap().unwrap();
    (store, epoch)
}

async fn number(store: &impl Store, epoch: Epoch) -> u64 {
    store.partition(P0, epoch).await.unwrap().number
}

#[tokio::test]
async fn a_commit_fails_before_during_and_after_as_planned() {
    let fixture = File::fresh();
    let (store, epoch) = faulty(&fixture).await;
    for (fault, is_unknown, landed) in [
        (Fault::Before, false, 0),
        (Fault::DuringAndLost, true, 0),
        (Fault::After, true, 1),
        (Fault::DuringAndLands, true, 2),
    ] {
        store.follow(Script::none().then(Call::Commit, fault));
        let next = number(&store, epoch).await + 1;
        let failed = store.commit(Commit::new(P0, epoch, next)).await;
        assert_eq!(matches!(failed, Err(Error::Unknown(_))), is_unknown, "{fault:?}: {failed:?}");
        assert!(failed.is_err());
        let deadline = Instant::now() + DEADLINE;
        while number(&store, epoch).await != landed {
            assert!(Instant::now() < deadline, "{fault:?}");
            tokio::task::yield_now().await;
        }
        assert_eq!(store.happened(), [(Call::Commit, fault)]);
    }
}

#[tokio::test]
async fn what_is_planned_for_one_call_befalls_no_other() {
    let fixture = File::fresh();
    let (store, epoch) = faulty(&fixture).await;
    store.follow(Script::none().then(Call::Renew, Fault::After).then(Call::Load, Fault::Before));
    store.load(P0, epoch, Load::default()).await.unwrap();
    store.commit(Commit::new(P0, epoch, 1)).await.unwrap();
    assert!(matches!(store.renew("a", true, &[(P0, epoch)]).await, Err(Error::Unavailable(_))));
    assert!(matches!(store.load(P0, epoch, Load::default()).await, Err(Error::Unavailable(_))));
    store.load(P0, epoch, Load::default()).await.unwrap();
}

#[test]
fn a_seed_gives_the_same_faults_again_and_every_kind() {
    let run = |seed| {
        let mut script = Script::seeded(seed, 200);
        (0..1_000).map(|_| script.next(Call::Commit)).collect::<Vec<_>>()
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
    let failed = run(7).iter().flatten().count();
    assert!((100..300).contains(&failed), "{failed}");
    for fault in Fault::ALL {
        assert!(run(7).contains(&Some(fault)), "{fault:?}");
    }
}

/// H3, H4: whoever takes the partition again after each doubt, and goes on from what it reads, loses and doubles nothing.
async fn writes_every_turn_once<F: Fixture>() {
    for seed in 1..=4 {
        let fixture = F::fresh();
        let store = Faulty::new(fixture.open(&spec()).await.unwrap(), Script::seeded(seed, 250));
        let deadline = Instant::now() + DEADLINE;
        while !write(&store, 40).await.unwrap_or(false) {
            assert!(Instant::now() < deadline, "seed {seed}: {:?}", store.happened());
        }
        assert!(store.happened().len() > 10, "{:?}", store.happened());
        store.follow(Script::none());
        let epoch = loop {
            // A commit that is still landing may have the lease locked.
            match take(&store).await.unwrap() {
                Some(epoch) => break epoch,
                None => assert!(Instant::now() < deadline),
            }
        };
        assert_eq!(number(&store, epoch).await, 40);
        let load = Load { instances: vec![id("order-1")], commands: vec![] };
        let turns = store.load(P0, epoch, load).await.unwrap().instances.remove(0).turns.unwrap();
        assert_eq!(turns.len(), 40);
    }
}

/// Takes the partition, and commits the turns that are missing until all are there or something fails.
async fn write(store: &impl Store, all: u32) -> Result<bool> {
    let Some(epoch) = take(store).await? else { return Ok(false) };
    let written = store.partition(P0, epoch).await?.number;
    for turn in u32::try_from(written).unwrap()..all {
        let mut commit = Commit::new(P0, epoch, u64::from(turn) + 1);
        let key = key("order-1", turn);
        let (record, body) = (record("order-1", turn + 1), serde_json::to_string(&TurnRecord::new(vec![])).unwrap());
        commit.turns.push(TurnRow { key, body, progress: Progress::of(&record) });
        commit.instances.push(record);
        store.commit(commit).await?;
    }
    Ok(true)
}

#[tokio::test]
async fn h3_a_writer_that_reloads_after_each_doubt_writes_every_turn_once_in_sqlite() {
    writes_every_turn_once::<File>().await;
}

#[tokio::test]
async fn h3_a_writer_that_reloads_after_each_doubt_writes_every_turn_once_in_postgresql() {
    writes_every_turn_once::<Place>().await;
}
