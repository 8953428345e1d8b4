//! The ordered, transactional key-value store under Millpond.
//!
//! Reads happen on a snapshot, writes are buffered in the transaction, and a commit ships the snapshot's stamp, what
//! was read and what is written in one message to one committer. Above the untyped rows stand [`Table`], [`Counter`]
//! and [`Log`]. What rows mean lives in the domain, not here.
//!
//! **Invariant:** every transaction that commits has the effect it would have had alone, at the moment of its stamp.
//! What is read was synced before (or can be rebuilt: [`Durability::Buffered`]).
//!
//! Decisions: `docs/decisions/0001-own-resolver-over-fjall.md`, `docs/decisions/0002-postgresql-as-ordered-kv.md`.

pub mod fault;
pub mod key;
pub mod limits;

mod attempts;
mod body;
mod committer;
mod counter;
mod directory;
mod dump;
mod engine;
mod error;
mod group;
mod log;
mod options;
mod queue;
mod read_set;
mod record;
mod resolver;
mod scan;
mod scratch;
mod stamp;
mod store;
mod system;
mod table;
mod transaction;
mod turn;
mod view;
mod writes;

pub use bytes::Bytes;

pub use attempts::Attempts;
pub use body::Body;
pub use committer::{Durability, Published};
pub use counter::Counter;
pub use dump::{CheckSummary, DumpError, DumpSummary};
pub use error::{CommitError, Corrupt, Error, Hex, OpenError, WriteError};
pub use key::Key;
pub use log::{Log, Place};
pub use options::Options;
pub use record::{Record, Stamped};
pub use scan::{Direction, Limit, Page};
pub use stamp::Stamp;
pub use store::Store;
pub use table::{Rows, StampedTable, Table, split, tables_range, tenant_range};
pub use transaction::Transaction;
