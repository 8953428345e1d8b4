//! Polls of activities: an activity shows a poll, and who sees the activity votes there (feeds-v3 §3.10). The polls themselves
//! are those of [`crate::polls`].

use ids::{Timestamp, UserId};

use super::{
    activities::{self, Activity, By},
    permit,
};
use crate::{
    Error, Result, Tx,
    keyspace::V3_POLL_SHOWN,
    polls::{self, Ballot, Done, Poll},
};

/// Checks that `by` may attach the poll `id` to an activity.
///
/// # Errors
/// [`Error::Absent`] when there is none; [`Error::NotAllowed`] when the user does not see it.
pub(super) async fn check_attachable(tx: &mut Tx, by: By<'_>, id: &str, now: Timestamp) -> Result<()> {
    polls::read(tx, by, id, now).await.map(drop)
}

/// Notes that the activity shows its poll.
pub(super) fn attach(tx: &mut Tx, activity: &Activity) {
    if let Some(poll) = &activity.content.poll {
        let tenant = tx.tenant();
        V3_POLL_SHOWN.put(tx, tenant, &(poll.clone(), activity.id.clone()), &());
    }
}

/// Notes that the activity shows its poll no more.
pub(super) fn detach(tx: &mut Tx, activity: &Activity) {
    if let Some(poll) = &activity.content.poll {
        let tenant = tx.tenant();
        V3_POLL_SHOWN.delete(tx, tenant, &(poll.clone(), activity.id.clone()));
    }
}

/// The poll `id`, which the activity shows, if `by` sees the activity and it is open.
async fn open(tx: &mut Tx, by: By<'_>, (activity, id): (&str, &str)) -> Result<Poll> {
    let (_, activity) = activities::load(tx, activity).await?;
    permit::may_see(tx, &activity, by).await?;
    match activity.content.poll.as_deref() == Some(id) {
        true => polls::open(tx, id).await,
        false => Err(Error::Unfit(format!("poll {id} is not attached to activity '{}'", activity.id))),
    }
}

/// Votes for `user` in the poll that the activity shows: activity, then poll. A new vote gets `vote` as its id.
///
/// # Errors
/// [`Error::Absent`] when there is no such activity, poll or option; [`Error::NotAllowed`] when `by` does not see the activity;
/// [`Error::Unfit`] when it does not show the poll, the poll is closed, or the user has no vote left.
pub async fn cast(
    tx: &mut Tx,
    by: By<'_>,
    user: &UserId,
    place: (&str, &str),
    (vote, ballot): (&str, &Ballot),
    now: Timestamp,
) -> Result<Done> {
    let poll = open(tx, by, place).await?;
    polls::put_in(tx, (place.1, poll), user, (vote, ballot), now).await
}

/// Takes a vote back; the app's own server need not say whose it is.
///
/// # Errors
/// As [`cast`], and [`Error::Absent`] when the user has no such vote.
pub async fn take_back(
    tx: &mut Tx,
    by: By<'_>,
    user: Option<&UserId>,
    place: (&str, &str),
    vote: &str,
    now: Timestamp,
) -> Result<Done> {
    let poll = open(tx, by, place).await?;
    polls::take_out(tx, (place.1, poll), user, vote, now).await
}

#[cfg(test)]
mod tests;
