//! Activity feeds: what is posted, who follows whom, and the timelines that follow from it.

pub mod activities;
pub mod follows;
pub mod groups;
pub mod policy;
pub mod targets;
pub mod timelines;
pub mod views;

#[cfg(test)]
mod model;
#[cfg(test)]
pub(crate) mod pond;
