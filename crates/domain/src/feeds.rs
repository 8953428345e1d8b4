//! Activity feeds: what is posted, who follows whom, the timelines that follow from it, and what users make of it.

pub mod activities;
pub mod audit;
pub mod collections;
pub mod folds;
pub mod follows;
pub mod groups;
pub mod hooks;
mod notes;
pub mod policy;
pub mod privacy;
pub mod ranking;
pub mod reactions;
pub mod targets;
pub mod templates;
pub mod timelines;
pub mod users;
pub mod views;

#[cfg(test)]
mod model;
#[cfg(test)]
pub(crate) mod pond;
