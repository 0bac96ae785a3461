use warren_model::Timestamp;
use warren_store::Epoch;

use super::*;

const LAPSE: Duration = Duration::from_secs(4);

/// A database's leases, and replicas that do what they are advised at once.
struct Fleet {
    leases: Vec<Lease>,
    replicas: Vec<(Leases, i64, bool)>,
    now: Duration,
    moves: usize,
}

impl Fleet {
    fn new(partitions: u16) -> Self {
        let lease = |partition| Lease { partition: Partition(partition), owner: None, epoch: Epoch(0), counter: 0 };
        let leases = (0..partitions).map(lease).collect();
        Self { leases, replicas: Vec::new(), now: Duration::ZERO, moves: 0 }
    }

    fn join(&mut self, name: &str) {
        self.replicas.push((Leases::new(name, LAPSE), 0, true));
    }

    fn kill(&mut self, name: &str) {
        self.replicas.iter_mut().find(|(leases, ..)| leases.replica == name).unwrap().2 = false;
    }

    /// Every replica that lives renews and does as it is advised, `seconds` times, a second apart.
    fn run(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now += Duration::from_secs(1);
            for at in 0..self.replicas.len() {
                self.step(at);
            }
        }
    }

    fn step(&mut self, at: usize) {
        if !self.replicas[at].2 {
            return;
        }
        self.replicas[at].1 += 1;
        let name = self.replicas[at].0.replica.clone();
        let mut held = Vec::new();
        for lease in self.leases.iter_mut().filter(|lease| lease.owner.as_ref() == Some(&name)) {
            lease.counter += 1;
            held.push(lease.partition);
        }
        let standing = |(leases, counter, _): &(Leases, i64, bool)| Standing {
            replica: leases.replica.clone(),
            counter: *counter,
        };
        let replicas = self.replicas.iter().filter(|(_, counter, _)| *counter > 0).map(standing).collect();
        let survey = Survey { leases: self.leases.clone(), replicas, now: Timestamp::UNIX_EPOCH };
        let advice = self.replicas[at].0.advise(survey, self.now, true, &held, &[]);
        self.moves += advice.take.len();
        for lease in advice.take {
            let lease = &mut self.leases[usize::from(lease.partition.0)];
            *lease = Lease { owner: Some(name.clone()), epoch: Epoch(lease.epoch.0 + 1), ..lease.clone() };
        }
        for partition in advice.give {
            self.leases[usize::from(partition.0)].owner = None;
        }
    }

    /// How many partitions each owner has, by name; `-` stands for nobody.
    fn shares(&self) -> String {
        let mut shares = BTreeMap::<&str, usize>::new();
        for lease in &self.leases {
            *shares.entry(lease.owner.as_deref().unwrap_or("-")).or_default() += 1;
        }
        shares.into_iter().map(|(owner, count)| format!("{owner}{count}")).collect::<Vec<_>>().join(" ")
    }
}

#[test]
fn replicas_share_the_partitions_within_a_lease_time_of_joining() {
    let mut fleet = Fleet::new(16);
    fleet.join("a");
    fleet.run(1);
    assert_eq!(fleet.shares(), "a16");
    fleet.join("b");
    fleet.join("c");
    fleet.run(4);
    assert_eq!(fleet.shares(), "a6 b5 c5");
    fleet.join("d");
    fleet.run(4);
    assert_eq!(fleet.shares(), "a4 b4 c4 d4");
}

#[test]
fn nothing_moves_that_need_not() {
    let mut fleet = Fleet::new(7);
    for name in ["c", "b", "a"] {
        fleet.join(name);
        fleet.run(4);
    }
    fleet.moves = 0;
    fleet.run(20);
    assert_eq!(fleet.moves, 0, "{}", fleet.shares());
    fleet.kill("b");
    fleet.run(5);
    assert!(fleet.moves <= 3, "only what b had: {}", fleet.moves);
    assert!(fleet.shares() == "a3 c4" || fleet.shares() == "a4 c3", "{}", fleet.shares());
}

#[test]
fn h2_what_a_dead_replica_held_goes_to_the_others_once_it_has_stood_still_for_the_lease_time() {
    let mut fleet = Fleet::new(8);
    fleet.join("a");
    fleet.join("b");
    fleet.run(4);
    assert_eq!(fleet.shares(), "a4 b4");
    fleet.kill("a");
    fleet.run(3);
    assert_eq!(fleet.shares(), "a4 b4");
    fleet.run(2);
    assert_eq!(fleet.shares(), "b8");
}

#[test]
fn more_replicas_than_partitions_leave_some_to_stand_by() {
    let mut fleet = Fleet::new(2);
    for name in ["a", "b", "c"] {
        fleet.join(name);
    }
    fleet.run(6);
    assert_eq!(fleet.shares(), "a1 b1");
    fleet.kill("a");
    fleet.run(6);
    assert_eq!(fleet.shares(), "b1 c1");
}

#[test]
fn a_replica_that_does_not_stand_takes_nothing_and_what_it_drains_is_not_given_twice() {
    let mut leases = Leases::new("a", LAPSE);
    let lease = |partition, owner: &str| Lease {
        partition: Partition(partition),
        owner: (!owner.is_empty()).then(|| owner.to_owned()),
        epoch: Epoch(1),
        counter: 1,
    };
    let survey = |counter| Survey {
        leases: vec![lease(0, "a"), lease(1, "a"), lease(2, "a"), lease(3, "")],
        replicas: vec![Standing { replica: "b".into(), counter }],
        now: Timestamp::UNIX_EPOCH,
    };
    let held = [Partition(0), Partition(1), Partition(2)];
    let advice = leases.advise(survey(1), Duration::ZERO, false, &held, &[]);
    assert_eq!(advice, Advice { take: vec![], give: vec![], replicas: 0 });
    let advice = leases.advise(survey(2), Duration::ZERO, true, &held, &[]);
    assert_eq!(advice, Advice { take: vec![], give: vec![Partition(2)], replicas: 2 });
    let advice = leases.advise(survey(3), Duration::ZERO, true, &held[..2], &[Partition(2)]);
    assert_eq!(advice, Advice { take: vec![], give: vec![], replicas: 2 });
}

#[test]
fn a_lease_that_it_acquired_without_learning_of_it_is_taken_at_once() {
    let mut leases = Leases::new("a", LAPSE);
    let own = Lease { partition: Partition(0), owner: Some("a".into()), epoch: Epoch(1), counter: 1 };
    let survey = Survey { leases: vec![own.clone()], replicas: vec![], now: Timestamp::UNIX_EPOCH };
    assert_eq!(leases.advise(survey, Duration::ZERO, true, &[], &[]).take, [own]);
}

#[test]
fn what_a_dead_life_has_left_behind_has_no_share_in_the_eyes_of_a_new_one() {
    let mut leases = Leases::new("b-2", LAPSE);
    let survey = |counter| Survey {
        leases: (0..4).map(|n| Lease { partition: Partition(n), owner: None, epoch: Epoch(0), counter: 0 }).collect(),
        replicas: vec![
            Standing { replica: "a".into(), counter },
            Standing { replica: "b-1".into(), counter: 7 },
            Standing { replica: "b-2".into(), counter },
        ],
        now: Timestamp::UNIX_EPOCH,
    };
    let held = [Partition(0), Partition(1)];
    leases.advise(survey(1), Duration::ZERO, true, &held, &[]);
    let advice = leases.advise(survey(2), Duration::from_millis(250), true, &held, &[]);
    assert_eq!((advice.replicas, advice.give.len()), (2, 0), "a and itself");
}

#[test]
fn what_nobody_takes_is_taken_beyond_the_share() {
    let mut leases = Leases::new("a", LAPSE);
    let lease = |n, owner: Option<&str>| Lease {
        partition: Partition(n),
        owner: owner.map(Into::into),
        epoch: Epoch(1),
        counter: 1,
    };
    let survey = |counter| Survey {
        leases: vec![lease(0, Some("a")), lease(1, None)],
        replicas: vec![Standing { replica: "z".into(), counter }],
        now: Timestamp::UNIX_EPOCH,
    };
    let mut look = |millis, stands| {
        let advice = leases.advise(survey(millis), Duration::from_millis(millis as u64), stands, &[Partition(0)], &[]);
        advice.take.len()
    };
    assert_eq!([look(0, false), look(500, true), look(999, true)], [0, 0, 0], "it is z's to take");
    assert_eq!(look(1_000, false), 0);
    assert_eq!(look(1_001, true), 1);
}

#[test]
fn what_it_has_just_handed_over_is_not_taken_back_at_once() {
    let mut leases = Leases::new("a", LAPSE);
    let mut look = |second, owner: Option<&str>, held: &[Partition]| {
        let lease = Lease { partition: Partition(0), owner: owner.map(Into::into), epoch: Epoch(1), counter: second };
        let other = Standing { replica: "z".into(), counter: second };
        let busy = Lease { partition: Partition(1), owner: Some("a".into()), ..lease.clone() };
        let survey = Survey { leases: vec![lease, busy], replicas: vec![other], now: Timestamp::UNIX_EPOCH };
        leases.advise(survey, Duration::from_secs(second.unsigned_abs()), true, held, &[]).take.len()
    };
    let both = [Partition(0), Partition(1)];
    assert_eq!([look(1, Some("a"), &both), look(2, Some("a"), &both), look(9, Some("a"), &both)], [0, 0, 0]);
    assert_eq!(look(10, None, &both[1..]), 0);
    assert_eq!(look(11, None, &both[1..]), 1, "nobody has taken it for a second");
}
