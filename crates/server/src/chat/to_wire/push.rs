//! What users want their devices told of (chat §6.15).

use domain::chat::push::preferences::Preference;
use serde_json::value::RawValue;
use wire::chat::{
    dialect::{Dialect, Time},
    push::PushPreferences,
};

/// A preference.
pub(crate) fn preference(dialect: Dialect, preference: &Preference) -> PushPreferences<'_> {
    let raw = |json: &String| RawValue::from_string(json.clone()).expect("it was parsed before it was stored");
    PushPreferences {
        chat_level: preference.chat_level.as_deref(),
        call_level: preference.call_level.as_deref(),
        feeds_level: preference.feeds_level.as_deref(),
        disabled_until: preference.disabled_until.map(|at| Time { at, dialect }),
        chat_preferences: preference.chat_preferences.as_ref().map(raw),
        feeds_preferences: preference.feeds_preferences.as_ref().map(raw),
    }
}
