use super::{Report, Said};
use crate::shape::Shape;

fn said(rate: f64) -> Said {
    Said { instances_s: rate, activities_s: rate * 1_000.0, p50_ms: rate, p99_ms: 2.0 * rate }
}

fn report() -> Report {
    let mut report = Report::default();
    report.add(Shape::W1, "warren".into(), &[said(900.0), said(1_200.0), said(1_000.0)]);
    report.add(Shape::W1, "other".into(), &[said(250.0)]);
    report.add(Shape::L1, "warren".into(), &[said(2.0)]);
    report.add(Shape::L1, "other".into(), &[said(8.0)]);
    report.add(Shape::W2, "failed".into(), &[]);
    report
}

#[test]
fn better_is_more_per_second_and_less_time() {
    let report = report();
    assert_eq!(report.times(Shape::W1, "other"), Some(4.0));
    assert_eq!(report.times(Shape::L1, "other"), Some(4.0));
    assert_eq!(report.times(Shape::W2, "failed"), None, "an engine that failed has no figures");
}

#[test]
fn the_table_and_the_file_say_the_same() {
    let report = report();
    let text = report.show();
    assert!(text.contains("1000 (900 to 1200) instances/s"), "{text}");
    assert!(text.contains("8.00 (8.00 to 8.00) ms each") && text.contains("4.0 times  p99 16.00 ms"), "{text}");
    assert_eq!(report.json()["w1"]["other"]["ours_is_better"], 4.0);
    assert_eq!(report.json()["w1"]["warren"]["rate"]["median"], 1_000.0);
}
