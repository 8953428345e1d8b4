//! Reads every feed to its end and compares it with the model.

use anyhow::{Result, bail};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::events::Event;
use super::model::{Model, Row};
use super::progress::Progress;
use crate::api::{Activity, Api};

/// How many differing rows of a feed are shown.
const DIFFERENCES_SHOWN: usize = 5;

/// What was read.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) feeds: usize,
    pub(crate) rows: usize,
    pub(crate) pages: usize,
}

/// Compares all feeds; fails with the first one that differs.
pub(crate) async fn check(api: &Api, events: &[Event], model: &Model, concurrency: usize) -> Result<Seen> {
    let feeds = model.flat_feeds();
    let mut progress = Progress::new("comparing", feeds.len());
    let comparisons = feeds.iter().map(|feed| compare(api, events, model, feed));
    let mut comparisons = stream::iter(comparisons).buffer_unordered(concurrency.max(1));
    let mut seen = Seen::default();
    while let Some((rows, pages)) = comparisons.try_next().await? {
        seen.feeds += 1;
        seen.rows += rows;
        seen.pages += pages;
        progress.advance(1);
    }
    Ok(seen)
}

async fn compare(api: &Api, events: &[Event], model: &Model, feed: &str) -> Result<(usize, usize)> {
    let (found, pages) = api.whole_feed(feed).await?;
    let expected = model.rows(feed);
    let differences = differences(events, model, &expected, &found);
    if !differences.is_empty() {
        let shown = differences[..differences.len().min(DIFFERENCES_SHOWN)].join("\n");
        bail!(
            "{feed} has {} rows where the model has {}, and {} of them differ; the first ones are\n{shown}",
            found.len(),
            expected.len(),
            differences.len()
        );
    }
    Ok((found.len(), pages))
}

fn differences(events: &[Event], model: &Model, expected: &[Row], found: &[Activity]) -> Vec<String> {
    let longest = expected.len().max(found.len());
    (0..longest)
        .filter_map(|row| {
            let found = found.get(row);
            let wanted = expected.get(row).map(|wanted| activity(events, model, wanted, found));
            (wanted.as_ref() != found)
                .then(|| format!("row {row}:\n  model:  {}\n  server: {}", show(wanted.as_ref()), show(found)))
        })
        .collect()
}

/// What the API must show for a row. Of several origins that are equally right, it is the one that was found.
fn activity(events: &[Event], model: &Model, row: &Row, found: Option<&Activity>) -> Activity {
    let event = &events[row.event];
    let shown = found.and_then(|found| found.origin.as_ref()).filter(|origin| row.origins.contains(origin));
    Activity {
        id: model.id(row.event),
        foreign_id: event.object.clone(),
        time: event.time.clone(),
        actor: event.actor.clone(),
        verb: event.verb.clone(),
        object: event.object.clone(),
        origin: shown.or(row.origins.first()).cloned(),
        repo: Some(event.repo.clone()),
    }
}

fn show(activity: Option<&Activity>) -> String {
    let Some(activity) = activity else { return "nothing".to_owned() };
    let Activity { id, foreign_id, time, actor, origin, .. } = activity;
    format!("{time} {id} {foreign_id} by {actor}, origin {}", origin.as_deref().unwrap_or("null"))
}
