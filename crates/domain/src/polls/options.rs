//! Options of polls: what the maker offers, and what users suggest (chat §11.6).

use ids::{Timestamp, UserId};

use super::{NewOption, Poll, PollOption, permit, put, remove, tell};
use crate::{App, Error, Result, Tx, keyspace::POLLED, users};

/// What marks a suggested option among what a user did with a poll.
pub(super) const SUGGESTED: char = '+';

/// The option `option` of the poll `id`, for who may read that.
///
/// # Errors
/// [`Error::Absent`] when there is none, [`Error::NotAllowed`] when the caller may not read the poll.
pub async fn load(tx: &mut Tx, caller: Option<&UserId>, id: &str, option: &str, now: Timestamp) -> Result<PollOption> {
    permit::read(tx, caller, id, now).await?.option(option).cloned()
}

/// Adds an option to the poll `id`; one that a user may not add is a suggestion, where the poll takes them.
///
/// # Errors
/// [`Error::Absent`] when there is no such poll, [`Error::NotAllowed`] when the caller may not, [`Error::Unfit`] when there
/// are too many, it is too long, or the poll is closed.
pub async fn add(
    tx: &mut Tx,
    caller: Option<&UserId>,
    actor: Option<&UserId>,
    id: &str,
    new: &NewOption,
    now: Timestamp,
) -> Result<PollOption> {
    let mut poll = permit::read(tx, caller, id, now).await?;
    if poll.is_closed {
        return Err(Error::Unfit(format!("poll {id} is closed")));
    }
    let is_makers = actor.is_none() || actor == poll.created_by.as_ref();
    if !is_makers && caller.is_some() && !poll.takes_options {
        permit::check_change(tx, caller, id, &poll).await?;
    }
    let by = actor.filter(|_| !is_makers);
    let option = PollOption {
        id: new.id.clone(),
        text: new.text.clone(),
        custom: new.custom.to_string(),
        by: by.cloned(),
        is_going: false,
    };
    poll.options.push(option.clone());
    poll.updated_at = now;
    poll.check()?;
    put(tx, id, &poll);
    if let Some(user) = by {
        users::ensure(tx, user, now).await?;
        let tenant = tx.tenant();
        POLLED.put(tx, tenant, &mark(user, id, &option.id), &());
    }
    tell(tx, "poll.updated", (id, &poll), (actor, None), now).await?;
    Ok(option)
}

/// The row that says that `user` suggested the option.
pub(super) fn mark(user: &UserId, poll: &str, option: &str) -> (String, String, String) {
    (user.to_string(), poll.to_owned(), format!("{SUGGESTED}{option}"))
}

/// Changes an option of the poll `id`.
///
/// # Errors
/// As [`add`], and [`Error::Absent`] when there is no such option.
pub async fn change(
    tx: &mut Tx,
    caller: Option<&UserId>,
    id: &str,
    new: &NewOption,
    now: Timestamp,
) -> Result<PollOption> {
    let mut poll = own(tx, caller, id, &new.id, now).await?;
    let known = poll.options.iter_mut().find(|option| option.id == new.id).expect("it was found");
    known.text.clone_from(&new.text);
    known.custom = new.custom.to_string();
    let option = known.clone();
    poll.updated_at = now;
    poll.check()?;
    put(tx, id, &poll);
    tell(tx, "poll.updated", (id, &poll), (caller, None), now).await?;
    Ok(option)
}

/// Removes an option of the poll `id` with its votes.
///
/// # Errors
/// As [`change`].
pub async fn delete(app: &App, caller: Option<&UserId>, id: &str, option: &str, now: Timestamp) -> Result<()> {
    app.write(async |tx| {
        let mut poll = own(tx, caller, id, option, now).await?;
        poll.options.iter_mut().filter(|known| known.id == option).for_each(|known| known.is_going = true);
        poll.updated_at = now;
        put(tx, id, &poll);
        tell(tx, "poll.updated", (id, &poll), (caller, None), now).await
    })
    .await?;
    while !app.write(async |tx| remove::sweep_options(tx, id).await).await? {}
    Ok(())
}

/// The poll `id`, if the caller may change its option `option`: as who may change the poll, or who suggested it.
async fn own(tx: &mut Tx, caller: Option<&UserId>, id: &str, option: &str, now: Timestamp) -> Result<Poll> {
    let poll = permit::read(tx, caller, id, now).await?;
    let by = poll.option(option)?.by.as_ref();
    let is_theirs = caller.is_some() && by == caller;
    if !is_theirs {
        permit::check_change(tx, caller, id, &poll).await?;
    }
    Ok(poll)
}
