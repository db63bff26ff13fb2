//! Loopback ports nobody uses.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Result, bail};

/// Ports are taken below Linux's ephemeral range (32768 and up), so that a stopped server finds its port still free: no
/// outgoing connection can have taken it meanwhile.
const FIRST: u32 = 15_000;
const COUNT: u32 = 17_000;

/// A loopback port that was free a moment ago, and that this process did not hand out lately.
///
/// Another process may take it before the server binds it; whoever starts a server tries again with another port.
pub fn free_port() -> Result<u16> {
    static NEXT: AtomicU32 = AtomicU32::new(u32::MAX);
    // Processes start at random places, so that test binaries running side by side rarely meet.
    let start = (RandomState::new().hash_one(std::process::id()) % u64::from(COUNT)) as u32;
    let _ = NEXT.compare_exchange(u32::MAX, start, Ordering::Relaxed, Ordering::Relaxed);
    for _ in 0..COUNT {
        let port = (FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) as u16;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free loopback port between {FIRST} and {}", FIRST + COUNT)
}
