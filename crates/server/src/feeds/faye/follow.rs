//! From what commits logged to what subscribers are told (feeds-v1 §9.2).

use std::{collections::BTreeMap, sync::Arc};

use domain::{App, log::Event};
use ids::{AppId, FeedId, Timestamp};
use serde_json::Value;
use store::Store;

use super::{
    bayeux::channel,
    hub::{Commit, Hub},
};
use crate::{
    Server,
    apps::Tenant,
    error::Result,
    feeds::changes::{self, Change, Teller},
    shown::Shown,
};

/// Feed → what one commit changed in it.
type Changes = BTreeMap<FeedId, Change>;

/// Runs until the server ends.
pub(crate) async fn follow(server: Arc<Server>, store: Store) {
    let shown = Shown::new(&store);
    while let Some(Commit { stamp, events }) = server.faye.next().await {
        // The hook runs just before the commit can be read.
        shown.until(stamp).await;
        let mut by_app: BTreeMap<AppId, Vec<Event>> = BTreeMap::new();
        events.into_iter().for_each(|(app, event)| by_app.entry(app).or_default().push(event));
        for (app, events) in by_app {
            let Some(tenant) = server.apps.by_id(app) else { continue };
            if let Err(error) = tell(&server, &tenant, events).await {
                tracing::error!(
                    detail = error.detail,
                    "what changed in feeds could not be read; subscribers are not told"
                );
            }
        }
    }
}

/// Tells subscribers of feeds of an app what the events of a commit changed in them.
async fn tell(server: &Server, tenant: &Tenant, events: Vec<Event>) -> Result<()> {
    let app = &tenant.app;
    let mut changes = Changes::new();
    for event in events {
        note(&server.faye, app, event, &mut changes).await?;
    }
    let mut teller = Teller::new(app);
    let now = Timestamp::from_micros(server.clock.now_micros());
    for (feed, change) in changes {
        // A group that is gone since is as silent.
        if app.group(feed.group()).is_ok_and(|group| !group.is_silent) {
            let Some(data) = teller.data(&feed, change, now).await? else { continue };
            let message = format!(r#"{{"channel":{},"data":{data}}}"#, Value::from(channel(app.id.0, &feed)));
            server.faye.tell(app.id, &feed, &Arc::from(message));
        }
    }
    Ok(())
}

/// Notes in which watched feeds an event shows.
async fn note(hub: &Hub, app: &App, event: Event, changes: &mut Changes) -> Result<()> {
    if let Event::Followed { feed, .. } = &event {
        hub.look(app, feed).await;
    }
    for (feed, what) in changes::of_event(&mut app.snapshot(), event).await? {
        for watcher in hub.watchers(app.id, &feed) {
            let origin = (watcher != feed).then_some(&feed);
            changes.entry(watcher).or_default().note(&what, origin);
        }
    }
    Ok(())
}
