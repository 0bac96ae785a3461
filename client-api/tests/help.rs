//! What the binaries say of themselves.
#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use std::process::Command;

fn check(binary: &str, arguments: &[&str], is_success: bool, says: &[&str]) {
    let output = Command::new(binary).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(output.status.success(), is_success, "{text}");
    for part in says {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

#[test]
fn help_has_examples_and_names_every_flag() {
    check(env!("CARGO_BIN_EXE_client-api"), &["--help"], true, &["Examples:", "--config", "--set"]);
}

#[test]
fn a_flag_that_is_not_known_is_told() {
    check(env!("CARGO_BIN_EXE_client-api"), &["--confg", "x"], false, &["--confg", "--config"]);
}
