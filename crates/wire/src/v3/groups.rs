//! Feed groups: `/feed_groups` (feeds-v3 §3.1, §4.1).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::chat::dialect::Time;

/// A feed group. What was not set is absent.
#[derive(Serialize, Debug)]
pub struct Group<'a> {
    /// The name.
    pub id: &'a str,
    /// Since when there is this group.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
    /// When it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Time>,
    /// Who sees a new feed of the group if nobody says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_visibility: Option<&'static str>,
    /// What its feeds show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity_selectors: Option<Vec<Selector<'a>>>,
    /// What is done with activities, by names that this server does not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity_processors: Option<&'a RawValue>,
    /// What is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity_filter: Option<Filter>,
    /// How activities are put in groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregation: Option<&'a RawValue>,
    /// The application's own fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<&'a RawValue>,
    /// What is tracked of notifications.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification: Option<&'a RawValue>,
    /// What is pushed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push_notification: Option<&'a RawValue>,
    /// How activities are ranked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ranking: Option<&'a RawValue>,
    /// What is tracked of stories.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stories: Option<&'a RawValue>,
}

/// Which activities a feed shows.
#[derive(Serialize, Debug)]
pub struct Selector<'a> {
    /// `current_feed`, `following` …
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// Only activities since then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cutoff_time: Option<Time>,
    /// Only activities so young.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cutoff_window: Option<&'a str>,
    /// The least popularity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_popularity: Option<i64>,
    /// In which order they are taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<&'a RawValue>,
    /// Which are taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<&'a RawValue>,
    /// Whatever else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub params: Option<&'a RawValue>,
}

/// Other selectors, ranking and aggregation for one read.
#[derive(Serialize, Debug)]
pub struct View<'a> {
    /// The name.
    pub id: &'a str,
    /// When a feed was last read so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Time>,
    /// What is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity_selectors: Option<Vec<Selector<'a>>>,
    /// How activities are put in groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregation: Option<&'a RawValue>,
    /// How activities are ranked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ranking: Option<&'a RawValue>,
}

/// One view.
#[derive(Serialize, Debug)]
pub struct OneView<'a> {
    /// Whether it was made; told by `POST /feed_views/{id}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was_created: Option<bool>,
    /// The view.
    pub feed_view: View<'a>,
}

/// What `GET /feed_views` answers.
#[derive(Serialize, Debug)]
pub struct Views<'a> {
    /// Name → view.
    pub views: BTreeMap<&'a str, View<'a>>,
}

/// What is left out of a feed.
#[derive(Serialize, Clone, Copy, Debug)]
pub struct Filter {
    /// What its owner posted.
    pub exclude_owner_activities: bool,
}

/// One group.
#[derive(Serialize, Debug)]
pub struct OneGroup<'a> {
    /// Whether it was made; told by `POST /feed_groups/{id}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was_created: Option<bool>,
    /// The group.
    pub feed_group: Group<'a>,
}

/// What `GET /feed_groups` answers.
#[derive(Serialize, Debug)]
pub struct Groups<'a> {
    /// Name → group.
    pub groups: BTreeMap<&'a str, Group<'a>>,
}
