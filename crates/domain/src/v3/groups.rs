//! Feed groups of v3: what the feeds of a group show and who may see them (feeds-v3 §3.1).
//!
//! The built-in groups are there without a row until somebody changes them.

mod built_in;
mod change;
pub mod clear;

use ids::Timestamp;
use minicbor::{Decode, Encode};

use super::feeds::Visibility;
use crate::{Error, Result, Tx, keyspace::V3_GROUP, rows};

pub use built_in::NAMES as BUILT_IN;
pub use change::{add, ensure, remove, replace, restore};

/// The most groups of an app.
pub const GROUPS_MAX: usize = 1000;
/// The most selectors of a group or of a view.
pub const SELECTORS_MAX: usize = 3;

/// A feed group. What is absent was not set.
#[derive(Clone, PartialEq, Debug, Default, Encode, Decode)]
pub struct Group {
    /// Who sees a new feed of the group if nobody says.
    #[n(0)]
    pub default_visibility: Option<Visibility>,
    /// What its feeds show.
    #[n(1)]
    pub selectors: Option<Vec<Selector>>,
    /// `activity_processors`: a JSON list, as it was sent.
    #[n(2)]
    pub processors: Option<String>,
    /// Whether an owner's own activities are left out when the owner's feed is read.
    #[n(3)]
    pub excludes_owner: Option<bool>,
    /// `aggregation`: a JSON object.
    #[n(4)]
    pub aggregation: Option<String>,
    /// The application's own fields: a JSON object.
    #[n(5)]
    pub custom: Option<String>,
    /// `notification`: a JSON object.
    #[n(6)]
    pub notification: Option<String>,
    /// `push_notification`: a JSON object.
    #[n(7)]
    pub push_notification: Option<String>,
    /// `ranking`: a JSON object.
    #[n(8)]
    pub ranking: Option<String>,
    /// `stories`: a JSON object.
    #[n(9)]
    pub stories: Option<String>,
    /// Since when there is this group; the start of time for a built-in one.
    #[n(10)]
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    #[n(11)]
    pub updated_at: Option<Timestamp>,
    /// When it was deleted.
    #[n(12)]
    pub deleted_at: Option<Timestamp>,
}

/// Which activities a feed shows.
#[derive(Clone, PartialEq, Debug, Default, Encode, Decode)]
pub struct Selector {
    /// `current_feed`, `following`, `popular` …
    #[n(0)]
    pub kind: String,
    /// Only activities since then.
    #[n(1)]
    pub cutoff_time: Option<Timestamp>,
    /// Only activities so young, such as `24h`.
    #[n(2)]
    pub cutoff_window: Option<String>,
    /// The least popularity.
    #[n(3)]
    pub min_popularity: Option<i64>,
    /// A JSON list.
    #[n(4)]
    pub sort: Option<String>,
    /// A JSON object.
    #[n(5)]
    pub filter: Option<String>,
    /// A JSON object.
    #[n(6)]
    pub params: Option<String>,
}

/// The selector of what stands in the feed that is read.
pub const CURRENT_FEED: &str = "current_feed";
/// The selector of what stands in the feeds that it follows, and in itself.
pub const FOLLOWING: &str = "following";
/// The selectors that there are (feeds-v3 §3.1).
pub const SELECTORS: [&str; 7] =
    [CURRENT_FEED, FOLLOWING, "popular", "proximity", "interest", "query", "follow_suggestion"];

impl Selector {
    /// A selector with nothing set but its kind.
    pub fn new(kind: &str) -> Self {
        Selector { kind: kind.to_owned(), ..Selector::default() }
    }
}

impl Group {
    /// Who sees a new feed of the group if nobody says.
    pub fn visibility(&self) -> Visibility {
        self.default_visibility.unwrap_or_default()
    }

    /// Whether its feeds show what the feeds that they follow show.
    pub fn shows_followed(&self) -> bool {
        self.selectors.iter().flatten().any(|selector| selector.kind == FOLLOWING)
    }
}

/// The group `name`, unless it was deleted.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, name: &str) -> Result<Option<Group>> {
    Ok(get_any(tx, name).await?.filter(|group| group.deleted_at.is_none()))
}

/// The group `name`, also one that was deleted.
///
/// # Errors
/// When the store fails.
pub async fn get_any(tx: &mut Tx, name: &str) -> Result<Option<Group>> {
    let tenant = tx.tenant();
    let changed = V3_GROUP.get(tx, tenant, &name.to_owned()).await?;
    Ok(changed.or_else(|| built_in::get(name)))
}

/// The group `name`.
///
/// # Errors
/// [`Error::Absent`] when there is none, or it was deleted.
pub async fn load(tx: &mut Tx, name: &str) -> Result<Group> {
    get(tx, name).await?.ok_or_else(|| absent(name))
}

fn absent(name: &str) -> Error {
    Error::Absent(format!("feed group '{name}' not found"))
}

/// All groups with their names, by name; also those that were deleted, if asked.
///
/// # Errors
/// When the store fails.
pub async fn list(tx: &mut Tx, with_deleted: bool) -> Result<Vec<(String, Group)>> {
    let tenant = tx.tenant();
    let mut groups = rows::list(tx, &V3_GROUP, V3_GROUP.range(tenant), GROUPS_MAX).await?;
    for name in built_in::NAMES {
        if !groups.iter().any(|(known, _)| known == name) {
            groups.extend(built_in::get(name).map(|group| (name.to_owned(), group)));
        }
    }
    groups.retain(|(_, group)| with_deleted || group.deleted_at.is_none());
    groups.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(groups)
}
