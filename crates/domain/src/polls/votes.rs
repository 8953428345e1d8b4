//! Voting, and taking a vote back (chat §6.14, §11.6): the same in messages and in activities, which say who may.

use ids::{Timestamp, UserId};

use super::{Cast, Poll, TEXT_BYTES_MAX, Vote, load, options::SUGGESTED, shown::tell};
use crate::{
    Error, Result, Tx,
    keyspace::{Latest, POLLED, VOTE, VOTE_ORDER, VOTES},
    rows, users,
};

/// The most votes of one user in a poll: one for each option, an answer, and options that the user suggested.
const OWN_MAX: usize = 2 * super::OPTIONS_MAX + 2;

/// What somebody votes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ballot {
    /// For this option.
    Option(String),
    /// This, in their own words.
    Answer(String),
}

/// What came of a vote.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Done {
    /// The poll.
    pub poll: Poll,
    /// The vote.
    pub cast: Cast,
}

/// The poll `id`, to vote in it.
///
/// # Errors
/// [`Error::Absent`] when there is none, [`Error::Unfit`] when it is closed.
pub(crate) async fn open(tx: &mut Tx, id: &str) -> Result<Poll> {
    let poll = load(tx, id).await?;
    match poll.is_closed {
        true => Err(Error::Unfit(format!("poll {id} is closed"))),
        false => Ok(poll),
    }
}

/// Votes for `user` in the open poll `id`, where the caller was seen to be allowed to; a new vote gets `vote` as its id.
///
/// A vote for the same option again is the one that is there. In a poll with unique votes it takes the place of the one
/// before, and an answer always does.
///
/// # Errors
/// [`Error::Absent`] when there is no such option, [`Error::Unfit`] when the user has no vote left, or the answer is none.
pub(crate) async fn put_in(
    tx: &mut Tx,
    (id, poll): (&str, Poll),
    user: &UserId,
    (vote, ballot): (&str, &Ballot),
    now: Timestamp,
) -> Result<Done> {
    users::ensure(tx, user, now).await?;
    let own = own(tx, id, user).await?;
    let (cast, is_change) = match ballot {
        Ballot::Option(option) => {
            poll.option(option)?;
            if let Some(known) = own.iter().find(|cast| cast.vote.option.as_ref() == Some(option)) {
                return Ok(Done { poll, cast: known.clone() });
            }
            let is_change = make_room(tx, id, &poll, &own)?;
            (fresh(vote, user, Some(option.clone()), None, now), is_change)
        }
        Ballot::Answer(text) => {
            check_answer(&poll, text)?;
            match own.into_iter().find(|cast| cast.vote.answer.is_some()) {
                Some(Cast { id, vote }) => {
                    (Cast { id, vote: Vote { answer: Some(text.clone()), updated_at: now, ..vote } }, true)
                }
                None => (fresh(vote, user, None, Some(text.clone()), now), false),
            }
        }
    };
    put(tx, id, &cast, cast.id == vote);
    let kind = if is_change { "poll.vote_changed" } else { "poll.vote_casted" };
    tell(tx, kind, (id, &poll), (Some(user), Some(&cast)), now).await?;
    Ok(Done { poll, cast })
}

fn fresh(id: &str, user: &UserId, option: Option<String>, answer: Option<String>, now: Timestamp) -> Cast {
    Cast { id: id.to_owned(), vote: Vote { user: user.clone(), option, answer, created_at: now, updated_at: now } }
}

/// Takes away what a new vote for an option replaces; whether it replaces anything.
fn make_room(tx: &mut Tx, poll_id: &str, poll: &Poll, own: &[Cast]) -> Result<bool> {
    let is_listed = |cast: &&Cast| poll.options().any(|option| cast.vote.option.as_ref() == Some(&option.id));
    let known: Vec<_> = own.iter().filter(is_listed).collect();
    if poll.is_unique {
        for cast in &known {
            remove(tx, poll_id, cast);
        }
        return Ok(!known.is_empty());
    }
    match poll.votes_max {
        Some(max) if known.len() >= usize::from(max) => {
            Err(Error::Unfit(format!("max_votes_allowed: a user has {max} votes in this poll")))
        }
        _ => Ok(false),
    }
}

fn check_answer(poll: &Poll, text: &str) -> Result<()> {
    if !poll.takes_answers {
        return Err(Error::Unfit("vote.answer_text: the poll takes no answers".to_owned()));
    }
    match text.is_empty() || text.len() > TEXT_BYTES_MAX {
        true => Err(Error::Unfit(format!("vote.answer_text must have 1 to {TEXT_BYTES_MAX} bytes"))),
        false => Ok(()),
    }
}

/// Takes a vote of `user`, or of anybody if nobody is named, out of the open poll `id`.
///
/// # Errors
/// [`Error::Absent`] when the user has no such vote.
pub(crate) async fn take_out(
    tx: &mut Tx,
    (id, poll): (&str, Poll),
    user: Option<&UserId>,
    vote: &str,
    now: Timestamp,
) -> Result<Done> {
    let tenant = tx.tenant();
    let known = VOTE.get(tx, tenant, &(id.to_owned(), vote.to_owned())).await?;
    let known = known.filter(|known| user.is_none_or(|user| known.user == *user));
    let known = known.ok_or_else(|| Error::Absent(format!("vote with id '{vote}' doesn't exist in poll {id}")))?;
    let cast = Cast { id: vote.to_owned(), vote: known };
    remove(tx, id, &cast);
    tell(tx, "poll.vote_removed", (id, &poll), (Some(&cast.vote.user), Some(&cast)), now).await?;
    Ok(Done { poll, cast })
}

/// The votes and answers of `user` in the poll.
pub(super) async fn own(tx: &mut Tx, poll: &str, user: &UserId) -> Result<Vec<Cast>> {
    let tenant = tx.tenant();
    let range = POLLED.prefix(tenant, &(user.to_string(), poll.to_owned()));
    let marks = rows::list(tx, &POLLED, range, OWN_MAX).await?;
    let is_vote = |what: &String| !what.is_empty() && !what.starts_with(SUGGESTED);
    let keys: Vec<_> =
        marks.into_iter().map(|((_, poll, what), ())| (poll, what)).filter(|(_, what)| is_vote(what)).collect();
    let votes = VOTE.get_many(tx, tenant, &keys).await?;
    Ok(keys.into_iter().zip(votes).filter_map(|((_, id), vote)| Some(Cast { id, vote: vote? })).collect())
}

/// What a vote is counted under: its option, or nothing for an answer.
pub(super) fn counted(vote: &Vote) -> String {
    vote.option.clone().unwrap_or_default()
}

/// Writes every row of a vote; one that `is_new` counts.
fn put(tx: &mut Tx, poll: &str, cast: &Cast, is_new: bool) {
    let (tenant, Cast { id, vote }) = (tx.tenant(), cast);
    VOTE.put(tx, tenant, &(poll.to_owned(), id.clone()), vote);
    if is_new {
        let under = counted(vote);
        POLLED.put(tx, tenant, &(vote.user.to_string(), poll.to_owned(), id.clone()), &());
        VOTE_ORDER.put(tx, tenant, &(poll.to_owned(), under.clone(), Latest(vote.created_at), id.clone()), &());
        VOTES.add(tx, tenant, &(poll.to_owned(), under), 1);
    }
}

/// Removes every row of a vote.
pub(super) fn remove(tx: &mut Tx, poll: &str, cast: &Cast) {
    let (tenant, Cast { id, vote }) = (tx.tenant(), cast);
    let under = counted(vote);
    VOTE.delete(tx, tenant, &(poll.to_owned(), id.clone()));
    POLLED.delete(tx, tenant, &(vote.user.to_string(), poll.to_owned(), id.clone()));
    VOTE_ORDER.delete(tx, tenant, &(poll.to_owned(), under.clone(), Latest(vote.created_at), id.clone()));
    VOTES.add(tx, tenant, &(poll.to_owned(), under), -1);
}
