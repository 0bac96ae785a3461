//! Which addresses are public: those that an answer, a redirect or a name server may lead to without asking.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Returns whether the address belongs to the public internet.
///
/// IPv6 addresses that carry one of IPv4 are judged by that one: a gateway would take the packets there.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_reserved = match (a, b, c) {
        // This network, private, loopback, and 240.0.0.0/4 with the broadcast address.
        (0 | 10 | 127 | 240..=255, ..) => true,
        // Between a provider and its customers.
        (100, 64..=127, _) => true,
        // Link-local; metadata services of clouds are there.
        (169, 254, _) => true,
        (172, 16..=31, _) | (192, 168, _) => true,
        // Protocol assignments, documentation, a relay of 6to4, benchmarks.
        (192, 0, 0 | 2) | (192, 88, 99) | (198, 18 | 19, _) | (198, 51, 100) | (203, 0, 113) => true,
        (224..=239, ..) => true,
        (_, _, _) => false,
    };
    !is_reserved
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| {
        let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match (a, b) {
        // Mapped, and translated by a gateway (RFC 6052).
        (0, 0) if [c, d, e] == [0; 3] && f == 0xffff => v4(g, h),
        (0x64, 0xff9b) if [c, d, e, f] == [0; 4] => v4(g, h),
        // 6to4.
        (0x2002, high) => v4(high, c),
        // Teredo and other protocols, documentation.
        (0x2001, 0..=0x1ff | 0xdb8) | (0x3fff, 0..=0xfff) => false,
        // Of all others only 2000::/3 is given out.
        (first, _) => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
#[path = "address_test.rs"]
mod test;
