//! Activities in groups (feeds-v3 §3.1, §5).

use std::collections::{HashMap, HashSet};

use ids::Timestamp;
use serde_json::{Map, Value as Json};

use super::{
    super::{
        activities::Activity,
        marks::{Kind, Marks},
        recipes::{Grouping, Recipe, Strategy},
    },
    Picked,
};

/// The activities that a group shows.
pub const SHOWN_MAX: usize = 15;

/// A group.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// What the format says.
    pub name: String,
    /// What it shows, in its order.
    pub picked: Vec<Picked>,
    /// How many activities it has.
    pub activity_count: usize,
    /// Of how many users.
    pub user_count: usize,
    /// How it is ranked; 0 where nothing ranks.
    pub score: f64,
    /// When the oldest of its activities was posted.
    pub created_at: Timestamp,
    /// When the newest was.
    pub updated_at: Timestamp,
    /// Whether its reader has read it.
    pub is_read: bool,
    /// Whether its reader has seen it.
    pub is_seen: bool,
    /// Whether its reader has watched it.
    pub is_watched: bool,
}

/// Puts `picked` into groups: the one with the highest score first, or the one with the newest activity.
pub fn bundles(picked: Vec<Picked>, recipe: &Recipe, grouping: &Grouping, marks: &Marks) -> Vec<Bundle> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<(String, Vec<Picked>)> = Vec::new();
    for one in picked {
        let Picked { found, .. } = &one;
        let name = grouping.format.render_fields(found.activity.created_at, &fields(&found.activity));
        let place = *places.entry(name.clone()).or_insert(groups.len());
        if place == groups.len() {
            groups.push((name, Vec::new()));
        }
        groups[place].1.push(one);
    }
    let mut bundles: Vec<Bundle> = groups.into_iter().map(|(name, all)| bundle(name, all, grouping, marks)).collect();
    match recipe.ranking {
        Some(_) => bundles.sort_by(|a, b| b.score.total_cmp(&a.score).then(b.updated_at.cmp(&a.updated_at))),
        None => bundles.sort_by_key(|bundle| std::cmp::Reverse(bundle.updated_at)),
    }
    bundles
}

fn bundle(name: String, mut all: Vec<Picked>, grouping: &Grouping, marks: &Marks) -> Bundle {
    let scores = all.iter().map(|one| one.score);
    let score = match grouping.strategy {
        Strategy::Sum => scores.sum(),
        Strategy::Average => scores.sum::<f64>() / all.len() as f64,
        Strategy::Max => scores.fold(f64::NEG_INFINITY, f64::max),
    };
    let users: HashSet<_> = all.iter().map(|one| one.found.activity.user.clone()).collect();
    all.sort_by_key(|one| std::cmp::Reverse(one.found.id));
    let posted = |one: &Picked| one.found.activity.created_at;
    let (newest, oldest) = (all.iter().map(posted).max(), all.iter().map(posted).min());
    let never = Timestamp::from_micros(0);
    let updated_at = newest.unwrap_or(never);
    // A group is marked by its name, or by all of its activities.
    let is_marked = |kind: Kind| {
        let is_one = |one: &Picked| marks.cover(kind, &one.found.activity.id, posted(one));
        marks.cover(kind, &name, updated_at) || all.iter().all(is_one)
    };
    let marked = [Kind::Read, Kind::Seen, Kind::Watched].map(is_marked);
    let activity_count = all.len();
    if grouping.is_oldest_first {
        all.reverse();
    }
    all.truncate(SHOWN_MAX);
    let [is_read, is_seen, is_watched] = marked;
    Bundle {
        picked: all,
        activity_count,
        user_count: users.len(),
        score,
        created_at: oldest.unwrap_or(never),
        updated_at,
        is_read,
        is_seen,
        is_watched,
        name,
    }
}

/// What a format may name, beside the time.
fn fields(activity: &Activity) -> Json {
    let custom = serde_json::from_str::<Map<String, Json>>(&activity.content.custom).unwrap_or_default();
    let mut fields = custom.clone();
    let mut put = |name: &str, value: Json| fields.insert(name.to_owned(), value);
    put("custom", custom.into());
    put("type", activity.kind.clone().into());
    put("user_id", activity.user.as_ref().map_or(Json::Null, |user| user.as_str().into()));
    put("id", activity.id.clone().into());
    put("text", activity.content.text.clone().into());
    fields.into()
}
