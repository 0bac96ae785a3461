use super::*;
use crate::{Options, run};

/// Most seeds that a mistake may take to be seen: less than a minute's worth.
const SEEDS: u64 = 300;

/// Returns which invariants see the mistake first.
fn seen_by(mutation: Mutation) -> &'static str {
    let runs = (1..=SEEDS).map(|seed| run(Options { seed, mutation: Some(mutation), keeps_trace: false }));
    let violation = runs.into_iter().find_map(|report| report.violation);
    violation.unwrap_or_else(|| panic!("{mutation:?} is not seen in {SEEDS} seeds")).invariant
}

#[test]
fn an_acknowledgement_before_the_commit_is_seen() {
    assert_eq!(seen_by(Mutation::AckBeforeCommit), "commit first");
}

#[test]
fn h2_a_store_without_a_fence_is_seen() {
    assert!(["fence", "refused"].contains(&seen_by(Mutation::NoFence)));
}

#[test]
fn h1_an_owner_that_knows_no_duplicate_is_seen() {
    let seen_by = seen_by(Mutation::NoDuplicateCheck);
    assert!(["refused", "rest", "once", "purged"].contains(&seen_by), "{seen_by}");
}

#[test]
fn h1_a_store_that_takes_what_is_said_to_be_new_for_new_is_seen() {
    let seen_by = seen_by(Mutation::NoFreshCheck);
    assert!(["commit first", "refused", "rest", "once", "purged"].contains(&seen_by), "{seen_by}");
}

#[test]
fn h7_an_activity_that_is_not_told_to_end_is_seen() {
    assert_eq!(seen_by(Mutation::NoCancellation), "rest");
}
