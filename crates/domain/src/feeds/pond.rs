//! A short harness for tests of the feeds: an app on the memory engine, spoken to in the language of the product.

use std::{cell::Cell, sync::Arc};

use ids::{ActivityId, AppId, FeedId, Timestamp, json::Object};
use store::Store;

use super::{
    activities::{self, Change, Draft, Moment, Reference},
    follows::{self, Part},
    groups,
    targets::{self, Retarget},
    timelines::{self, Page},
};
use crate::{App, Error, Result};

/// A server's domain in a test; the clock stands until somebody moves it.
pub(crate) struct Pond {
    pub(crate) app: App,
    pub(crate) now: Cell<i64>,
}

pub(crate) fn feed(text: &str) -> FeedId {
    FeedId::parse(text).unwrap()
}

pub(crate) fn feeds(texts: &[&str]) -> Vec<FeedId> {
    texts.iter().map(|text| feed(text)).collect()
}

impl Pond {
    pub(crate) fn new() -> Self {
        Self::on(Store::memory())
    }

    pub(crate) fn on(store: Store) -> Self {
        let groups = groups::of_the_sdk_suites().into_iter().map(|(name, group)| (name.to_owned(), group)).collect();
        Pond {
            app: App { groups: Arc::new(groups), ..App::bare(AppId(1), store, 1 << 20) },
            now: Cell::new(1_600_000_000_000_000),
        }
    }

    /// The time, `seconds` after the start.
    pub(crate) fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1_600_000_000_000_000 + seconds * 1_000_000)
    }

    pub(crate) fn tick(&self) -> Timestamp {
        self.now.set(self.now.get() + 1_000_000);
        Timestamp::from_micros(self.now.get())
    }

    /// A draft of somebody doing `verb`.
    pub(crate) fn draft(verb: &str) -> Draft {
        Draft { actor: "bob".into(), verb: verb.into(), object: "pond".into(), ..Draft::default() }
    }

    pub(crate) async fn add_draft(&self, to: &str, draft: &Draft) -> ActivityId {
        let moment = Moment { now: self.tick(), seed: self.now.get().cast_unsigned() };
        self.app.write(async |tx| Ok(activities::add(tx, &feed(to), draft, moment).await?.0)).await.unwrap()
    }

    pub(crate) async fn add_to_many(&self, feeds: &[FeedId], draft: &Draft) -> ActivityId {
        let moment = Moment { now: self.tick(), seed: self.now.get().cast_unsigned() };
        self.app
            .write(async |tx| {
                activities::add_to_many(tx, feeds, draft, moment).await?;
                activities::create(tx, draft, moment).await
            })
            .await
            .unwrap()
    }

    pub(crate) async fn add(&self, to: &str, verb: &str) -> ActivityId {
        self.add_draft(to, &Self::draft(verb)).await
    }

    pub(crate) async fn remove(&self, from: &str, id: ActivityId) {
        self.app.write(async |tx| activities::remove(tx, &feed(from), id).await).await.unwrap();
    }

    pub(crate) async fn change(&self, id: ActivityId, set: &str, unset: &[&str]) -> Result<String> {
        let change =
            Change { set: Object::parse(set).unwrap(), unset: unset.iter().map(|&path| path.into()).collect() };
        let changed = self.app.write(async |tx| activities::change(tx, &Reference::Id(id), &change).await).await?;
        Ok(changed.1.custom)
    }

    pub(crate) async fn retarget(&self, from: &str, id: ActivityId, retarget: Retarget) -> Result<targets::Retargeted> {
        self.app.write(async |tx| targets::update(tx, &feed(from), &Reference::Id(id), &retarget).await).await
    }

    pub(crate) async fn follow_with(&self, source: &str, target: &str, copy_limit: usize) -> Result<()> {
        let now = self.tick();
        let draft = follows::Draft { feed: feed(source), target: feed(target), copy_limit };
        self.app.write(async |tx| follows::add(tx, &draft, now).await).await
    }

    pub(crate) async fn follow(&self, source: &str, target: &str) {
        self.follow_with(source, target, follows::COPY_LIMIT).await.unwrap();
    }

    pub(crate) async fn unfollow(&self, source: &str, target: &str, keeps_history: bool) {
        self.app
            .write(async |tx| follows::remove(tx, &feed(source), &feed(target), keeps_history).await)
            .await
            .unwrap();
    }

    pub(crate) async fn page(&self, of: &str, part: &timelines::Part) -> Page {
        timelines::read(&self.app, &feed(of), part).await.unwrap()
    }

    /// The newest hundred of a feed: a line each, the verb, and the feed that brought it.
    pub(crate) async fn feed(&self, of: &str) -> String {
        let page = self.page(of, &timelines::Part::newest(timelines::LIMIT_MAX)).await;
        let mut lines = Vec::new();
        for row in page.rows {
            let (_, activity) =
                self.app.write(async |tx| activities::load(tx, &Reference::Id(row.id)).await).await.unwrap();
            let origin = row.origin.map(|origin| format!(" (from {origin})")).unwrap_or_default();
            lines.push(format!("{}{origin}", activity.verb));
        }
        if lines.is_empty() { "(empty)".to_owned() } else { lines.join("\n") }
    }

    pub(crate) async fn following(&self, of: &str) -> Vec<String> {
        let part = Part { limit: 100, offset: 0 };
        let relations = follows::following(&mut self.app.snapshot(), &feed(of), part).await.unwrap();
        relations.into_iter().map(|relation| relation.target.to_string()).collect()
    }

    pub(crate) async fn followers(&self, of: &str) -> Vec<String> {
        let part = Part { limit: 100, offset: 0 };
        let relations = follows::followers(&mut self.app.snapshot(), &feed(of), part).await.unwrap();
        relations.into_iter().map(|relation| relation.feed.to_string()).collect()
    }

    pub(crate) async fn get(&self, reference: &Reference) -> Option<activities::Activity> {
        activities::get(&mut self.app.snapshot(), reference).await.unwrap().map(|(_, activity)| activity)
    }
}

/// The rule that was broken, in words.
pub(crate) fn broken<T>(outcome: std::result::Result<T, Error>) -> String {
    outcome.err().expect("this breaks a rule").to_string()
}
