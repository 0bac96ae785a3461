use warren_model::ActionId;

use super::*;
use crate::testing::*;

fn story(told: &[Event]) -> (Vec<warren_model::Action>, crate::Progress) {
    let ended = told.iter().filter(|event| matches!(event, Event::TaskCompleted { .. })).count();
    let actions = [task(1, "charge"), timer(2, 90), child(3, "parcel"), task(4, "ship"), task(5, "bill")];
    (actions[..if ended == 0 { 4 } else { 5 }].to_vec(), crate::Progress::Waiting)
}

/// What is waited for, by action, and since when.
fn check(story: &Story, expected: &[(u32, i64)]) {
    let found = waiting(&story.live.instance.record, &story.history);
    let of = |waiting: &Waiting| match &waiting.message {
        Outgoing::WorkItem { task, .. } => (task.id, waiting.since),
        Outgoing::ToPartition(PartitionMessage::ChildStart(start)) => {
            (start.started.parent.as_ref().unwrap().task, waiting.since)
        }
        Outgoing::ToPartition(_) | Outgoing::Outcome { .. } => panic!("nobody waits for {:?}", waiting.message),
    };
    let expected: Vec<_> = expected.iter().map(|(id, second)| (ActionId(*id), at(*second))).collect();
    assert_eq!(found.iter().map(of).collect::<Vec<_>>(), expected);
    assert!(found.iter().all(|waiting| story.live.instance.waits_for(&waiting.message)));
}

#[test]
fn open_tasks_and_children_are_found_as_they_were_sent() {
    let mut story = Story::begun(story);
    let first = story.history[0].events.clone();
    check(&story, &[(1, 1), (3, 1), (4, 1)]);
    let sender = Sender::of(&story.live.instance.record, execution(), None);
    let sent = messages(&sender, &first, usize::MAX);
    let found = waiting(&story.live.instance.record, &story.history);
    assert_eq!(found.into_iter().map(|waiting| waiting.message).collect::<Vec<_>>(), sent);
    story.turn(&[done(4, "1")]);
    check(&story, &[(1, 1), (3, 1), (5, 2)]);
}

#[test]
fn what_has_ended_waits_for_nothing() {
    let mut story = Story::begun(story);
    let open = waiting(&story.live.instance.record, &story.history);
    story.turn(&[terminate()]);
    check(&story, &[]);
    assert!(open.iter().all(|waiting| !story.live.instance.waits_for(&waiting.message)));
}
