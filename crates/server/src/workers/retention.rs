//! Plans, once a day, what retention policies remove (chat §11.14.14).

use std::{sync::Arc, time::Duration};

use domain::chat::retention;
use ids::Timestamp;

use crate::{Server, seal};

/// How often the worker looks.
const EVERY: Duration = Duration::from_secs(60);

/// Plans what is due, until the server ends.
pub(crate) async fn retain(server: Arc<Server>) {
    loop {
        if let Err(error) = plan(&server).await {
            tracing::warn!(%error, "retention could not be planned; trying again later");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Plans what is due.
///
/// # Errors
/// When the store fails.
pub(crate) async fn plan(server: &Server) -> domain::Result<()> {
    let now = Timestamp::from_micros(server.clock.now_micros());
    for tenant in server.apps.all() {
        for (name, _) in retention::due(&mut tenant.app.snapshot(), now).await? {
            let id = seal::random_id().to_string();
            tenant.app.write(async |tx| retention::plan(tx, &id, &name, now).await).await?;
        }
    }
    Ok(())
}
