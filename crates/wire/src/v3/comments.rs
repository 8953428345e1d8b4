//! Comments: `/comments` and what is below it (feeds-v3 §3.4, §4.1).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    Pager,
    activities::Activity,
    reactions::{Reaction, ReactionGroup},
};
use crate::chat::{dialect::Time, users::User};

/// A comment.
#[derive(Serialize, Debug)]
pub struct Comment<'a> {
    /// The id.
    pub id: &'a str,
    /// What it is about.
    pub object_id: &'a str,
    /// Always `activity`.
    pub object_type: &'static str,
    /// The comment that it replies to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<&'a str>,
    /// `active`, `deleted`, `removed` or `hidden`.
    pub status: &'static str,
    /// What it says; absent from a stub.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<&'a str>,
    /// The text in other languages: `language`, and `<code>_text` for each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub i18n: Option<BTreeMap<&'a str, &'a str>>,
    /// What hangs on it.
    pub attachments: Vec<Box<RawValue>>,
    /// Whom it mentions.
    pub mentioned_users: Vec<User<'a>>,
    /// The application's own fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Box<RawValue>>,
    /// Who wrote it.
    pub user: User<'a>,
    /// How many replies it has.
    pub reply_count: i64,
    /// How many bookmarks there are of it.
    pub bookmark_count: i64,
    /// How many reactions it has.
    pub reaction_count: i64,
    /// Votes for it.
    pub upvote_count: i64,
    /// Votes against it.
    pub downvote_count: i64,
    /// Votes for it over those against it.
    pub score: i64,
    /// How surely it is a good one.
    pub confidence_score: f64,
    /// How much votes about it differ.
    pub controversy_score: f64,
    /// Its latest reactions.
    pub latest_reactions: Vec<Reaction<'a>>,
    /// The viewer's.
    pub own_reactions: Vec<Reaction<'a>>,
    /// Type → how many, and when.
    pub reaction_groups: BTreeMap<&'a str, ReactionGroup>,
    /// Since when.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
    /// When its text or attachments were last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Time>,
    /// When it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Time>,
}

/// A comment with replies below it.
#[derive(Serialize, Debug)]
pub struct ThreadedComment<'a> {
    /// The comment.
    #[serde(flatten)]
    pub comment: Comment<'a>,
    /// Replies to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replies: Vec<ThreadedComment<'a>>,
    /// What is not shown of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<RepliesMeta<'a>>,
}

/// What is not shown of the replies to a comment.
#[derive(Serialize, Debug)]
pub struct RepliesMeta<'a> {
    /// Whether there are more.
    pub has_more: bool,
    /// How many.
    pub remaining: usize,
    /// Whether none is shown because the thread would be too deep.
    pub depth_truncated: bool,
    /// What asks for the next of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<&'a str>,
}

/// One comment, and what came of the call.
#[derive(Serialize, Debug)]
pub struct OneComment<'a> {
    /// The comment.
    pub comment: Comment<'a>,
    /// What it is about, as it is now; told by what deletes and restores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity: Option<Activity<'a>>,
    /// How many users were told that it mentions them; told to whoever asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mention_notifications_created: Option<i64>,
    /// Whether somebody was notified; told to whoever asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_created: Option<bool>,
}

/// Some comments.
#[derive(Serialize, Debug)]
pub struct Comments<'a> {
    /// In the order that was asked for.
    pub comments: Vec<Comment<'a>>,
    /// Where the pages beside this one are.
    #[serde(flatten)]
    pub pager: Pager,
}

/// Some comments with replies.
#[derive(Serialize, Debug)]
pub struct ThreadedComments<'a> {
    /// The order.
    pub sort: &'static str,
    /// In that order.
    pub comments: Vec<ThreadedComment<'a>>,
    /// Where the pages beside this one are.
    #[serde(flatten)]
    pub pager: Pager,
}
