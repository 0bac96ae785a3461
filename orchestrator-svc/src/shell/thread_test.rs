use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use super::*;

fn in_a_runtime(act: impl FnOnce()) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { outside(act) });
}

#[test]
fn a_sleep_of_tokio_fails_outside_although_there_is_a_runtime_around_it() {
    in_a_runtime(|| {
        let slept = catch_unwind(AssertUnwindSafe(|| tokio::time::sleep(Duration::ZERO).now_or_never()));
        let panic = slept.unwrap_err();
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        assert!(text.is_some_and(|text| text.contains("A Tokio 1.x context was found, but")), "{text:?}");
    });
}

#[test]
fn what_is_spawned_outside_never_runs() {
    in_a_runtime(|| {
        let spawned = tokio::spawn(async { unreachable!("nobody runs it") });
        assert!(spawned.now_or_never().is_some_and(|ended| ended.unwrap_err().is_cancelled()));
    });
}

#[test]
fn nothing_waits_for_its_turn_outside() {
    in_a_runtime(|| {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        for number in 0..10_000 {
            sender.send(number).unwrap();
            assert_eq!(receiver.recv().now_or_never(), Some(Some(number)));
        }
    });
}
