use super::*;

#[test]
fn half_a_cent_is_rounded_up_and_less_is_not() {
    assert_eq!(Eur::cents(50).share(2_100), Eur::cents(11)); // 10.50 cents
    assert_eq!(Eur::cents(49).share(2_100), Eur::cents(10)); // 10.29 cents
    assert_eq!(Eur::cents(10).share(2_550), Eur::cents(3)); // 2.55 cents
    assert_eq!(Eur::cents(100).share(550), Eur::cents(6)); // 5.50 cents
    assert_eq!(Eur::cents(12_345).share(0), Eur::cents(0));
}

#[test]
fn a_sum_stops_at_the_largest_amount() {
    let most = Eur::cents(u64::MAX);
    assert_eq!(most + Eur::cents(1), most);
    assert_eq!(most * 2, most);
    assert_eq!(most.share(10_000), most);
    assert_eq!(most.share(u16::MAX), most);
}

#[test]
fn an_amount_is_shown_in_euros_and_written_in_cents() {
    assert_eq!(Eur::cents(1_000_005).to_string(), "10000.05 EUR");
    assert_eq!(format!("{:>10}", Eur::cents(7)), "  0.07 EUR");
    assert_eq!(serde_json::to_string(&Eur::cents(1_299)).unwrap(), "1299");
    assert!(serde_json::from_str::<Eur>("-1").is_err());
    assert!(serde_json::from_str::<Eur>("12.5").is_err());
}
