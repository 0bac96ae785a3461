use warren::test::Hub;
use warren_model::Payload;

use super::{CHAIN, FAN, job, outcome, parcel, registry};
use crate::shape::Shape;

#[test]
fn a_chain_adds_one_at_each_step() {
    let hub = Hub::new(registry());
    assert_eq!(hub.run_blocking(CHAIN, job(Shape::W1, 7)), Ok(parcel(8)));
    assert_eq!(hub.run_blocking(CHAIN, job(Shape::W2, 7)), Ok(parcel(12)));
}

#[test]
fn a_fan_out_adds_up_what_all_have_returned() {
    let hub = Hub::new(registry());
    assert_eq!(hub.run_blocking(FAN, job(Shape::W3, 0)), Ok((1..=1_000).sum()));
}

#[test]
fn what_is_expected_is_what_comes_out() {
    for (shape, number) in [(Shape::W1, 3), (Shape::W2, 3), (Shape::L1, 0)] {
        let output = Hub::new(registry()).run_blocking(CHAIN, job(shape, number)).unwrap();
        assert_eq!(Payload::of(&output).unwrap(), outcome(shape, number).unwrap());
    }
    let sum = Hub::new(registry()).run_blocking(FAN, job(Shape::W3, 3)).unwrap();
    assert_eq!(Payload::of(&sum).unwrap(), outcome(Shape::W3, 3).unwrap());
}
