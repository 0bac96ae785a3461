use super::{Spread, percentile};

#[test]
fn the_median_lies_in_the_middle_whatever_the_order() {
    assert_eq!(Spread::of([9.0, 1.0, 4.0]), Some(Spread { min: 1.0, median: 4.0, max: 9.0 }));
    assert_eq!(Spread::of([1.0, 2.0, 4.0, 9.0]).unwrap().median, 3.0);
    assert_eq!(Spread::of([7.0]), Some(Spread { min: 7.0, median: 7.0, max: 7.0 }));
}

#[test]
fn nothing_has_no_spread() {
    assert_eq!(Spread::of([]), None);
    assert!(percentile(&[], 0.5).is_nan());
}

#[test]
fn a_percentile_lies_between_its_neighbours() {
    let figures: Vec<f64> = (0..=100).map(f64::from).collect();
    assert_eq!(percentile(&figures, 0.99), 99.0);
    assert_eq!(percentile(&figures, 1.0), 100.0);
    assert_eq!(percentile(&[1.0, 2.0], 0.25), 1.25);
}
