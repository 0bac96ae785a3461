use warren_testing::Script;

use super::*;
use crate::postgres::{
    pool::{Use, pool},
    url::Address,
};

/// The repository's own server has a certificate for 127.0.0.1 and localhost, whatever other one the tests use.
fn url(parameters: &str) -> String {
    format!("{}?schema=of_nobody{parameters}", Script::postgres().run(&["ensure"]))
}

fn certificate() -> String {
    Script::postgres().run(&["ca"])
}

/// Returns whether a new connection is encrypted.
async fn is_encrypted(url: &str) -> Result<bool> {
    let client = pool(&Address::parse(url, "orders")?, Use::Queries)?.get().await?;
    let row = client.query_one("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", &[]).await?;
    Ok(row.try_get(0)?)
}

#[tokio::test]
async fn each_mode_connects_to_a_server_that_it_believes() {
    assert!(!is_encrypted(&url("&sslmode=disable")).await.unwrap());
    for mode in ["", "&sslmode=prefer", "&sslmode=require"] {
        assert!(is_encrypted(&url(mode)).await.unwrap(), "{mode}");
    }
    let full = format!("&sslmode=verify-full&sslrootcert={}", certificate());
    assert!(is_encrypted(&url(&full)).await.unwrap());
    assert!(is_encrypted(&url(&full).replace("127.0.0.1", "localhost")).await.unwrap());
}

#[tokio::test]
async fn verify_full_believes_neither_an_unknown_certificate_nor_another_host_s() {
    let unknown = is_encrypted(&url("&sslmode=verify-full")).await;
    assert!(matches!(&unknown, Err(Error::Unavailable(why)) if why.contains("certificate")), "{unknown:?}");
    let other = format!("&sslmode=verify-full&sslrootcert={}&hostaddr=127.0.0.1", certificate());
    let other = is_encrypted(&url(&other).replace("@127.0.0.1", "@db.example")).await;
    assert!(matches!(&other, Err(Error::Unavailable(why)) if why.contains("db.example")), "{other:?}");
}

#[test]
fn a_file_without_certificates_is_named() {
    for file in ["/nowhere/ca.pem", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")] {
        let error = connector(&Trust::Roots(Some(file.into()))).err().unwrap();
        assert!(matches!(&error, Error::Mismatch(why) if why.contains(file)), "{error}");
    }
}
