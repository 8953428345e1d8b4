//! Who may see, show and change a poll.
//!
//! A poll is of no channel: who made it may do everything with it, others what they may in the channels that show it.

use ids::{MessageId, Timestamp, UserId};

use super::{Poll, load, shown_in};
use crate::{
    Error, Result, Tx,
    chat::messages::{self, Scene},
    keyspace::POLL_SHOWN,
};

/// The poll `id`, for `caller`; none is the app's own server.
///
/// # Errors
/// [`Error::Absent`] when there is none, [`Error::NotAllowed`] when the caller sees no message that shows it.
pub async fn read(tx: &mut Tx, caller: Option<&UserId>, id: &str, now: Timestamp) -> Result<Poll> {
    let poll = load(tx, id).await?;
    match is_readable(tx, caller, (id, &poll), now).await? {
        true => Ok(poll),
        false => Err(Error::NotAllowed(format!("poll {id} is in no channel that this user may read"))),
    }
}

/// Whether `caller` made the poll, or sees a message that shows it.
pub(super) async fn is_readable(
    tx: &mut Tx,
    caller: Option<&UserId>,
    (id, poll): (&str, &Poll),
    now: Timestamp,
) -> Result<bool> {
    if caller.is_none() || caller == poll.created_by.as_ref() {
        return Ok(true);
    }
    for (message, _) in shown_in(tx, id).await? {
        match messages::read(tx, caller, &message, now).await {
            Ok(_) => return Ok(true),
            Err(error @ Error::Store(_)) => return Err(error),
            Err(_) => {}
        }
    }
    Ok(false)
}

/// The poll `id`, if the caller may change it.
pub(super) async fn load_to_change(tx: &mut Tx, caller: Option<&UserId>, id: &str) -> Result<Poll> {
    let poll = load(tx, id).await?;
    check_change(tx, caller, id, &poll).await?;
    Ok(poll)
}

/// Checks that the caller made the poll, or has `update-poll` in a channel that shows it.
pub(super) async fn check_change(tx: &mut Tx, caller: Option<&UserId>, id: &str, poll: &Poll) -> Result<()> {
    if caller.is_none() || caller == poll.created_by.as_ref() {
        return Ok(());
    }
    for (_, message) in shown_in(tx, id).await? {
        let scene = Scene::load(tx, &message.channel, caller, message.created_at).await?;
        if scene.check("update-poll", poll.created_by.as_ref()).is_ok() {
            return Ok(());
        }
    }
    Err(Error::NotAllowed(format!("this user may not change poll {id}")))
}

/// Checks that a message in `scene` may show the poll `id`.
///
/// # Errors
/// [`Error::FeatureOff`] when the channel has no polls, [`Error::Absent`] and [`Error::NotAllowed`] as [`read`].
pub(in crate::chat) async fn check_attachable(tx: &mut Tx, scene: &Scene, id: &str, now: Timestamp) -> Result<()> {
    if !scene.config.polls {
        return Err(Error::FeatureOff(format!("polls not enabled for channel {}", scene.id)));
    }
    read(tx, scene.caller.as_ref().map(|(user, _)| user), id, now).await.map(drop)
}

/// Notes that the message shows the poll.
pub(in crate::chat) fn attach(tx: &mut Tx, poll: &str, message: &MessageId) {
    let tenant = tx.tenant();
    POLL_SHOWN.put(tx, tenant, &(poll.to_owned(), message.to_string()), &());
}

/// Notes that the message shows the poll no more.
pub(in crate::chat) fn detach(tx: &mut Tx, poll: &str, message: &MessageId) {
    let tenant = tx.tenant();
    POLL_SHOWN.delete(tx, tenant, &(poll.to_owned(), message.to_string()));
}
