//! Where the programs under test are.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Once,
};

use warren_testing::repository;

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
    tool("tools/python")
}

/// Returns a folder with `node` and the `node_modules` of the worker in JavaScript; made at first use.
pub fn node() -> PathBuf {
    tool("tools/node")
}

/// Returns Prometheus' promtool; fetched at first use.
pub fn promtool() -> PathBuf {
    tool("tools/promtool")
}

/// Returns what a script of the repository finds or makes.
fn tool(script: &str) -> PathBuf {
    let made = Command::new(repository().join(script)).output().unwrap();
    assert!(made.status.success(), "{script}: {}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).unwrap().trim().into()
}
