//! Aggregated and notification feeds by the scores of a ranking method (feeds-v1 §4.8, §6).
//!
//! The newest activities of the feed are scored, as in a flat feed, and a group has the score of its best one.

use std::collections::{BTreeMap, HashMap, hash_map};

use ids::FeedId;

use super::{CHUNK, Open, Page};
use crate::{
    App, Result,
    feeds::ranking::{self, Method, Moment},
    keyspace::{ACTIVITY, Id},
};

/// What a group was ranked by.
#[derive(Clone, PartialEq, Debug)]
pub struct Score {
    /// The highest score of its activities.
    pub score: f64,
    /// The variables that this score was made of.
    pub variables: BTreeMap<String, f64>,
}

/// Reads a part of an aggregated or notification feed, the group with the highest score first, and the score of each
/// group of the page. Groups without one of the newest [`ranking::ROWS_MAX`] activities are not on any page.
///
/// # Errors
/// [`crate::Error::BrokenFormat`]; [`crate::Error::Ranking`] when a score cannot be made.
pub async fn read_ranked(
    app: &App,
    feed: &FeedId,
    method: &Method,
    moment: &Moment,
    limit: usize,
    offset: usize,
) -> Result<(Page, Vec<Score>)> {
    let open = Open::new(app, feed).await?;
    let scored = scored(app, &open, method, moment).await?;
    let more = scored.len() > offset.saturating_add(limit);
    let (places, scores): (Vec<usize>, Vec<Score>) = scored.into_iter().skip(offset).take(limit).unzip();
    Ok((open.page(app, &places, more).await?, scores))
}

/// The places of the groups with their scores, the highest first; of two alike, the one with the newer activity.
async fn scored(app: &App, open: &Open, method: &Method, moment: &Moment) -> Result<Vec<(usize, Score)>> {
    let mut tx = app.snapshot();
    let tenant = tx.tenant();
    let newest = open.fold.entries.len().min(ranking::ROWS_MAX);
    let mut best: HashMap<usize, Score> = HashMap::new();
    for entries in open.fold.entries[..newest].chunks(CHUNK) {
        let ids: Vec<Id> = entries.iter().map(|entry| Id(entry.id)).collect();
        for (entry, activity) in entries.iter().zip(ACTIVITY.get_many(&mut tx, tenant, &ids).await?) {
            let Some(activity) = activity else { continue };
            let (score, variables) = ranking::score(method, moment, entry.id, &activity)?;
            match best.entry(usize::from(entry.group)) {
                hash_map::Entry::Occupied(known) if known.get().score >= score => {}
                hash_map::Entry::Occupied(mut known) => *known.get_mut() = Score { score, variables },
                hash_map::Entry::Vacant(vacant) => {
                    vacant.insert(Score { score, variables });
                }
            }
        }
    }
    let mut scored: Vec<(usize, Score)> = best.into_iter().collect();
    // The places of groups are in the order of their newest activities.
    scored.sort_by(|(a, x), (b, y)| y.score.total_cmp(&x.score).then(a.cmp(b)));
    Ok(scored)
}
