//! Segments: `/segments` (chat §11.13, §11.14.16).

use serde::Serialize;
use serde_json::value::RawValue;

use super::dialect::Time;

/// A segment.
#[derive(Serialize, Debug)]
pub struct Segment<'a> {
    /// The id.
    pub id: &'a str,
    /// `user` or `channel`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What people call it.
    pub name: &'a str,
    /// What it is for.
    pub description: &'a str,
    /// Who else belongs to it.
    pub filter: Box<RawValue>,
    /// Whether every user belongs to it.
    pub all_users: bool,
    /// Whether every channel of whoever writes to it belongs to it.
    pub all_sender_channels: bool,
    /// How many targets were added to it.
    pub size: usize,
    /// Since when there is it.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
    /// Always null: a deleted segment is gone.
    pub deleted_at: Option<Time>,
}

/// What calls about one segment answer.
#[derive(Serialize, Debug)]
pub struct OneSegment<'a> {
    /// As it is now.
    pub segment: Segment<'a>,
}

/// What `POST /segments/query` answers.
#[derive(Serialize, Debug)]
pub struct Segments<'a> {
    /// In the order that was asked for.
    pub segments: Vec<Segment<'a>>,
    /// What asks for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What asks for the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
}

/// That something belongs to a segment.
#[derive(Serialize, Debug)]
pub struct Target<'a> {
    /// The app's number.
    pub app_pk: u32,
    /// The segment.
    pub segment_id: &'a str,
    /// The user, or the channel's cid.
    pub target_id: &'a str,
    /// Since when.
    pub created_at: Time,
}

/// What `POST /segments/{id}/targets/query` answers.
#[derive(Serialize, Debug)]
pub struct Targets<'a> {
    /// In the order that was asked for.
    pub targets: Vec<Target<'a>>,
    /// What asks for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What asks for the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
}
