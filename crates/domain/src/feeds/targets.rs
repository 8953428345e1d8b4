//! The `to` targets of an activity: the other feeds that it is posted to (feeds-v1 §5.8).

use ids::{ActivityId, FeedId};

use super::activities::{self, Activity, Posting, Reference};
use crate::{Error, Result, Tx, log};

/// The most targets of one activity (feeds-v1 §11).
pub const TARGETS_MAX: usize = 100;

/// What is to become of the targets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Retarget {
    /// These and no others.
    Replace(Vec<FeedId>),
    /// Some more, some less.
    Edit {
        /// To be posted to.
        added: Vec<FeedId>,
        /// To be taken out of.
        removed: Vec<FeedId>,
    },
}

/// What became of the targets.
#[derive(Clone, PartialEq, Debug)]
pub struct Retargeted {
    /// The activity.
    pub id: ActivityId,
    /// As it is now.
    pub activity: Activity,
    /// Feeds that were not targets before.
    pub added: Vec<FeedId>,
    /// Feeds that are targets no more.
    pub removed: Vec<FeedId>,
}

/// Changes the targets of an activity that `feed` holds.
///
/// # Errors
/// [`Error::NoActivity`] when `feed` does not hold it; [`Error::Unfit`] when there would be too many targets.
pub async fn update(tx: &mut Tx, feed: &FeedId, reference: &Reference, retarget: &Retarget) -> Result<Retargeted> {
    let (id, mut activity) = activities::load(tx, reference).await?;
    if !activities::holds(tx, feed, id).await? {
        return Err(Error::NoActivity(format!("{reference} in `{feed}`")));
    }
    let wanted = match retarget {
        Retarget::Replace(targets) => targets.clone(),
        Retarget::Edit { added, removed } => {
            let mut targets = activities::joined(&activity.to, added);
            targets.retain(|target| !removed.contains(target));
            targets
        }
    };
    check_count(&wanted)?;
    let added = without(&wanted, &activity.to);
    let removed = without(&activity.to, &wanted);
    // The feed itself holds the activity in its own right, whether or not it is named as a target.
    let taken: Vec<FeedId> = removed.iter().filter(|target| *target != feed).cloned().collect();
    let left = activities::unpost(tx, id, &taken).await?;
    let posted = activities::post(tx, id, &added, Posting::Addressed, true).await?;
    activity.to = wanted;
    activities::put_targets(tx, id, &activity);
    log::posted(tx, id, &posted);
    log::removed(tx, id, Some(&activity), &left);
    Ok(Retargeted { id, activity, added, removed })
}

/// Checks that an activity may have these targets.
///
/// # Errors
/// [`Error::Unfit`] when there are too many.
pub(super) fn check_count(targets: &[FeedId]) -> Result<()> {
    if targets.len() > TARGETS_MAX {
        return Err(Error::Unfit(format!(
            "an activity has at most {TARGETS_MAX} targets, this would have {}",
            targets.len()
        )));
    }
    Ok(())
}

/// What of `feeds` is not in `others`.
fn without(feeds: &[FeedId], others: &[FeedId]) -> Vec<FeedId> {
    feeds.iter().filter(|feed| !others.contains(feed)).cloned().collect()
}
