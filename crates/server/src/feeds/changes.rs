//! What changes in feeds, in the words of who is told of it: subscribers and hooks (feeds-v1 §9.2).

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write,
};

use domain::{
    App, Tx,
    feeds::{
        activities::{self, Activity, Posting, Reference},
        folds,
        groups::Kind,
    },
    keyspace::{Feed, Id, Newest, PLACED, POSTED},
    log::{Event, Gone, Marked},
};
use ids::{ActivityId, FeedId, Timestamp};
use serde_json::{Value, json};
use store::{Direction, Limit, Stamp};

use super::enrich::References;
use crate::{error::Result, to_wire};

/// What happened in a feed.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum What {
    /// An activity is in it, or says something else.
    New(ActivityId),
    /// An activity with this foreign id left it.
    Deleted(ActivityId, String),
    /// Groups of a notification feed were read, and seen.
    Noted { read: Marked, seen: Marked },
}

/// In which feeds `event` shows, beside those that follow them. Nobody is told of what was added to many feeds at once.
///
/// # Errors
/// When the store fails.
pub(crate) async fn of_event(tx: &mut Tx, event: Event) -> Result<Vec<(FeedId, What)>> {
    let mut shows = Vec::new();
    match event {
        Event::Posted { activity, feeds } => {
            for feed in feeds {
                if !is_quiet(tx, &feed, activity).await? {
                    shows.push((feed, What::New(activity)));
                }
            }
        }
        Event::Removed { activity, feeds, foreign_id, .. } => {
            shows.extend(feeds.into_iter().map(|feed| (feed, What::Deleted(activity, foreign_id.clone()))));
        }
        Event::Erased { activities, feeds, .. } => {
            for Gone { activity, foreign_id } in activities {
                shows.extend(feeds.iter().map(|feed| (feed.clone(), What::Deleted(activity, foreign_id.clone()))));
            }
        }
        Event::Changed { activity } => {
            let tenant = tx.tenant();
            let mut range = PLACED.prefix(tenant, &Id(activity));
            loop {
                let page = PLACED.scan(tx, tenant, range.clone(), Direction::Forward, Limit::PAGE).await?;
                let Some((last, ())) = page.rows.last() else { break };
                range.start = store::key::after(PLACED.key(tenant, last));
                shows.extend(page.rows.into_iter().map(|((_, Feed(feed)), ())| (feed, What::New(activity))));
                if !page.more {
                    break;
                }
            }
        }
        Event::Noted { feed, read, seen } => shows.push((feed, What::Noted { read, seen })),
        _ => {}
    }
    Ok(shows)
}

/// Whether the activity was added to many feeds at once, or is gone by now.
async fn is_quiet(tx: &mut Tx, feed: &FeedId, activity: ActivityId) -> Result<bool> {
    let tenant = tx.tenant();
    let row = POSTED.get(tx, tenant, &(Feed(feed.clone()), Newest(activity))).await?;
    Ok(row.is_none_or(|row| row.value == Posting::Quiet))
}

/// What one commit changed in one feed.
#[derive(Clone, Default, Debug)]
pub(crate) struct Change {
    /// Activity → the feed that brought it.
    new: BTreeMap<ActivityId, Option<FeedId>>,
    /// Activity → its foreign id.
    deleted: BTreeMap<ActivityId, String>,
    read: Marked,
    seen: Marked,
}

impl Change {
    /// Adds what happened in the feed itself, or in the one that brought it.
    pub(crate) fn note(&mut self, what: &What, origin: Option<&FeedId>) {
        match what {
            What::New(activity) => {
                // What stands in the feed itself came from nowhere else.
                let known = self.new.entry(*activity).or_insert_with(|| origin.cloned());
                if origin.is_none() {
                    *known = None;
                }
            }
            What::Deleted(activity, foreign_id) => {
                self.deleted.insert(*activity, foreign_id.clone());
            }
            What::Noted { read, seen } if origin.is_none() => {
                self.read.add(read);
                self.seen.add(seen);
            }
            What::Noted { .. } => {}
        }
    }
}

/// Writes what changed; what an activity says is looked up once, however many feeds show it.
pub(crate) struct Teller {
    tx: Tx,
    references: References,
    known: HashMap<ActivityId, Option<(Activity, String)>>,
}

impl Teller {
    /// One that sees what is stored now.
    pub(crate) fn new(app: &App) -> Self {
        Teller { tx: app.snapshot(), references: References::default(), known: HashMap::new() }
    }

    /// What changed in `feed`, as JSON; `None` when nothing of it is left.
    ///
    /// # Errors
    /// 400 when the group of the feed is gone; 500 when the store fails.
    pub(crate) async fn data(&mut self, feed: &FeedId, change: Change, now: Timestamp) -> Result<Option<String>> {
        let mut new = Vec::new();
        for (id, origin) in change.new {
            new.extend(self.activity(feed, id, origin.as_ref()).await?);
        }
        let is_marked = change.read != Marked::Nothing || change.seen != Marked::Nothing;
        if new.is_empty() && change.deleted.is_empty() && !is_marked {
            return Ok(None);
        }
        let deleted: Vec<String> = change.deleted.keys().map(ActivityId::to_string).collect();
        let named = change.deleted.iter().filter(|(_, foreign_id)| !foreign_id.is_empty());
        let foreign: Vec<Value> =
            named.map(|(id, foreign_id)| json!([foreign_id, id.time().activity().to_string()])).collect();
        let mut data = format!(
            r#"{{"feed":"{feed}","app_id":"{}","new":[{}],"deleted":{},"deleted_foreign_ids":{},"#,
            self.tx.app.id,
            new.join(","),
            json!(deleted),
            json!(foreign),
        );
        for (name, marked) in [("mark_read", &change.read), ("mark_seen", &change.seen)] {
            if let Some(marked) = marked_as_json(marked) {
                to_wire::raw_member(&mut data, name, &marked.to_string());
            }
        }
        write!(data, r#""published_at":"{}"}}"#, now.rfc3339()).expect("writing to memory does not fail");
        Ok(Some(data))
    }

    /// An activity as `feed` shows it, if it is still there.
    async fn activity(&mut self, feed: &FeedId, id: ActivityId, origin: Option<&FeedId>) -> Result<Option<String>> {
        if !self.known.contains_key(&id) {
            let found = match activities::get(&mut self.tx, &Reference::Id(id)).await? {
                Some((_, activity)) => {
                    let fragment = self.references.fragment(&mut self.tx, id, &activity).await?;
                    Some((activity, fragment))
                }
                None => None,
            };
            self.known.insert(id, found);
        }
        let Some(Some((activity, fragment))) = self.known.get(&id) else { return Ok(None) };
        let app = self.tx.app.clone();
        let group = app.group(feed.group())?;
        let mut json = fragment.clone();
        if group.kind != Kind::Flat
            && let Some(posted) = posted(&mut self.tx, origin.unwrap_or(feed), id).await?
            && let Some(name) = folds::name(group, feed, id, activity, posted)
        {
            write!(json, r#","group":{}"#, Value::from(name)).expect("writing to memory does not fail");
        }
        let mut shown = String::new();
        to_wire::with_origin(&mut shown, &json, origin);
        Ok(Some(shown))
    }
}

/// When in commit order the activity was posted to `feed`.
async fn posted(tx: &mut Tx, feed: &FeedId, activity: ActivityId) -> Result<Option<Stamp>> {
    let tenant = tx.tenant();
    Ok(POSTED.get(tx, tenant, &(Feed(feed.clone()), Newest(activity))).await?.map(|row| row.stamp))
}

fn marked_as_json(marked: &Marked) -> Option<Value> {
    match marked {
        Marked::Nothing => None,
        Marked::All => Some(true.into()),
        Marked::Groups(ids) => Some(ids.iter().map(ActivityId::to_string).collect()),
    }
}
