use warren_model::Payload;

use super::check;
use crate::{
    shape::Shape,
    workload::{outcome, parcel},
};

#[test]
fn an_instance_counts_only_with_its_own_result() {
    check(Shape::W2, 7, &Payload::of(&parcel(12)).unwrap()).unwrap();
    check(Shape::W3, 2, &Payload::of(&502_500).unwrap()).unwrap();
    let of_another = check(Shape::W1, 7, &outcome(Shape::W1, 8).unwrap()).unwrap_err();
    assert!(of_another.to_string().contains("was expected"), "{of_another}");
}
