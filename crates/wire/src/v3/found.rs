//! What is found out for a user (feeds-v3 §3.2, §3.11, §4.1).

use std::collections::BTreeMap;

use serde::Serialize;

use super::feeds::Feed;

/// A feed that a user might want to follow.
#[derive(Serialize, Debug)]
pub struct Suggested<'a> {
    /// The feed.
    #[serde(flatten)]
    pub feed: Feed<'a>,
    /// Why.
    pub reason: String,
    /// The higher, the more is to be said for it.
    pub recommendation_score: f64,
    /// What that is made of.
    pub algorithm_scores: BTreeMap<&'static str, f64>,
}

/// What `GET /feed_groups/{group}/follow_suggestions` answers.
#[derive(Serialize, Debug)]
pub struct Suggestions<'a> {
    /// The best first.
    pub suggestions: Vec<Suggested<'a>>,
    /// How they were found.
    pub algorithm_used: &'static str,
}

/// A tag.
#[derive(Serialize, Clone, Copy, Debug)]
pub struct Interest<'a> {
    /// The tag.
    pub tag: &'a str,
    /// To how many activities with it the user reacted.
    pub count: i64,
}

/// What `GET /users/{user}/interests` answers.
#[derive(Serialize, Debug)]
pub struct Interests<'a> {
    /// The most frequent first.
    pub interests: Vec<Interest<'a>>,
}
