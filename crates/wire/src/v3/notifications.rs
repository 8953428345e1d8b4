//! What notification activities say of their cause (feeds-v3 §4.1, §5).

use serde::Serialize;
use serde_json::value::RawValue;

/// What a notification is about.
#[derive(Serialize, Debug)]
pub struct Context<'a> {
    /// What happened.
    pub trigger: Trigger<'a>,
    /// To what.
    pub target: Target<'a>,
}

/// What happened.
#[derive(Serialize, Debug)]
pub struct Trigger<'a> {
    /// `comment`, `comment_reply`, `comment_reaction`, `comment_mention`, `reaction`, `follow` or `mention`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The same as a sentence.
    pub text: String,
    /// The comment that was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<Quote<'a>>,
    /// The own fields of what caused it, if they came along.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Box<RawValue>>,
}

/// To what it happened.
#[derive(Serialize, Debug)]
pub struct Target<'a> {
    /// The activity, or the feed.
    pub id: &'a str,
    /// The type of the activity.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'a str>,
    /// What the feed is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// What the activity says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<&'a str>,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<&'a str>,
    /// What hangs on it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Box<RawValue>>,
    /// The comment, if it happened to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<Quote<'a>>,
    /// The activity that it shares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_activity: Option<Parent<'a>>,
}

/// A comment.
#[derive(Serialize, Debug)]
pub struct Quote<'a> {
    /// The id.
    pub id: &'a str,
    /// What it says.
    pub comment: &'a str,
    /// Who wrote it.
    pub user_id: &'a str,
    /// What hangs on it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Box<RawValue>>,
}

/// A shared activity.
#[derive(Serialize, Debug)]
pub struct Parent<'a> {
    /// The id.
    pub id: &'a str,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<&'a str>,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<&'a str>,
    /// What hangs on it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Box<RawValue>>,
}
