//! What applications count of activities by names of their own, such as views (feeds-v3 §3.3).

use std::collections::BTreeMap;

use ids::ActivityId;
use store::{Direction, Limit};

use super::activities::{self, By, Tally};
use crate::{
    Error, Result, Tx,
    keyspace::{Id, V3_METRIC, V3_TALLY},
    v3::permit,
};

/// The longest name of a metric, in bytes.
pub const NAME_BYTES_MAX: usize = 64;
/// The most metrics that an activity shows.
pub const SHOWN_MAX: usize = 100;
/// The most that one event adds or takes away.
pub const DELTA_MAX: i64 = 1_000_000;

/// Something that is counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counted {
    /// The activity.
    pub activity: String,
    /// Under which name.
    pub metric: String,
    /// How much.
    pub delta: i64,
}

impl Counted {
    /// Checks the name and how much it is.
    ///
    /// # Errors
    /// [`Error::Unfit`].
    pub fn check(&self) -> Result<()> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if self.metric.is_empty() || self.metric.len() > NAME_BYTES_MAX || !self.metric.chars().all(is_plain) {
            return Err(Error::Unfit(format!("metric has 1 to {NAME_BYTES_MAX} letters, digits and `_`")));
        }
        match self.delta.abs() <= DELTA_MAX {
            true => Ok(()),
            false => Err(Error::Unfit(format!("delta must be between -{DELTA_MAX} and {DELTA_MAX}"))),
        }
    }
}

/// Counts one thing. A counter takes it without being read, so many may count at once.
///
/// # Errors
/// [`Error::Absent`] when there is no such activity; [`Error::NotAllowed`] when `by` does not see it.
pub async fn add(tx: &mut Tx, by: By<'_>, counted: &Counted) -> Result<()> {
    let (id, activity) = activities::load(tx, &counted.activity).await?;
    permit::may_see(tx, &activity, by).await?;
    let tenant = tx.tenant();
    V3_METRIC.add(tx, tenant, &(Id(id), counted.metric.clone()), counted.delta);
    V3_TALLY.add(tx, tenant, &(Id(id), Tally::Metrics.code()), 1);
    Ok(())
}

/// The totals of an activity.
///
/// # Errors
/// When the store fails.
pub async fn of(tx: &mut Tx, id: ActivityId) -> Result<BTreeMap<String, i64>> {
    let tenant = tx.tenant();
    let range = V3_METRIC.prefix(tenant, &Id(id));
    let page = V3_METRIC.scan(tx, tenant, range, Direction::Forward, Limit::rows(SHOWN_MAX)).await?;
    Ok(page.rows.into_iter().map(|((_, metric), total)| (metric, total)).collect())
}

/// Forgets the totals of an activity that goes for good.
pub(super) fn clear(tx: &mut Tx, id: ActivityId) {
    let range = V3_METRIC.prefix(tx.tenant(), &Id(id));
    tx.delete_range(range);
}
