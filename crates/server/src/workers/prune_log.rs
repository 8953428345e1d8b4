//! Removes old events, so that the log does not grow with the age of the data.
//!
//! The views of this process have seen an event before anybody can read its commit; clients that were away read the last
//! ones; and what a hook was not sent yet is kept for it, up to a limit. Once a day it removes, too, what tells of things
//! that are gone. It may safely run twice.

use std::{sync::Arc, time::Duration};

use domain::{
    App,
    erasure::told,
    keyspace::{FEED_HOOK_PLACE, HOOK_PLACE},
    log::{self, COMMITS_KEPT},
    places,
};
use store::Stamp;
use tokio::time::Instant;

use crate::Server;

/// The last commits whose events are kept for a hook that does not take them.
const COMMITS_KEPT_FOR_HOOKS: u64 = 10_000_000;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(30);
/// When it first looks for events that tell of what is gone: a start has other things to do.
const FIRST_FORGOTTEN_AFTER: Duration = Duration::from_secs(3600);
/// How often it looks for them then. Tasks that remove much look for them themselves.
const FORGOTTEN_EVERY: Duration = Duration::from_secs(24 * 3600);

/// Runs until the server ends.
pub(crate) async fn prune_log(server: Arc<Server>) {
    let mut ticks = tokio::time::interval(EVERY);
    let mut days = tokio::time::interval_at(Instant::now() + FIRST_FORGOTTEN_AFTER, FORGOTTEN_EVERY);
    loop {
        let is_new_day = tokio::select! {
            _ = ticks.tick() => false,
            _ = days.tick() => true,
        };
        for tenant in server.apps.all() {
            let removed = match is_new_day {
                true => forget(&tenant.app).await,
                false => prune(&tenant.app).await.map(drop),
            };
            if let Err(error) = removed {
                tracing::warn!(%error, app = tenant.app.id.0, "old events could not be removed; trying again later");
            }
        }
    }
}

/// Removes what tells of things that are gone.
async fn forget(app: &App) -> domain::Result<()> {
    let (mut cursor, mut is_done) = (Vec::new(), false);
    while !is_done {
        let step = app.write(async |tx| {
            let mut next = cursor.clone();
            Ok((told::forget(tx, &mut next).await?, next))
        });
        (is_done, cursor) = step.await?;
        // Somebody who waits may go first.
        tokio::task::yield_now().await;
    }
    Ok(())
}

async fn prune(app: &App) -> domain::Result<u64> {
    let last = app.store.published().0;
    let mut tx = app.snapshot();
    let of_chat = places::least(&mut tx, &HOOK_PLACE).await?;
    let of_feeds = places::least(&mut tx, &FEED_HOOK_PLACE).await?;
    let taken = of_chat.into_iter().chain(of_feeds).min().unwrap_or(last);
    let up_to = last.saturating_sub(COMMITS_KEPT).min(taken.max(last.saturating_sub(COMMITS_KEPT_FOR_HOOKS)));
    log::prune(&app.store, app.id, Stamp(up_to)).await
}
