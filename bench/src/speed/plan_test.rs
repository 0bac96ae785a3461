use clap::error::ErrorKind;

use super::{Plan, Row};
use crate::{shape::Shape, speed::contender::Contender, testing};

fn parse(arguments: &str) -> Result<Plan, clap::Error> {
    testing::parse(arguments)
}

#[test]
fn everything_is_measured_unless_somebody_says_otherwise() {
    let plan = parse("").unwrap();
    assert_eq!((plan.shapes(), plan.rows()), (Shape::ALL.to_vec(), Row::ALL.to_vec()));
    assert_eq!((plan.runs(Row::Postgres), plan.runs(Row::Sqlite)), (5, 3));
    assert_eq!(plan.work(Shape::W1).instances, 30_000);
    assert_eq!(
        plan.contenders(Row::Postgres, Shape::W1),
        [Contender::Ours, Contender::Limit, Contender::Packed, Contender::Path, Contender::LimitQueue]
    );
}

#[test]
fn a_hurry_is_the_main_fleet_and_a_share_of_the_work() {
    let plan = parse("--quick --only w1,l1").unwrap();
    assert_eq!((plan.shapes(), plan.rows()), (vec![Shape::W1, Shape::L1], vec![Row::Postgres]));
    assert_eq!((plan.runs(Row::Postgres), plan.work(Shape::W1).instances), (2, 10_000));
    assert_eq!(plan.contenders(Row::Postgres, Shape::L1), [Contender::Ours, Contender::Limit]);
    assert_eq!(plan.contenders(Row::Http, Shape::W1), [Contender::Ours, Contender::Limit]);
    let plan = parse("--quick --rows sqlite --runs 7 --instances 50 --inflight 9").unwrap();
    assert_eq!((plan.rows(), plan.runs(Row::Sqlite)), (vec![Row::Sqlite], 7));
    assert_eq!((plan.work(Shape::W2).instances, plan.work(Shape::W2).inflight), (50, 9));
}

#[test]
fn arguments_that_make_no_sense_are_refused_with_what_would() {
    for (arguments, told) in [
        ("--only w9", "possible values: w1, w2, w3, l1"),
        ("--rows oracle", "possible values: postgres"),
        ("--runs 0", "0 is not in 1..=100"),
        ("--instances 3", "3 is not in 10..=1000000"),
        ("--inflight many", "must be a whole number from 1 to 10000"),
        ("--set partitions=1", "must be SECTION.KEY=VALUE, e.g. hub.partitions=1"),
    ] {
        let error = parse(arguments).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation), "{arguments}: {error}");
        assert!(error.to_string().contains(told), "{arguments}: {error}");
    }
}
