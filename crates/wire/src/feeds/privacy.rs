//! `data_privacy/…` and `moderation/…` (feeds-v1 §5.15).

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

/// The body of `POST moderation/status/batch/`.
#[derive(Deserialize, Debug)]
pub struct WantedStatuses {
    /// Of what.
    pub entities: Vec<WantedStatus>,
}

/// Something whose moderation is asked for.
#[derive(Deserialize, Debug)]
pub struct WantedStatus {
    /// Such as `stream:user`.
    pub entity_type: String,
    /// Its id.
    pub entity_id: String,
}

/// The answer of `POST moderation/status/batch/`.
#[derive(Serialize, Debug)]
pub struct ModerationStatuses {
    /// In the order of the question.
    pub results: Vec<ModerationStatus>,
}

/// How the moderation of something stands, in the words of the `moderation` of activities and reactions.
#[derive(Serialize, Debug)]
pub struct ModerationStatus {
    /// Such as `stream:user`.
    pub entity_type: String,
    /// Its id.
    pub entity_id: String,
    /// `pending` while a report of it waits for a moderator, else `complete`.
    pub status: &'static str,
    /// What a moderator last did about it; `keep` when nothing speaks against it.
    pub recommended_action: String,
}
