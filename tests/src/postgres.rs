//! PostgreSQL as an operator sees it: plain SQL, no code of Warren's.

use std::{process::Command, sync::OnceLock};

use tokio_postgres::{Client, NoTls};

use crate::repository;

/// Returns the URL of the database for tests; starts the repository's own server if none is named.
pub fn postgres_url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| {
        std::env::var("WARREN_TEST_POSTGRES").unwrap_or_else(|_| {
            let started = Command::new(repository().join("deploy/local/postgres")).arg("ensure").output().unwrap();
            assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
            String::from_utf8(started.stdout).unwrap().trim().into()
        })
    })
}

/// Returns a connection whose names are those of the hub's schema.
pub async fn sql(url: &str, hub: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(&format!("SET search_path = \"{}\"", schema(hub))).await.unwrap();
    client
}

/// Drops what a hub has, if the URL is that of a server.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn drop_hub(url: &str, hub: &str) {
    if !url.starts_with("postgres") {
        return;
    }
    let Ok((client, connection)) = tokio_postgres::connect(url, NoTls).await else { return };
    tokio::spawn(connection);
    let _ = client.batch_execute(&format!("DROP SCHEMA IF EXISTS \"{}\" CASCADE", schema(hub))).await;
}

fn schema(hub: &str) -> String {
    format!("warren_{hub}")
}
