//! Feeds as clients meet them: through the router, without sockets, JSON against the contract's literal shapes.
//!
//! Sections (§) are those of the contract, feeds-v1.

#![expect(clippy::unwrap_used, reason = "in a test, and in what serves tests, a failure is a panic")]

mod access;
mod analytics;
mod apps;
mod auth;
mod bulk;
mod enrich;
mod entities;
mod erasure;
mod facts;
mod faye;
mod faye_sockets;
mod files;
mod follows;
mod groups;
mod hostile;
mod input;
mod og;
mod pages;
mod paging;
mod policy;
mod pond;
mod privacy;
mod ranking;
mod rates;
mod reactions;
mod shapes;
mod shore;
mod targets;
mod times;
mod updates;
mod webhooks;
