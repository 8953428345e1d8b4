//! `feed/{group}/{id}/follows/`, `…/followers/`, `follow_many/`, `unfollow_many/`, `stats/follow/` (feeds-v1 §5.4, §5.5, §5.7).

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The body of `POST feed/{group}/{id}/follows/`.
#[derive(Deserialize, Debug)]
pub struct Follow {
    /// `group:id` of the followed feed.
    pub target: Option<Value>,
    /// How many older activities it brings; also accepted as a query parameter.
    pub activity_copy_limit: Option<Value>,
}

/// One item of `POST follow_many/`.
#[derive(Deserialize, Debug)]
pub struct FollowOne {
    /// `group:id` of the follower.
    pub source: String,
    /// `group:id` of the followed.
    pub target: String,
    /// How many older activities it brings.
    pub activity_copy_limit: Option<Value>,
}

/// One item of `POST unfollow_many/`.
#[derive(Deserialize, Debug)]
pub struct UnfollowOne {
    /// `group:id` of the follower.
    pub source: String,
    /// `group:id` of the followed.
    pub target: String,
    /// Whether what the follow brought stays.
    pub keep_history: Option<bool>,
}

/// One line of a list of followers or followed.
#[derive(Serialize, Debug)]
pub struct Relation<'a> {
    /// The follower.
    pub feed_id: &'a str,
    /// The followed.
    pub target_id: &'a str,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub updated_at: String,
}

/// A list of followers or followed.
#[derive(Serialize, Debug)]
pub struct Relations<'a> {
    /// The latest first.
    pub results: Vec<Relation<'a>>,
}

/// The answer of `GET stats/follow/`.
#[derive(Serialize, Debug)]
pub struct Stats<'a> {
    /// The parts that were asked for.
    pub results: StatsResults<'a>,
}

/// See [`Stats`].
#[derive(Serialize, Debug, Default)]
pub struct StatsResults<'a> {
    /// Who follows the feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub followers: Option<Count<'a>>,
    /// Whom the feed follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub following: Option<Count<'a>>,
}

/// How many, and of which feed.
#[derive(Serialize, Debug)]
pub struct Count<'a> {
    /// How many.
    pub count: i64,
    /// `group:id`.
    pub feed: &'a str,
}
