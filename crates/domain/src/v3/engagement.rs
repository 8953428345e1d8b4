//! What users make of activities, as activities embed it: comments, reactions, bookmarks, items of collections
//! (feeds-v3 §3.3, "Embedded on read"). Whatever is new about it is added here, and every answer has it.

use ids::{ActivityId, UserId};

use super::activities::{Activity, Tallies, tallies};
use crate::{Result, Tx, users::People};

/// What stands around one activity.
#[derive(Clone, Debug, Default)]
pub struct Engagement {
    /// What is counted.
    pub tallies: Tallies,
}

/// What stands around `activities`, in their order, as `viewer` sees it; adds to `people` whom it names.
///
/// # Errors
/// When the store fails.
pub async fn load(
    tx: &mut Tx,
    activities: &[(ActivityId, Activity)],
    _viewer: Option<&UserId>,
    _people: &mut People,
) -> Result<Vec<Engagement>> {
    let ids: Vec<ActivityId> = activities.iter().map(|(id, _)| *id).collect();
    let tallies = tallies(tx, &ids).await?;
    Ok(tallies.into_iter().map(|tallies| Engagement { tallies }).collect())
}

/// Removes what hangs on an activity that goes for good.
///
/// # Errors
/// When the store fails.
pub async fn forget(_tx: &mut Tx, _id: ActivityId) -> Result<()> {
    Ok(())
}
