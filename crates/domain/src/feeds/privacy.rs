//! Removing activities and reactions for good by their ids, and telling which a user has (feeds-v1 §5.15).

use ids::{ActivityId, Timestamp, UserId};

use super::{
    activities::{self, Reference},
    audit::{self, Action, Kind},
    reactions,
};
use crate::{
    App, Error, Result, Tx,
    exports::{
        sets::FeedSet,
        subject::{self, FeedRow, Walk},
    },
    keyspace::FEED_REACTION,
};

/// Feeds that an activity leaves in one transaction.
const STEP_FEEDS_MAX: usize = 100;
/// The most ids that are told of one user.
pub const IDS_MAX: usize = 100_000;

/// What a user has.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ids {
    /// Activities whose actor the user is.
    pub activities: Vec<ActivityId>,
    /// The user's reactions, those too that can still be restored.
    pub reactions: Vec<String>,
}

/// Removes the activity from every feed that holds it, and itself; one that is not there is fine.
///
/// The log tells that the application did it, and not whose it was: that may be just what is to be forgotten.
///
/// # Errors
/// When the store fails; what was removed until then stays removed, and whoever asks again goes on.
pub async fn remove_activity(app: &App, id: ActivityId, now: Timestamp) -> Result<()> {
    loop {
        let step = app.write(async |tx| {
            let is_there = activities::get(tx, &Reference::Id(id)).await?.is_some();
            let is_done = activities::erase(tx, id, STEP_FEEDS_MAX).await?;
            if is_there && is_done {
                audit::note(tx, Kind::Activity, &id.to_string(), Action::Deleted, None, now);
            }
            Ok(is_done)
        });
        if step.await? {
            return Ok(());
        }
    }
}

/// Removes the reaction for good; one that is not there is fine. The log tells as of [`remove_activity`].
///
/// # Errors
/// When the store fails.
pub async fn remove_reaction(tx: &mut Tx, id: &str, now: Timestamp) -> Result<()> {
    let tenant = tx.tenant();
    match reactions::get(tx, id).await? {
        None => return Ok(()),
        // Nothing shows it any more.
        Some(reaction) if reaction.deleted_at.is_some() => FEED_REACTION.delete(tx, tenant, &id.to_owned()),
        Some(_) => drop(reactions::remove(tx, id, false, None, now).await?),
    }
    audit::note(tx, Kind::Reaction, id, Action::Deleted, None, now);
    Ok(())
}

/// The ids of what `user` has.
///
/// # Errors
/// [`Error::TooBig`] when they are more than [`IDS_MAX`].
pub async fn ids_of(tx: &mut Tx, user: &UserId) -> Result<Ids> {
    let mut ids = Ids::default();
    for set in [FeedSet::Activities, FeedSet::Reactions] {
        let mut walk = Walk::default();
        while let Some(rows) = subject::feed_page(tx, user, set, &mut walk).await? {
            for row in rows {
                match row {
                    FeedRow::Activity(id, ..) => ids.activities.push(id),
                    FeedRow::Reaction(id, _) => ids.reactions.push(id),
                    _ => {}
                }
            }
            check_count(&ids)?;
        }
    }
    Ok(ids)
}

fn check_count(ids: &Ids) -> Result<()> {
    match ids.activities.len() + ids.reactions.len() > IDS_MAX {
        true => {
            Err(Error::TooBig(format!("the user has more than {IDS_MAX} activities and reactions; export the user")))
        }
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use store::Limit;

    use super::*;
    use crate::{
        feeds::{
            activities::Draft,
            pond::{Pond, feed},
        },
        keyspace::LOG,
        log::Event,
    };

    #[tokio::test]
    async fn an_activity_goes_from_wherever_it_is_and_twice_is_fine() {
        let pond = Pond::new();
        let draft = Draft { foreign_id: "secret".into(), time: Some(Pond::at(0)), ..Pond::draft("skates") };
        let id = pond.add_draft("user:amy", &draft).await;
        for _ in 0..2 {
            remove_activity(&pond.app, id, Pond::at(0)).await.unwrap();
        }
        assert_eq!(activities::get(&mut pond.app.snapshot(), &Reference::Id(id)).await.unwrap(), None);
        let events = LOG.scan(&mut pond.app.snapshot(), 1, store::Stamp::default(), Limit::PAGE).await.unwrap().rows;
        let (feeds, nothing) = (vec![feed("user:amy")], String::new());
        let removed = Event::Removed { activity: id, feeds, foreign_id: nothing.clone(), actor: nothing };
        assert!(events.iter().any(|(_, event)| *event == removed), "{events:?}");
        let gone = pond.app.write(async |tx| remove_reaction(tx, "none", Pond::at(0)).await);
        gone.await.unwrap();
    }
}
