//! Removing for good what is too much for one transaction: channels, and all that a user has here (v2 §5).
//!
//! Each part is a walk in steps for a task: a step removes some rows and says where to go on. What a step finds gone is
//! fine, so a step may run again. [`traces`] is the list of all tables with what a user leaves in each; a walk over it ends
//! every hard deletion. [`residue`] answers whether anything is left.

pub mod channels;
pub mod feeds;
pub mod list;
mod messages;
pub mod residue;
mod rows;
mod standing;
pub mod told;
pub mod traces;
mod users;

pub use standing::{Taken, mark, unmark};

use ids::Timestamp;

use crate::{
    Error, Result, Tx, exports,
    tasks::{Kind, Mode, Progress, Step},
    v3,
};

/// Rows that one step removes at most, far enough from what one transaction may do.
const STEP_ROWS_MAX: usize = 1000;
/// Stages that one step begins.
const STEP_STAGES_MAX: usize = 32;
/// Files that one step removes.
const STEP_FILES_MAX: usize = 20;

/// Does a step of a task that removes: stages that find nothing to do share it with the first that does.
///
/// # Errors
/// What is wrong with the item at hand, and then nothing of the step may be kept; or the store's failure.
pub async fn step(
    tx: &mut Tx,
    kind: &Kind,
    progress: &mut Progress,
    planned_at: Timestamp,
    now: Timestamp,
) -> Result<Step> {
    for _ in 1..STEP_STAGES_MAX {
        let item = progress.item();
        let step = do_stage(tx, kind, progress, planned_at, now).await?;
        // What is wrong with the next item must not undo this one; and a look at the log is long enough.
        if step == Step::Done || !tx.is_empty() || progress.item() != item || takes_words(kind) == Some(item) {
            return Ok(step);
        }
    }
    do_stage(tx, kind, progress, planned_at, now).await
}

/// Does one stage of the item at hand, as far as a transaction takes it.
async fn do_stage(
    tx: &mut Tx,
    kind: &Kind,
    progress: &mut Progress,
    planned_at: Timestamp,
    now: Timestamp,
) -> Result<Step> {
    let at = progress.item();
    if takes_words(kind) == Some(at) {
        return Ok(if told::forget(tx, &mut progress.cursor).await? { Step::Done } else { Step::More });
    }
    let (items, is_done) = match kind {
        Kind::DeleteChannels { channels, is_hard } => {
            let Some((channel, was_there)) = channels.get(at) else { return Ok(Step::Done) };
            there(*was_there, "channel not found")?;
            let is_done =
                !is_hard || channels::remove(tx, channel, &mut progress.stage, planned_at).await? == Step::Done;
            (channels.len(), is_done)
        }
        Kind::DeleteUsers(asked) => {
            let Some(leaver) = asked.users.get(at) else { return Ok(Step::Done) };
            there(leaver.was_there, "user not found")?;
            let is_done = users::remove(tx, asked, leaver, progress, (planned_at, now)).await? == Step::Done;
            (asked.users.len(), is_done)
        }
        Kind::DeactivateUsers { users, by, marks_messages, marks_channels } => {
            let Some(user) = users.get(at) else { return Ok(Step::Done) };
            let takes = Taken { messages: *marks_messages, channels: *marks_channels };
            let is_done = standing::deactivate(tx, user, by.as_ref(), takes, progress, planned_at).await?;
            (users.len(), is_done)
        }
        Kind::ReactivateUsers { users, by, restores_messages, restores_channels } => {
            let Some(user) = users.get(at) else { return Ok(Step::Done) };
            let brings = Taken { messages: *restores_messages, channels: *restores_channels };
            let is_done = standing::reactivate(tx, user, by.as_ref(), brings, progress, now).await?;
            (users.len(), is_done)
        }
        Kind::DeleteMessages(asked) => {
            let is_done = messages::remove_of_user(tx, asked, progress, (planned_at, now)).await?;
            if is_done {
                progress.next_stage();
            }
            (1, is_done)
        }
        Kind::DeleteFeeds { user, is_hard } => {
            let soft = (!is_hard).then_some(planned_at);
            let is_stage_done = match progress.stage {
                0 => feeds::remove(tx, user, soft, progress, now).await?,
                // Files that hold what went go with it, however new they are.
                1 => exports::discard_of(tx, user, STEP_FILES_MAX).await?,
                2 => traces::erase_feed_events(tx, user, *is_hard, progress, now).await?,
                // By now the worker has removed the files.
                _ => true,
            };
            let is_done = is_stage_done && progress.stage > 2;
            if is_stage_done {
                progress.next_stage();
            }
            (1, is_done)
        }
        Kind::ClearFeeds(deletion) => {
            let is_done = v3::feeds::delete::step(tx, deletion, progress, planned_at).await? == Step::Done;
            (deletion.feeds.len(), is_done)
        }
        Kind::ClearGroup(group, is_hard) => {
            (1, v3::groups::clear::step(tx, group, *is_hard, progress, planned_at).await?)
        }
        Kind::FitFeed(change) => (1, v3::feeds::visibility::step(tx, change, progress, now).await?),
        // These have steps of their own.
        Kind::ExportUsers(_)
        | Kind::ExportChannels(_)
        | Kind::ExportFeeds(_)
        | Kind::UpdateChannels(_)
        | Kind::Retain(_)
        | Kind::RunCampaign(_)
        | Kind::Import
        | Kind::ImportWords => return Ok(Step::Done),
    };
    if is_done {
        progress.next_item(None);
    }
    Ok(if progress.item() == items && takes_words(kind).is_none() { Step::Done } else { Step::More })
}

/// How many items a task has after which it takes out of the log what was said in messages and channels that it removed or
/// pruned; `None` if it does neither.
fn takes_words(kind: &Kind) -> Option<usize> {
    match kind {
        Kind::DeleteChannels { channels, is_hard: true } => Some(channels.len()),
        Kind::DeleteUsers(asked) => {
            let takes =
                asked.messages.is_some_and(|mode| mode != Mode::Soft) || asked.conversations == Some(Mode::Hard);
            takes.then_some(asked.users.len())
        }
        Kind::DeleteMessages(asked) => (asked.mode != Mode::Soft).then_some(1),
        _ => None,
    }
}

fn there(was_there: bool, words: &str) -> Result<()> {
    if was_there { Ok(()) } else { Err(Error::Absent(words.to_owned())) }
}
