//! The feeds API: a file for each resource.

pub(crate) mod activities;
mod enrich;
pub(crate) mod follows;
pub(crate) mod fragments;
pub(crate) mod pages;
pub(crate) mod targets;
pub(crate) mod timelines;
