//! Who is online: whoever has a connection, and for a moment longer whoever had one (chat §12.19).

use std::sync::Arc;

use domain::{chat::events::Event, users};
use ids::{AppId, Timestamp, UserId};

use super::hub::{Connection, Hub, Identity};
use crate::Server;

/// How old `last_active` of a connected user becomes before it is set anew, in microseconds.
const ACTIVE_EVERY_MICROS: i64 = 15 * 60 * 1_000_000;

/// The event that says whether `user` is online; who is it for is up to whoever follows that user.
fn changed(user: &UserId, at: Timestamp) -> Event {
    Event::new("user.presence.changed", at, None).by(Some(user))
}

/// Tells that a user came online.
pub(super) fn came(hub: &Hub, identity: &Identity, now: Timestamp) {
    if !identity.is_anonymous {
        hub.tell(identity.app, changed(&identity.user, now));
    }
}

/// Tells that a user went offline, unless it comes back within the grace.
pub(super) fn leaves(server: &Arc<Server>, identity: Identity) {
    let (server, Identity { app, user, is_anonymous, .. }) = (server.clone(), identity);
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    runtime.spawn(async move {
        tokio::time::sleep(server.hub.options.grace).await;
        if server.hub.is_gone(app, &user) && !is_anonymous {
            let now = Timestamp::from_micros(server.clock.now_micros());
            server.hub.tell(app, changed(&user, now));
        }
    });
}

/// Sets `last_active` of a connected user anew when it is old.
pub(super) async fn refresh(server: &Server, connection: &Connection) {
    let Identity { app, user, is_anonymous, .. } = &connection.identity;
    if *is_anonymous {
        return;
    }
    if let Err(error) = touch(server, *app, user).await {
        tracing::warn!(%error, "a user's last activity could not be noted");
    }
}

async fn touch(server: &Server, app: AppId, user: &UserId) -> domain::Result<()> {
    let Some(tenant) = server.apps.by_id(app) else { return Ok(()) };
    let now = Timestamp::from_micros(server.clock.now_micros());
    let Some(stored) = users::get(&mut tenant.app.snapshot(), user).await? else { return Ok(()) };
    if !is_old(&stored, now) {
        return Ok(());
    }
    tenant
        .app
        .write(async |tx| {
            if let Some(mut stored) = users::get(tx, user).await?.filter(|stored| is_old(stored, now)) {
                stored.last_active = Some(now);
                users::put(tx, user, &stored);
            }
            Ok(())
        })
        .await
}

fn is_old(user: &users::User, now: Timestamp) -> bool {
    user.last_active.is_none_or(|at| now.micros() - at.micros() >= ACTIVE_EVERY_MICROS)
}
