//! The acceptance checks of the connector, by their numbers, against a fake upstream and a clock that is moved by hand.

#![expect(clippy::unwrap_used, reason = "in a test, and in what serves tests, a failure is a panic")]

mod access;
mod again;
mod batches;
mod clock;
mod connecting;
mod deletion;
mod feeds;
mod hooks;
mod kills;
mod leases;
mod map;
mod noticing;
mod opendsr;
mod place;
mod polling;
mod power;
mod replays;
mod requests;
mod secrets;
mod service;
#[path = "../shared/size.rs"]
mod size;
mod slow;
mod sockets;
mod tls;
mod trouble;
mod upkeep;
