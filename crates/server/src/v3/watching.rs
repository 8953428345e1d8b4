//! `watch` of feeds: what the caller's connection hears of from now on (feeds-v3 §7).

use std::sync::Arc;

use ids::Fid;

use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
        watching::connection,
    },
    realtime::Connection,
};

/// What a call asks of the caller's connection.
pub(super) struct Watching(Option<Arc<Connection>>);

impl Watching {
    /// Takes `watch` from the body, and `connection_id` from the body or the query.
    ///
    /// # Errors
    /// 4 when it is asked for without an open connection of the user whose token it is; the app's own server has none.
    pub(super) fn read(call: &Call, sent: &mut Fields) -> Result<Self> {
        let (is_asked, named) = (sent.flag("watch")?.unwrap_or_default(), sent.filled("connection_id")?);
        if !is_asked {
            return Ok(Watching(None));
        }
        if call.is_server() {
            return Err(Error::field("watch", "needs a connection, and those have users alone"));
        }
        let named = named.as_deref().or_else(|| call.query.get("connection_id"));
        Ok(Watching(Some(connection(call, named)?)))
    }

    /// Watches these feeds, if that was asked for.
    pub(super) fn watch<'a>(&self, call: &Call, feeds: impl Iterator<Item = &'a Fid>) {
        if let Some(connection) = &self.0 {
            call.server.hub.watch_feeds(connection, feeds);
        }
    }
}
