//! Removes old events, so that the log does not grow with the age of the data.
//!
//! The views of this process have seen an event before anybody can read its commit, and nothing else follows the log in
//! this version, so the events kept are for whoever looks for the cause of something. It may safely run twice.

use std::{sync::Arc, time::Duration};

use domain::log::{self, COMMITS_KEPT};
use store::Stamp;

use crate::Server;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(30);

/// Runs until the server ends.
pub(crate) async fn prune_log(server: Arc<Server>) {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        ticks.tick().await;
        for tenant in server.apps.all() {
            let store = &tenant.app.store;
            let up_to = Stamp(store.published().0.saturating_sub(COMMITS_KEPT));
            if let Err(error) = log::prune(store, tenant.app.id, up_to).await {
                tracing::warn!(%error, app = tenant.app.id.0, "old events could not be removed; trying again later");
            }
        }
    }
}
