//! What an orchestrator logs, live and in a replay.

use std::{
    io,
    sync::{Arc, Mutex},
};

use tracing_subscriber::fmt::MakeWriter;
use warren_engine::Program;

use crate::{
    Activity, Context, Failure, Orchestrator, Registry,
    program::{Run, erase},
    test::Hub,
    testing::{done, identity, started},
};

const A: Activity<u32, u32> = Activity::new("a");

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;
    fn make_writer(&self) -> Self {
        self.clone()
    }
}

async fn talkative(ctx: Context, n: u32) -> Result<u32, Failure> {
    struct LastWord;
    impl Drop for LastWord {
        fn drop(&mut self) {
            tracing::info!("dropped");
        }
    }
    let _last_word = LastWord;
    tracing::info!(n, replaying = ctx.is_replaying(), "begins");
    let got = ctx.call(A, n).await?;
    tracing::info!(got, "goes on");
    ctx.call(A, got).await
}

/// Runs `test` with a subscriber of its own.
fn logging(test: impl FnOnce(&Lines)) {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt().with_writer(lines.clone()).with_ansi(false).without_time().finish();
    tracing::subscriber::with_default(subscriber, || test(&lines));
}

#[test]
fn the_subscriber_of_a_test_hears_each_line_once_though_the_hub_replays() {
    const MAIN: Orchestrator<u32, u32> = Orchestrator::new("main");
    logging(|lines| {
        let hub = Hub::new(Registry::new().orchestrator(MAIN, talkative)).mock(A, Ok);
        assert_eq!(hub.run_blocking(MAIN, 1), Ok(1));
        let heard = lines.take();
        for line in ["begins", "goes on", "dropped"] {
            assert_eq!(heard.matches(line).count(), 1, "{line}: {heard}");
        }
    });
}

#[test]
fn a_replay_is_silent_and_a_live_turn_says_which_instance_it_is() {
    logging(|lines| {
        let mut run = Run::new(identity(), erase(talkative));
        run.react(&[started(&1)], false);
        let live = lines.take();
        let fields = r#"orchestration{instance=order-7 orchestrator="checkout" version="2"}"#;
        assert!(live.contains(fields) && live.contains("begins n=1 replaying=false"), "{live}");

        drop(run);
        assert_eq!(lines.take(), "", "what an evicted program's destructors say is nobody's");

        let mut again = Run::new(identity(), erase(talkative));
        again.react(&[started(&1)], true);
        assert_eq!(lines.take(), "");
        again.react(&[done(1, 2)], false);
        let live = lines.take();
        assert!(live.contains("goes on got=2") && !live.contains("begins"), "{live}");
    });
}
