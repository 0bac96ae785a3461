use super::*;
use crate::testing::entry;

fn folder(name: &str, text: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("warren-ledger-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("worker-1.jsonl"), text).unwrap();
    folder
}

#[test]
fn a_line_that_a_killed_worker_did_not_finish_is_left_out() {
    let line = serde_json::to_string(&entry("m1", 0, 7)).unwrap();
    let folder = folder("torn", &format!("{line}\n{}", &line[..20]));
    assert_eq!(read_ledger(&folder).unwrap(), [entry("m1", 0, 7)]);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_broken_line_in_the_middle_is_an_error_that_names_it() {
    let line = serde_json::to_string(&entry("m1", 0, 7)).unwrap();
    let folder = folder("broken", &format!("{line}\n{}\n{line}\n", &line[..20]));
    let error = read_ledger(&folder).unwrap_err().to_string();
    assert!(error.contains("worker-1.jsonl, line 2"), "{error}");
    fs::remove_dir_all(folder).unwrap();
}
