//! What Millpond means: rules over a transaction.
//!
//! Plain functions take the transaction, the subject and the details; `now` and seeds are handed in. There is no HTTP,
//! no socket, no wall clock and no dice here, and nothing that knows the wire: a simulation runs the same code.

pub mod app;
pub mod apps;
pub mod chat;
pub mod custom;
pub mod erasure;
pub mod error;
pub mod exports;
pub mod feeds;
pub mod files;
pub mod filter;
pub mod keyspace;
pub mod log;
pub mod moderation;
pub mod places;
pub mod polls;
pub mod previews;
mod rows;
pub mod settings;
pub mod tasks;
pub mod translation;
pub mod users;
pub mod v3;

pub use app::{App, Tx};
pub use error::{Error, Result};
