//! Encrypted connections: whose certificates are believed.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

/// Returns how servers are checked: by the root certificates of this file, or by the system's.
pub(super) fn config(file: &str) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    if file.is_empty() {
        // None at all: then no server is believed, and the failure of a call says so.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    } else {
        roots.add_parsable_certificates(read(file)?);
        if roots.is_empty() {
            return Err(format!("= {file:?}: the file has no certificate, expected some in PEM"));
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring serves rustls's own versions of TLS");
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

fn read(file: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    certificates.map_err(|error| format!("= {file:?}: {error}"))
}

#[cfg(test)]
#[path = "tls_test.rs"]
mod test;
