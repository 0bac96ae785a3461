//! How connections are made: the host is looked up, its addresses are checked, and one that was checked is connected to,
//! so that no second look-up can lead elsewhere. Every way out of an activity comes by here, redirects too.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use ::http::Uri;
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::address::is_public;

/// Connects to hosts.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    pub(super) tls: Arc<ClientConfig>,
    pub(super) within: Duration,
    /// The hosts that may be at addresses that are not public.
    pub(super) private_hosts: Arc<[String]>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoConnection {
    /// The host's addresses may not be called.
    #[error("{host} is at {address}, which is no public address: name the host in private_hosts if that is meant")]
    Private { host: String, address: IpAddr },
    #[error("no connection to {host} within {seconds} s")]
    TooSlow { host: String, seconds: u64 },
    #[error("connect to {host}: {source}")]
    Failed { host: String, source: io::Error },
}

/// A connection, encrypted or not.
pub(super) type Stream = TokioIo<Box<dyn Duplex>>;

/// What bytes go through.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

impl Connection for Box<dyn Duplex> {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Gate {
    async fn connect(self, uri: Uri) -> Result<Stream, NoConnection> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        match timeout(self.within, self.open(&uri, &host)).await {
            Ok(opened) => opened,
            Err(_) => Err(NoConnection::TooSlow { host, seconds: self.within.as_secs() }),
        }
    }

    async fn open(&self, uri: &Uri, host: &str) -> Result<Stream, NoConnection> {
        let failed = |source| NoConnection::Failed { host: host.into(), source };
        let is_encrypted = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if is_encrypted { 443 } else { 80 });
        let found: Vec<SocketAddr> = lookup_host((host, port)).await.map_err(failed)?.collect();
        let allowed = self.checked(host, &found)?;
        let tcp = TcpStream::connect(allowed.as_slice()).await.map_err(failed)?;
        tcp.set_nodelay(true).map_err(failed)?;
        if !is_encrypted {
            return Ok(TokioIo::new(Box::new(tcp)));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|error| failed(io::Error::other(error)))?;
        let tls = TlsConnector::from(self.tls.clone()).connect(name, tcp).await.map_err(failed)?;
        Ok(TokioIo::new(Box::new(tls)))
    }

    /// Returns those addresses that may be connected to.
    fn checked(&self, host: &str, found: &[SocketAddr]) -> Result<Vec<SocketAddr>, NoConnection> {
        let may_be_private = self.private_hosts.iter().any(|private| private.eq_ignore_ascii_case(host));
        let is_allowed = |address: &SocketAddr| may_be_private || is_public(address.ip());
        let allowed: Vec<SocketAddr> = found.iter().copied().filter(is_allowed).collect();
        match found.first() {
            Some(refused) if allowed.is_empty() => {
                Err(NoConnection::Private { host: host.into(), address: refused.ip() })
            }
            Some(_) => Ok(allowed),
            None => Err(NoConnection::Failed { host: host.into(), source: io::Error::other("it has no address") }),
        }
    }
}

impl Service<Uri> for Gate {
    type Response = Stream;
    type Error = NoConnection;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, NoConnection>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NoConnection>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}
