//! An app as it is shown: what was set, and what clients want to read of the rest (chat §11.1).

use std::collections::BTreeMap;

use domain::settings::{Settings, hooks::Hook};
use serde_json::{Map, Value, value::RawValue};
use wire::chat::{
    app::{Hook as WireHook, Provider, Push},
    dialect::{Dialect, Time},
};

use super::{
    change::masked,
    known::{FIXED, KNOWN, SECRETS},
};

/// What is shown in the place of a secret.
pub(super) const MASK: &str = "********";

/// The settings that are no fields; of them those for users alone, if `is_public`.
pub(super) fn others(settings: &Settings, is_public: bool) -> BTreeMap<&'static str, Box<RawValue>> {
    let set = settings.others();
    let known = KNOWN.iter().filter(|known| known.is_shown && (known.is_public || !is_public));
    let mut shown: BTreeMap<_, _> = known
        .filter_map(|known| {
            let value = set.get(known.name).map(RawValue::get).or(known.default)?;
            Some((known.name, without_secrets(value)))
        })
        .collect();
    if !is_public {
        shown.extend(FIXED.iter().map(|(name, value)| (*name, without_secrets(value))));
    }
    shown
}

/// A hook.
pub(super) fn hook(hook: &Hook, dialect: Dialect) -> WireHook<'_> {
    let time = |at| Time { at, dialect };
    let payload_dialect = if hook.is_v2 { "v2" } else { "classic" };
    let mut details = BTreeMap::from([("payload_dialect".to_owned(), payload_dialect.into())]);
    details.extend(object(Some(&hook.details)).into_iter().map(|(name, value)| masked_member(name, value)));
    WireHook { id: &hook.id, created_at: time(hook.created_at), updated_at: time(hook.updated_at), details }
}

/// How devices are told.
pub(super) fn push<'a>(settings: &Settings) -> Push<'a> {
    let set = |name| object(settings.other(name).as_deref().map(RawValue::get));
    let provider = |name, key, is_apple: bool| {
        let mut details: BTreeMap<_, _> =
            set(name).into_iter().map(|(name, value)| masked_member(name, value)).collect();
        let enabled = details.get(key).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
        if is_apple {
            details.entry("development".to_owned()).or_insert(Value::Bool(false));
        }
        details.remove("enabled");
        Provider { enabled, details }
    };
    Push {
        version: "v2",
        offline_only: set("push_config").get("offline_only").and_then(Value::as_bool).unwrap_or(false),
        apn: provider("apn_config", "auth_key", true),
        firebase: provider("firebase_config", "credentials_json", false),
        huawei: provider("huawei_config", "secret", false),
        xiaomi: provider("xiaomi_config", "secret", false),
        providers: Vec::new(),
    }
}

fn object(json: Option<&str>) -> Map<String, Value> {
    json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

/// A member of an object; of a secret, that there is one.
pub(crate) fn masked_member(name: String, value: Value) -> (String, Value) {
    let value = match value {
        Value::String(text) if SECRETS.contains(&name.as_str()) => masked(&text).into(),
        value => value,
    };
    (name, value)
}

/// A stored setting without its secrets.
fn without_secrets(json: &str) -> Box<RawValue> {
    let raw = |json: &str| serde_json::from_str(json).expect("it was JSON before it was stored");
    if !json.contains(crate::apps::SEALED) {
        return raw(json);
    }
    let value = match serde_json::from_str(json).unwrap_or_default() {
        Value::String(text) => masked(&text).into(),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| masked_member(name, value)).collect())
        }
        value => value,
    };
    raw(&value.to_string())
}
