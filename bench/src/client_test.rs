use warren_client::Ended;
use warren_model::{Failure, Payload, Status};

use super::check;
use crate::{
    shape::Shape,
    workload::{outcome, parcel},
};

fn ended(outcome: Payload) -> Ended {
    Ended { status: Status::Completed, outcome: Ok(outcome) }
}

#[test]
fn an_instance_counts_only_with_its_own_outcome() {
    check(Shape::W2, 7, &ended(Payload::of(&parcel(12)).unwrap())).unwrap();
    check(Shape::W3, 2, &ended(Payload::of(&502_500).unwrap())).unwrap();
    let of_another = check(Shape::W1, 7, &ended(outcome(Shape::W1, 8).unwrap())).unwrap_err();
    assert!(of_another.to_string().contains("was expected"), "{of_another}");
}

#[test]
fn an_instance_that_failed_does_not_count() {
    let failed = Ended { status: Status::Failed, outcome: Err(Failure::permanent("no", "never")) };
    assert!(check(Shape::W1, 7, &failed).unwrap_err().to_string().contains("Failed"));
}
