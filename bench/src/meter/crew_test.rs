use std::collections::BTreeMap;

use super::{Crew, Reading, Taken};
use crate::meter::{Machine, Process};

#[test]
fn processes_of_one_name_are_added_up() {
    let me = Process::one(std::process::id());
    let mut crew = Crew::default();
    crew.add("worker", me);
    crew.add("worker", me);
    let (before, once, after) = (me.cpu_us().unwrap(), crew.read().unwrap(), me.cpu_us().unwrap());
    assert!((2 * before..=2 * after).contains(&once.cpu_us["worker"]), "{once:?}");
}

#[test]
fn what_nobody_of_the_crew_took_is_others() {
    let reading =
        |broker, text| Reading { machine: Machine::parse(text).unwrap(), cpu_us: BTreeMap::from([("broker", broker)]) };
    let (before, now) = (reading(50_000, "cpu 10 0 0 90 0 0 0 0"), reading(350_000, "cpu 60 0 0 140 0 0 0 0"));
    let taken = now.since(&before);
    assert_eq!(taken, Taken { cpu_us: BTreeMap::from([("broker", 300_000)]), others_us: 200_000 });
    let cores = std::thread::available_parallelism().unwrap().get() as f64;
    assert!((taken.others_share(0.5) - 0.4 / cores).abs() < 1e-9);
}
