//! One hub's processes: an orchestrator-svc and an activity-worker, and what they take.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, bail};
use client_api::http_client::HttpClient;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};
use warren_testing::free_port;

/// How long a service may take to be ready.
const READY: Duration = Duration::from_secs(60);
/// How long it may take to stop.
const STOP: Duration = Duration::from_secs(30);
/// How often something is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Where things are.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    pub(crate) broker: String,
    pub(crate) store: String,
    pub(crate) folder: std::path::PathBuf,
    /// What else is set, as `section.key=value`.
    pub(crate) settings: Vec<String>,
}

/// A service: this program in one of its roles. Killed when dropped.
pub(crate) struct Service {
    child: Child,
    address: String,
    /// The most memory that it was seen to take, in bytes.
    peak: Arc<AtomicU64>,
    watch: JoinHandle<()>,
}

impl Service {
    /// Starts it and waits until it is ready; returns it with how long that took.
    pub(crate) async fn start(role: &str, hub: &str, places: &Places) -> anyhow::Result<(Self, Duration)> {
        let address = format!("127.0.0.1:{}", free_port());
        let log = File::options().create(true).append(true).open(places.folder.join(format!("{hub}-{role}.log")))?;
        let health = match role {
            "api" => format!("client_api.listen={address}"),
            other => format!("health.{other}={address}"),
        };
        let own = [format!("hub.name={hub}"), format!("broker.url={}", places.broker), health];
        let begun = Instant::now();
        let child = Command::new(std::env::current_exe()?)
            .arg(role)
            .args(own.iter().flat_map(|set| ["--set", set]))
            .args(["--set", &format!("store.url={}", places.store)])
            .args(places.settings.iter().flat_map(|set| ["--set", set]))
            .env_remove("WARREN_CONFIG")
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .with_context(|| format!("start {role}"))?;
        let peak = Arc::new(AtomicU64::new(0));
        let watch = tokio::spawn(watch(child.id(), peak.clone()));
        let mut service = Self { child, address, peak, watch };
        service.ready().await.with_context(|| format!("{role} of hub {hub}"))?;
        Ok((service, begun.elapsed()))
    }

    async fn ready(&mut self) -> anyhow::Result<()> {
        let client = HttpClient::new(&format!("http://{}", self.address), READY)?;
        let until = Instant::now() + READY;
        while client.get("/health/ready").await.map_or(true, |reply| !reply.status.is_success()) {
            if let Some(status) = self.child.try_wait()? {
                bail!("it has ended with {status}: see its log");
            }
            if Instant::now() > until {
                bail!("it is not ready within {} s: see its log", READY.as_secs());
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Returns where it answers HTTP requests.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns how much memory it takes now, in bytes.
    pub(crate) fn resident(&self) -> u64 {
        resident(self.child.id())
    }

    /// Returns how much memory it takes now, in MiB.
    pub(crate) fn memory(&self) -> u64 {
        self.resident() >> 20
    }

    /// Returns the most memory that it took since the last call, in MiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.peak.swap(0, Ordering::Relaxed) >> 20
    }

    /// Stops it politely.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        let pid = self.child.id().to_string();
        // A child that nobody has waited for: its pid is still its own.
        Command::new("kill").args(["-TERM", &pid]).status().context("run kill")?;
        let until = Instant::now() + STOP;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait()? {
                if status.success() {
                    return Ok(());
                }
                bail!("process {pid} ended with {status}");
            }
            sleep(LOOK).await;
        }
        bail!("process {pid} did not stop within {} s", STOP.as_secs())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.watch.abort();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn watch(pid: u32, peak: Arc<AtomicU64>) {
    loop {
        peak.fetch_max(resident(pid), Ordering::Relaxed);
        sleep(LOOK * 5).await;
    }
}

/// Returns the resident set of a process in bytes; 0 if it is gone.
fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap_or(0);
    kibibytes << 10
}
