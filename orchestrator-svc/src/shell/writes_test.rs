use std::num::NonZeroU16;

use tempfile::TempDir;
use tokio::task::LocalSet;
use warren_model::{ExecutionId, InboxMessage, InstanceId, PartitionCount};
use warren_store::{Commit, HubSpec, PendingRow, sqlite::Sqlite};

use super::*;

const P0: Partition = Partition(0);

async fn store(folder: &TempDir) -> (Sqlite, Epoch) {
    let spec = HubSpec { name: "t".into(), partitions: PartitionCount(NonZeroU16::MIN) };
    let store = Sqlite::open(&folder.path().join("warren.db"), &spec).unwrap();
    let lease = Store::survey(&store).await.unwrap().leases.remove(0);
    let epoch = store.acquire(&lease, "owner").await.unwrap().unwrap();
    (store, epoch)
}

fn pending(instance: &str, position: u64) -> PendingRow {
    PendingRow {
        instance: InstanceId::new(instance).unwrap(),
        position,
        message: InboxMessage::Terminate { reason: None, recursive: false },
        expires_at: None,
    }
}

/// Writes commits that are asked for at once; returns how that ended, and which are said to be written.
async fn write_all(store: &Sqlite, epoch: Epoch, commits: Vec<Commit>) -> (anyhow::Result<()>, Vec<u64>) {
    let ((asks, wanted), (inputs, mut told)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
    commits.into_iter().for_each(|commit| asks.send(Effect::Commit(Box::new(commit))).unwrap());
    drop(asks);
    let writing = async {
        let writer = Writer::start(store.clone());
        write((store.clone(), writer), (P0, epoch), wanted, inputs, Arc::default()).await
    };
    let end = LocalSet::new().run_until(writing).await;
    let numbers = std::iter::from_fn(|| told.try_recv().ok())
        .map(|input| if let Input::Committed(number) = input { number } else { panic!("{input:?}") });
    (end, numbers.collect())
}

#[tokio::test]
async fn h18_of_commits_on_their_way_only_the_one_that_is_refused_has_its_instances_suspected() {
    let folder = tempfile::tempdir().unwrap();
    let (store, epoch) = store(&folder).await;
    let commit = |number, rows: Vec<PendingRow>| Commit { pending: rows, ..Commit::new(P0, epoch, number) };
    let commits = vec![
        commit(1, vec![pending("good", 0)]),
        commit(2, vec![pending("bad", u64::MAX)]),
        commit(3, vec![pending("behind", 0)]),
    ];
    let (end, written) = write_all(&store, epoch, commits).await;
    assert!(end.is_err());
    assert_eq!(written, [1]);
    let state = store.partition(P0, epoch).await.unwrap();
    let suspects: Vec<_> = state.suspects.iter().map(|suspect| suspect.instance.as_str()).collect();
    assert_eq!(suspects, ["bad"]);
    // One that is on its way still does not follow the marks: it is made of what was refused.
    let behind = store.commit(commit(3, vec![pending("behind", 0)])).await;
    assert!(matches!(behind, Err(Error::OutOfTurn { .. })), "{behind:?}");
}

#[tokio::test]
async fn h4_commits_are_told_of_in_order_and_to_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let (store, epoch) = store(&folder).await;
    let mark = owner::accuse(&InstanceId::new("a").unwrap(), None, 1);
    let commits = (1..=5).map(|number| {
        let suspects = if number == 3 { vec![mark.clone()] } else { Vec::new() };
        Commit { suspects, ..Commit::new(P0, epoch, number) }
    });
    let (end, written) = write_all(&store, epoch, commits.collect()).await;
    end.unwrap();
    assert_eq!(written, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn h2_nothing_of_a_session_is_written_behind_an_accusation() {
    let folder = tempfile::tempdir().unwrap();
    let (store, epoch) = store(&folder).await;
    let (instance, execution) = (InstanceId::new("hung").unwrap(), ExecutionId::from_u128(1));
    let identity = Identity { instance, execution, name: "adder".into(), version: None };
    accuse(&store, P0, epoch, &identity, 7).await;
    let state = store.partition(P0, epoch).await.unwrap();
    assert_eq!(state.suspects.len(), 1);
    for number in [1, 2] {
        let left = store.commit(Commit::new(P0, epoch, number)).await;
        assert!(matches!(left, Err(Error::OutOfTurn { .. })), "{left:?}");
    }
}
