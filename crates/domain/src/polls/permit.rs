//! Who may see and change a poll.
//!
//! A poll is of no channel and no feed: who made it may do everything with it, others what they may where it is shown.

use ids::{Timestamp, UserId};

use super::{Poll, load, shown};
use crate::{
    Error, Result, Tx,
    chat::messages::{self, Scene},
    v3,
};

/// The poll `id`, for `caller`; none is the app's own server.
///
/// # Errors
/// [`Error::Absent`] when there is none, [`Error::NotAllowed`] when the caller sees nothing that shows it.
pub async fn read(tx: &mut Tx, caller: Option<&UserId>, id: &str, now: Timestamp) -> Result<Poll> {
    let poll = load(tx, id).await?;
    match is_readable(tx, caller, (id, &poll), now).await? {
        true => Ok(poll),
        false => Err(Error::NotAllowed(format!("poll {id} is nowhere that this user may read"))),
    }
}

/// Whether `caller` made the poll, or sees something that shows it.
pub(super) async fn is_readable(
    tx: &mut Tx,
    caller: Option<&UserId>,
    (id, poll): (&str, &Poll),
    now: Timestamp,
) -> Result<bool> {
    if caller.is_none() || caller == poll.created_by.as_ref() {
        return Ok(true);
    }
    for (message, _) in shown::messages(tx, id).await? {
        match messages::read(tx, caller, &message, now).await {
            Ok(_) => return Ok(true),
            Err(error @ Error::Store(_)) => return Err(error),
            Err(_) => {}
        }
    }
    for (_, activity) in shown::activities(tx, id).await? {
        match v3::permit::may_see(tx, &activity, caller).await {
            Ok(()) => return Ok(true),
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
    for (_, message) in shown::messages(tx, id).await? {
        let scene = Scene::load(tx, &message.channel, caller, message.created_at).await?;
        if scene.check("update-poll", poll.created_by.as_ref()).is_ok() {
            return Ok(());
        }
    }
    Err(Error::NotAllowed(format!("this user may not change poll {id}")))
}
