use super::*;

fn plain(seed: u64) -> Report {
    run(Options { seed, ..Options::default() })
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in [1, 2, 3, 40, 500] {
        let (one, other) = (plain(seed), plain(seed));
        assert_eq!((one.hash, one.steps, one.faults), (other.hash, other.steps, other.faults), "seed {seed}");
    }
    assert_ne!(plain(1).hash, plain(2).hash);
}

#[test]
fn a_few_dozen_seeds_break_no_invariant() {
    for seed in 1..=40 {
        let report = plain(seed);
        assert_eq!(report.violation, None, "seed {seed}, run it with --seed {seed} --trace");
    }
}
