//! The library behind `millpond bench`: Millpond beside what limits it and beside its peers, in one run.
//!
//! A run starts every process that it measures — the server, a bare hyper server that returns the same bytes, Redis, PostgreSQL, ejabberd —
//! on loopback, measures them in interleaved rounds, and stops them by their id. What is compared is always the ratio of
//! one round, never figures of different runs. `docs/benchmarks.md` says why each row is measured as it is.
//!
//! - [`rows`]: what is measured, a file for each row of the table.
//! - [`load`]: how requests are generated (closed loop for throughput, open loop for latency).
//! - [`http`] and [`verify`]: the client, which is as cheap as possible and believes no answer.
//! - [`peer`]: the servers to compare with, run by this same executable in a process of their own.
//!
//! **Invariant:** a wrong body ends the run with an error; no figure is printed for an answer that nobody checked.

mod api;
mod args;
mod bench;
mod bound;
mod child;
mod cores;
mod data;
mod disk;
mod ejabberd;
mod environment;
mod http;
mod install;
mod load;
mod others;
mod peer;
mod postgres;
mod progress;
mod redis;
mod report;
mod room;
mod rows;
mod run;
mod stats;
mod token;
mod verify;

pub use args::Args;
pub use peer::PeerArgs;
pub use peer::run as peer;
pub use run::run;
