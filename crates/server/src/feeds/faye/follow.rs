//! From what commits logged to what subscribers are told (feeds-v1 §9.2).

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    App, Tx,
    feeds::{
        activities::{self, Posting, Reference},
        folds,
        groups::Kind,
    },
    keyspace::{Feed, Id, Newest, PLACED, POSTED},
    log::Event,
};
use ids::{ActivityId, AppId, FeedId, Timestamp};
use serde_json::{Value, json};
use store::{Direction, Limit, Stamp, Store};

use super::{
    bayeux::channel,
    hub::{Commit, Hub},
};
use crate::{Server, apps::Tenant, error::Result, feeds::enrich::References, to_wire};

/// What one commit changed in one feed.
#[derive(Default)]
struct Change {
    /// Activity → the feed that brought it.
    new: BTreeMap<ActivityId, Option<FeedId>>,
    /// Activity → its foreign id.
    deleted: BTreeMap<ActivityId, String>,
}

type Changes = BTreeMap<(AppId, FeedId), Change>;

/// Runs until the server ends.
pub(crate) async fn follow(server: Arc<Server>, store: Store) {
    while let Some(Commit { stamp, events }) = server.faye.next().await {
        // The hook runs just before the commit can be read.
        while store.published() < stamp {
            tokio::task::yield_now().await;
        }
        let mut changes = Changes::new();
        for (app, event) in events {
            let Some(tenant) = server.apps.by_id(app) else { continue };
            if let Err(error) = note(&server.faye, &tenant.app, event, &mut changes).await {
                tracing::error!(
                    detail = error.detail,
                    "what changed in feeds could not be read; subscribers are not told"
                );
            }
        }
        for ((app, feed), change) in changes {
            let Some(tenant) = server.apps.by_id(app) else { continue };
            if let Err(error) = tell(&server, &tenant, &feed, change).await {
                tracing::error!(
                    detail = error.detail,
                    "what is new in a feed could not be read; subscribers are not told"
                );
            }
        }
    }
}

/// Notes in which watched feeds an event shows.
async fn note(hub: &Hub, app: &App, event: Event, changes: &mut Changes) -> Result<()> {
    let mut tx = app.snapshot();
    match event {
        Event::Posted { activity, feeds } => {
            for feed in feeds {
                if !is_quiet(&mut tx, &feed, activity).await? {
                    note_new(hub, app, &feed, activity, changes);
                }
            }
        }
        Event::Removed { activity, feeds, foreign_id } => {
            for feed in feeds {
                for watcher in hub.watchers(app.id, &feed) {
                    let change = changes.entry((app.id, watcher)).or_default();
                    change.deleted.insert(activity, foreign_id.clone());
                }
            }
        }
        Event::Changed { activity } => {
            let range = PLACED.prefix(app.id.0, &Id(activity));
            for ((_, Feed(feed)), ()) in
                PLACED.scan(&mut tx, app.id.0, range, Direction::Forward, Limit::PAGE).await?.rows
            {
                note_new(hub, app, &feed, activity, changes);
            }
        }
        Event::Followed { feed, .. } => hub.look(app, &feed).await,
        _ => {}
    }
    Ok(())
}

/// When in commit order the activity was posted to `feed`.
async fn posted(tx: &mut Tx, feed: &FeedId, activity: ActivityId) -> Result<Option<Stamp>> {
    let tenant = tx.tenant();
    Ok(POSTED.get(tx, tenant, &(Feed(feed.clone()), Newest(activity))).await?.map(|row| row.stamp))
}

/// Whether the activity was added to many feeds at once: then nobody is told.
async fn is_quiet(tx: &mut Tx, feed: &FeedId, activity: ActivityId) -> Result<bool> {
    let tenant = tx.tenant();
    let row = POSTED.get(tx, tenant, &(Feed(feed.clone()), Newest(activity))).await?;
    Ok(row.is_none_or(|row| row.value == Posting::Quiet))
}

fn note_new(hub: &Hub, app: &App, feed: &FeedId, activity: ActivityId, changes: &mut Changes) {
    for watcher in hub.watchers(app.id, feed) {
        let origin = (watcher != *feed).then(|| feed.clone());
        let new = &mut changes.entry((app.id, watcher)).or_default().new;
        // What stands in the feed itself came from nowhere else.
        let known = new.entry(activity).or_insert_with(|| origin.clone());
        if origin.is_none() {
            *known = None;
        }
    }
}

/// Tells who subscribed to `feed` what changed in it.
async fn tell(server: &Server, tenant: &Tenant, feed: &FeedId, change: Change) -> Result<()> {
    let app = &tenant.app;
    let group = app.group(feed.group())?;
    if group.is_silent {
        return Ok(());
    }
    let (mut tx, mut references, mut new) = (app.snapshot(), References::default(), Vec::new());
    for (id, origin) in change.new {
        let Some((_, activity)) = activities::get(&mut tx, &Reference::Id(id)).await? else { continue };
        let mut fragment = references.fragment(&mut tx, id, &activity).await?;
        if group.kind != Kind::Flat
            && let Some(posted) = posted(&mut tx, origin.as_ref().unwrap_or(feed), id).await?
            && let Some(name) = folds::name(group, feed, id, &activity, posted)
        {
            fragment.push_str(&format!(r#","group":{}"#, Value::from(name)));
        }
        let mut json = String::new();
        to_wire::with_origin(&mut json, &fragment, origin.as_ref());
        new.push(json);
    }
    if new.is_empty() && change.deleted.is_empty() {
        return Ok(());
    }
    let deleted: Vec<String> = change.deleted.keys().map(ActivityId::to_string).collect();
    let foreign: Vec<Value> = change
        .deleted
        .iter()
        .filter(|(_, foreign_id)| !foreign_id.is_empty())
        .map(|(id, foreign_id)| json!([foreign_id, id.time().activity().to_string()]))
        .collect();
    let now = Timestamp::from_micros(server.clock.now_micros()).rfc3339().to_string();
    let message = format!(
        r#"{{"channel":{},"data":{{"feed":"{feed}","app_id":"{}","new":[{}],"deleted":{},"deleted_foreign_ids":{},"published_at":"{now}"}}}}"#,
        Value::from(channel(app.id.0, feed)),
        app.id,
        new.join(","),
        json!(deleted),
        json!(foreign),
    );
    server.faye.tell(app.id, feed, &Arc::from(message));
    Ok(())
}
