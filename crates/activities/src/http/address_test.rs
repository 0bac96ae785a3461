use super::*;

fn check(address: &str, expect: bool) {
    assert_eq!(is_public(address.parse().unwrap()), expect, "{address}");
}

#[test]
fn the_public_internet_is_public() {
    for address in ["1.1.1.1", "8.8.8.8", "100.63.255.255", "172.32.0.1", "192.0.1.1", "198.20.0.1", "223.255.255.255"]
    {
        check(address, true);
    }
    for address in ["2606:4700:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"] {
        check(address, true);
    }
}

#[test]
fn what_is_private_loopback_link_local_or_reserved_is_not() {
    for address in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
    ] {
        check(address, false);
    }
    for address in
        ["::", "::1", "fe80::1", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "100::1", "2001:db8::1", "2001::1"]
    {
        check(address, false);
    }
}

#[test]
fn an_address_inside_another_is_judged_by_itself() {
    for address in ["::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::10.0.0.1", "2002:7f00:1::1", "::127.0.0.1"]
    {
        check(address, false);
    }
}
