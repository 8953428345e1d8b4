//! Polls: `/polls…` and `/messages/{id}/polls/{poll}/vote` (chat §6.14, §11.6; v2 §7.3).

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    dialect::{Custom, Time},
    users::User,
};

/// A poll.
#[derive(Serialize, Debug)]
pub struct Poll<'a> {
    /// The id.
    pub id: &'a str,
    /// What is asked.
    pub name: &'a str,
    /// The same at length.
    pub description: &'a str,
    /// `public` or `anonymous`.
    pub voting_visibility: &'static str,
    /// Whether a vote takes the place of the one before.
    pub enforce_unique_vote: bool,
    /// For how many options a user may vote; the classic dialect always has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_votes_allowed: Option<Option<u8>>,
    /// Whether users may add options.
    pub allow_user_suggested_options: bool,
    /// Whether users may answer in their own words.
    pub allow_answers: bool,
    /// Whether nobody votes any more.
    pub is_closed: bool,
    /// How many votes all options have.
    pub vote_count: i64,
    /// What one can vote for.
    pub options: Vec<PollOption<'a>>,
    /// Option → how many votes.
    pub vote_counts_by_option: BTreeMap<&'a str, i64>,
    /// Option → the latest votes, the latest first.
    pub latest_votes_by_option: BTreeMap<&'a str, Vec<Vote<'a>>>,
    /// How many answers there are.
    pub answers_count: i64,
    /// The latest answers, the latest first.
    pub latest_answers: Vec<Vote<'a>>,
    /// The votes and answers of the reader.
    pub own_votes: Vec<Vote<'a>>,
    /// Who made it.
    pub created_by_id: &'a str,
    /// The same as an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<User<'a>>,
    /// When.
    pub created_at: Time,
    /// When a field or an option was last changed.
    pub updated_at: Time,
    /// The application's own fields.
    #[serde(flatten)]
    pub custom: Custom<'a>,
}

/// What one can vote for.
#[derive(Serialize, Debug)]
pub struct PollOption<'a> {
    /// The id.
    pub id: &'a str,
    /// What it says.
    pub text: &'a str,
    /// The application's own fields.
    #[serde(flatten)]
    pub custom: Custom<'a>,
}

/// A vote or an answer.
#[derive(Serialize, Debug)]
pub struct Vote<'a> {
    /// The id.
    pub id: &'a str,
    /// In which poll.
    pub poll_id: &'a str,
    /// For which option; empty for an answer.
    pub option_id: &'a str,
    /// Whose; nobody's where the poll is anonymous and the vote another's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<&'a str>,
    /// The same as an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User<'a>>,
    /// Whether it is an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_answer: Option<bool>,
    /// The answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_text: Option<&'a str>,
    /// When.
    pub created_at: Time,
    /// When the answer was last changed.
    pub updated_at: Time,
}

/// An answer with one poll.
#[derive(Serialize, Debug)]
pub struct OnePoll<'a> {
    /// The poll.
    pub poll: Poll<'a>,
}

/// An answer with some polls.
#[derive(Serialize, Debug)]
pub struct Polls<'a> {
    /// The polls.
    pub polls: Vec<Poll<'a>>,
    /// What asks for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What asks for the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
}

/// An answer with one option.
#[derive(Serialize, Debug)]
pub struct OneOption<'a> {
    /// The option.
    pub poll_option: PollOption<'a>,
}

/// What voting answers, and taking a vote back.
#[derive(Serialize, Debug)]
pub struct Voted<'a> {
    /// The poll.
    pub poll: Poll<'a>,
    /// The vote.
    pub vote: Vote<'a>,
}

/// An answer with some votes.
#[derive(Serialize, Debug)]
pub struct Votes<'a> {
    /// The votes.
    pub votes: Vec<Vote<'a>>,
    /// What asks for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What asks for the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
}
