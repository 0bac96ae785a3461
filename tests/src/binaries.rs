//! Where the programs under test are.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Once,
};

use warren_testing::Script;

/// Returns the path of a service's binary, built as it stands.
///
/// `cargo test --workspace` builds it before any test runs, and `tools/test` says so: building here would then only
/// repeat it with other features.
pub fn binary(name: &str) -> PathBuf {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        if std::env::var_os("WARREN_TEST_BUILT").is_some() {
            return;
        }
        let packages = ["orchestrator-svc", "activity-worker", "client-api"].map(|package| ["-p", package]);
        let build = Command::new(env!("CARGO")).args(["build", "--quiet", "--bins"]).args(packages.concat()).status();
        assert!(build.unwrap().success(), "the services can't be built");
    });
    // …/target/<profile>/deps/<this test>
    let test = std::env::current_exe().unwrap();
    test.parent().and_then(Path::parent).unwrap().join(name)
}

/// Returns a Python that has pika and aio-pika; made at first use.
pub fn python() -> PathBuf {
    Script::new("tools/python").run(&[]).into()
}

/// Returns a folder with `node` and the `node_modules` of the worker in JavaScript; made at first use.
pub fn node() -> PathBuf {
    Script::new("tools/node").run(&[]).into()
}

/// Returns Prometheus' promtool; fetched at first use.
pub fn promtool() -> PathBuf {
    Script::new("tools/promtool").run(&[]).into()
}
