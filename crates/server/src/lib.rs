//! The only crate that knows HTTP: routes, tokens, errors, and the joint between the wire and the domain.
//!
//! A request crosses four files: its line in `router`, the wire type, the handler, the domain function.

mod admin;
pub mod apps;
mod auth;
mod aws;
pub mod blobs;
mod chat;
pub mod compaction;
pub mod erasures;
pub mod error;
mod exports;
mod fast;
mod feeds;
mod files;
mod from_wire;
pub mod front;
mod gate;
mod imports;
pub mod og;
mod outbound;
mod pictures;
mod query;
pub mod realtime;
mod reply;
pub mod residue;
mod router;
pub mod seal;
mod shown;
mod spool;
mod start;
mod to_wire;
mod translation;
mod v3;
mod workers;

use std::sync::Arc;

pub use chat::Declared;
pub use router::Route;
pub use start::{Feeds, Options, Running, Tasks, start};
pub use translation::Translator;
pub use workers::WebhookOptions;

/// What every request of a running server shares.
pub struct Server {
    /// The apps.
    pub apps: apps::Registry,
    /// Activities as JSON.
    fragments: feeds::fragments::Fragments,
    /// Whole feed pages.
    pages: feeds::pages::Pages,
    /// Who subscribed to feeds.
    faye: Arc<feeds::faye::Hub>,
    /// How often what may be called.
    rates: front::RateLimits,
    /// Who is connected.
    hub: realtime::Hub,
    /// Where the tasks of the apps are, and what wakes who does them.
    tasks: workers::Wake,
    /// Calls other servers.
    outbound: outbound::Outbound,
    /// Who translates, if anybody does.
    translations: Option<translation::Bureau>,
    /// Which apps' servers are left alone for a while.
    breakers: chat::Breakers,
    /// Orders messages in time.
    moments: chat::Moments,
    /// Files beside the store.
    blobs: blobs::Blobs,
    /// Where files for imports are being uploaded to.
    uploading: imports::Uploading,
    /// How clients reach the server, if somebody said.
    public_url: Option<String>,
    /// Time-outs and attempts of webhooks.
    webhooks: WebhookOptions,
    /// Whether tables are written anew after an erasure.
    compaction: compaction::AfterErasure,
    /// Tells the time.
    pub clock: Arc<dyn front::Clock>,
    /// Opens `/admin/…`.
    admin_token: String,
}
