//! What a reader of a feed sees: the engine's timeline of its stream, as activities (feeds-v3 §3.1, §3.2).

use ids::{ActivityId, FeedId, Timestamp, UserId};

use super::{
    activities::{self, Activity, query::Candidate},
    selectors::Rule,
    show,
};
use crate::{
    App, Result,
    feeds::timelines::{self as engine, Part, Row},
    filter::Filter,
};

/// The most rows of a timeline that are looked at for one page (feeds-v3 §3.1: "the first 1000").
pub const LOOKED_AT_MAX: usize = 1000;
/// Rows that are looked at at once.
const BATCH: usize = 100;

/// Which part of a feed is wanted.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// At most so many.
    pub limit: usize,
    /// Where the page is.
    pub place: Place,
    /// Which.
    pub filter: &'a Filter,
    /// Who reads, if not the app's own server.
    pub viewer: Option<&'a UserId>,
    /// The owner whose activities are left out.
    pub without: Option<&'a UserId>,
    /// When.
    pub now: Timestamp,
}

/// Where a page is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// At the newest.
    First,
    /// After this activity.
    After(ActivityId),
    /// Before it.
    Before(ActivityId),
    /// Around it.
    Around(ActivityId),
}

/// A page of a feed.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Newest first.
    pub rows: Vec<Found>,
    /// Whether there is an older page.
    pub has_next: bool,
    /// Whether there is a newer one.
    pub has_prev: bool,
}

/// An activity of a page.
#[derive(Clone, Debug)]
pub struct Found {
    /// Which.
    pub id: ActivityId,
    /// What is stored.
    pub activity: Activity,
    /// The stream that brought it, if it does not stand in the feed itself.
    pub origin: Option<FeedId>,
}

/// Reads a page of the feed with this stream: what one of `rules` selects.
///
/// # Errors
/// When the store fails.
pub async fn read(app: &App, stream: &FeedId, rules: &[Rule], wanted: &Wanted<'_>) -> Result<Page> {
    let reader = Reader { app, stream, rules, wanted };
    match wanted.place {
        Place::First => {
            let (rows, has_next) = reader.older(ActivityId::MAX, true, wanted.limit).await?;
            Ok(Page { rows, has_next, has_prev: false })
        }
        Place::After(id) => {
            let (rows, has_next) = reader.older(id, false, wanted.limit).await?;
            Ok(Page { has_prev: !rows.is_empty(), rows, has_next })
        }
        Place::Before(id) => {
            let (rows, has_prev) = reader.newer(id, wanted.limit).await?;
            Ok(Page { has_next: !rows.is_empty(), rows, has_prev })
        }
        Place::Around(id) => {
            let (mut rows, has_prev) = reader.newer(id, wanted.limit / 2).await?;
            let (older, has_next) = reader.older(id, true, wanted.limit - rows.len()).await?;
            rows.extend(older);
            Ok(Page { rows, has_next, has_prev })
        }
    }
}

/// The newest [`LOOKED_AT_MAX`] that `rule` selects of the feed with this stream, as filters see them, wherever the page is.
///
/// # Errors
/// When the store fails.
pub async fn first(app: &App, stream: &FeedId, rule: &Rule, wanted: &Wanted<'_>) -> Result<Vec<(Found, Candidate)>> {
    let reader = Reader { app, stream, rules: std::slice::from_ref(rule), wanted };
    let (found, _) = reader.older(ActivityId::MAX, true, LOOKED_AT_MAX).await?;
    let mut tx = app.snapshot();
    let mut all = Vec::with_capacity(found.len());
    let mut found = found.into_iter();
    loop {
        let some: Vec<Found> = found.by_ref().take(BATCH).collect();
        if some.is_empty() {
            return Ok(all);
        }
        let ids: Vec<ActivityId> = some.iter().map(|found| found.id).collect();
        let tallies = activities::tallies(&mut tx, &ids).await?;
        all.extend(some.into_iter().zip(tallies).map(|(found, tallies)| {
            let candidate = Candidate::new(found.id, &found.activity, tallies);
            (found, candidate)
        }));
    }
}

struct Reader<'a> {
    app: &'a App,
    stream: &'a FeedId,
    rules: &'a [Rule],
    wanted: &'a Wanted<'a>,
}

impl Reader<'_> {
    /// The first `limit` below `below`, and whether there are more.
    async fn older(&self, below: ActivityId, with_below: bool, limit: usize) -> Result<(Vec<Found>, bool)> {
        let mut part = Part { below, with_below, ..Part::newest(BATCH) };
        let (mut found, mut looked) = (Vec::new(), 0);
        loop {
            let page = self.rows(&part).await?;
            looked += page.rows.len();
            let Some(last) = page.rows.last() else { return Ok((found, false)) };
            part = Part { below: last.id, with_below: false, ..part };
            found.extend(self.load(page.rows).await?);
            if found.len() > limit {
                found.truncate(limit);
                return Ok((found, true));
            }
            if !page.more || looked >= LOOKED_AT_MAX {
                return Ok((found, false));
            }
        }
    }

    /// The last `limit` above `above`, and whether there are more. They are found by walking down to it.
    async fn newer(&self, above: ActivityId, limit: usize) -> Result<(Vec<Found>, bool)> {
        let mut part = Part { above, with_above: false, ..Part::newest(BATCH) };
        let (mut found, mut looked) = (Vec::new(), 0);
        loop {
            let page = self.rows(&part).await?;
            looked += page.rows.len();
            let last = page.rows.last().map(|row| row.id);
            found.extend(self.load(page.rows).await?);
            match last {
                Some(last) if page.more && looked < LOOKED_AT_MAX => {
                    part = Part { below: last, with_below: false, ..part };
                }
                _ => {
                    let skipped = found.len().saturating_sub(limit);
                    return Ok((found.split_off(skipped), skipped > 0));
                }
            }
        }
    }

    async fn rows(&self, part: &Part) -> Result<engine::Page> {
        match self.rules.iter().any(Rule::follows) {
            true => engine::read(self.app, self.stream, part).await,
            false => engine::read_own(self.app, self.stream, part).await,
        }
    }

    async fn load(&self, rows: Vec<Row>) -> Result<Vec<Found>> {
        let Wanted { filter, viewer, without, now, .. } = self.wanted;
        let mut tx = self.app.snapshot();
        let ids: Vec<ActivityId> = rows.iter().map(|row| row.id).collect();
        let stored = activities::get_many(&mut tx, &ids).await?;
        let found = rows
            .into_iter()
            .zip(stored)
            .filter_map(|(row, activity)| Some(Found { id: row.id, origin: row.origin, activity: activity? }));
        let mut found: Vec<Found> = found
            .filter(|found| show::is_listed(&found.activity, *viewer, *now))
            .filter(|found| without.is_none_or(|owner| !found.activity.is_of(owner)))
            .collect();
        let looks_closer = !filter.is_empty() || self.rules.iter().any(Rule::has_filter);
        let keys: Vec<ActivityId> = found.iter().map(|found| found.id).filter(|_| looks_closer).collect();
        let mut tallies = activities::tallies(&mut tx, &keys).await?.into_iter();
        found.retain(|found| {
            let candidate = Candidate::new(found.id, &found.activity, tallies.next().unwrap_or_default());
            let is_selected = |rule: &Rule| rule.selects(&candidate, found.origin.is_some());
            filter.fits(&candidate) && self.rules.iter().any(is_selected)
        });
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        feeds::timelines::{self, Part},
        v3::pond::Pond,
    };

    #[tokio::test]
    async fn a_feed_of_v1_with_the_same_name_never_meets_an_activity_of_v3() {
        let pond = Pond::new();
        pond.add("a1", "amy", &["user:amy"]).await;
        let namesake = ids::FeedId::parse("user:amy").unwrap();
        let page = timelines::read(&pond.app, &namesake, &Part::newest(10)).await.unwrap();
        assert!(page.rows.is_empty());
        let stream = pond.feed("user:amy").await.stream;
        assert!(ids::FeedId::parse(stream.as_str()).is_err(), "no caller can name `{stream}`");
    }
}
