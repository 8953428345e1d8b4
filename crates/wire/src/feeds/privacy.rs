//! `data_privacy/…` and `moderation/flag` (feeds-v1 §5.15).

use serde::{Deserialize, Serialize};

/// The body of `POST data_privacy/delete_activities/`.
#[derive(Deserialize, Debug)]
pub struct DeleteActivities {
    /// Which.
    pub activities: Vec<DeleteActivity>,
}

/// An activity that is to go.
#[derive(Deserialize, Debug)]
pub struct DeleteActivity {
    /// Its id.
    pub id: String,
    /// Feeds that hold it; it goes from all others, too.
    pub remove_from_feeds: Option<Vec<String>>,
}

/// The answer of `GET data_privacy/export_ids/{user_id}`.
#[derive(Serialize, Debug)]
pub struct Exported {
    /// What the user has.
    pub export: ExportedIds,
}

/// What a user has.
#[derive(Serialize, Debug)]
pub struct ExportedIds {
    /// The user.
    pub user_id: String,
    /// How many activities.
    pub activity_count: usize,
    /// How many reactions.
    pub reaction_count: usize,
    /// Which.
    pub activity_ids: Vec<String>,
    /// Which.
    pub reaction_ids: Vec<String>,
}

/// The answer of `POST moderation/flag`.
#[derive(Serialize, Debug)]
pub struct Flagged {
    /// The item of the review queue.
    pub flag_id: String,
    /// Who was reported.
    pub target_user_id: String,
    /// RFC 3339.
    pub created_at: String,
}
