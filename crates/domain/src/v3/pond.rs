//! A short harness for tests of feeds v3: an app on the memory engine, spoken to in the language of the product.

pub(crate) mod scene;

use std::sync::atomic::{AtomicI64, Ordering};

use ids::{AppId, Fid, Timestamp, UserId};
use store::Store;

use super::{
    activities::{self, Activity, Content},
    feeds::{self, Feed, Input},
    follows::{self, Added},
    groups,
    selectors::Rule,
    timelines::{self, Place, Wanted},
};
use crate::{App, Error, Result, Tx, feeds::activities::Moment, filter::Filter, keyspace::LOG, log::Event};

/// A server's domain in a test.
pub(crate) struct Pond {
    pub(crate) app: App,
    now: AtomicI64,
}

pub(crate) fn fid(text: &str) -> Fid {
    Fid::parse(text).unwrap()
}

pub(crate) fn user(id: &str) -> UserId {
    UserId::parse(id).unwrap()
}

/// What says `text`.
pub(crate) fn says(text: &str) -> Content {
    Content { text: Some(text.to_owned()), ..Content::default() }
}

/// `id`, by the user whose name it begins with, in these feeds.
pub(crate) fn draft(id: &str, author: &str, feeds: &[&str]) -> activities::Draft {
    activities::Draft {
        id: id.to_owned(),
        user: user(author),
        kind: "post".to_owned(),
        feeds: feeds.iter().map(|text| fid(text)).collect(),
        content: says(id),
        parent: None,
        creates_users: false,
    }
}

impl Pond {
    pub(crate) fn new() -> Self {
        Self::of(App::bare(AppId(1), Store::memory(), 1 << 20))
    }

    /// The same app, spoken to in the language of feeds v3.
    pub(crate) fn of(app: App) -> Self {
        Pond { app, now: AtomicI64::new(1_600_000_000_000_000) }
    }

    /// A moment later than all before: a second each.
    pub(crate) fn moment(&self) -> Moment {
        let micros = self.now.fetch_add(1_000_000, Ordering::Relaxed) + 1_000_000;
        // Far apart, for what one call makes takes the next numbers.
        Moment { now: Timestamp::from_micros(micros), seed: micros.cast_unsigned() << 8 }
    }

    pub(crate) fn tick(&self) -> Timestamp {
        self.moment().now
    }

    /// Runs what may not fail.
    pub(crate) async fn write<T, F>(&self, body: F) -> T
    where
        T: Send,
        F: AsyncFnMut(&mut Tx) -> Result<T> + for<'a> crate::app::Body<'a, T> + Send,
    {
        self.app.write(body).await.unwrap()
    }

    /// The feed, made for the user of its id if it is not there.
    pub(crate) async fn feed(&self, id: &str) -> Feed {
        self.feed_with(id, &Input::default()).await
    }

    pub(crate) async fn feed_with(&self, id: &str, input: &Input) -> Feed {
        let (fid, moment) = (fid(id), self.moment());
        let owner = user(fid.id());
        let made =
            self.app.write(async |tx| feeds::ensure(tx, &fid, Some(&owner), input, moment.seed, moment.now).await);
        made.await.unwrap().0
    }

    pub(crate) async fn add(&self, id: &str, author: &str, feeds: &[&str]) -> Activity {
        self.try_add(None, &draft(id, author, feeds)).await.unwrap()
    }

    pub(crate) async fn try_add(&self, by: Option<&str>, draft: &activities::Draft) -> Result<Activity> {
        let (moment, by) = (self.moment(), by.map(user));
        Ok(self.app.write(async |tx| activities::add(tx, by.as_ref(), draft, moment).await).await?.1)
    }

    pub(crate) async fn follow(&self, source: &str, target: &str) -> Added {
        self.try_follow(None, &follows::Draft::new(fid(source), fid(target))).await.unwrap()
    }

    pub(crate) async fn try_follow(&self, by: Option<&str>, draft: &follows::Draft) -> Result<Added> {
        let (moment, by) = (self.moment(), by.map(user));
        self.app.write(async |tx| follows::add(tx, by.as_ref(), draft, moment).await).await
    }

    pub(crate) async fn unfollow(&self, source: &str, target: &str, keeps_history: bool) -> bool {
        let (source, target, now) = (fid(source), fid(target), self.tick());
        let ends = (&source, &target);
        let removed = self.app.write(async |tx| follows::remove(tx, None, ends, keeps_history, now).await);
        removed.await.unwrap().is_some()
    }

    /// The ids of what the app's own server reads in the feed, newest first, in one line.
    pub(crate) async fn read(&self, id: &str) -> String {
        self.page(id, Place::First, 100).await.0
    }

    /// The same of one page; then whether there is an older and a newer one.
    pub(crate) async fn page(&self, id: &str, place: Place, limit: usize) -> (String, bool, bool) {
        let mut tx = self.app.snapshot();
        let feed = feeds::load(&mut tx, &fid(id)).await.unwrap();
        let group = groups::load(&mut tx, fid(id).group()).await.unwrap();
        let filter = Filter::default();
        let now = Timestamp::from_micros(self.now.load(Ordering::Relaxed));
        let wanted = Wanted { limit, place, filter: &filter, viewer: None, without: None, now };
        let page =
            timelines::read(&self.app, &feed.stream, &Rule::of_group(&group, now).unwrap(), &wanted).await.unwrap();
        let ids: Vec<_> = page.rows.iter().map(|row| row.activity.id.as_str()).collect();
        (ids.join(" "), page.has_next, page.has_prev)
    }

    /// The types of everything that was told so far.
    pub(crate) async fn told(&self) -> Vec<String> {
        let mut tx = self.app.snapshot();
        let rows = LOG.scan(&mut tx, 1, store::Stamp::default(), store::Limit::PAGE).await.unwrap().rows;
        let told = rows.into_iter().filter_map(|(_, event)| match event {
            Event::Chat(event) if event.feeds.is_some() => Some(event.kind),
            _ => None,
        });
        told.collect()
    }
}

/// The rule that was broken, in words.
pub(crate) fn broken<T>(outcome: std::result::Result<T, Error>) -> String {
    outcome.err().expect("this breaks a rule").to_string()
}
