//! `watch` and `presence` of queries: what the caller's connection follows from now on (chat §9.5).

use std::sync::Arc;

use ids::{ChannelId, UserId};

use super::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
};
use crate::{realtime::Connection, reply::Reply};

/// The most users whose presence one call follows.
const USERS_MAX: usize = 30;

/// What a call asks of the caller's connection.
pub(crate) struct Watching {
    connection: Option<Arc<Connection>>,
    /// Whether `watch` was asked for, with a connection to watch on.
    pub(crate) is_watching: bool,
    follows_presence: bool,
}

impl Watching {
    /// Takes `watch`, `presence` and `connection_id` from the body, or from the query. The app's own server has no
    /// connection, and what it asks for here counts for nothing.
    ///
    /// # Errors
    /// 4 when a user asks to watch without naming a connection of its own.
    pub(crate) fn read(call: &Call, sent: &mut Fields) -> Result<Self> {
        let (watch, presence) = (sent.flag("watch")?.unwrap_or(false), sent.flag("presence")?.unwrap_or(false));
        let named = sent.filled("connection_id")?;
        let named = named.as_deref().or_else(|| call.query.get("connection_id"));
        if call.is_server() || !(watch || presence) {
            return Ok(Watching { connection: None, is_watching: false, follows_presence: false });
        }
        let connection = connection(call, named)?;
        Ok(Watching { connection: Some(connection), is_watching: watch, follows_presence: presence })
    }

    /// Watches these channels, if that was asked for.
    pub(crate) fn watch(&self, call: &Call, channels: &[ChannelId]) {
        if let Some(connection) = self.connection.as_ref().filter(|_| self.is_watching) {
            call.server.hub.watch(connection, channels);
        }
    }

    /// Follows the presence of these users, if that was asked for.
    pub(crate) fn follow(&self, call: &Call, users: &[UserId]) {
        if let Some(connection) = self.connection.as_ref().filter(|_| self.follows_presence) {
            call.server.hub.follow_presence(connection, &users[..users.len().min(USERS_MAX)]);
        }
    }
}

/// The caller's connection of this name.
pub(crate) fn connection(call: &Call, named: Option<&str>) -> Result<Arc<Connection>> {
    let named = named.ok_or_else(|| Error::field("connection_id", "is a required field to watch"))?;
    let user = call.viewer();
    let found = call.server.hub.connection(call.tenant.app.id, named, &user);
    found.ok_or_else(|| Error::field("connection_id", "names no open connection of this user"))
}

/// `POST /channels/{type}/{id}/stop-watching`: the connection hears no more of the channel.
pub(crate) async fn stop(call: Call, mut sent: Fields) -> Result<Reply> {
    let channel = channel(&call)?;
    let named = sent.filled("connection_id")?;
    let connection = connection(&call, named.as_deref().or_else(|| call.query.get("connection_id")))?;
    call.server.hub.stop_watching(&connection, &channel);
    call.done()
}

/// The channel in the path.
///
/// # Errors
/// 4 when it is none.
pub(super) fn channel(call: &Call) -> Result<ChannelId> {
    ChannelId::new(call.param("type"), call.param("id")).map_err(|error| Error::input(error.to_string()))
}
