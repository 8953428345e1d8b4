//! Removes the bytes of files whose rows are gone. It may safely run twice.

use std::{sync::Arc, time::Duration};

use crate::{Server, files};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(10);

/// Runs until the server ends.
pub(crate) async fn sweep_files(server: Arc<Server>) {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        ticks.tick().await;
        for tenant in server.apps.all() {
            if let Err(error) = files::sweep(&server, &tenant).await {
                tracing::warn!(%error, app = tenant.app.id.0, "files could not be removed; trying again later");
            }
        }
    }
}
