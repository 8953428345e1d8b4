//! Privacy requests: what a person has at a Stream-compatible API is fetched, or deleted and seen to be gone.
//!
//! The connector keeps its own data directory and reaches every server, Millpond too, over HTTP with a key and a
//! secret. A request becomes one execution for each integration; an execution is a list of sub-tasks, each one call or
//! one local step; [`Connector::run_due`] makes the next step of whatever is due and commits what came of it.
//!
//! **Invariant:** what must survive a power cut is a row before it happens: the intent to delete is committed before
//! the call leaves, and no due time lives in memory alone.
//! **Invariant:** nothing outside the frozen targets is ever deleted, and nobody is told "no records" on an error.
//! **Invariant:** identifiers, records and secrets are stored sealed; logs, the audit log and errors never hold them.

pub mod audit;
pub mod backup;
pub mod batches;
pub mod deadlines;
pub mod doctor;
pub mod executions;
pub mod hooks;
pub mod http;
pub mod integrations;
pub mod keys;
pub mod links;
pub mod opendsr;
pub mod package;
pub mod probe;
pub mod redact;
pub mod replays;
pub mod requests;
pub mod retention;
pub mod signing;
pub mod status;
pub mod surroundings;
pub mod tokens;
pub mod upstream;

mod beginning;
mod blobs;
mod connector;
mod counters;
mod engine;
mod error;
mod fence;
mod keyspace;
mod leases;
mod secret;
#[cfg(test)]
mod trial;
mod words;
mod worker;

pub use connector::is_checkpoint;
pub use connector::{
    Asked, Connected, Connector, Decision, Detail, Explained, Filter, NewIntegration, NewRequest, Page, Setup,
};
pub use error::{Error, Result};
pub use secret::{Secret, keep_no_core_dumps};
