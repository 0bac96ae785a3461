//! Ports for servers that are told where to listen.
//!
//! To listen on port 0, look which port that was and close it again is not enough: until the server listens there, the
//! system may give the same port to another test's server or to a connection. A test then talks to a stranger.

use std::{
    net::{Ipv4Addr, TcpListener, UdpSocket},
    ops::Range,
    process,
    sync::{Mutex, PoisonError},
};

/// Below what Linux gives by itself (32,768 on), above what `deploy/local` starts.
const PORTS: Range<u16> = 27_000..32_000;

/// Those that this process has reserved. A UDP socket keeps no TCP server away, but every other caller of this function.
static RESERVED: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());

/// Returns a TCP port of 127.0.0.1 on which nobody listens, and that no other call on this machine returns while this
/// process lives. A server may leave it and come back.
///
/// # Panics
///
/// If all 5,000 are taken.
pub fn free_port() -> u16 {
    let mut reserved = RESERVED.lock().unwrap_or_else(PoisonError::into_inner);
    // Processes begin at different places, and go on from there.
    let begin = (process::id() as usize).wrapping_mul(37) + reserved.len();
    let found = (0..PORTS.len()).find_map(|step| {
        let port = PORTS.start + u16::try_from((begin + step) % PORTS.len()).unwrap();
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
        Some((port, socket))
    });
    let (port, socket) = found.unwrap_or_else(|| panic!("all ports of {PORTS:?} on 127.0.0.1 are taken"));
    reserved.push(socket);
    port
}

#[cfg(test)]
mod test {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_port_is_given_once_and_can_be_listened_on_again_and_again() {
        let ports: BTreeSet<u16> = (0..20).map(|_| free_port()).collect();
        assert_eq!(ports.len(), 20, "{ports:?}");
        for port in ports.iter().flat_map(|port| [port, port]) {
            TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).unwrap();
        }
    }

    #[test]
    fn a_port_that_another_process_reserved_or_listens_on_is_passed_over() {
        let first = free_port();
        let _other = UdpSocket::bind((Ipv4Addr::LOCALHOST, first + 1));
        let _listens = TcpListener::bind((Ipv4Addr::LOCALHOST, first + 2));
        let next: Vec<u16> = (0..3).map(|_| free_port()).collect();
        assert!(!next.contains(&(first + 1)) && !next.contains(&(first + 2)), "{first}, {next:?}");
    }
}
