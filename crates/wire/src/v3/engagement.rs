//! What users made of an activity, as the activity embeds it (feeds-v3 §4.1).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

/// Comments, reactions, bookmarks and items of collections of one activity.
#[derive(Serialize, Debug, Default)]
pub struct Engagement {
    /// The latest comments, without replies.
    pub comments: Vec<Box<RawValue>>,
    /// How many comments there are, replies too.
    pub comment_count: i64,
    /// The latest reactions.
    pub latest_reactions: Vec<Box<RawValue>>,
    /// The viewer's.
    pub own_reactions: Vec<Box<RawValue>>,
    /// Type → how many, and when.
    pub reaction_groups: BTreeMap<String, Box<RawValue>>,
    /// How many reactions there are.
    pub reaction_count: i64,
    /// The viewer's.
    pub own_bookmarks: Vec<Box<RawValue>>,
    /// How many bookmarks there are.
    pub bookmark_count: i64,
    /// How many activities share it.
    pub share_count: i64,
    /// Reference → item.
    pub collections: BTreeMap<String, Box<RawValue>>,
}
