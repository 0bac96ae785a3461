use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use warren_broker::{Address, OwnerWord, Permit};

use super::super::{
    Effect, Input, ItemId,
    fixture::{A, Bench, again, bench, brief as short, delivery, question, task, work},
};

const SECOND: Duration = Duration::from_secs(1);

/// Question `number`, as the worker sends it.
fn ask(number: u64, is_alone: bool) -> String {
    format!("ask h.control.03 {}", question(number, is_alone))
}

#[test]
fn h18_what_comes_for_the_first_time_begins_unasked_and_what_comes_again_is_asked_for() {
    let mut bench = bench(3);
    assert_eq!(short(&bench.deliver(A, [task(1), again(2)])), ["run 1".to_owned(), ask(1, false)]);
    assert_eq!(short(&bench.answer(1, false, Permit::Go)), ["run 2"]);
    assert_eq!(short(&bench.answer(1, false, Permit::Go)), [""; 0], "the same answer again");
    assert_eq!(short(&bench.answer(9, false, Permit::Go)), [""; 0], "an answer to nothing");
    bench.finish(2);
    assert_eq!(short(&bench.confirm(2)), ["ack a 2"]);
}

#[test]
fn an_item_of_another_caller_than_an_owner_just_runs() {
    let mut bench = bench(1);
    let mut message = work(1);
    message.reply_to = Some("caller".into());
    let mut foreign = delivery(1, message);
    foreign.redelivered = true;
    assert_eq!(short(&bench.deliver(A, [foreign])), ["run 1"]);
}

/// It is counted as begun, so it must be able to begin.
#[test]
fn who_asks_has_a_slot() {
    let mut bench = bench(2);
    assert_eq!(short(&bench.deliver(A, [again(1), again(2), again(3), task(4)])), [ask(1, false), ask(2, false)]);
    assert_eq!(short(&bench.answer(2, false, Permit::Go)), ["run 2"]);
    assert_eq!(short(&bench.finish(2)), ["publish 2 to h.control.03".to_owned(), ask(3, false)]);
}

#[test]
fn h8_what_nobody_waits_for_is_acknowledged_and_does_not_run() {
    let mut bench = bench(1);
    bench.deliver(A, [again(1), task(2)]);
    assert_eq!(short(&bench.answer(1, false, Permit::Drop)), ["ack a 1", "run 2"]);
    assert_eq!(bench.worker.held(), 1);
}

/// A quarantined task was sent again between its owner's answer and the worker's hearing it.
#[test]
fn h4_what_came_after_the_question_is_not_dropped_with_the_answer() {
    let mut bench = bench(1);
    bench.deliver(A, [again(1)]);
    assert_eq!(short(&bench.deliver(A, [delivery(2, work(1))])), [""; 0]);
    assert_eq!(short(&bench.answer(1, false, Permit::Drop)), ["ack a 1".to_owned(), ask(2, false)]);
    assert_eq!(short(&bench.answer(1, false, Permit::Drop)), [""; 0], "the old answer again");
    assert_eq!(short(&bench.answer(2, false, Permit::Go)), ["run 1"]);
    bench.finish(1);
    assert_eq!(short(&bench.confirm(1)), ["ack a 2"]);
}

#[test]
fn a_duplicate_that_comes_after_the_question_is_acknowledged_with_the_run() {
    let mut bench = bench(1);
    bench.deliver(A, [again(1)]);
    bench.deliver(A, [delivery(2, work(1))]);
    assert_eq!(short(&bench.answer(1, false, Permit::Go)), ["run 1"]);
    bench.finish(1);
    assert_eq!(short(&bench.confirm(1)), ["ack a ..2"]);
}

#[test]
fn what_has_no_answer_is_asked_again_as_the_same_question() {
    let mut bench = bench(1);
    bench.deliver(A, [again(1)]);
    assert_eq!(short(&bench.pass(3 * SECOND)), [""; 0]);
    assert_eq!(short(&bench.pass(SECOND)), [ask(1, false)]);
    assert_eq!(short(&bench.pass(SECOND)), [""; 0]);
    assert_eq!(short(&bench.answer(1, false, Permit::Go)), ["run 1"]);
    assert_eq!(short(&bench.pass(60 * SECOND)), [""; 0]);
}

#[test]
fn h18_a_suspect_waits_until_nothing_runs_and_nothing_begins_beside_it() {
    let mut bench = bench(3);
    bench.deliver(A, [task(1), again(2), again(3)]);
    assert_eq!(short(&bench.answer(1, false, Permit::Alone)), [""; 0]);
    assert_eq!(short(&bench.answer(2, false, Permit::Alone)), [""; 0]);
    assert_eq!(short(&bench.deliver(A, [task(4)])), [""; 0], "it waits for the suspects");
    assert_eq!(short(&bench.finish(1)), ["publish 1 to h.control.03".to_owned(), ask(3, true)]);
    assert_eq!(short(&bench.answer(1, false, Permit::Alone)), [""; 0], "the first answer again");
    assert_eq!(short(&bench.answer(3, true, Permit::Go)), ["run 2"]);
    assert_eq!(short(&bench.finish(2)), ["publish 2 to h.control.03".to_owned(), ask(4, true)]);
    bench.answer(4, true, Permit::Go);
    assert_eq!(short(&bench.finish(3)), ["publish 3 to h.control.03", "run 4"]);
}

#[test]
fn a_suspect_holds_up_the_others_for_a_while_only() {
    let mut bench = bench(2);
    bench.deliver(A, [task(1), again(2)]);
    bench.answer(1, false, Permit::Alone);
    bench.deliver(A, [task(3)]);
    assert_eq!(short(&bench.pass(29 * SECOND)), [""; 0]);
    assert_eq!(short(&bench.pass(SECOND)), [ask(2, true)], "what runs takes too long");
    assert_eq!(short(&bench.answer(2, true, Permit::Go)), ["run 2"]);
    bench.finish(1);
    assert_eq!(short(&bench.pass(29 * SECOND)), [""; 0]);
    assert_eq!(short(&bench.pass(SECOND)), ["run 3"], "it has run for long and harmed nobody");
}

#[test]
fn an_owner_that_is_away_does_not_hold_up_the_others_for_ever() {
    let mut bench = bench(2);
    bench.deliver(A, [again(1)]);
    assert_eq!(short(&bench.answer(1, false, Permit::Alone)), [ask(2, true)]);
    bench.deliver(A, [task(2)]);
    assert_eq!(short(&bench.pass(30 * SECOND)), [ask(2, true), "run 2".to_owned()]);
    assert_eq!(short(&bench.answer(2, true, Permit::Go)), ["run 1"]);
}

#[test]
fn a_drain_gives_back_what_asks_and_what_waits_to_be_alone() {
    let mut bench = bench(3);
    bench.deliver(A, [task(1), again(2), again(3)]);
    bench.answer(1, false, Permit::Alone);
    bench.deliver(A, [delivery(4, work(3))]);
    let drained = short(&bench.step(Input::Drain));
    assert_eq!(drained, ["cancel a", "cancel b", "requeue a 2", "requeue a 3", "requeue a 4"]);
    assert_eq!(short(&bench.answer(2, false, Permit::Go)), [""; 0]);
    bench.finish(1);
    assert_eq!(short(&bench.confirm(1)), ["ack a 1", "stopped, 0 running, 0 replying"]);
}

#[test]
fn what_asks_is_forgotten_with_its_channel_and_asked_for_anew() {
    let mut bench = bench(2);
    bench.deliver(A, [again(1), again(2)]);
    bench.answer(1, false, Permit::Alone);
    bench.lose(A);
    assert_eq!(bench.worker.held(), 0);
    assert_eq!(short(&bench.answer(2, false, Permit::Go)), [""; 0]);
    assert_eq!(short(&bench.deliver(A, [again(1), task(3)])), [ask(3, false), "run 4".to_owned()]);
}

/// Several workers on one queue; one task kills whoever runs it.
struct Fleet {
    workers: Vec<Bench>,
    /// What each holds, by tag.
    held: Vec<BTreeMap<u64, u32>>,
    running: Vec<BTreeMap<ItemId, u32>>,
    queue: VecDeque<(u32, bool)>,
    /// How often each task was counted.
    counts: BTreeMap<u32, u32>,
    done: BTreeSet<u32>,
    deaths: u32,
    tag: u64,
}

const POISON: u32 = 7;
const TASKS: u32 = 21;
const SLOTS: u16 = 8;
const BEGINS_MAX: u32 = 5;

impl Fleet {
    fn new() -> Self {
        Self {
            workers: (0..3).map(|_| bench(SLOTS)).collect(),
            held: vec![BTreeMap::new(); 3],
            running: vec![BTreeMap::new(); 3],
            queue: (1..=TASKS).map(|number| (number, false)).collect(),
            counts: BTreeMap::new(),
            done: BTreeSet::new(),
            deaths: 0,
            tag: 0,
        }
    }

    /// Gives the worker what it may hold, lets it begin all that it can, and ends one activity.
    fn round(&mut self, at: usize) {
        while self.held[at].len() < SLOTS.into() {
            let Some((number, redelivered)) = self.queue.pop_front() else { break };
            self.tag += 1;
            self.held[at].insert(self.tag, number);
            let mut delivery = delivery(self.tag, work(number));
            delivery.redelivered = redelivered;
            let effects = self.workers[at].deliver(A, [delivery]);
            self.act(at, effects);
        }
        if self.running[at].values().any(|number| *number == POISON) {
            return self.die(at);
        }
        if let Some((item, number)) = self.running[at].pop_first() {
            let effects = self.workers[at].finish(item.0);
            self.act(at, effects);
            self.done.insert(number);
            let effects = self.workers[at].confirm(item.0);
            self.act(at, effects);
        }
    }

    fn die(&mut self, at: usize) {
        self.deaths += 1;
        self.workers[at] = bench(SLOTS);
        self.running[at].clear();
        for (_, number) in std::mem::take(&mut self.held[at]).into_iter().rev() {
            self.queue.push_front((number, true));
        }
    }

    fn act(&mut self, at: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Run { item, input, .. } => drop(self.running[at].insert(item, input.parse().unwrap())),
                Effect::Ask(question) => {
                    assert_eq!(question.to, Address::Queue("h.control.03".into()));
                    let token = question.message.correlation_id.clone().unwrap();
                    let number = (1..=TASKS).find(|it| work(*it).correlation_id.as_ref() == Some(&token)).unwrap();
                    let question = question.message.message_id.unwrap();
                    let permit = self.judge(number, question.ends_with(":1"));
                    let effects = self.workers[at].step(Input::Told(OwnerWord::Permit {
                        question: question.to_string(),
                        permit,
                        progress: None,
                    }));
                    self.act(at, effects);
                }
                Effect::Ack { tag, multiple, .. } => {
                    self.held[at].retain(|held, _| if multiple { *held > tag } else { *held != tag });
                }
                Effect::Publish { .. }
                | Effect::End { .. }
                | Effect::Requeue { .. }
                | Effect::Declare(_)
                | Effect::Cancel { .. }
                | Effect::Pause { .. }
                | Effect::Consume { .. }
                | Effect::AskForBaton { .. }
                | Effect::LeaveBaton { .. }
                | Effect::Stopped { .. } => {}
            }
        }
    }

    /// As the owner does.
    fn judge(&mut self, number: u32, is_alone: bool) -> Permit {
        let count = self.counts.entry(number).or_default();
        match *count {
            _ if self.done.contains(&number) => Permit::Drop,
            BEGINS_MAX => Permit::Drop,
            0 => {
                *count = 1;
                Permit::Go
            }
            _ if !is_alone => Permit::Alone,
            _ => {
                *count += 1;
                Permit::Go
            }
        }
    }
}

#[test]
fn h18_one_that_kills_is_counted_out_and_the_innocent_complete() {
    let mut fleet = Fleet::new();
    for round in 0..500 {
        fleet.round(round % 3);
    }
    let innocent: BTreeSet<u32> = (1..=TASKS).filter(|number| *number != POISON).collect();
    assert_eq!(fleet.done, innocent);
    assert_eq!(fleet.deaths, BEGINS_MAX + 1, "once before anybody knew");
    assert_eq!(fleet.counts[&POISON], BEGINS_MAX);
    let blamed: Vec<u32> = innocent.iter().filter_map(|number| fleet.counts.get(number)).copied().collect();
    assert!(blamed.iter().all(|count| *count <= 2), "begun beside it at most once, then alone: {:?}", fleet.counts);
    assert!(fleet.queue.is_empty() && fleet.held.iter().all(BTreeMap::is_empty), "{:?}", fleet.held);
}
