//! Levels of visibility: `/feed_visibilities` (feeds-v3 §3.1, §4.1).

use std::collections::BTreeMap;

use serde::Serialize;

/// What may be done with feeds that are seen so.
#[derive(Serialize, Debug)]
pub struct Level {
    /// The name.
    pub name: &'static str,
    /// What there is to grant.
    pub permissions: Vec<Permission>,
    /// Role → ids of what it may do.
    pub grants: BTreeMap<String, Vec<String>>,
}

/// Something that can be granted.
#[derive(Serialize, Debug)]
pub struct Permission {
    /// What is done.
    pub action: &'static str,
    /// Whether the application made it.
    pub custom: bool,
    /// What it is for.
    pub description: String,
    /// The id.
    pub id: &'static str,
    /// Where it holds.
    pub level: &'static str,
    /// What it is called.
    pub name: String,
    /// Whether it is about what is one's own.
    pub owner: bool,
    /// Whose owner is meant.
    pub owner_resource: &'static str,
    /// Whether it takes the same team.
    pub same_team: bool,
    /// By which it is found.
    pub tags: [&'static str; 0],
}

/// One level.
#[derive(Serialize, Debug)]
pub struct OneLevel {
    /// The level.
    pub feed_visibility: Level,
}

/// What `GET /feed_visibilities` answers.
#[derive(Serialize, Debug)]
pub struct Levels {
    /// Name → level.
    pub feed_visibilities: BTreeMap<&'static str, Level>,
}
