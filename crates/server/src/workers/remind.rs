//! Reminds users of messages that they saved, when the moment has come (chat §6.15), and of what they have not read for a while
//! (chat §12.16).
//!
//! The commit that tells a reminder takes it out of the queue: it is told once, also if two servers look at the same time or
//! one is killed meanwhile. It may safely run twice.

use std::{sync::Arc, time::Duration};

use domain::{
    App,
    chat::{reminders, unread_reminders},
};
use ids::Timestamp;

use crate::Server;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);

/// Runs until the server ends.
pub(crate) async fn remind(server: Arc<Server>) {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        ticks.tick().await;
        if let Err(error) = remind_due(&server).await {
            tracing::warn!(%error, "reminders could not be told; trying again later");
        }
    }
}

/// Tells the reminders of all apps that are due.
///
/// # Errors
/// When the store fails; what was not told then is told with the next call.
pub(crate) async fn remind_due(server: &Server) -> domain::Result<()> {
    let now = Timestamp::from_micros(server.clock.now_micros());
    for tenant in server.apps.all() {
        while is_any_left(&tenant.app, now).await? {}
        while is_any_unread(&tenant.app, now).await? {}
    }
    Ok(())
}

async fn is_any_left(app: &App, now: Timestamp) -> domain::Result<bool> {
    // A look costs no commit.
    if !reminders::is_any_due(&mut app.snapshot(), now).await? {
        return Ok(false);
    }
    app.write(async |tx| reminders::tell_due(tx, now).await).await
}

async fn is_any_unread(app: &App, now: Timestamp) -> domain::Result<bool> {
    if !unread_reminders::is_any_due(&mut app.snapshot(), now).await? {
        return Ok(false);
    }
    app.write(async |tx| unread_reminders::tell_due(tx, now).await).await
}
