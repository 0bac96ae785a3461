//! PostgreSQL as an operator sees it: plain SQL, no code of Warren's.

use tokio_postgres::{Client, NoTls};

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
