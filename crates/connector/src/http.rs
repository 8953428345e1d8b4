//! The service (§15): the same for a program over the network and for the command line in its own process.
//!
//! **Invariant:** every route says what its caller must be allowed; an answer or an error holds no identifier and no
//! secret.

mod audit;
mod batches;
mod body;
mod call;
mod callers;
mod document;
mod erasures;
mod events;
mod integrations;
mod metrics;
mod opendsr;
mod problem;
mod query;
mod requests;
mod results;
mod retention;
mod router;
mod serving;
mod stream;
mod tls;
mod tokens;
mod upkeep;
mod views;
mod webhooks;

pub use callers::CALLS_PER_MINUTE;
pub(crate) use callers::Callers;

pub use call::{Download, Remote, Reply, Service, Trust};
pub use document::document;
pub use front::Bound;
pub use problem::Problem;
pub use router::{Route, router, routes};
pub use serving::{Metrics, bind, serve};
pub use tls::{Tls, TlsError, TlsFiles};

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The id of the token, or `local` for whoever has the data directory.
    pub name: String,
    /// What the caller may do.
    pub role: crate::tokens::Role,
    /// Whether it is whoever has the data directory, and no token.
    pub is_local: bool,
}

impl Caller {
    /// Whoever has the key of the data directory.
    pub fn local() -> Self {
        Caller { name: "local".to_owned(), role: crate::tokens::Role::SuperAdmin, is_local: true }
    }
}
