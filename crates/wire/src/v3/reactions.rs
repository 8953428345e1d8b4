//! Reactions: `/activities/{id}/reactions`, `/comments/{id}/reactions` (feeds-v3 §3.5, §4.1).

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Pager, activities::Activity, comments::Comment};
use crate::chat::{dialect::Time, users::User};

/// A reaction.
#[derive(Serialize, Debug)]
pub struct Reaction<'a> {
    /// The activity; of a reaction to a comment that which the comment is about.
    pub activity_id: &'a str,
    /// The comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment_id: Option<&'a str>,
    /// Such as `like`.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// Who reacted.
    pub user: User<'a>,
    /// The application's own fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Box<RawValue>>,
    /// Since when.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// The reactions of one type.
#[derive(Serialize, Clone, Copy, Debug)]
pub struct ReactionGroup {
    /// How many.
    pub count: i64,
    /// When the first of them was made.
    pub first_reaction_at: Time,
    /// When the last of them was made.
    pub last_reaction_at: Time,
}

/// A reaction with what it is about, as that is afterwards.
#[derive(Serialize, Debug)]
pub struct OneReaction<'a> {
    /// The reaction.
    pub reaction: Reaction<'a>,
    /// The activity, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity: Option<Activity<'a>>,
    /// The comment, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<Comment<'a>>,
    /// What was posted for it to other feeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference_activity: Option<Activity<'a>>,
    /// The same as `notification_created`, which is its former name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_accepted: Option<bool>,
    /// Whether somebody was notified; told to whoever asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_created: Option<bool>,
}

/// Some reactions.
#[derive(Serialize, Debug)]
pub struct Reactions<'a> {
    /// In the order that was asked for.
    pub reactions: Vec<Reaction<'a>>,
    /// Where the pages beside this one are.
    #[serde(flatten)]
    pub pager: Pager,
}
