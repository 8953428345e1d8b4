//! The feeds API: a file for each resource.

pub(crate) mod activities;
pub(crate) mod analytics;
pub(crate) mod audit_logs;
pub(crate) mod changes;
pub(crate) mod collections;
mod enrich;
mod extra;
pub(crate) mod faye;
pub(crate) mod files;
pub(crate) mod follows;
pub(crate) mod fragments;
mod groups;
pub(crate) mod og;
pub(crate) mod pages;
pub(crate) mod privacy;
mod ranked;
pub(crate) mod reactions;
mod records;
pub(crate) mod targets;
pub(crate) mod timelines;
pub(crate) mod users;
