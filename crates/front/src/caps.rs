//! How many connections may be open: in the process, and from one peer address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::Options;

/// Counts open connections and refuses those beyond the caps.
#[derive(Debug)]
pub(crate) struct Caps {
    max: usize,
    per_peer_max: usize,
    open: Mutex<Open>,
    emptied: Notify,
    gauge: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    peers: HashMap<IpAddr, usize>,
}

/// Why a connection was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    Process,
    Peer,
}

impl Caps {
    /// The caps in `options`; `gauge` follows the number of open connections.
    pub(crate) fn new(options: &Options, gauge: Arc<AtomicUsize>) -> Arc<Self> {
        // A cap of none would lock everybody out and leave empty entries behind.
        let per_peer_max = options.connections_per_peer_max.max(1);
        let (open, emptied) = (Mutex::default(), Notify::new());
        Arc::new(Self { max: options.connections_max, per_peer_max, open, emptied, gauge })
    }

    /// Counts one more connection from `peer`, until the permit is dropped.
    pub(crate) fn admit(self: &Arc<Self>, peer: IpAddr) -> Result<Permit, Full> {
        let peer = site(peer);
        let mut open = self.open.lock();
        if open.total >= self.max {
            return Err(Full::Process);
        }
        let of_peer = open.peers.entry(peer).or_default();
        if *of_peer >= self.per_peer_max {
            return Err(Full::Peer);
        }
        *of_peer += 1;
        open.total += 1;
        self.gauge.store(open.total, Ordering::Relaxed);
        Ok(Permit { caps: Arc::clone(self), peer })
    }

    /// Connections open now.
    pub(crate) fn open(&self) -> usize {
        self.open.lock().total
    }

    /// Resolves when no connection is open.
    pub(crate) async fn emptied(&self) {
        loop {
            let notified = self.emptied.notified();
            if self.open() == 0 {
                return;
            }
            notified.await;
        }
    }

    fn release(&self, peer: IpAddr) {
        let mut open = self.open.lock();
        open.total -= 1;
        self.gauge.store(open.total, Ordering::Relaxed);
        if let Some(of_peer) = open.peers.get_mut(&peer) {
            *of_peer -= 1;
            if *of_peer == 0 {
                open.peers.remove(&peer);
            }
        }
        if open.total == 0 {
            self.emptied.notify_waiters();
        }
    }
}

/// One open connection; it lives as long as the socket, also through an upgrade.
#[derive(Debug)]
pub struct Permit {
    caps: Arc<Caps>,
    peer: IpAddr,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.caps.release(self.peer);
    }
}

/// What counts as one peer: an IPv4 address, or the /64 that one IPv6 subscriber is given.
fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_cap_refuses_the_newest() {
        let options = Options { connections_max: 3, connections_per_peer_max: 2, ..Options::default() };
        let caps = Caps::new(&options, Arc::default());
        let held: Vec<_> = (0..2).map(|_| caps.admit(ip("10.0.0.1")).unwrap()).collect();
        assert_eq!(caps.admit(ip("10.0.0.1")).unwrap_err(), Full::Peer);
        let other = caps.admit(ip("10.0.0.2")).unwrap();
        assert_eq!(caps.admit(ip("10.0.0.3")).unwrap_err(), Full::Process);
        drop((held, other));
        assert_eq!(caps.open(), 0);
        assert!(caps.open.lock().peers.is_empty());
    }

    #[test]
    fn an_ipv6_site_counts_as_one_peer() {
        assert_eq!(site(ip("2001:db8:1:2:3::4")), site(ip("2001:db8:1:2:ffff::1")));
        assert_ne!(site(ip("2001:db8:1:2::4")), site(ip("2001:db8:1:3::4")));
        assert_eq!(site(ip("::ffff:10.0.0.1")), ip("10.0.0.1"));
    }
}
