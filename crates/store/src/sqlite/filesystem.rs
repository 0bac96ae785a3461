//! Whether a folder lies on a network: SQLite's WAL needs memory that all its processes share, and file locks that hold.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{Error, Result};

/// File systems whose files several machines may have open (or that pretend to be files and are not).
const NETWORK: [&str; 24] = [
    "9p",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "davfs",
    "gfs",
    "gfs2",
    "glusterfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "orangefs",
    "panfs",
    "pvfs2",
    "quobyte",
    "smb3",
    "smbfs",
    "vboxsf",
    "webdav",
];

/// Refuses a folder on a network file system. Where the system tells nothing of its mounts, nothing is refused.
pub(super) fn check(folder: &Path) -> Result<()> {
    let (Ok(mounts), Ok(folder)) = (fs::read_to_string("/proc/self/mountinfo"), folder.canonicalize()) else {
        return Ok(());
    };
    match of(&mounts, &folder) {
        Some(kind) if is_network(kind) => Err(Error::Mismatch(format!(
            "folder {} is on the network file system {kind}, where SQLite can lose commits: \
             choose a folder on a local disk, or PostgreSQL for a hub that several machines share",
            folder.display()
        ))),
        Some(_) | None => Ok(()),
    }
}

/// Returns the kind of file system that `path` lies on: the longest mount point above it, the last of equal ones.
fn of<'m>(mounts: &'m str, path: &Path) -> Option<&'m str> {
    mounts
        .lines()
        .filter_map(|line| {
            let (mount, kind) = line.split_once(" - ")?;
            let point = unescape(mount.split(' ').nth(4)?);
            path.starts_with(&point).then_some((point.components().count(), kind.split(' ').next()?))
        })
        .max_by_key(|(depth, _)| *depth)
        .map(|(_, kind)| kind)
}

fn is_network(kind: &str) -> bool {
    let name = kind.strip_prefix("fuse.").unwrap_or(kind);
    NETWORK.contains(&name) || matches!(name, "sshfs" | "s3fs" | "rclone" | "gcsfuse" | "blobfuse" | "blobfuse2")
}

/// Undoes the kernel's octal escapes of a space, tab, line feed and backslash.
fn unescape(point: &str) -> PathBuf {
    ["\\040 ", "\\011\t", "\\012\n", "\\134\\"]
        .iter()
        .fold(point.to_owned(), |text, escape| {
            let (octal, character) = escape.split_at(4);
            text.replace(octal, character)
        })
        .into()
}

#[cfg(test)]
#[path = "filesystem_test.rs"]
mod test;
