//! A step of a task, by what the task does.

use ids::Timestamp;

use super::{Kind, Step, Task};
use crate::{
    Result, Tx,
    chat::{
        channels::batch::{self, Times},
        retention,
    },
    erasure,
};

/// Does a step of `task`, whose id is `id`.
///
/// # Errors
/// What is wrong with the item at hand, and then nothing of the step may be kept; or the store's failure.
pub async fn step(tx: &mut Tx, id: &str, task: &mut Task, now: Timestamp) -> Result<Step> {
    let Task { kind, progress, created_at, .. } = task;
    match kind {
        Kind::UpdateChannels(batch) => {
            batch::step(tx, id, batch, progress, Times { planned_at: *created_at, now }).await
        }
        Kind::Retain(retain) => retention::step(tx, retain, progress, now).await,
        kind => erasure::step(tx, kind, progress, *created_at, now).await,
    }
}

/// Goes on after the item at hand, of which nothing can come because of `failure`.
///
/// # Errors
/// When the store fails.
pub async fn skip(tx: &mut Tx, task: &mut Task, failure: &str) -> Result<()> {
    match &task.kind {
        Kind::UpdateChannels(batch) => batch::skip(tx, batch, &mut task.progress, failure).await,
        Kind::Retain(_) => retention::skip(tx, &mut task.progress).await,
        _ => {
            task.progress.next_item(Some(failure.to_owned()));
            Ok(())
        }
    }
}
