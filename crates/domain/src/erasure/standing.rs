//! What goes and comes with the standing of a user who is locked out and let in again (v2 §2.4).
//!
//! What is marked deleted bears the moment at which the user was locked out, by which it is found again. "The user's
//! channels" are what a deletion calls conversations: those with one other member; no group goes with one of its members.

use ids::{Timestamp, UserId};
use store::{Direction, Limit, key::after};

use super::{
    messages::{self, Fate},
    users::remove_conversations,
};
use crate::{
    App, Result, Tx,
    chat::events::{self, Event},
    keyspace::{CHANNEL, MEMBERSHIP},
    log,
    tasks::{Mode, Progress},
    users,
};

/// Channels that one step looks at.
const STEP_CHANNELS_MAX: usize = 50;

/// The stage of the messages; that of the channels follows.
const MESSAGES: u8 = 0;

/// What goes and comes with a user.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Taken {
    /// What the user said.
    pub messages: bool,
    /// The user's conversations.
    pub channels: bool,
}

/// Which way things go.
#[derive(Clone, Copy)]
enum Way {
    /// They are marked deleted at this moment.
    Out(Timestamp),
    /// Those that were marked deleted at the first moment come back at the second.
    In(Timestamp, Timestamp),
}

/// Marks what is `taken` of `user` deleted at `at`, step by step.
///
/// # Errors
/// When the store fails; what was done until then stays, and whoever asks again goes on.
pub async fn mark(app: &App, user: &UserId, taken: Taken, at: Timestamp) -> Result<()> {
    alone(app, user, taken, Way::Out(at)).await
}

/// Brings back what is `taken` of `user` and was marked deleted at `deleted_at`, step by step.
///
/// # Errors
/// When the store fails; what was done until then stays, and whoever asks again goes on.
pub async fn unmark(app: &App, user: &UserId, taken: Taken, deleted_at: Timestamp, now: Timestamp) -> Result<()> {
    alone(app, user, taken, Way::In(deleted_at, now)).await
}

/// Does steps outside a task, until one says that it was the last.
async fn alone(app: &App, user: &UserId, taken: Taken, way: Way) -> Result<()> {
    let mut progress = Progress::default();
    loop {
        let done = app.write(async |tx| {
            let mut next = progress.clone();
            let is_done = step(tx, user, taken, way, &mut next).await?;
            Ok((next, is_done))
        });
        let (next, is_done) = done.await?;
        if is_done {
            return Ok(());
        }
        progress = next;
    }
}

/// Does a step of locking `user` out; whether all is done.
///
/// # Errors
/// As [`users::standing::deactivate`].
pub(super) async fn deactivate(
    tx: &mut Tx,
    user: &UserId,
    by: Option<&UserId>,
    taken: Taken,
    progress: &mut Progress,
    planned_at: Timestamp,
) -> Result<bool> {
    if progress.stage == 0 {
        users::standing::deactivate(tx, user, by, planned_at).await?;
        progress.next_stage();
        return Ok(taken == Taken::default());
    }
    // The stage of locking out is over, and not one of those that are done with what is taken.
    progress.stage -= 1;
    let is_done = step(tx, user, taken, Way::Out(planned_at), progress).await;
    progress.stage += 1;
    is_done
}

/// Does a step of letting `user` in again; whether all is done.
///
/// # Errors
/// As [`users::standing::reactivate`].
pub(super) async fn reactivate(
    tx: &mut Tx,
    user: &UserId,
    by: Option<&UserId>,
    taken: Taken,
    progress: &mut Progress,
    now: Timestamp,
) -> Result<bool> {
    if let Some(deactivated_at) = users::load(tx, user).await?.deactivated_at
        && !step(tx, user, taken, Way::In(deactivated_at, now), progress).await?
    {
        return Ok(false);
    }
    users::standing::reactivate(tx, user, None, by, now).await?;
    Ok(true)
}

/// Does a step with what is `taken`; whether all is done.
async fn step(tx: &mut Tx, user: &UserId, taken: Taken, way: Way, progress: &mut Progress) -> Result<bool> {
    if progress.stage == MESSAGES {
        let fate = match way {
            Way::Out(at) => Fate::Delete(Mode::Soft, at),
            Way::In(deleted_at, now) => Fate::Restore(deleted_at, now),
        };
        if taken.messages && !messages::walk(tx, user, None, fate, progress).await? {
            return Ok(false);
        }
        if let (true, Way::Out(at)) = (taken.messages, way) {
            messages::told(tx, user, None, Mode::Soft, at);
        }
        progress.next_stage();
        return Ok(!taken.channels);
    }
    match way {
        Way::Out(at) => remove_conversations(tx, user, Mode::Soft, progress, at).await,
        Way::In(deleted_at, now) => restore_conversations(tx, user, deleted_at, now, progress).await,
    }
}

/// Brings back channels of `user` that were marked deleted at `deleted_at`; whether that were all.
async fn restore_conversations(
    tx: &mut Tx,
    user: &UserId,
    deleted_at: Timestamp,
    now: Timestamp,
    progress: &mut Progress,
) -> Result<bool> {
    let tenant = tx.tenant();
    let mut range = MEMBERSHIP.prefix(tenant, &user.to_string());
    if !progress.cursor.is_empty() {
        range.start = after(progress.cursor.clone());
    }
    let page = MEMBERSHIP.scan(tx, tenant, range, Direction::Forward, Limit::rows(STEP_CHANNELS_MAX)).await?;
    for (key, ()) in page.rows {
        progress.cursor = MEMBERSHIP.key(tenant, &key);
        let chat = key.1;
        let Some(mut channel) = CHANNEL.get(tx, tenant, &chat).await? else { continue };
        if channel.deleted_at == Some(deleted_at) {
            channel.deleted_at = None;
            channel.updated_at = now;
            CHANNEL.put(tx, tenant, &chat, &channel);
            log::record(tx, &log::Event::Swept { channel: chat.0.clone() });
            events::record(tx, Event::new("channel.updated", now, Some(&chat.0)).by(Some(user)));
        }
    }
    Ok(!page.more)
}
