//! What changes in feeds, posted to the hooks of an app (feeds-v1 §9.3).
//!
//! The events of a commit become a list: an object for each feed in which something changed, the feeds themselves first and
//! those that follow them after, in as many posts as it takes. One post waits for the one before, so each feed is told of
//! in commit order.

use std::collections::{BTreeMap, HashSet};

use domain::{
    Tx,
    feeds::{
        follows,
        hooks::Hook,
        reactions::{self, Wanted},
    },
    keyspace::{FEED_HOOK_PLACE, LOG},
    log::{Event, Reacting},
    places::{self, Place},
    settings,
};
use ids::FeedId;
use serde_json::json;
use store::{Limit, Stamp};

use super::{Post, Works};
use crate::{
    apps::Tenant,
    error::Result,
    feeds::changes::{self, Change, Teller, What},
    to_wire,
};

/// Objects of one post.
const OBJECTS_MAX: usize = 100;

/// Sends what the hook `id` was not sent yet, as long as there is such a hook.
pub(super) async fn deliver(works: &Works, tenant: &Tenant, id: &str) -> domain::Result<()> {
    let app = &tenant.app;
    loop {
        let mut tx = app.snapshot();
        let hooks = settings::load(&mut tx).await?.feed_hooks;
        let Some(hook) = hooks.iter().find(|hook| hook.id == id) else { return Ok(()) };
        let Some(before) = places::get(&mut tx, &FEED_HOOK_PLACE, id).await? else { return Ok(()) };
        let page = LOG.scan_from(&mut tx, app.id.0, (Stamp(before.stamp), before.index), Limit::PAGE).await?;
        drop(tx);
        let Some((last, _)) = page.rows.last() else { return Ok(()) };
        let reached = Place { stamp: last.0.0, index: last.1 };
        let mut commits: BTreeMap<Place, (Stamp, Vec<Event>)> = BTreeMap::new();
        for ((stamp, index), event) in page.rows {
            match commits.last_entry() {
                Some(mut known) if known.get().0 == stamp => known.get_mut().1.push(event),
                _ => {
                    commits.insert(Place { stamp: stamp.0, index }, (stamp, vec![event]));
                }
            }
        }
        for (place, (stamp, events)) in commits {
            let mut sending = Sending { works, tenant, hook, place, posts: 0, objects: Vec::new() };
            if let Err(error) = sending.tell(stamp, events).await {
                tracing::error!(
                    detail = error.detail,
                    app = app.id.0,
                    hook = id,
                    "what changed in feeds could not be read"
                );
            }
        }
        // A place is a commit of its own, which is no event, so this ends.
        app.write(async |tx| places::advance(tx, &FEED_HOOK_PLACE, id, reached).await).await?;
    }
}

/// What one commit did, on its way to one hook.
struct Sending<'a> {
    works: &'a Works,
    tenant: &'a Tenant,
    hook: &'a Hook,
    place: Place,
    /// How many were made of the commit.
    posts: usize,
    /// What waits for the next one.
    objects: Vec<String>,
}

impl Sending<'_> {
    async fn tell(&mut self, stamp: Stamp, events: Vec<Event>) -> Result<()> {
        let app = &self.tenant.app;
        let mut shows: Vec<(FeedId, What)> = Vec::new();
        for event in events {
            if let Event::Reacted { reaction, .. } = &event
                && self.hook.hears_reactions
            {
                let object = self.reaction(&reaction.clone(), &event).await?;
                self.add(object).await;
            }
            shows.extend(changes::of_event(&mut app.snapshot(), event).await?);
        }
        let mut teller = Teller::new(app);
        let own = shows.iter().map(|(feed, what)| (feed.clone(), what, None));
        self.tell_feeds(&mut teller, own.collect()).await?;
        let mut told: HashSet<&FeedId> = HashSet::new();
        for (at, (feed, _)) in shows.iter().enumerate() {
            if told.insert(feed) {
                self.tell_followers(&mut teller, feed, &shows, at, stamp).await?;
            }
        }
        self.post().await;
        Ok(())
    }

    /// Tells of what `feed` brings to those that follow it: `shows` from `at` on, which is the first of it.
    async fn tell_followers(
        &mut self,
        teller: &mut Teller,
        feed: &FeedId,
        shows: &[(FeedId, What)],
        at: usize,
        stamp: Stamp,
    ) -> Result<()> {
        let mut tx = self.tenant.app.snapshot();
        let mut reached = None;
        loop {
            let (hearers, more) = follows::hearers(&mut tx, feed, stamp, reached, OBJECTS_MAX).await?;
            let mut heard = Vec::new();
            for hearer in hearers.into_iter().filter(|hearer| self.hook.takes(hearer.group())) {
                for (_, what) in shows[at..].iter().filter(|(source, _)| source == feed) {
                    if !is_told_already(&mut tx, &hearer, feed, what, shows, stamp).await? {
                        heard.push((hearer.clone(), what, Some(feed)));
                    }
                }
            }
            self.tell_feeds(teller, heard).await?;
            reached = more;
            if reached.is_none() {
                return Ok(());
            }
        }
    }

    /// Tells of what happened in feeds, an object for each.
    async fn tell_feeds(&mut self, teller: &mut Teller, happened: Vec<(FeedId, &What, Option<&FeedId>)>) -> Result<()> {
        let mut changes: BTreeMap<FeedId, Change> = BTreeMap::new();
        for (feed, what, origin) in happened {
            if self.hook.takes(feed.group()) {
                changes.entry(feed).or_default().note(what, origin);
            }
        }
        for (feed, change) in changes {
            // The group of a feed may be gone by now, and then so is the feed.
            if self.tenant.app.group(feed.group()).is_ok() {
                let object = teller.data(&feed, change, self.works.now()).await?;
                self.add(object).await;
            }
        }
        Ok(())
    }

    /// A reaction that was made, changed or deleted; nothing when one that was made is gone by now.
    async fn reaction(&self, id: &str, event: &Event) -> Result<Option<String>> {
        let Event::Reacted { activity, kind, change, .. } = event else { return Ok(None) };
        let mut tx = self.tenant.app.snapshot();
        let (name, shown) = match change {
            Reacting::New => ("reaction.new", reactions::shown(&mut tx, id).await?),
            Reacting::Updated => ("reaction.updated", reactions::shown(&mut tx, id).await?),
            Reacting::Deleted => ("reaction.deleted", None),
        };
        let reaction = match shown {
            Some(reaction) => {
                let shown = reactions::show(&mut tx, id, reaction, &Wanted::default()).await?;
                serde_json::to_value(to_wire::reaction(&shown)).expect("reactions are JSON")
            }
            None if *change == Reacting::Deleted => {
                json!({ "id": id, "kind": kind, "activity_id": activity.to_string() })
            }
            None => return Ok(None),
        };
        let published_at = self.works.now().rfc3339().to_string();
        let app_id = self.tenant.app.id.to_string();
        let object = json!({ "type": name, "app_id": app_id, "reaction": reaction, "published_at": published_at });
        Ok(Some(object.to_string()))
    }

    async fn add(&mut self, object: Option<String>) {
        self.objects.extend(object);
        if self.objects.len() == OBJECTS_MAX {
            self.post().await;
        }
    }

    /// Sends what waits until it is taken, or given up.
    async fn post(&mut self) {
        if self.objects.is_empty() {
            return;
        }
        let body = format!("[{}]", self.objects.join(",")).into_bytes();
        self.objects.clear();
        let signature = self.tenant.sign(&body);
        let (tenant, hook) = (self.tenant, &self.hook.id);
        let name = format!("feeds/{}", self.posts);
        self.posts += 1;
        let post = Post { tenant, hook, url: &self.hook.url, place: self.place, name: &name, is_packed: false };
        if !self.works.send(&post, &signature, &body).await {
            tracing::warn!(app = tenant.app.id.0, hook, "changes of feeds were given up: a hook refused them");
        }
    }
}

/// Whether `hearer` is told of `what` as the feed itself, or by an earlier one of the feeds in which it shows.
async fn is_told_already(
    tx: &mut Tx,
    hearer: &FeedId,
    feed: &FeedId,
    what: &What,
    shows: &[(FeedId, What)],
    stamp: Stamp,
) -> Result<bool> {
    let others: Vec<&FeedId> = shows.iter().filter(|(_, known)| known == what).map(|(source, _)| source).collect();
    if others.contains(&hearer) {
        return Ok(true);
    }
    let earlier: Vec<&FeedId> = others.into_iter().take_while(|source| *source != feed).collect();
    Ok(!earlier.is_empty() && follows::hears_one(tx, hearer, &earlier, stamp).await?)
}
