//! Users, things of collections and reactions, as feeds show them (feeds-v1 §5.10–§5.12, §8).

use domain::feeds::{
    collections::{Item, Name},
    reactions::{Kinds, Shown},
    users::Profile,
};
use ids::UserId;
use serde_json::value::RawValue;
use wire::feeds::{collections, reactions, users};

/// JSON that was stored.
pub(crate) fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).expect("JSON was checked before it was stored")
}

/// A user.
pub(crate) fn user(id: &UserId, profile: &Profile) -> users::User {
    users::User {
        id: id.to_string(),
        data: raw(&profile.data),
        created_at: profile.created_at.rfc3339().to_string(),
        updated_at: profile.updated_at.rfc3339().to_string(),
        followers_count: None,
        following_count: None,
    }
}

/// What stands where there is no user `id`, no activity, no reaction.
pub(crate) fn missing(reference: &str, id: &str, kind: &'static str) -> users::Missing {
    let (reference, id) = (reference.to_owned(), id.to_owned());
    users::Missing { id, collection: None, error: "ReferenceNotFound", reference, reference_type: kind }
}

/// A thing of a collection.
pub(crate) fn item(name: &Name, item: &Item) -> collections::Item {
    collections::Item {
        id: name.id.clone(),
        collection: name.collection.clone(),
        foreign_id: name.to_string(),
        data: raw(&item.data),
        created_at: item.created_at.rfc3339().to_string(),
        updated_at: item.updated_at.rfc3339().to_string(),
    }
}

/// A reaction with what belongs to it.
pub(crate) fn reaction(shown: &Shown) -> reactions::Reaction {
    let Shown { id, reaction: stored, user: profile, .. } = shown;
    let by = match profile {
        Some(profile) => users::Named::User(user(&stored.user, profile)),
        None => users::Named::Missing(missing(&format!("SU:{}", stored.user), stored.user.as_str(), "user")),
    };
    let has_extra = stored.target_feeds_extra != "{}";
    reactions::Reaction {
        id: id.clone(),
        kind: stored.kind.clone(),
        activity_id: stored.activity.to_string(),
        user_id: stored.user.to_string(),
        user: by,
        data: raw(&stored.data),
        created_at: stored.created_at.rfc3339().to_string(),
        updated_at: stored.updated_at.rfc3339().to_string(),
        parent: stored.parent.as_ref().map(|parent| parent.id.clone()).unwrap_or_default(),
        latest_children: reactions_by_kind(&shown.latest_children),
        children_counts: shown.children_counts.iter().cloned().collect(),
        own_children: shown.own_children.as_ref().map(reactions_by_kind),
        target_feeds: stored.target_feeds.iter().map(ToString::to_string).collect(),
        target_feeds_extra_data: has_extra.then(|| raw(&stored.target_feeds_extra)),
        deleted_at: stored.deleted_at.map(|at| at.rfc3339().to_string()),
    }
}

/// Reactions of each kind.
pub(crate) fn reactions_by_kind(kinds: &Kinds<Vec<Shown>>) -> reactions::Kinds<Vec<reactions::Reaction>> {
    kinds.iter().map(|(kind, list)| (kind.clone(), list.iter().map(reaction).collect())).collect()
}
