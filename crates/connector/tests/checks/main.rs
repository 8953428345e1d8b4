//! The acceptance checks of the connector, by their numbers, against a fake upstream and a clock that is moved by hand.

#![expect(clippy::unwrap_used, reason = "in a test, and in what serves tests, a failure is a panic")]

mod access;
mod again;
mod batches;
mod bodies;
mod clock;
mod connecting;
mod deletion;
mod feeds;
mod hooks;
mod keeping;
mod kills;
mod leases;
mod lists;
mod map;
mod names;
mod noticing;
mod opendsr;
mod outbox;
mod pages;
mod place;
mod polling;
mod power;
mod replays;
mod requests;
mod secrets;
mod secured;
mod service;
mod slow;
mod sockets;
mod tls;
mod trouble;
mod upkeep;
