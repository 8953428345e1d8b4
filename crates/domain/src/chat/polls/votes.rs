//! Voting, and taking a vote back (chat §6.14, §11.6).

use ids::{MessageId, Timestamp, UserId};

use super::{Cast, Poll, TEXT_BYTES_MAX, Vote, load, options::SUGGESTED, tell};
use crate::{
    Error, Result, Tx,
    chat::messages::{self, Scene},
    keyspace::{Latest, POLLED, VOTE, VOTE_ORDER, VOTES},
    moderation::bans,
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
        let poll = load(tx, id).await?;
        match poll.is_closed {
            true => Err(Error::Unfit(format!("poll {id} is closed"))),
            false => Ok(Booth { scene, poll }),
        }
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
/// A vote for the same option again is the one that is there. In a poll with unique votes it takes the place of the one
/// before, and an answer always does.
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
    users::ensure(tx, user, now).await?;
    let own = own(tx, place.1, user).await?;
    let poll = booth.poll;
    let (cast, is_change) = match ballot {
        Ballot::Option(option) => {
            poll.option(option)?;
            if let Some(known) = own.iter().find(|cast| cast.vote.option.as_ref() == Some(option)) {
                return Ok(Done { poll, cast: known.clone() });
            }
            let is_change = make_room(tx, place.1, &poll, &own)?;
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
    put(tx, place.1, &cast, cast.id == vote);
    let kind = if is_change { "poll.vote_changed" } else { "poll.vote_casted" };
    tell(tx, kind, (place.1, &poll), (Some(user), Some(&cast)), now).await?;
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
    let tenant = tx.tenant();
    let known = VOTE.get(tx, tenant, &(place.1.to_owned(), vote.to_owned())).await?;
    let known = known.filter(|known| user.is_none_or(|user| known.user == *user));
    let known =
        known.ok_or_else(|| Error::Absent(format!("vote with id '{vote}' doesn't exist in poll {}", place.1)))?;
    let cast = Cast { id: vote.to_owned(), vote: known };
    remove(tx, place.1, &cast);
    tell(tx, "poll.vote_removed", (place.1, &booth.poll), (Some(&cast.vote.user), Some(&cast)), now).await?;
    Ok(Done { poll: booth.poll, cast })
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
