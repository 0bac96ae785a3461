//! The fleet: processes of this very program in the roles of the services, and the servers that they need.

mod process;
mod servers;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use client_api::http_client::HttpClient;
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::{Instant, sleep},
};
use warren_testing::free_port;

use crate::workload::contract::{CARRY, INLINE_KILOBYTES};

pub(crate) use self::{
    process::{Process, Signal},
    servers::{Server, Servers},
};

/// The hub of a storm.
pub(crate) const HUB: &str = "chaos";
/// How long the fleet may take to be ready at the beginning.
const READY: Duration = Duration::from_secs(60);
/// How often somebody looks whether it is.
const LOOK: Duration = Duration::from_millis(100);
/// How long a service may take to stop at the end.
const STOP: Duration = Duration::from_secs(30);

/// What a process of the fleet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// orchestrator-svc.
    Orchestrator,
    /// activity-worker.
    Worker,
    /// client-api.
    Api,
}

/// How many of each there are.
const ROLES: [(Role, &str, u16); 3] =
    [(Role::Orchestrator, "orchestrator", 3), (Role::Worker, "worker", 4), (Role::Api, "api", 2)];

/// A process of the fleet. Whoever holds its lock does something to it.
#[derive(Debug)]
struct Member {
    role: Role,
    name: String,
    process: Arc<Mutex<Process>>,
}

/// All processes and servers.
#[derive(Debug)]
pub(crate) struct Fleet {
    pub(crate) servers: Servers,
    pub(crate) broker_url: String,
    pub(crate) store_url: String,
    /// The addresses of the client-apis.
    pub(crate) apis: Vec<String>,
    members: Vec<Member>,
}

impl Fleet {
    /// Starts fresh servers, then every process with logs and ledgers in `folder`.
    pub(crate) async fn start(servers: Servers, folder: &Path) -> anyhow::Result<Self> {
        let (broker, database) = tokio::join!(fresh(&servers, Server::Broker), fresh(&servers, Server::Database));
        let (broker_url, store_url) = (broker?, database?);
        let settings = folder.join("warren.toml");
        let text = format!(
            "[hub]\nname = \"{HUB}\"\n[broker]\nurl = \"{broker_url}\"\n[store]\nurl = \"{store_url}\"\n\
             [payloads]\ninline_kilobytes_max = {INLINE_KILOBYTES}\nqueues = [\"{}\"]\nstore = \"{store_url}\"\n",
            CARRY.name(),
        );
        fs::write(&settings, text).with_context(|| format!("write {}", settings.display()))?;
        let mut fleet = Self { servers, broker_url, store_url, apis: Vec::new(), members: Vec::new() };
        for (role, name, count) in ROLES {
            for number in 1..=count {
                fleet.add(role, &format!("{name}-{number}"), &settings, folder).await?;
            }
        }
        fleet.ready().await?;
        Ok(fleet)
    }

    async fn add(&mut self, role: Role, name: &str, settings: &Path, folder: &Path) -> anyhow::Result<()> {
        let address = format!("127.0.0.1:{}", free_port());
        let own = match role {
            Role::Orchestrator => {
                ["orchestrator", &format!("orchestrator.name={name}"), &format!("health.orchestrator={address}")]
                    .map(ToOwned::to_owned)
            }
            Role::Worker => {
                ["worker", &format!("worker.name={name}"), &format!("health.worker={address}")].map(ToOwned::to_owned)
            }
            Role::Api => ["api", &format!("client_api.listen={address}"), "log.format=pretty"].map(ToOwned::to_owned),
        };
        let [role_name, first, second] = own;
        let mut arguments = vec![role_name, "--leashed".into(), "--config".into(), settings.display().to_string()];
        arguments.extend(["--set".into(), first, "--set".into(), second]);
        match role {
            Role::Worker => arguments.extend(["--ledger".into(), ledgers(folder).display().to_string()]),
            Role::Api => self.apis.push(format!("http://{address}")),
            Role::Orchestrator => {}
        }
        let mut process = Process::new(name, arguments, folder);
        process.start()?;
        self.members.push(Member { role, name: name.to_owned(), process: Arc::new(Mutex::new(process)) });
        Ok(())
    }

    async fn ready(&self) -> anyhow::Result<()> {
        let until = Instant::now() + READY;
        for api in &self.apis {
            let client = HttpClient::new(api, READY)?;
            while client.get("/health/ready").await.map_or(true, |reply| !reply.status.is_success()) {
                if Instant::now() > until {
                    bail!("the fleet is not ready within {} s", READY.as_secs());
                }
                sleep(LOOK).await;
            }
        }
        Ok(())
    }

    /// Returns a process of this role that nobody is busy with, in the order of preference that `names` gives, then any.
    pub(crate) fn take(&self, role: Role, names: &[String]) -> Option<OwnedMutexGuard<Process>> {
        let free = |member: &Member| member.process.clone().try_lock_owned().ok();
        let of_role = || self.members.iter().filter(move |member| member.role == role);
        let named = names.iter().filter_map(|name| of_role().find(|member| member.name == *name));
        named.chain(of_role()).find_map(free)
    }

    /// Names the processes of a role.
    pub(crate) fn names(&self, role: Role) -> Vec<String> {
        self.members.iter().filter(|member| member.role == role).map(|member| member.name.clone()).collect()
    }

    /// Starts what has ended by itself, and says what that was: nothing should.
    pub(crate) fn revive(&self) -> anyhow::Result<Vec<String>> {
        let mut ended = Vec::new();
        for member in &self.members {
            let Ok(mut process) = member.process.try_lock() else { continue };
            if let Some(status) = process.ended()? {
                ended.push(format!("{} ended by itself: {status}", member.name));
                process.start()?;
            }
        }
        Ok(ended)
    }

    /// Stops every process politely; returns those that did not stop in time, or not well.
    pub(crate) async fn stop(&self) -> anyhow::Result<Vec<String>> {
        let mut bad = Vec::new();
        for member in &self.members {
            if !member.process.lock().await.stop(STOP).await? {
                bad.push(format!("{} did not stop by itself at the end", member.name));
            }
        }
        Ok(bad)
    }
}

/// The folder of the workers' ledgers.
pub(crate) fn ledgers(folder: &Path) -> PathBuf {
    folder.join("ledgers")
}

/// Starts a server without any data; returns its URL.
async fn fresh(servers: &Servers, server: Server) -> anyhow::Result<String> {
    servers.run(server, &["remove"]).await?;
    servers.run(server, &["ensure"]).await
}
