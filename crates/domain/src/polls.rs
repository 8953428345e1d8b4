//! Polls, their options and votes (chat §6.14, §11.6; v2 §7.3; feeds-v3 §3.10): one engine for those that messages show and
//! those that activities show.
//!
//! Who votes reads the row of the poll, and writes rows of the vote and a counter: no two voters write the same row. How
//! many votes there are, and which came last, is read from those. The row of the poll is written by who changes the poll.
//!
//! **Invariant:** a vote has one row each in `VOTE`, `POLLED` and `VOTE_ORDER` and counts once in `VOTES`.

mod change;
mod leave;
mod list;
mod messages;
mod options;
mod permit;
mod remove;
mod shown;
mod tally;
mod votes;

pub use change::{Content, NewOption, Patch, create, patch, update};
pub(crate) use leave::{leave, leave_activities};
pub use list::{POLLS, VOTES as VOTE_FIELDS, query, query_votes};
pub(crate) use messages::{attach, check_attachable, detach, forget_message};
pub use messages::{cast, take_back};
pub use options::{add as add_option, change as change_option, delete as delete_option, load as load_option};
pub use permit::read;
pub use remove::delete;
use shown::tell;
pub use tally::{Cast, Shown, ShownOption, show};
pub use votes::{Ballot, Done};
pub(crate) use votes::{open, put_in, take_out};

use ids::{Timestamp, UserId, json::Object};
use minicbor::{Decode, Encode};
use store::Limit;

use crate::{Error, Result, Tx, keyspace::POLL};

/// The most bytes of a name.
const NAME_BYTES_MAX: usize = 500;
/// The most bytes of a description.
const DESCRIPTION_BYTES_MAX: usize = 2 * 1024;
/// The most options.
const OPTIONS_MAX: usize = 100;
/// The most bytes of what an option or an answer says.
const TEXT_BYTES_MAX: usize = 500;
/// The most bytes of the own fields of a poll and all its options (chat §4.2).
const CUSTOM_BYTES_MAX: usize = 5 * 1024;
/// The most votes that a poll can give to each user.
const VOTES_MAX: u8 = 10;

/// A poll. Its votes are not stored here.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Poll {
    /// What is asked.
    #[n(0)]
    pub name: String,
    /// The same at length.
    #[n(1)]
    pub description: String,
    /// Whether nobody is told who voted.
    #[n(2)]
    pub is_anonymous: bool,
    /// Whether a vote takes the place of the one before.
    #[n(3)]
    pub is_unique: bool,
    /// For how many options a user may vote; for all, if absent.
    #[n(4)]
    pub votes_max: Option<u8>,
    /// Whether users may add options.
    #[n(5)]
    pub takes_options: bool,
    /// Whether users may answer in their own words.
    #[n(6)]
    pub takes_answers: bool,
    /// Whether nobody votes any more.
    #[n(7)]
    pub is_closed: bool,
    /// What one can vote for, in their order.
    #[n(8)]
    pub options: Vec<PollOption>,
    /// Who made it.
    #[n(9)]
    pub created_by: Option<UserId>,
    /// When.
    #[n(10)]
    pub created_at: Timestamp,
    /// When a field or an option was last changed.
    #[n(11)]
    pub updated_at: Timestamp,
    /// The application's own fields: a JSON object.
    #[n(12)]
    pub custom: String,
    /// Whether it is being removed, step by step, and nobody sees it.
    #[n(13)]
    is_going: bool,
}

/// What one can vote for.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct PollOption {
    /// The id.
    #[n(0)]
    pub id: String,
    /// What it says.
    #[n(1)]
    pub text: String,
    /// The application's own fields: a JSON object.
    #[n(2)]
    pub custom: String,
    /// Which user suggested it.
    #[n(3)]
    pub by: Option<UserId>,
    /// Whether its votes are being removed, step by step, and nobody sees it.
    #[n(4)]
    is_going: bool,
}

/// What a user voted for, or answered.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Vote {
    /// Who.
    #[n(0)]
    pub user: UserId,
    /// For which option.
    #[n(1)]
    pub option: Option<String>,
    /// The answer, if it is no vote for an option.
    #[n(2)]
    pub answer: Option<String>,
    /// When.
    #[n(3)]
    pub created_at: Timestamp,
    /// When the answer was last changed.
    #[n(4)]
    pub updated_at: Timestamp,
}

impl Poll {
    /// The application's own fields.
    pub fn custom(&self) -> Object {
        Object::parse(&self.custom).expect("custom fields were parsed before they were stored")
    }

    /// The same without what it says.
    pub(crate) fn without_words(self) -> Self {
        Poll { name: String::new(), description: String::new(), options: Vec::new(), custom: "{}".to_owned(), ..self }
    }

    /// The options that one can vote for.
    pub fn options(&self) -> impl Iterator<Item = &PollOption> {
        self.options.iter().filter(|option| !option.is_going)
    }

    /// The option `id`.
    ///
    /// # Errors
    /// [`Error::Absent`] when there is none.
    pub fn option(&self, id: &str) -> Result<&PollOption> {
        let found = self.options().find(|option| option.id == id);
        found.ok_or_else(|| Error::Absent(format!("poll option with id '{id}' doesn't exist")))
    }

    /// Takes `user` out of who made it and who suggested its options; whether that changed anything.
    pub(crate) fn forget(&mut self, user: &UserId) -> bool {
        let mut has_changed = false;
        for by in self.options.iter_mut().map(|option| &mut option.by).chain([&mut self.created_by]) {
            if by.as_ref() == Some(user) {
                *by = None;
                has_changed = true;
            }
        }
        has_changed
    }

    /// Checks the limits of all that it says.
    fn check(&self) -> Result<()> {
        let unfit = |rule: String| Err(Error::Unfit(rule));
        if self.name.is_empty() || self.name.len() > NAME_BYTES_MAX {
            return unfit(format!("name must have 1 to {NAME_BYTES_MAX} bytes"));
        }
        if self.description.len() > DESCRIPTION_BYTES_MAX {
            return unfit(format!("description has at most {DESCRIPTION_BYTES_MAX} bytes"));
        }
        if self.votes_max.is_some_and(|max| !(1..=VOTES_MAX).contains(&max)) {
            return unfit(format!("max_votes_allowed must be between 1 and {VOTES_MAX}"));
        }
        if self.options.len() > OPTIONS_MAX {
            return unfit(format!("options holds at most {OPTIONS_MAX}"));
        }
        if let Some(option) = self.options().find(|option| option.text.is_empty() || option.text.len() > TEXT_BYTES_MAX)
        {
            return unfit(format!("text of option '{}' must have 1 to {TEXT_BYTES_MAX} bytes", option.id));
        }
        let ids: std::collections::BTreeSet<_> = self.options.iter().map(|option| &option.id).collect();
        if ids.len() < self.options.len() {
            return unfit("options: an id is given twice".to_owned());
        }
        let custom = self.custom.len() + self.options.iter().map(|option| option.custom.len()).sum::<usize>();
        // What is empty takes two bytes, and is not counted.
        match custom > CUSTOM_BYTES_MAX + 2 * (1 + self.options.len()) {
            true => Err(Error::TooBig(format!("the own fields of a poll may have {CUSTOM_BYTES_MAX} bytes"))),
            false => Ok(()),
        }
    }
}

impl PollOption {
    /// The application's own fields.
    pub fn custom(&self) -> Object {
        Object::parse(&self.custom).expect("custom fields were parsed before they were stored")
    }
}

/// The poll `id`, if there is one that is not being removed.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, id: &str) -> Result<Option<Poll>> {
    let tenant = tx.tenant();
    Ok(POLL.get(tx, tenant, &id.to_owned()).await?.filter(|poll| !poll.is_going))
}

/// The poll `id`.
///
/// # Errors
/// [`Error::Absent`] when there is none.
pub async fn load(tx: &mut Tx, id: &str) -> Result<Poll> {
    get(tx, id).await?.ok_or_else(|| Error::Absent(format!("poll with id '{id}' doesn't exist")))
}

fn put(tx: &mut Tx, id: &str, poll: &Poll) {
    let tenant = tx.tenant();
    POLL.put(tx, tenant, &id.to_owned(), poll);
}

/// Lets go of the poll of an activity that goes for good: nothing is left of one that nothing else shows. Whether all is done,
/// as far as `budget` goes.
///
/// # Errors
/// When the store fails.
pub(crate) async fn forget_activity(tx: &mut Tx, id: &str, activity: &str, budget: &mut usize) -> Result<bool> {
    let is_elsewhere = shown::in_activities(tx, id).await?.iter().any(|other| other != activity)
        || !shown::in_messages(tx, id).await?.is_empty();
    if is_elsewhere {
        return Ok(true);
    }
    let (votes, is_done) = remove::clear(tx, id, Limit::rows((*budget).max(1))).await?;
    *budget = budget.saturating_sub(votes);
    Ok(is_done)
}

#[cfg(test)]
mod tests;
