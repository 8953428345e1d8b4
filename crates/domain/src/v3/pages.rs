//! Reading feeds that show more than the newest: what several selectors select, ranked, and in groups (feeds-v3 §3.1, §5).
//!
//! Each selector selects at most [`timelines::LOOKED_AT_MAX`] activities; these are put together, each once, and ordered
//! when they are read. Nothing of it is kept: groups are derived, and their names are stored nowhere.

mod groups;

use std::collections::{BTreeMap, HashMap, HashSet};

use ids::{ActivityId, FeedId, Fid};

pub use groups::{Bundle, SHOWN_MAX, bundles};

use super::{
    activities::{self, Activity, Audience, Tallies, query::Candidate},
    feeds::{self, Feed},
    marks::{Kind, Marks},
    permit,
    ranking::Interests,
    recipes::Recipe,
    selectors::Rule,
    show,
    timelines::{self, Found, Wanted},
};
use crate::{App, Result, Tx, feeds::ranking::Moment, filter::Area};

/// The newest activities of the app that selectors look at which do not go by feeds.
const ELSEWHERE_MAX: usize = 2000;

/// What a reader brings along.
#[derive(Debug)]
pub struct Reader<'a> {
    /// What the reader is interested in.
    pub interests: Interests,
    /// What formulas are asked at.
    pub moment: Moment,
    /// What the reader has noted of the feed.
    pub marks: &'a Marks,
    /// The feeds that are suggested to the reader.
    pub suggested: HashSet<FeedId>,
    /// What is near, where a selector goes by it.
    pub around: Around,
}

/// What is near.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub enum Around {
    /// Nothing: nobody says where the reader is.
    #[default]
    Nowhere,
    /// What the filter of the read says, which everything fits that is selected.
    Filter,
    /// What is around the reader.
    Reader(Area),
}

/// An activity that was selected.
#[derive(Clone, Debug)]
pub struct Picked {
    /// The activity.
    pub found: Found,
    /// Which of the selectors, by its type.
    pub selector: String,
    /// How it is ranked; 0 where nothing ranks.
    pub score: f64,
    /// What the score was made of.
    pub variables: BTreeMap<String, f64>,
}

impl Picked {
    /// Whether who noted `marks` noted it.
    pub fn is_marked(&self, marks: &Marks, kind: Kind) -> bool {
        let activity = &self.found.activity;
        marks.cover(kind, &activity.id, activity.created_at)
    }
}

/// What `recipe` shows of `feed`, in its order.
///
/// # Errors
/// [`crate::Error::Ranking`] when a score cannot be made; when the store fails.
pub async fn gather(
    app: &App,
    feed: &Feed,
    recipe: &Recipe,
    wanted: &Wanted<'_>,
    reader: &Reader<'_>,
) -> Result<Vec<Picked>> {
    let mut tx = app.snapshot();
    let mut known: HashSet<ActivityId> = HashSet::new();
    let mut picked = Vec::new();
    let mut newest = None;
    for rule in &recipe.rules {
        let found = if rule.is_of_feed() {
            timelines::first(app, &feed.stream, rule, wanted).await?
        } else {
            if newest.is_none() {
                newest = Some(open_to_all(&mut tx, wanted).await?);
            }
            elsewhere(newest.as_deref().unwrap_or_default(), rule, reader)
        };
        let found = rule.in_order(found);
        let new = found.into_iter().filter(|(found, _)| known.insert(found.id));
        picked.extend(new.map(|(found, candidate)| (found, candidate.tallies(), rule.kind.clone())));
    }
    if recipe.drops_watched {
        picked.retain(|(Found { activity, .. }, ..)| {
            !reader.marks.cover(Kind::Watched, &activity.id, activity.created_at)
        });
    }
    rank(&mut tx, recipe, picked, reader).await
}

/// How many groups, or activities, of `feed` were not read and not seen by who noted `marks`.
///
/// # Errors
/// As [`gather`].
pub async fn news(
    app: &App,
    feed: &Feed,
    recipe: &Recipe,
    wanted: &Wanted<'_>,
    reader: &Reader<'_>,
) -> Result<(usize, usize)> {
    let all = gather(app, feed, recipe, wanted, reader).await?;
    let Some(grouping) = &recipe.grouping else {
        let is_new = |kind| all.iter().filter(|one| !one.is_marked(reader.marks, kind)).count();
        return Ok((is_new(Kind::Read), is_new(Kind::Seen)));
    };
    let all = bundles(all, recipe, grouping, reader.marks);
    let count = |is_marked: fn(&Bundle) -> bool| all.iter().filter(|bundle| !is_marked(bundle)).count();
    Ok((count(|bundle| bundle.is_read), count(|bundle| bundle.is_seen)))
}

async fn rank(
    tx: &mut Tx,
    recipe: &Recipe,
    picked: Vec<(Found, Tallies, String)>,
    reader: &Reader<'_>,
) -> Result<Vec<Picked>> {
    let mut ranked = Vec::with_capacity(picked.len());
    for (found, tallies, selector) in picked {
        let (score, variables) = match &recipe.ranking {
            None => Default::default(),
            Some(ranking) => {
                let of = (found.id, &found.activity);
                ranking.score(tx, of, tallies, &reader.interests, &reader.moment).await?
            }
        };
        ranked.push(Picked { found, selector, score, variables });
    }
    let is_in_order = recipe.ranking.is_none() && matches!(recipe.rules.as_slice(), [rule] if rule.has_order());
    if !is_in_order {
        ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then(b.found.id.cmp(&a.found.id)));
    }
    Ok(ranked)
}

/// The newest activities that stand in a feed that everybody may read, each with that feed's stream.
async fn open_to_all(tx: &mut Tx, wanted: &Wanted<'_>) -> Result<Vec<(Found, Candidate)>> {
    let newest = activities::query::newest(tx, ELSEWHERE_MAX).await?;
    let ids: Vec<ActivityId> = newest.iter().map(|(id, _)| *id).collect();
    let mut tallies = Vec::with_capacity(ids.len());
    for ids in ids.chunks(store::Limit::PAGE.rows) {
        tallies.extend(activities::tallies(tx, ids).await?);
    }
    let mut feeds: HashMap<Fid, Option<Feed>> = HashMap::new();
    let mut open = Vec::new();
    for ((id, activity), tallies) in newest.into_iter().zip(tallies) {
        let is_for_all = activity.content.audience == Audience::Public && activity.notice.is_none();
        let is_left_out = wanted.without.is_some_and(|owner| activity.is_of(owner));
        if !is_for_all || is_left_out || !show::is_listed(&activity, wanted.viewer, wanted.now) {
            continue;
        }
        let candidate = Candidate::new(id, &activity, tallies);
        if wanted.filter.fits(&candidate)
            && let Some(feed) = first_open(tx, &activity, &mut feeds).await?
        {
            open.push((Found { id, origin: Some(feed.stream), activity }, candidate));
        }
    }
    Ok(open)
}

/// The first feed that holds the activity and that everybody may read.
async fn first_open(tx: &mut Tx, activity: &Activity, known: &mut HashMap<Fid, Option<Feed>>) -> Result<Option<Feed>> {
    for fid in &activity.feeds {
        if !known.contains_key(fid) {
            let feed = feeds::get(tx, fid).await?;
            let is_open = match &feed {
                Some(feed) => permit::is_open(tx, feed).await?,
                None => false,
            };
            known.insert(fid.clone(), feed.filter(|_| is_open));
        }
        if let Some(Some(feed)) = known.get(fid) {
            return Ok(Some(feed.clone()));
        }
    }
    Ok(None)
}

fn elsewhere(newest: &[(Found, Candidate)], rule: &Rule, reader: &Reader<'_>) -> Vec<(Found, Candidate)> {
    let is_selected = |(found, candidate): &&(Found, Candidate)| {
        let is_of_kind = match rule.kind.as_str() {
            "popular" => candidate.tallies().popularity() >= rule.min_popularity,
            "interest" => reader.interests.meet(&found.activity.content.interest_tags),
            "follow_suggestion" => found.origin.as_ref().is_some_and(|origin| reader.suggested.contains(origin)),
            "proximity" => match (&reader.around, found.activity.content.location) {
                (Around::Filter, _) => true,
                (Around::Reader(area), Some(place)) => area.holds(place.lat, place.lng),
                (Around::Reader(_) | Around::Nowhere, _) => false,
            },
            // `query` goes by its filter alone.
            _ => true,
        };
        is_of_kind && rule.selects(candidate, false)
    };
    newest.iter().filter(is_selected).take(timelines::LOOKED_AT_MAX).cloned().collect()
}

#[cfg(test)]
mod tests;
