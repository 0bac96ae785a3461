use super::*;

const MOUNTS: &str = "\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 27 0:44 / /srv/share rw,relatime shared:1 - nfs4 nas:/export rw,vers=4.2
41 40 254:1 / /srv/share/local rw,relatime - xfs /dev/vdb rw
42 27 0:45 / /mnt/my\\040disk rw - fuse.sshfs host: rw
43 27 0:46 / /over rw - ext4 /dev/vdc rw
44 27 0:47 / /over rw - cifs //host/share rw
";

fn is_refused(path: &str) -> bool {
    of(MOUNTS, Path::new(path)).is_some_and(is_network)
}

#[test]
fn a_folder_on_a_network_is_found_by_its_nearest_mount() {
    for path in ["/srv/share", "/srv/share/hub", "/mnt/my disk/hub", "/over/hub"] {
        assert!(is_refused(path), "{path}");
    }
    for path in ["/", "/srv", "/srv/shared", "/srv/share/local/hub", "/mnt/my", "/proc"] {
        assert!(!is_refused(path), "{path}");
    }
}

#[test]
fn a_local_folder_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    check(folder.path()).unwrap();
}
