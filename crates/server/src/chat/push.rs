//! How devices would be told: providers, templates, preferences, and what tries them out (chat §11.9, v2 §7.4).
//!
//! This server stores and renders all of it and sends none: `check_push` says so.

mod check;
mod preferences;
mod providers;
mod templates;

pub(crate) use check::check;
pub(crate) use preferences::set as set_preferences;
pub(crate) use providers::{
    list as list_providers, remove as remove_provider, shown as shown_provider, upsert as upsert_provider,
};
pub(crate) use templates::{list as list_templates, upsert as upsert_template};
