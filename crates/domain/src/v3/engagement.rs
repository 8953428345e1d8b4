//! What users make of activities, as activities embed it: comments, reactions, bookmarks, entries of collections
//! (feeds-v3 §3.3, "Embedded on read"). Whatever is new about it is added here, and every answer has it.

use std::collections::BTreeMap;

use ids::{ActivityId, Timestamp, UserId};

use super::{
    activities::{Activity, Tallies, tallies},
    bookmarks::{self, Saved},
    collections::{self, Named, Ref},
    comments::{self, Order},
    feedback::{self, Feedback},
    folders, metrics,
    notifications::{self, About},
    objects::Object,
    reactions::{self, Summary},
    shares,
};
use crate::{Result, Tx, polls, users::People};

/// What stands around one activity.
#[derive(Clone, Debug, Default)]
pub struct Engagement {
    /// What is counted.
    pub tallies: Tallies,
    /// The latest comments, without replies.
    pub comments: Vec<comments::Shown>,
    /// Reactions.
    pub reactions: Summary,
    /// Bookmarks of the viewer, each with its folder.
    pub own_bookmarks: Vec<(Saved, Option<folders::Known>)>,
    /// What the activity refers to, and the entry if it is there.
    pub collections: Vec<(String, Option<Named>)>,
    /// The poll that it shows, if that is still there.
    pub poll: Option<polls::Shown>,
    /// What the application counts of it.
    pub metrics: BTreeMap<String, i64>,
    /// The newest activities that share it: each with whose it is and since when.
    pub latest_shares: Vec<Share>,
    /// What the viewer said of it.
    pub feedback: Option<Feedback>,
}

/// An activity that shares another.
#[derive(Clone, Debug)]
pub struct Share {
    /// Its id.
    pub activity: String,
    /// Whose it is.
    pub user: Option<UserId>,
    /// Since when.
    pub created_at: Timestamp,
}

impl Share {
    /// What is told of `activity`.
    pub fn of(activity: Activity) -> Self {
        Share { activity: activity.id, user: activity.user, created_at: activity.created_at }
    }
}

/// What stands around `activities`, in their order, as `viewer` sees it; adds to `people` whom it names.
///
/// # Errors
/// When the store fails.
pub async fn load(
    tx: &mut Tx,
    activities: &[(ActivityId, Activity)],
    viewer: Option<&UserId>,
    people: &mut People,
) -> Result<Vec<Engagement>> {
    let ids: Vec<ActivityId> = activities.iter().map(|(id, _)| *id).collect();
    let tallies = tallies(tx, &ids).await?;
    let said = match viewer {
        Some(viewer) => feedback::of_user(tx, viewer, &ids).await?,
        None => vec![None; ids.len()],
    };
    let mut all = Vec::with_capacity(activities.len());
    for (((id, activity), tallies), feedback) in activities.iter().zip(tallies).zip(said) {
        let engagement = Engagement { feedback, ..one(tx, (*id, activity), tallies, viewer).await? };
        people.add(tx, engagement.users()).await?;
        all.push(engagement);
    }
    Ok(all)
}

/// Nothing is looked for of which there is none.
async fn one(
    tx: &mut Tx,
    (id, activity): (ActivityId, &Activity),
    tallies: Tallies,
    viewer: Option<&UserId>,
) -> Result<Engagement> {
    let object = Object::Activity(activity.id.clone());
    let mut engagement = Engagement { tallies, ..Engagement::default() };
    if tallies.comments > 0 {
        engagement.comments = comments::latest(tx, &activity.id, Order::Last, comments::LATEST, viewer).await?;
    }
    if tallies.reactions > 0 {
        engagement.reactions = reactions::summary(tx, &object, viewer).await?;
    }
    if let Some(viewer) = viewer.filter(|_| tallies.bookmarks > 0) {
        for saved in bookmarks::of_object(tx, viewer, &object).await? {
            let folder = folders::of(tx, &saved).await?;
            engagement.own_bookmarks.push((saved, folder));
        }
    }
    for text in &activity.content.collection_refs {
        let named = match Ref::parse(text) {
            Ok(of) => collections::get(tx, &of).await?,
            Err(_) => None,
        };
        engagement.collections.push((text.clone(), named));
    }
    if let Some(poll) = &activity.content.poll
        && let Some(known) = polls::get(tx, poll).await?
    {
        engagement.poll = Some(polls::show(tx, poll, known, viewer).await?);
    }
    if tallies.metrics > 0 {
        engagement.metrics = metrics::of(tx, id).await?;
    }
    if tallies.shares > 0 {
        let (found, _) = shares::list(tx, id, viewer, None, shares::LATEST).await?;
        engagement.latest_shares = found.into_iter().map(|(_, activity)| Share::of(activity)).collect();
    }
    Ok(engagement)
}

impl Engagement {
    /// The users whom it names.
    fn users(&self) -> Vec<&UserId> {
        let savers = self.own_bookmarks.iter().map(|(saved, _)| &saved.user);
        let voters = self.poll.iter().flat_map(polls::Shown::named);
        let sharers = self.latest_shares.iter().filter_map(|share| share.user.as_ref());
        let commenters = self.comments.iter().flat_map(comments::Shown::users);
        commenters.chain(self.reactions.users()).chain(savers).chain(voters).chain(sharers).collect()
    }
}

/// Removes some of what hangs on an activity that goes for good, as far as `budget` goes; whether that was all.
///
/// # Errors
/// When the store fails.
pub async fn clear(tx: &mut Tx, (id, activity): (ActivityId, &Activity), budget: &mut usize) -> Result<bool> {
    let object = Object::Activity(activity.id.clone());
    let is_done = reactions::clear(tx, &object, budget).await?
        && bookmarks::clear(tx, &object, budget).await?
        && comments::clear(tx, &activity.id, budget).await?
        && feedback::clear(tx, id, &activity.id, budget).await?
        && notifications::clear(tx, &About::Activity(activity.id.clone()), budget).await?;
    match &activity.content.poll {
        Some(poll) if is_done => polls::forget_activity(tx, poll, &activity.id, budget).await,
        _ => Ok(is_done),
    }
}
