use clap::error::ErrorKind;

use super::{Part, Plan};
use crate::testing;

fn parse(arguments: &str) -> Result<Plan, clap::Error> {
    testing::parse(arguments)
}

#[test]
fn everything_is_measured_unless_somebody_says_otherwise() {
    let plan = parse("").unwrap();
    assert_eq!((plan.parts(), plan.rounds(), plan.ratio_max), (Part::ALL.to_vec(), 3, 1.2));
    assert_eq!(parse("--only store,fan-out").unwrap().parts(), [Part::Store, Part::FanOut]);
}

#[test]
fn a_hurry_has_smaller_sizes_and_less_work() {
    let (hurried, whole) = (parse("--quick").unwrap(), parse("").unwrap());
    assert_eq!((hurried.rounds(), parse("--quick --rounds 7").unwrap().rounds()), (2, 7));
    assert!(hurried.steps() < whole.steps() && hurried.instances() < whole.instances());
    for part in Part::ALL {
        let (small, large) = (part.sizes(true), part.sizes(false));
        assert!(small.is_sorted() && large.is_sorted(), "{part:?}");
        assert!(small.len() >= 2 && small.last() < large.last(), "{part:?}: growth takes two sizes");
    }
}

#[test]
fn arguments_that_make_no_sense_are_refused_with_what_would() {
    for (arguments, told) in [
        ("--only width", "possible values: history, store, fan-out, workers, replicas, memory"),
        ("--rounds 0", "0 is not in 1..=20"),
        ("--set partitions=1", "must be SECTION.KEY=VALUE, e.g. hub.partitions=1"),
    ] {
        let error = parse(arguments).err().unwrap();
        assert!(matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation), "{arguments}: {error}");
        assert!(error.to_string().contains(told), "{arguments}: {error}");
    }
}
