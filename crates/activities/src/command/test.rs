use std::{path::PathBuf, time::Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::testing::{details, task};

/// How long anything may take before a test gives up.
const DEADLINE: Duration = Duration::from_secs(30);

/// Goes on until it is ended.
const LOOP: &str = "while :; do sleep 0.05; done";

/// A program of the system's.
fn program(program: &str, arguments: &[&str]) -> CommandSettings {
    CommandSettings {
        program: program.into(),
        arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
        environment: vec!["PATH".into()],
        ..CommandSettings::default()
    }
}

/// A script, as an administrator might name one.
fn script(script: &str) -> CommandSettings {
    program("/bin/sh", &["-c", &script.replace('{', "{{").replace('}', "}}")])
}

async fn run(settings: &CommandSettings, input: &Value) -> Result<Value, Failure> {
    let command = Command::new("render", settings).unwrap();
    command.run(&task(input)).await.map(|result| result.parse().unwrap())
}

/// A file for the number of a process, written by the process itself.
struct Number {
    folder: TempDir,
}

impl Number {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("number")
    }

    /// Returns a script that notes its own number, between what comes first and the rest.
    fn script(&self, first: &str, rest: &str) -> CommandSettings {
        script(&format!("{first} echo $$ > {}; {rest}", self.file().display()))
    }

    async fn written(&self) -> String {
        let written = || std::fs::read_to_string(self.file()).unwrap_or_default();
        eventually("a process writes its number", || written().ends_with('\n')).await;
        written().trim().to_owned()
    }

    /// Waits until the process is no more, or a zombie that its parent has not asked after yet.
    async fn gone(&self) {
        let stat = format!("/proc/{}/stat", self.written().await);
        let is_gone = || match std::fs::read_to_string(&stat) {
            Ok(stat) => stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')),
            Err(_) => true,
        };
        eventually("the process ends", is_gone).await;
    }
}

async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn the_input_is_read_and_the_result_written_as_json() {
    let input = json!({"a": [1, "ä"], "b": {"c": 7}});
    assert_eq!(run(&program("/bin/cat", &[]), &input).await, Ok(input.clone()));
    let part = CommandSettings { input: "/b/c".into(), ..program("/bin/cat", &[]) };
    assert_eq!(run(&part, &input).await, Ok(json!(7)));
    let none = CommandSettings { input: "none".into(), ..program("/bin/cat", &[]) };
    assert_eq!(run(&none, &input).await, Ok(Value::Null));
    let text = CommandSettings { output: "text".into(), ..script("echo hello; echo") };
    assert_eq!(run(&text, &input).await, Ok(json!("hello\n")));
}

#[tokio::test]
async fn a_large_input_that_nobody_reads_holds_up_nothing() {
    let input = json!("x".repeat(4 << 20));
    assert_eq!(run(&program("/bin/true", &[]), &input).await, Ok(Value::Null));
}

#[tokio::test]
async fn arguments_are_filled_one_by_one_and_no_shell_sees_them() {
    let settings = CommandSettings { output: "text".into(), ..program("/bin/echo", &["-n", "{/a}", "by={instance}"]) };
    assert_eq!(run(&settings, &json!({"a": "$(id); `id` *"})).await, Ok(json!("$(id); `id` * by=order-7")));
}

#[tokio::test]
async fn an_argument_that_would_be_an_option_is_refused() {
    let failure = run(&program("/bin/echo", &["{/a}"]), &json!({"a": "--help"})).await.unwrap_err();
    let why = "arguments: what fills {/a} begins with `-`, as an option does";
    assert_eq!(failure, Failure::permanent(code::INVALID_INPUT, why));
    let failure = run(&program("/bin/echo", &["{/a}"]), &json!({"a": "x\0y"})).await.unwrap_err();
    assert_eq!(failure, Failure::permanent(code::INVALID_INPUT, "arguments: what fills a hole has a NUL"));
    let failure = run(&program("/bin/echo", &["{/b}"]), &json!({})).await.unwrap_err();
    assert_eq!(failure, Failure::permanent(code::INVALID_INPUT, "arguments: {/b} is missing"));
}

#[tokio::test]
async fn a_program_gets_no_variable_that_is_not_named() {
    let settings = CommandSettings { output: "text".into(), ..program("/usr/bin/env", &[]) };
    let printed = run(&settings, &json!(null)).await.unwrap();
    let mut names: Vec<&str> = printed.as_str().unwrap().lines().map(|line| line.split('=').next().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["PATH", "TRACEPARENT", "WARREN_IDEMPOTENCY_KEY", "WARREN_INSTANCE"]);
}

#[tokio::test]
async fn the_folder_and_the_memory_are_those_of_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let settings = CommandSettings {
        output: "text".into(),
        folder: folder.path().display().to_string(),
        memory_megabytes_max: 64,
        ..script("pwd; ulimit -v")
    };
    let expect = format!("{}\n{}", folder.path().canonicalize().unwrap().display(), 64 * 1024);
    assert_eq!(run(&settings, &json!(null)).await, Ok(json!(expect)));
    let greedy =
        CommandSettings { memory_megabytes_max: 64, ..script("head -c 200M /dev/zero | tail -c 200M > /dev/null") };
    let failure = run(&greedy, &json!(null)).await.unwrap_err();
    assert_eq!(failure.code, "command_exit", "{failure}");
    assert!(details(&failure)["stderr"].as_str().unwrap().contains("memory"), "{failure}");
}

#[tokio::test]
async fn an_exit_code_is_a_failure_with_the_last_complaints() {
    let settings = CommandSettings { retryable_exit_codes: vec!["75".into()], ..script("echo no paper >&2; exit 3") };
    let failure = run(&settings, &json!(null)).await.unwrap_err();
    assert_eq!((failure.code.as_str(), failure.retryable), ("command_exit", false));
    assert_eq!(failure.message, "/bin/sh ended with exit code 3: no paper");
    assert_eq!(details(&failure), json!({"exit_code": 3, "stderr": "no paper"}));
    let settings =
        CommandSettings { retryable_exit_codes: vec!["75".into()], ..script("yes | head -c 100000 >&2; exit 75") };
    let failure = run(&settings, &json!(null)).await.unwrap_err();
    assert!(failure.retryable && failure.code == "command_exit", "{failure}");
    let stderr = details(&failure)["stderr"].as_str().unwrap().len();
    assert!((4000..=4096).contains(&stderr), "{stderr}");
}

#[tokio::test]
async fn a_signal_that_ends_the_program_is_a_retryable_failure() {
    let failure = run(&script("kill -9 $$"), &json!(null)).await.unwrap_err();
    assert_eq!((failure.code.as_str(), failure.retryable), ("command_killed", true));
    assert_eq!(details(&failure), json!({"signal": 9, "stderr": ""}));
}

#[tokio::test]
async fn what_is_no_json_is_invalid() {
    for written in ["not json", "{\"a\":", "1 2"] {
        let failure = run(&script(&format!("echo '{written}'")), &json!(null)).await.unwrap_err();
        assert_eq!((failure.code.as_str(), failure.retryable), ("command_invalid_output", false), "{failure}");
    }
    let bytes = CommandSettings { output: "text".into(), ..script("printf '\\377'") };
    assert_eq!(run(&bytes, &json!(null)).await.unwrap_err().code, "command_invalid_output");
}

#[tokio::test]
async fn a_program_that_floods_its_output_is_stopped() {
    let number = Number::new();
    let settings = CommandSettings { output_kilobytes_max: 64, ..number.script("", "exec yes") };
    let failure = run(&settings, &json!(null)).await.unwrap_err();
    assert_eq!((failure.code.as_str(), failure.retryable), ("command_output_too_large", false));
    number.gone().await;
}

#[tokio::test]
async fn what_a_program_leaves_behind_ends_with_it() {
    let number = Number::new();
    let left = script(&format!("sleep 1000 & echo $! > {}; echo 1", number.file().display()));
    assert_eq!(run(&left, &json!(null)).await, Ok(json!(1)));
    number.gone().await;
}

/// It may go on, but nobody waits for it.
#[tokio::test]
async fn what_has_left_the_group_holds_up_nothing() {
    let begun = Instant::now();
    assert_eq!(run(&script("setsid sleep 20 & echo 1"), &json!(null)).await, Ok(json!(1)));
    assert!(begun.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn a_program_that_takes_too_long_is_asked_to_end_and_then_made_to() {
    let number = Number::new();
    let polite = number.script("trap 'exit 0' TERM;", LOOP);
    let settings = CommandSettings { timeout_seconds: 1, grace_seconds: 300, ..polite };
    let failure = run(&settings, &json!(null)).await.unwrap_err();
    assert_eq!((failure.code.as_str(), failure.retryable), ("command_timeout", true));
    number.gone().await;
    let number = Number::new();
    let stubborn = number.script("trap '' TERM;", LOOP);
    let settings = CommandSettings { timeout_seconds: 1, grace_seconds: 1, ..stubborn };
    assert_eq!(run(&settings, &json!(null)).await.unwrap_err().code, "command_timeout");
    number.gone().await;
}

#[tokio::test]
async fn a_program_that_nobody_waits_for_any_more_is_stopped() {
    let (number, end) = (Number::new(), Number::new());
    let settings = number.script(&format!("trap 'echo $$ > {}; exit 0' TERM;", end.file().display()), LOOP);
    let running = tokio::spawn(async move { run(&settings, &json!(null)).await });
    number.written().await;
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    assert_eq!(end.written().await, number.written().await, "it was asked to end");
    number.gone().await;
}

/// The slot is taken until the program is gone: another attempt never runs beside it.
#[tokio::test]
async fn a_program_that_is_cancelled_is_gone_before_the_activity_ends() {
    let (number, end) = (Number::new(), Number::new());
    let settings = number.script(&format!("trap 'echo $$ > {}; exit 0' TERM;", end.file().display()), LOOP);
    let (command, task) = (Command::new("render", &settings).unwrap(), task(&json!(null)));
    let control = task.ctx.control();
    let cancel = async {
        number.written().await;
        assert!(control.is_watched());
        control.cancel(CancelReason::Cancelled);
    };
    let (ended, ()) = tokio::join!(command.run(&task), cancel);
    assert_eq!(ended.unwrap_err().code, "command_cancelled");
    assert!(!Path::new("/proc").join(number.written().await).exists());
    assert_eq!(end.written().await, number.written().await, "it was asked to end");
}

#[tokio::test]
async fn a_program_may_end_by_itself_while_the_worker_drains() {
    let (command, task) = (Command::new("render", &program("/bin/cat", &[])).unwrap(), task(&json!(7)));
    task.ctx.control().cancel(CancelReason::WorkerStops);
    assert_eq!(command.run(&task).await.map(|result| result.as_str().to_owned()), Ok("7".into()));
}

#[test]
fn a_program_ends_with_the_runtime() {
    let number = Number::new();
    let settings = CommandSettings { grace_seconds: 300, ..number.script("trap '' TERM;", LOOP) };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let running = tokio::spawn(async move { run(&settings, &json!(null)).await });
        number.written().await;
        running.abort();
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    tokio::runtime::Runtime::new().unwrap().block_on(number.gone());
}

#[test]
fn settings_that_can_t_work_are_refused_by_name() {
    let refused = |settings: &CommandSettings| Command::new("render", settings).unwrap_err().to_string();
    let begin = "serve activities.render: its setting";
    let missing = refused(&program("/nowhere/render", &[]));
    assert!(missing.starts_with(&format!("{begin} program = \"/nowhere/render\"")), "{missing}");
    assert!(refused(&program("/etc/passwd", &[])).ends_with("is no program that can be run"));
    let folder = CommandSettings { folder: "/nowhere".into(), ..program("/bin/true", &[]) };
    assert_eq!(refused(&folder), format!("{begin} folder = \"/nowhere\", which is no folder here"));
    let variable = CommandSettings { environment: vec!["OF_NOBODY_AT_ALL".into()], ..program("/bin/true", &[]) };
    assert!(refused(&variable).contains("needs the environment variable OF_NOBODY_AT_ALL"));
}
