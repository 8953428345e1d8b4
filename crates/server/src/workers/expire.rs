//! Deletes messages that waited too long to be committed (chat §12.15). It may safely run twice.

use std::{sync::Arc, time::Duration};

use domain::chat::messages;
use ids::Timestamp;

use crate::Server;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(5);

/// Runs until the server ends.
pub(crate) async fn expire(server: Arc<Server>) {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        ticks.tick().await;
        let now = Timestamp::from_micros(server.clock.now_micros());
        for tenant in server.apps.all() {
            loop {
                match messages::expire_due(&tenant.app, now).await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        tracing::warn!(%error, "messages that waited too long could not be deleted; trying again later");
                        break;
                    }
                }
            }
        }
    }
}
