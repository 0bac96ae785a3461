use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use super::subscriber;
use crate::settings::{LogFormat, LogSettings};

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Logs two events under the settings and returns what was written.
fn logged(format: LogFormat, level: &str, colours: bool) -> String {
    let paper = Paper::default();
    let writer = paper.clone();
    let settings = LogSettings { format, level: level.into() };
    let subscriber = subscriber(&settings, colours, move || writer.clone()).unwrap();
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!(target: "orchestrator_svc::owner", instance = "order-7", turn = 3, "turn committed");
        tracing::debug!(target: "lapin::channel", "chatter");
    });
    let bytes = paper.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn pretty_is_a_plain_line_for_people() {
    let text = logged(LogFormat::Pretty, "info", false);
    assert_eq!(text.lines().count(), 1);
    assert!(text.ends_with("INFO orchestrator_svc::owner: turn committed instance=\"order-7\" turn=3\n"), "{text}");
    assert!(!text.contains('\x1b'), "{text}");
    assert!(logged(LogFormat::Pretty, "info", true).contains('\x1b'));
}

#[test]
fn json_is_an_object_a_line_with_the_fields_at_its_top() {
    let text = logged(LogFormat::Json, "debug", false);
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["message"], "turn committed");
    assert_eq!(lines[0]["instance"], "order-7");
    assert_eq!(lines[0]["level"], "INFO");
}

#[test]
fn the_level_may_differ_by_module() {
    assert_eq!(logged(LogFormat::Pretty, "warn,lapin=debug", false).lines().count(), 1);
    assert!(logged(LogFormat::Pretty, "warn,lapin=debug", false).contains("chatter"));
    assert!(logged(LogFormat::Pretty, "error", false).is_empty());
}
