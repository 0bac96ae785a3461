//! Opens a listening socket, and says plainly why it can't.

use std::io::{self, ErrorKind};

use tokio::net::TcpListener;

use crate::{Error, Result};

/// Opens a socket at `address`; `setting` is the setting that named it, for the error.
pub async fn bind(address: &str, setting: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| Error::Listen {
        address: address.into(),
        setting: setting.into(),
        reason: reason(&error, setting),
    })
}

fn reason(error: &io::Error, setting: &str) -> String {
    let kind = error.kind();
    if kind == ErrorKind::AddrInUse {
        return format!(
            "the port is in use: stop what listens there, or set {setting} to another (port 0: any that is free), \
             e.g. --set {setting}=127.0.0.1:0"
        );
    }
    if kind == ErrorKind::AddrNotAvailable {
        return "this machine has no such address: 127.0.0.1 is for this machine only, 0.0.0.0 for all".into();
    }
    if kind == ErrorKind::PermissionDenied {
        return format!("{error}: ports below 1024 need privileges, set {setting} to a higher one");
    }
    error.to_string()
}

#[cfg(test)]
#[path = "listen_test.rs"]
mod test;
