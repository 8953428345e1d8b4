//! Polls with all that is shown with them: how many votes there are, which came last, and which are the reader's (chat §6.14).

use ids::{UserId, json::Object};
use store::{Direction, Limit};

use super::{Poll, PollOption, Vote, votes};
use crate::{
    Result, Tx,
    keyspace::{VOTE, VOTE_ORDER, VOTES},
};

/// How many of the latest votes for an option are shown (chat §4.2).
const LATEST_MAX: usize = 10;

/// A vote with its id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cast {
    /// The id.
    pub id: String,
    /// The vote.
    pub vote: Vote,
}

/// A poll with what is counted of it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The id.
    pub id: String,
    /// The poll.
    pub poll: Poll,
    /// The application's own fields.
    pub custom: Object,
    /// The options.
    pub options: Vec<ShownOption>,
    /// How many answers there are.
    pub answers: i64,
    /// The latest answers, the latest first.
    pub latest_answers: Vec<Cast>,
    /// The votes and answers of the reader.
    pub own: Vec<Cast>,
    /// Who reads.
    pub viewer: Option<UserId>,
}

/// An option with what is counted of it.
#[derive(Clone, Debug)]
pub struct ShownOption {
    /// The option.
    pub option: PollOption,
    /// The application's own fields.
    pub custom: Object,
    /// How many votes it has.
    pub votes: i64,
    /// The latest votes, the latest first.
    pub latest: Vec<Cast>,
}

impl Shown {
    /// How many votes all options have.
    pub fn votes(&self) -> i64 {
        self.options.iter().map(|option| option.votes).sum()
    }

    /// Whether the reader may see whose vote it is.
    pub fn tells_whose(&self, vote: &Vote) -> bool {
        !self.poll.is_anonymous || self.viewer.as_ref() == Some(&vote.user)
    }

    /// Every user who is named in it.
    pub fn named(&self) -> impl Iterator<Item = &UserId> {
        let latest = self.options.iter().flat_map(|option| &option.latest).chain(&self.latest_answers);
        self.poll.created_by.iter().chain(latest.chain(&self.own).map(|cast| &cast.vote.user))
    }
}

/// The poll as `viewer` sees it.
///
/// # Errors
/// When the store fails.
pub async fn show(tx: &mut Tx, id: &str, poll: Poll, viewer: Option<&UserId>) -> Result<Shown> {
    let tenant = tx.tenant();
    let listed: Vec<PollOption> = poll.options().cloned().collect();
    let mut keys: Vec<_> = listed.iter().map(|option| (id.to_owned(), option.id.clone())).collect();
    keys.push((id.to_owned(), String::new()));
    let mut counts = VOTES.get_many(tx, tenant, &keys).await?;
    let answers = counts.pop().unwrap_or_default();
    let mut options = Vec::with_capacity(listed.len());
    for (option, votes) in listed.into_iter().zip(counts) {
        let latest = if votes > 0 { latest(tx, id, &option.id).await? } else { Vec::new() };
        options.push(ShownOption { custom: option.custom(), option, votes, latest });
    }
    let latest_answers = if answers > 0 { latest(tx, id, "").await? } else { Vec::new() };
    let mut own = match viewer {
        Some(user) => votes::own(tx, id, user).await?,
        None => Vec::new(),
    };
    own.retain(|cast| cast.vote.option.as_ref().is_none_or(|option| poll.option(option).is_ok()));
    let custom = poll.custom();
    Ok(Shown { id: id.to_owned(), poll, custom, options, answers, latest_answers, own, viewer: viewer.cloned() })
}

async fn latest(tx: &mut Tx, poll: &str, option: &str) -> Result<Vec<Cast>> {
    let tenant = tx.tenant();
    let range = VOTE_ORDER.prefix(tenant, &(poll.to_owned(), option.to_owned()));
    let rows = VOTE_ORDER.scan(tx, tenant, range, Direction::Forward, Limit::rows(LATEST_MAX)).await?.rows;
    let keys: Vec<_> = rows.into_iter().map(|((poll, _, _, vote), ())| (poll, vote)).collect();
    let votes = VOTE.get_many(tx, tenant, &keys).await?;
    Ok(keys.into_iter().zip(votes).filter_map(|((_, id), vote)| Some(Cast { id, vote: vote? })).collect())
}
