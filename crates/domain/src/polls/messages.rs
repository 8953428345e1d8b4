//! Polls in messages: who may vote there, and that a message shows a poll (chat §6.14, §11.6).

use ids::{MessageId, Timestamp, UserId};
use store::Limit;

use super::{Ballot, Done, Poll, permit::read, remove::clear, shown, votes};
use crate::{
    Error, Result, Tx,
    chat::messages::{self, Scene},
    keyspace::POLL_SHOWN,
    moderation::bans,
};

/// Where somebody votes.
struct Booth {
    scene: Scene,
    poll: Poll,
}

impl Booth {
    /// The poll `id` that the message shows, if the caller may vote there.
    async fn open(
        tx: &mut Tx,
        caller: Option<&UserId>,
        (message, id): (&MessageId, &str),
        now: Timestamp,
    ) -> Result<Self> {
        let shown = messages::read(tx, caller, message, now).await?;
        if shown.deleted_at.is_some() || shown.poll.as_deref() != Some(id) {
            return Err(Error::Unfit(format!("poll {id} is not attached to message {message}")));
        }
        let scene = Scene::load(tx, &shown.channel, caller, now).await?;
        if !scene.config.polls {
            return Err(Error::FeatureOff(format!("polls not enabled for channel {}", scene.id)));
        }
        // Who may write may vote, too: no role of the default grants may `cast-vote` (chat §8.4, §8.5).
        if !scene.may("cast-vote") {
            scene.check("create-message", None)?;
        }
        scene.check_enabled()?;
        Ok(Booth { scene, poll: votes::open(tx, id).await? })
    }

    async fn check_not_banned(&self, tx: &mut Tx, now: Timestamp) -> Result<()> {
        let Some((user, _)) = &self.scene.caller else { return Ok(()) };
        match bans::standing(tx, user, Some((&self.scene.id, &self.scene.channel)), now).await?.is_banned {
            true => Err(Error::NotAllowed("the user is banned from voting here".to_owned())),
            false => Ok(()),
        }
    }
}

/// Votes for `user` in the poll `id` that the message shows; a new vote gets `vote` as its id.
///
/// # Errors
/// [`Error::Absent`] when there is no such message, poll or option, [`Error::NotAllowed`] when the caller may not,
/// [`Error::Unfit`] when the message does not show the poll, the poll is closed, or the user has no vote left.
pub async fn cast(
    tx: &mut Tx,
    caller: Option<&UserId>,
    user: &UserId,
    place: (&MessageId, &str),
    (vote, ballot): (&str, &Ballot),
    now: Timestamp,
) -> Result<Done> {
    let booth = Booth::open(tx, caller, place, now).await?;
    booth.check_not_banned(tx, now).await?;
    votes::put_in(tx, (place.1, booth.poll), user, (vote, ballot), now).await
}

/// Takes a vote of `user` back.
///
/// # Errors
/// As [`cast`], and [`Error::Absent`] when the user has no such vote.
pub async fn take_back(
    tx: &mut Tx,
    caller: Option<&UserId>,
    user: Option<&UserId>,
    place: (&MessageId, &str),
    vote: &str,
    now: Timestamp,
) -> Result<Done> {
    let booth = Booth::open(tx, caller, place, now).await?;
    votes::take_out(tx, (place.1, booth.poll), user, vote, now).await
}

/// Checks that a message in `scene` may show the poll `id`.
///
/// # Errors
/// [`Error::FeatureOff`] when the channel has no polls, [`Error::Absent`] and [`Error::NotAllowed`] as [`read`].
pub(crate) async fn check_attachable(tx: &mut Tx, scene: &Scene, id: &str, now: Timestamp) -> Result<()> {
    if !scene.config.polls {
        return Err(Error::FeatureOff(format!("polls not enabled for channel {}", scene.id)));
    }
    read(tx, scene.caller.as_ref().map(|(user, _)| user), id, now).await.map(drop)
}

/// Notes that the message shows the poll.
pub(crate) fn attach(tx: &mut Tx, poll: &str, message: &MessageId) {
    let tenant = tx.tenant();
    POLL_SHOWN.put(tx, tenant, &(poll.to_owned(), message.to_string()), &());
}

/// Notes that the message shows the poll no more.
pub(crate) fn detach(tx: &mut Tx, poll: &str, message: &MessageId) {
    let tenant = tx.tenant();
    POLL_SHOWN.delete(tx, tenant, &(poll.to_owned(), message.to_string()));
}

/// Lets go of the poll of a message that goes for good: nothing is left of one that nothing else shows. How many votes went,
/// and whether all is done.
///
/// # Errors
/// When the store fails.
pub(crate) async fn forget_message(tx: &mut Tx, id: &str, message: &MessageId, limit: Limit) -> Result<(usize, bool)> {
    let is_elsewhere = shown::in_messages(tx, id).await?.iter().any(|other| other != message.as_str())
        || !shown::in_activities(tx, id).await?.is_empty();
    if !is_elsewhere {
        return clear(tx, id, limit).await;
    }
    detach(tx, id, message);
    Ok((0, true))
}
