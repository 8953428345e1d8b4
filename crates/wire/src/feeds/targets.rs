//! `POST feed_targets/{group}/{id}/activity_to_targets/` (feeds-v1 §5.8).

use serde::Deserialize;
use serde_json::value::RawValue;

/// One change of an activity's targets; the body is one, or a list.
#[derive(Deserialize, Debug)]
pub struct UpdateTargets {
    /// Which activity, by id.
    pub id: Option<String>,
    /// Which activity, by the application's id; goes with `time`.
    pub foreign_id: Option<Box<RawValue>>,
    /// Which activity; goes with `foreign_id`.
    pub time: Option<String>,
    /// The targets from now on.
    pub new_targets: Option<Vec<String>>,
    /// Targets to add.
    pub added_targets: Option<Vec<String>>,
    /// Targets to take away.
    pub removed_targets: Option<Vec<String>>,
}
