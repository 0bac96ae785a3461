use warren_model::{ExecutionId, InstanceId, Partition};
use warren_store::{Epoch, TurnKey, TurnRow};

use super::*;

fn job(partition: u16, number: u64) -> (Job, oneshot::Receiver<Result<()>>) {
    let (reply, written) = oneshot::channel();
    ((Commit::new(Partition(partition), Epoch(1), number), reply), written)
}

/// Returns a job whose commit has so many turns.
fn job_of(partition: u16, turns: usize) -> (Job, oneshot::Receiver<Result<()>>) {
    let ((mut commit, reply), written) = job(partition, 1);
    let (instance, execution) = (InstanceId::new("order-1").unwrap(), ExecutionId::from_u128(1));
    let row = TurnRow { key: TurnKey { instance, execution, turn: 0 }, body: "{}".into() };
    commit.turns = vec![row; turns];
    ((commit, reply), written)
}

fn waiting<const N: usize>(
    jobs: [(Job, oneshot::Receiver<Result<()>>); N],
) -> (Waiting, Vec<oneshot::Receiver<Result<()>>>) {
    let (jobs, asking) = jobs.into_iter().unzip();
    (Waiting { jobs, ..Waiting::default() }, asking)
}

fn begun(waiting: &mut Waiting) -> Option<Vec<(u16, u64)>> {
    Some(waiting.next()?.iter().map(|(commit, _)| (commit.partition.0, commit.number)).collect())
}

#[test]
fn one_commit_of_each_partition_goes_at_a_time_in_order() {
    let (mut waiting, _asking) = waiting([job(0, 7), job(1, 3), job(0, 8), job(2, 1), job(0, 9)]);
    assert_eq!(begun(&mut waiting).unwrap(), [(0, 7), (1, 3), (2, 1)]);
    waiting.ended(&[0, 1, 2].map(Partition));
    assert_eq!(begun(&mut waiting).unwrap(), [(0, 8)]);
    waiting.ended(&[Partition(0)]);
    assert_eq!(begun(&mut waiting).unwrap(), [(0, 9)]);
    waiting.ended(&[Partition(0)]);
    assert_eq!(begun(&mut waiting), None);
}

#[test]
fn h2_what_a_session_that_has_ended_left_is_not_written() {
    let ((old, _), new) = (job(0, 7), job(0, 8));
    let (mut waiting, _asking) = waiting([new]);
    waiting.jobs.insert(0, old);
    assert_eq!(begun(&mut waiting).unwrap(), [(0, 8)]);
    assert!(waiting.jobs.is_empty());
}

#[test]
fn little_waits_for_the_transaction_before_it_and_much_does_not() {
    let (mut little, _asking) = waiting([job(0, 1), job(1, 1)]);
    let (late, _late_asking) = job_of(2, BESIDE_MIN - 1);
    assert_eq!(begun(&mut little).unwrap().len(), 2);
    little.jobs.push(late);
    assert_eq!(begun(&mut little), None);
    let (more, _more_asking) = job_of(3, 1);
    little.jobs.push(more);
    assert_eq!(begun(&mut little).unwrap(), [(2, 1), (3, 1)]);
}

#[test]
fn no_more_than_two_transactions_are_under_way() {
    let (mut waiting, _asking) = waiting([job(0, 1)]);
    let ((second, _second_asking), (third, _third_asking)) = (job_of(1, BESIDE_MIN), job_of(2, BESIDE_MIN));
    assert!(begun(&mut waiting).is_some());
    waiting.jobs.push(second);
    assert_eq!(begun(&mut waiting).unwrap(), [(1, 1)]);
    waiting.jobs.push(third);
    assert_eq!(begun(&mut waiting), None);
    waiting.ended(&[Partition(0)]);
    assert_eq!(begun(&mut waiting).unwrap(), [(2, 1)]);
}

/// H2: the commit that a session has left under way may still be written; its successor's does not begin beside it.
#[test]
fn h2_a_partition_has_one_commit_under_way() {
    let (mut waiting, _asking) = waiting([job_of(0, 1), job_of(1, 1)]);
    assert!(begun(&mut waiting).is_some());
    let (next, _next_asking) = job_of(0, 2 * BESIDE_MIN);
    waiting.jobs.push(next);
    assert_eq!(begun(&mut waiting), None);
    waiting.ended(&[0, 1].map(Partition));
    assert_eq!(begun(&mut waiting).unwrap(), [(0, 1)]);
}
