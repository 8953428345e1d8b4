//! What users make of activities, as activities embed it: comments, reactions, bookmarks, entries of collections
//! (feeds-v3 §3.3, "Embedded on read"). Whatever is new about it is added here, and every answer has it.

use ids::{ActivityId, UserId};

use super::{
    activities::{Activity, Tallies, tallies},
    bookmarks::{self, Saved},
    collections::{self, Named, Ref},
    comments::{self, Order},
    folders,
    objects::Object,
    reactions::{self, Summary},
};
use crate::{Result, Tx, users::People};

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
    let mut all = Vec::with_capacity(activities.len());
    for ((_, activity), tallies) in activities.iter().zip(tallies) {
        let engagement = one(tx, activity, tallies, viewer).await?;
        people.add(tx, engagement.users()).await?;
        all.push(engagement);
    }
    Ok(all)
}

/// Nothing is looked for of which there is none.
async fn one(tx: &mut Tx, activity: &Activity, tallies: Tallies, viewer: Option<&UserId>) -> Result<Engagement> {
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
    Ok(engagement)
}

impl Engagement {
    /// The users whom it names.
    fn users(&self) -> Vec<&UserId> {
        let savers = self.own_bookmarks.iter().map(|(saved, _)| &saved.user);
        self.comments.iter().flat_map(comments::Shown::users).chain(self.reactions.users()).chain(savers).collect()
    }
}

/// Removes some of what hangs on the activity `id` that goes for good, as far as `budget` goes; whether that was all.
///
/// # Errors
/// When the store fails.
pub async fn clear(tx: &mut Tx, id: &str, budget: &mut usize) -> Result<bool> {
    let object = Object::Activity(id.to_owned());
    Ok(reactions::clear(tx, &object, budget).await?
        && bookmarks::clear(tx, &object, budget).await?
        && comments::clear(tx, id, budget).await?)
}
