//! `reaction/`, `reaction/{id}/`, `reaction/{by}/{value}/[{kind}/]` (feeds-v1 §5.10).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::users::Named;

/// What there is of each kind.
pub type Kinds<T> = BTreeMap<String, T>;

/// A reaction.
#[derive(Serialize, Clone, Debug)]
pub struct Reaction {
    /// The id.
    pub id: String,
    /// Such as `like`.
    pub kind: String,
    /// The activity, also of a reaction to a reaction.
    pub activity_id: String,
    /// Who reacted.
    pub user_id: String,
    /// The same as an object.
    pub user: Named,
    /// The application's own fields.
    pub data: Box<RawValue>,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub updated_at: String,
    /// The reaction that it is about; empty if it is about the activity.
    pub parent: String,
    /// The newest reactions to it, at most 10 in all.
    pub latest_children: Kinds<Vec<Reaction>>,
    /// How many there are.
    pub children_counts: Kinds<i64>,
    /// The viewer's own, if they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_children: Option<Kinds<Vec<Reaction>>>,
    /// Feeds that it was posted to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub target_feeds: Vec<String>,
    /// More fields of what was posted there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_feeds_extra_data: Option<Box<RawValue>>,
    /// When it was softly deleted; RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<String>,
}

/// The answer of `GET reaction/get_many/`.
#[derive(Serialize, Debug)]
pub struct Reactions {
    /// Those that are there, in the order of the request.
    pub reactions: Vec<Reaction>,
}

/// A page of reactions.
#[derive(Serialize, Debug)]
pub struct Page {
    /// In the order that was asked for.
    pub results: Vec<Reaction>,
    /// Where the next page is; empty when this is the last.
    pub next: String,
    /// The activity, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity: Option<Box<RawValue>>,
}

/// Where more reactions of one kind are.
#[derive(Serialize, Debug)]
pub struct Extra {
    /// An absolute URL; empty when all are shown.
    pub next: String,
}
