//! Follows the log of all apps, and tells the sockets.

use std::{collections::VecDeque, sync::Arc};

use domain::{chat::events::Event, keyspace::LOG, log::Event as Logged};
use ids::AppId;
use store::{Limit, Place, Stamp, Store};

use super::{
    feed::{Entry, Taken},
    tell,
};
use crate::{Server, apps::Tenant, shown::Shown};

/// Runs until the server ends.
pub(crate) async fn follow(server: Arc<Server>, store: Store) {
    let mut follower = Follower { server, told: (store.published(), u16::MAX), shown: Shown::new(&store) };
    loop {
        let Taken { entries, behind } = follower.server.hub.feed.next().await;
        if let Some((first, last)) = behind {
            follower.catch_up(first, last).await;
        }
        follower.go_on(entries).await;
    }
}

struct Follower {
    server: Arc<Server>,
    shown: Shown,
    /// The place of the last entry that was told.
    told: Place,
}

impl Follower {
    async fn go_on(&mut self, entries: VecDeque<Entry>) {
        for entry in entries {
            match entry {
                Entry::Told(app, event) => self.tell(app, *event).await,
                Entry::Logged(key, value, stamp) => {
                    let Some((app, ..)) = store::split(&key) else { continue };
                    let (place, logged) = LOG.decode(&key, &value).expect("the log holds what this server wrote to it");
                    // What was already found in the log is not told twice.
                    if place > self.told {
                        // The hook runs just before the commit can be read; what is told is read after it.
                        self.shown.until(stamp).await;
                        self.told = place;
                        self.logged(AppId(app), logged).await;
                    }
                }
            }
        }
    }

    /// Reads from the log what was dropped from the queue: the commits from `first` to `last`.
    async fn catch_up(&mut self, first: Stamp, last: Stamp) {
        self.shown.until(last).await;
        let from = self.told.max((Stamp(first.0.saturating_sub(1)), u16::MAX));
        tracing::info!(from = from.0.0, to = last.0, "the sockets are behind; reading the log");
        for tenant in self.server.apps.all() {
            if let Err(error) = self.replay(&tenant, from, last).await {
                tracing::error!(%error, app = tenant.app.id.0, "the log could not be read; events are lost");
            }
        }
        self.told = (last, u16::MAX);
    }

    async fn replay(&self, tenant: &Tenant, mut place: Place, last: Stamp) -> domain::Result<()> {
        let app = &tenant.app;
        loop {
            let page = LOG.scan_from(&mut app.snapshot(), app.id.0, place, Limit::PAGE).await?;
            for (at, logged) in page.rows {
                // What came later waits in the queue.
                if at.0 > last {
                    return Ok(());
                }
                place = at;
                self.logged(app.id, logged).await;
            }
            if !page.more {
                return Ok(());
            }
        }
    }

    async fn logged(&self, app: AppId, logged: Logged) {
        if let Logged::Chat(event) = logged {
            self.tell(app, *event).await;
        }
    }

    async fn tell(&self, app: AppId, event: Event) {
        let Some(tenant) = self.server.apps.by_id(app) else { return };
        if let Err(error) = tell::tell(&self.server, &tenant, event).await {
            tracing::error!(%error, app = app.0, "an event could not be told");
        }
    }
}
