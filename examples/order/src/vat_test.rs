use std::collections::BTreeSet;

use super::*;

#[test]
fn every_country_has_a_rate_for_every_kind() {
    assert_eq!(BTreeSet::from(Country::ALL).len(), 27, "each member state once");
    for country in Country::ALL {
        let standard = rate(country, Kind::Standard);
        // EU law since 2022: the standard rate is at least 15 %; Hungary's 27 % is the highest.
        assert!((Rate(1_500)..=Rate(2_700)).contains(&standard), "{country}: {standard}");
        for kind in Kind::ALL {
            assert!(rate(country, kind) <= standard, "{country} {kind:?} bears more than the standard rate");
        }
        let own: Vec<_> = Kind::ALL.iter().map(|kind| rate(country, *kind)).collect();
        assert!(own.iter().any(|rate| *rate < standard) || country == Country::DK, "{country} has a reduced rate");
    }
}

#[test]
fn a_few_rates_are_the_ones_people_know() {
    assert_eq!(rate(Country::DE, Kind::Food).to_string(), "7%");
    assert_eq!(rate(Country::FI, Kind::Standard).to_string(), "25.5%");
    assert_eq!(rate(Country::FR, Kind::Medicine).to_string(), "2.1%");
    assert_eq!(rate(Country::IE, Kind::Book).to_string(), "0%");
    assert_eq!(rate(Country::LU, Kind::Standard).to_string(), "17%");
}

#[test]
fn kinds_that_bear_one_rate_are_rounded_together() {
    // Belgium: food, books and medicine at 6 %. One by one 8 cents would give 0.48 → 0 each, together 1.44 → 1.
    let net = [Kind::Food, Kind::Book, Kind::Medicine].map(|kind| (kind, Eur::cents(8)));
    let found = taxes(Country::BE, &BTreeMap::from(net));
    assert_eq!(found, [Tax { rate: Rate(600), net_cents: Eur::cents(24), tax_cents: Eur::cents(1) }]);
}

#[test]
fn taxes_come_with_the_lowest_rate_first() {
    let net = BTreeMap::from(Kind::ALL.map(|kind| (kind, Eur::cents(10_000))));
    let found: Vec<_> = taxes(Country::FR, &net).iter().map(|t| (t.rate.to_string(), t.tax_cents)).collect();
    let expected = [("2.1%", 210), ("5.5%", 1_100), ("10%", 1_000), ("20%", 2_000)];
    assert_eq!(found, expected.map(|(rate, cents)| (rate.to_owned(), Eur::cents(cents))));
}

#[test]
fn a_rate_reads_as_it_is_written() {
    for country in Country::ALL {
        for kind in Kind::ALL {
            let rate = rate(country, kind);
            assert_eq!(Rate::try_from(rate.to_string()), Ok(rate));
        }
    }
    assert_eq!(Rate::try_from("2.15%".to_owned()), Ok(Rate(215)));
    for wrong in ["", "7", "%", "x%", "1.234%", "-1%", "7.+1%", "700%0"] {
        assert!(Rate::try_from(wrong.to_owned()).is_err(), "{wrong:?}");
    }
}
