//! `localhost/` has a certificate for `localhost`, and its key: of use to nobody else.

use std::sync::Arc;

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;
use warren::Failure;
use warren_service::settings::HttpSettings;

use super::*;
use crate::{http::Http, task::Kind, testing::task};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/localhost");

/// A server that answers every request with text.
async fn server() -> u16 {
    let certificates = CertificateDer::pem_file_iter(format!("{FOLDER}/certificate.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(format!("{FOLDER}/key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates.map(Result::unwrap).collect(), key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // A client that does not believe the certificate breaks this one off.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\nsecret").await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    port
}

async fn answer(host: &str, root_certificates: &str) -> Result<Value, Failure> {
    let settings = HttpSettings {
        url: format!("https://{host}:{}/", server().await),
        private_hosts: vec![host.into()],
        root_certificates: root_certificates.into(),
        ..HttpSettings::default()
    };
    let result = Http::new("charge", &settings).unwrap().run(&task(&json!(null))).await;
    result.map(|result| result.parse().unwrap())
}

#[tokio::test]
async fn a_server_is_believed_by_its_certificate_and_its_name() {
    let roots = format!("{FOLDER}/certificate.pem");
    assert_eq!(answer("localhost", &roots).await, Ok(json!("secret")));
    for failure in [answer("localhost", "").await, answer("127.0.0.1", &roots).await] {
        let failure = failure.unwrap_err();
        assert_eq!((failure.code.as_str(), failure.retryable), ("http_unreachable", true));
        assert!(failure.message.contains("certificate"), "{failure}");
    }
}

#[test]
fn a_file_without_certificates_is_refused() {
    let refused = config(&format!("{FOLDER}/key.pem")).unwrap_err();
    assert!(refused.contains("has no certificate"), "{refused}");
}
