//! What users are interested in: the tags of activities that they reacted to (feeds-v3 §3.1, §3.11).
//!
//! It is found out when it is asked for, from the reactions and the feedback that the user gave, and kept nowhere: what is
//! taken back or erased is forgotten at once.

use std::collections::{BTreeMap, HashMap};

use ids::{ActivityId, Timestamp, UserId};
use store::key::after;

use super::{
    activities::{self, Activity},
    feedback,
    objects::Object,
    owned,
    ranking::Interests,
    reactions,
};
use crate::{Result, Tx, keyspace::V3_REACTED};

/// The most reactions of a user that are looked at.
const LOOKED_AT_MAX: usize = 1000;
/// Rows of one page.
const PAGE: usize = 100;
/// After so long a reaction counts half, in microseconds: 30 days.
const HALF_LIFE: f64 = 30.0 * 86_400.0 * 1e6;

/// Tags of activities to which `user` reacted, each with how many these are: the most frequent first.
///
/// # Errors
/// When the store fails.
pub async fn counts(tx: &mut Tx, user: &UserId) -> Result<Vec<(String, i64)>> {
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for (activity, _) in reacted(tx, user).await?.values() {
        for tag in tags(activity) {
            *counts.entry(tag.clone()).or_default() += 1;
        }
    }
    let mut counts: Vec<(String, i64)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Ok(counts)
}

/// How much `user` is interested in tags at `now`: from -1 to 1, the most in one with 1. A reaction counts half after 30 days;
/// wanting more of something counts as one of now, wanting less against it.
///
/// # Errors
/// When the store fails.
pub async fn weights(tx: &mut Tx, user: &UserId, now: Timestamp) -> Result<Interests> {
    let mut weights: BTreeMap<String, f64> = BTreeMap::new();
    let mut add = |activity: &Activity, weight: f64| {
        for tag in tags(activity) {
            *weights.entry(tag.clone()).or_default() += weight;
        }
    };
    for (activity, at) in reacted(tx, user).await?.values() {
        let age = (now.micros() - at.micros()).max(0) as f64;
        add(activity, 0.5_f64.powf(age / HALF_LIFE));
    }
    let noted = owned::list(tx, user, owned::Kind::Note, "", LOOKED_AT_MAX).await?;
    for id in noted {
        let Some((inner, activity)) = activities::get_any(tx, &id).await? else { continue };
        if let Some(said) = feedback::of_user(tx, user, &[inner]).await?.pop().flatten() {
            add(&activity, f64::from(i8::from(said.wants_more) - i8::from(said.wants_less)));
        }
    }
    let most = weights.values().map(|weight| weight.abs()).fold(0.0, f64::max);
    weights.retain(|_, weight| *weight != 0.0);
    Ok(Interests(weights.into_iter().map(|(tag, weight)| (tag, weight / most)).collect()))
}

/// The tags of an activity, each once.
fn tags(activity: &Activity) -> impl Iterator<Item = &String> {
    let tags = &activity.content.interest_tags;
    tags.iter().enumerate().filter(|(at, tag)| !tags[..*at].contains(tag)).map(|(_, tag)| tag)
}

/// The activities to which `user` reacted that are still there, each with when the user last did.
async fn reacted(tx: &mut Tx, user: &UserId) -> Result<HashMap<ActivityId, (Activity, Timestamp)>> {
    let mut range = V3_REACTED.prefix(tx.tenant(), &user.to_string());
    let mut found: HashMap<ActivityId, (Activity, Timestamp)> = HashMap::new();
    for _ in 0..LOOKED_AT_MAX / PAGE {
        let (given, last, more) = reactions::of_user(tx, range.clone(), PAGE).await?;
        for given in given {
            let Object::Activity(id) = &given.object else { continue };
            let at = given.reaction.created_at;
            let Some((inner, activity)) = activities::get_any(tx, id).await? else { continue };
            if activity.deleted_at.is_none() {
                let known = found.entry(inner).or_insert((activity, at));
                known.1 = known.1.max(at);
            }
        }
        match last.filter(|_| more) {
            Some(last) => range.start = after(last),
            None => break,
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v3::pond::{Pond, draft, user};

    async fn pond() -> Pond {
        let pond = Pond::new();
        for (id, tags) in [("a1", &["cats", "cats", "tea"][..]), ("a2", &["cats"]), ("a3", &["dogs"])] {
            let mut post = draft(id, "amy", &["user:amy"]);
            post.content.interest_tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
            pond.try_add(None, &post).await.unwrap();
        }
        for (id, kind) in [("a1", "like"), ("a1", "love"), ("a2", "like"), ("a3", "like")] {
            let draft = reactions::Draft { user: user("bob"), kind: kind.into(), is_only: false, custom: None };
            let now = pond.tick();
            pond.write(async |tx| reactions::add(tx, &Object::Activity(id.into()), &draft, now).await).await;
        }
        pond
    }

    #[tokio::test]
    async fn a_tag_counts_once_for_each_activity_that_the_user_reacted_to() {
        let pond = pond().await;
        let found = counts(&mut pond.app.snapshot(), &user("bob")).await.unwrap();
        let line: Vec<String> = found.iter().map(|(tag, count)| format!("{tag}:{count}")).collect();
        assert_eq!(line, ["cats:2", "dogs:1", "tea:1"]);
        assert!(counts(&mut pond.app.snapshot(), &user("amy")).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_reaction_counts_half_after_a_month_and_wanting_less_counts_against() {
        let pond = pond().await;
        let now = pond.tick();
        let later = Timestamp::from_micros(now.micros() + HALF_LIFE as i64);
        let fresh = weights(&mut pond.app.snapshot(), &user("bob"), now).await.unwrap().0;
        assert!((fresh["cats"] - 1.0).abs() < 1e-9 && (fresh["dogs"] - 0.5).abs() < 1e-3, "{fresh:?}");
        let less = feedback::Change { show_less: Some(true), ..feedback::Change::default() };
        pond.write(async |tx| feedback::give(tx, None, "a3", &user("bob"), less, later).await).await;
        let old = weights(&mut pond.app.snapshot(), &user("bob"), later).await.unwrap().0;
        // Two halves for cats; a half for dogs and one against.
        assert!((old["cats"] - 1.0).abs() < 1e-3 && (old["dogs"] + 0.5).abs() < 1e-3, "{old:?}");
    }
}
