//! `POST feed/{group}/{id}/`, `POST feed/add_to_many/`, `GET|POST activities/`, `POST activity/` (feeds-v1 §5.2, §5.6, §5.9).

use ids::json::Object;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Members of an activity that belong to the API; all others are the application's own.
pub const CORE: [&str; 9] = ["id", "actor", "verb", "object", "target", "time", "foreign_id", "to", "origin"];

/// Members that an activity carries when it is read; they are dropped when it is sent back.
pub const READ_ONLY: [&str; 12] = [
    "score",
    "score_vars",
    "latest_reactions",
    "latest_reactions_extra",
    "own_reactions",
    "reaction_counts",
    "own_children",
    "is_read",
    "is_seen",
    "duration",
    "group",
    "moderation",
];

/// The body of `POST activities/`, and of `POST feed/{group}/{id}/` for several.
#[derive(Deserialize, Debug)]
pub struct Activities {
    /// The activities, each an object.
    pub activities: Vec<Box<RawValue>>,
}

/// The body of `POST feed/add_to_many/`.
#[derive(Deserialize, Debug)]
pub struct AddToMany {
    /// `group:id` of each feed.
    pub feeds: Vec<String>,
    /// The activity, an object.
    pub activity: Box<RawValue>,
}

/// The body of `POST activity/` for several.
#[derive(Deserialize, Debug)]
pub struct Changes {
    /// One for each activity, each a [`Change`].
    pub changes: Vec<Box<RawValue>>,
}

/// A partial update of one activity.
#[derive(Deserialize, Debug)]
pub struct Change {
    /// Which activity, by id.
    pub id: Option<String>,
    /// Which activity, by the application's id; goes with `time`.
    pub foreign_id: Option<Box<RawValue>>,
    /// Which activity; goes with `foreign_id`.
    pub time: Option<String>,
    /// Dotted path and new value.
    pub set: Option<Object>,
    /// Dotted paths.
    pub unset: Option<Vec<String>>,
}
