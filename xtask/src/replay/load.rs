//! Carries out the plan through the API.

use anyhow::{Result, bail};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::events::Event;
use super::ids::ActivityKey;
use super::plan::{self, Plan};
use super::progress::Progress;
use crate::api::{Api, Follow, NewActivity};

/// Posts and follows everything, with at most `concurrency` requests under way.
pub(crate) async fn load(api: &Api, events: &[Event], plan: &Plan, concurrency: usize) -> Result<()> {
    let mut progress = Progress::new("loading", plan.requests());
    for batch in &plan.batches {
        let posts = batch.posts.iter().map(|&index| post(api, &events[index]));
        all(posts, concurrency, &mut progress).await?;
        let follows = batch.follows.iter().map(|request| follow(api, request));
        all(follows, concurrency, &mut progress).await?;
    }
    Ok(())
}

async fn all<F>(requests: impl Iterator<Item = F>, concurrency: usize, progress: &mut Progress) -> Result<()>
where
    F: Future<Output = Result<()>>,
{
    let mut answers = stream::iter(requests).buffer_unordered(concurrency.max(1));
    while answers.try_next().await?.is_some() {
        progress.advance(1);
    }
    Ok(())
}

async fn post(api: &Api, event: &Event) -> Result<()> {
    let (feed, to) = plan::feeds(event);
    let activity = NewActivity {
        actor: &event.actor,
        verb: &event.verb,
        object: &event.object,
        foreign_id: &event.object,
        time: Some(&event.time),
        to: &to,
        repo: Some(&event.repo),
    };
    let added = api.add(&feed, &activity).await?;
    let id = ActivityKey::new(&event.object, &event.time)?.id();
    if added.id != id {
        bail!("{} at {} must have the id {id}, but the server gave {}", event.object, event.time, added.id);
    }
    Ok(())
}

async fn follow(api: &Api, request: &[Follow]) -> Result<()> {
    Ok(api.follow_many(request).await?)
}
