//! Sockets: who is connected, who watches what, and how events reach them (chat §9, §10).
//!
//! ```text
//! commit ─ feed ─ follow ─ tell ─ hub ─ outbox ─ connection ─ socket
//! ```
//!
//! The store hands over what each commit logged (`feed`). One task takes it in commit order (`follow`), reads what the
//! event names and writes it at most once for each dialect (`tell`, `scene`), and puts the same bytes into the outbox of each
//! receiver (`hub`). Each connection is one task (`connection`) over a socket that holds no buffers (`socket`, `frames`).
//!
//! **Invariant:** events of one channel reach a connection in commit order, or the connection is cut and its client
//! starts anew.

mod audience;
mod connection;
mod feed;
mod feeds;
mod follow;
mod frames;
mod hub;
mod online;
mod outbox;
mod presence;
mod rare;
mod readers;
mod scene;
mod socket;
mod tell;
mod unread;

use std::time::Duration;

pub(crate) use connection::{Session, first_text, refuse, run};
pub(crate) use feed::Feed;
pub(crate) use follow::follow;
pub(crate) use hub::{Connection, Full, Hub, Identity};
pub(crate) use socket::{Handshake, Socket};
pub(crate) use tell::{hello, may_hear, show, show_to_hook};

/// Every number of the sockets, with its default.
#[derive(Debug, Clone)]
pub struct Options {
    /// How often a connection is told that it lives. Default: 22 s, below the 30 s after which clients give up.
    pub health_interval: Duration,
    /// How long a peer may say nothing, not even answer a ping. Default: 90 s.
    pub silence_max: Duration,
    /// How long a peer may refuse to take an event. Default: 30 s.
    pub write_stall: Duration,
    /// How long a user without a connection still counts as online. Default: 5 s.
    pub grace: Duration,
    /// Events that wait for one connection; beyond it the connection is cut. Default: 512.
    pub waiting_max: usize,
    /// Bytes that wait for one connection; beyond it the connection is cut. Default: 4 MiB.
    pub waiting_bytes_max: usize,
    /// Open connections of one user. Default: 50.
    pub connections_per_user_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            health_interval: Duration::from_secs(22),
            silence_max: Duration::from_secs(90),
            write_stall: Duration::from_secs(30),
            grace: Duration::from_secs(5),
            waiting_max: 512,
            waiting_bytes_max: 4 << 20,
            connections_per_user_max: 50,
        }
    }
}
