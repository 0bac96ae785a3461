use super::{line, show};
use crate::{
    shape::Shape,
    speed::{
        contender::Contender,
        fixture::{bout, outcome},
        plan::Row,
    },
};

#[test]
fn a_row_has_the_spread_the_ratio_and_who_took_the_time() {
    let text = show(&outcome());
    let row = |begin: &str| text.lines().find(|line| line.starts_with(begin)).unwrap();
    let ours = row("w1  postgres  ours");
    assert!(ours.contains("5 (2 to 10) instances/s"), "{ours}");
    assert!(ours.contains("(2 of 3 began on a busy machine)"), "{ours}");
    let limit = row("w1  postgres  limit");
    assert!(limit.contains(" 0.25 (0.25 to 1.00) ") && !limit.contains("busy"), "{limit}");
    assert!(row("l1  postgres  ours").contains("20.00 (10.00 to 40.00) ms each"));
    assert!(text.contains("per activity: 4.00 messages, 2000 bytes to and from the broker; 0.0100 commits, 4.00 rows"));
}

#[test]
fn a_run_says_when_it_began_on_a_busy_machine() {
    let text = line(Row::Sqlite, Contender::Ours, &bout(Shape::W2, 4.0));
    assert!(text.starts_with("w2 sqlite    ours") && text.contains("others took 12 %"), "{text}");
    assert!(text.ends_with("begun on a busy machine"), "{text}");
}
