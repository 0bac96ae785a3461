use futures_util::FutureExt;
use tokio::task::yield_now;
use warren_model::{ExecutionId, InstanceId, Timestamp};
use warren_store::{Progress, TurnKey, TurnRow};

use super::*;

fn job(partition: u16, number: u64) -> (Job<Commit, ()>, oneshot::Receiver<Result<()>>) {
    let (reply, written) = oneshot::channel();
    ((Commit::new(Partition(partition), Epoch(1), number), reply), written)
}

fn taken(waiting: &mut Vec<Job<Commit, ()>>) -> Vec<(u16, u64)> {
    next_of_each(waiting).iter().map(|(commit, _)| (commit.partition.0, commit.number)).collect()
}

#[test]
fn one_commit_of_each_partition_goes_at_a_time_in_order() {
    let (mut waiting, _asking): (Vec<_>, Vec<_>) =
        [job(0, 7), job(1, 3), job(0, 8), job(2, 1), job(0, 9)].into_iter().unzip();
    assert_eq!(taken(&mut waiting), [(0, 7), (1, 3), (2, 1)]);
    assert_eq!(taken(&mut waiting), [(0, 8)]);
    assert_eq!(taken(&mut waiting), [(0, 9)]);
    assert!(waiting.is_empty());
}

#[test]
fn h2_what_a_session_that_has_ended_left_is_not_written() {
    let ((old, _), (new, _asking)) = (job(0, 7), job(0, 8));
    let mut waiting = vec![old, new];
    assert_eq!(taken(&mut waiting), [(0, 8)]);
    assert!(waiting.is_empty());
}

#[tokio::test]
async fn what_others_are_about_to_ask_is_asked_together() {
    let (place, mut wanted) = mpsc::unbounded_channel();
    let (asks, other) = (place.clone(), place.clone());
    asks.send(1).unwrap();
    tokio::spawn(async move {
        yield_now().await; // as a session's message passes through a task of its own
        other.send(2).unwrap();
    });
    let mut waiting = Vec::new();
    assert!(gather(&mut wanted, &mut waiting).await);
    assert_eq!(waiting, [1, 2]);
    assert!(gather(&mut wanted, &mut waiting).await, "what waits is not waited for");
    waiting.clear();
    drop((place, asks));
    assert!(!gather(&mut wanted, &mut waiting).await);
}

#[tokio::test]
async fn who_is_alone_waits_for_nobody() {
    let (place, mut wanted) = mpsc::unbounded_channel();
    let alone = place.clone();
    alone.send(1).unwrap();
    let mut waiting = Vec::new();
    let gathered = gather(&mut wanted, &mut waiting).now_or_never();
    assert_eq!((gathered, waiting), (Some(true), vec![1]));
}

#[tokio::test]
async fn a_read_that_takes_long_keeps_nobody_waiting_and_is_answered() {
    let ((reply, mut answered), (end, ended)) = (oneshot::channel(), oneshot::channel::<()>());
    unless_long(async move {
        ended.await.unwrap();
        answer(vec![reply], vec![Ok(7)]);
    })
    .await;
    assert!(answered.try_recv().is_err());
    end.send(()).unwrap();
    assert_eq!(answered.await.unwrap().unwrap(), 7);
}

#[test]
fn a_transaction_goes_behind_another_only_if_it_is_worth_one_of_its_own() {
    let turns = |count: u32| {
        let (mut job, _) = job(0, 1);
        let row = |number| TurnRow {
            key: TurnKey {
                instance: InstanceId::new("a").unwrap(),
                execution: ExecutionId::from_u128(1),
                turn: number,
            },
            body: "[]".into(),
            progress: Progress { updated_at: Timestamp::UNIX_EPOCH, history_events: 0, history_bytes: 0 },
        };
        job.0.turns = (0..count).map(row).collect();
        vec![job]
    };
    assert!(!may_go(&[], 0));
    assert!(may_go(&turns(0), 0), "a lone commit is written at once");
    assert!(!may_go(&turns(99), 1));
    assert!(may_go(&turns(100), 1));
    assert!(!may_go(&turns(10_000), 2));
}
