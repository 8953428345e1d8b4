//! Follows: `/follows` and `/unfollow` (feeds-v3 §3.8, §4.1).

use serde::Serialize;

use super::{Pager, feeds::Feed};
use crate::chat::dialect::{Members, Time};

/// A follow.
#[derive(Serialize, Clone, Debug)]
pub struct Follow<'a> {
    /// The follower.
    pub source_feed: Box<Feed<'a>>,
    /// The followed.
    pub target_feed: Box<Feed<'a>>,
    /// `accepted`, `pending` or `rejected`.
    pub status: &'static str,
    /// The role of the follower in the followed feed.
    pub follower_role: &'a str,
    /// `all` or `none`.
    pub push_preference: &'static str,
    /// The application's own fields.
    pub custom: Members<'a>,
    /// Since when.
    pub created_at: Time,
    /// When a field was last changed.
    pub updated_at: Time,
    /// When it was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_accepted_at: Option<Time>,
    /// When it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_rejected_at: Option<Time>,
}

/// One follow, and what came of the call.
#[derive(Serialize, Debug)]
pub struct OneFollow<'a> {
    /// Whether it was made; told by `POST /follows/upsert`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<bool>,
    /// Whether it was ended; told by `POST /unfollow/upsert`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted: Option<bool>,
    /// The follow; absent if there was none to end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow: Option<Follow<'a>>,
    /// Whether somebody was notified; told to whoever asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_created: Option<bool>,
}

/// Some follows.
#[derive(Serialize, Debug)]
pub struct Follows<'a> {
    /// Those that were made; told by the batches that follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Vec<Follow<'a>>>,
    /// In the order that was asked for.
    pub follows: Vec<Follow<'a>>,
    /// Where the pages beside this one are.
    #[serde(flatten)]
    pub pager: Pager,
}
