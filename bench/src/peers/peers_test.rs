use super::read;

#[test]
fn figures_are_the_last_line_that_was_printed() {
    let output = "starting\n{\"instances_s\":2.5,\"activities_s\":13,\"p50_ms\":1.5,\"p99_ms\":2,\"secs\":4}\n";
    let said = read(output).unwrap();
    assert_eq!((said.instances_s, said.activities_s, said.p50_ms), (2.5, 13.0, 1.5));
}

#[test]
fn what_is_no_figures_is_shown() {
    assert!(format!("{:#}", read("").unwrap_err()).contains("printed nothing"));
    assert!(format!("{:#}", read("oh no\n").unwrap_err()).contains("its last line is no figures: oh no"));
}
