//! Reading what is said of an app: any part of its settings, or the whole app as it was read (chat §11.1).

use domain::{
    chat::channels::predefined,
    settings::{Change, Settings, hooks::Hook},
};
use ids::{Timestamp, json::Object};
use serde_json::{
    Map, Value,
    value::{RawValue, to_raw_value},
};
use wire::chat::dialect::Dialect;

use super::{
    known::{KNOWN, Kind, Known, SECRETS},
    shown::MASK,
};
use crate::{
    apps::SEALED,
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
        types::regrant,
    },
};

/// The most hooks of an app.
const HOOKS_MAX: usize = 50;
/// The most bytes of a setting.
const SETTING_BYTES_MAX: usize = 16 * 1024;
/// What hooks are.
const HOOK_KINDS: [&str; 4] = ["webhook", "sqs", "sns", "pending_message"];
/// How hooks for messages that wait are called; posted to, if nobody says.
const CALLBACK_MODES: [&str; 3] = ["", "CALLBACK_MODE_NONE", "CALLBACK_MODE_REST"];
/// What hooks are for.
const PRODUCTS: [&str; 5] = ["all", "chat", "video", "moderation", "feeds"];

/// What `sent` says; what it echoes and cannot change is left out.
///
/// # Errors
/// 4 when a setting is not what its name asks for.
pub(super) fn change(call: &Call, mut sent: Fields) -> Result<Change> {
    let settings = &call.tenant.app.settings;
    let revoked_before = match sent.is_null("revoke_tokens_issued_before") {
        true => Some(None),
        false => sent.time("revoke_tokens_issued_before")?.map(Some),
    };
    let mut change = Change {
        disable_auth_checks: sent.flag("disable_auth_checks")?,
        disable_permissions_checks: sent.flag("disable_permissions_checks")?,
        revoke_tokens_issued_before: revoked_before,
        grants: regrant(&mut sent)?,
        event_hooks: sent.objects("event_hooks")?.map(|hooks| event_hooks(call, settings, hooks)).transpose()?,
        others: Object::default(),
    };
    for known in KNOWN {
        if let Some(value) = setting(call, settings, known, &mut sent)? {
            if value.get().len() > SETTING_BYTES_MAX {
                return Err(Error::field(known.name, &format!("has more than {SETTING_BYTES_MAX} bytes")));
            }
            change.others.set(known.name, value);
        }
    }
    Ok(change)
}

/// A setting as it is stored; `None` when it is not given.
fn setting(call: &Call, before: &Settings, known: &Known, sent: &mut Fields) -> Result<Option<Box<RawValue>>> {
    let name = known.name;
    Ok(match known.kind {
        Kind::Flag => sent.flag(name)?.map(|flag| raw(&flag)),
        Kind::Number(min, max) => number(name, sent.number(name)?, min, max)?,
        Kind::Text => sent.text(name)?.map(|text| raw(&text)),
        Kind::Secret => sent.text(name)?.filter(|text| text != MASK).map(|text| raw(&sealed(call, text))),
        Kind::Choice(choices) => match sent.filled(name)? {
            Some(choice) if !choices.contains(&choice.as_str()) => {
                return Err(Error::field(name, &format!("must be one of {}", choices.join(", "))));
            }
            choice => choice.map(|choice| raw(&choice)),
        },
        Kind::Texts => sent.texts(name)?.map(|texts| raw(&texts)),
        Kind::Object => sent.object(name)?.map(|object| sealed_members(call, before.other(name).as_deref(), object)),
        Kind::Numbers => match sent.object(name)?.map(Fields::rest) {
            Some(numbers) if numbers.iter().any(|(_, number)| number.get().parse::<i64>().is_err()) => {
                return Err(Error::field(name, "must hold whole numbers"));
            }
            numbers => numbers.map(|numbers| raw(&numbers_of(&numbers))),
        },
        Kind::Filters => match sent.object(name)?.map(Fields::rest) {
            Some(filters) => {
                predefined::check(&filters)?;
                Some(raw(&serde_json::from_str::<Value>(&filters.to_string()).unwrap_or_default()))
            }
            None => None,
        },
        Kind::Upload => sent.object(name)?.map(|config| upload(name, config)).transpose()?,
    })
}

fn number(name: &str, number: Option<i64>, min: i64, max: i64) -> Result<Option<Box<RawValue>>> {
    match number {
        // Clients that cannot leave a number out send 0.
        Some(0) if min > 0 => Ok(None),
        Some(number) if !(min..=max).contains(&number) => Err(Error::field(name, &format!("must be {min} to {max}"))),
        number => Ok(number.map(|number| raw(&number))),
    }
}

fn numbers_of(numbers: &Object) -> Value {
    numbers.iter().map(|(name, number)| (name.to_owned(), number.get().parse::<i64>().unwrap_or_default())).collect()
}

/// What may be uploaded: all of it replaces what was said before.
fn upload(name: &str, mut sent: Fields) -> Result<Box<RawValue>> {
    let mut config = Map::new();
    for list in ["allowed_file_extensions", "blocked_file_extensions", "allowed_mime_types", "blocked_mime_types"] {
        config.insert(list.to_owned(), sent.texts(list)?.unwrap_or_default().into());
    }
    let limit = sent.number("size_limit")?.unwrap_or(0);
    if limit < 0 {
        return Err(Error::field(name, "has a size_limit below 0"));
    }
    config.insert("size_limit".to_owned(), limit.into());
    Ok(raw(&config))
}

fn event_hooks(call: &Call, before: &Settings, hooks: Vec<Fields>) -> Result<Vec<Hook>> {
    if hooks.len() > HOOKS_MAX {
        return Err(Error::field("event_hooks", &format!("must hold at most {HOOKS_MAX} hooks")));
    }
    hooks.into_iter().map(|hook| event_hook(call, before, hook)).collect()
}

fn event_hook(call: &Call, before: &Settings, mut sent: Fields) -> Result<Hook> {
    let now: Timestamp = call.now();
    sent.skip(&["created_at", "updated_at"]);
    for (name, value) in [("enabled", "true"), ("event_types", "[]"), ("product", "\"all\"")] {
        if !sent.has(name) {
            sent.put(name, serde_json::from_str(value).expect("it is JSON"));
        }
    }
    let id = sent.filled("id")?.unwrap_or_else(|| call.new_id());
    let known = before.event_hooks.iter().find(|known| known.id == id);
    let is_v2 = match sent.filled("payload_dialect")?.as_deref() {
        None => known.map_or(call.dialect == Dialect::V2, |known| known.is_v2),
        Some("classic") => false,
        Some("v2") => true,
        Some(_) => return Err(Error::field("event_hooks.payload_dialect", "must be classic or v2")),
    };
    let details = sealed_members(call, known.and_then(|known| serde_json::from_str(&known.details).ok()), sent);
    let details = details.get().to_owned();
    let hook = Hook { id, is_v2, created_at: now, updated_at: now, details };
    let text = |name: &str| hook.detail(name).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default();
    let kind = text("hook_type");
    if !HOOK_KINDS.contains(&kind.as_str()) {
        return Err(Error::field("event_hooks.hook_type", &format!("must be one of {}", HOOK_KINDS.join(", "))));
    }
    let product = text("product");
    if !product.is_empty() && !PRODUCTS.contains(&product.as_str()) {
        return Err(Error::field("event_hooks.product", &format!("must be one of {}", PRODUCTS.join(", "))));
    }
    let url = text("webhook_url");
    let is_url = url.starts_with("http://") || url.starts_with("https://");
    if matches!(kind.as_str(), "webhook" | "pending_message") && !is_url {
        return Err(Error::field("event_hooks.webhook_url", "must be an http or https address"));
    }
    for (prefix, target) in [("sqs", "sqs_queue_url"), ("sns", "sns_topic_arn")] {
        if kind == prefix {
            check_queue(&text(target), &text(&format!("{prefix}_auth_type")), prefix, target)?;
        }
    }
    let mode = hook.detail("callback").and_then(|callback| callback.get("mode")?.as_str().map(str::to_owned));
    if kind == "pending_message" && !CALLBACK_MODES.contains(&mode.as_deref().unwrap_or_default()) {
        let known = &CALLBACK_MODES[1..];
        return Err(Error::field("event_hooks.callback.mode", &format!("must be one of {}", known.join(", "))));
    }
    let is_list_of_texts = |value: Value| value.is_null() || serde_json::from_value::<Vec<String>>(value).is_ok();
    if !hook.detail("event_types").is_none_or(is_list_of_texts) {
        return Err(Error::field("event_hooks.event_types", "must be a list of strings"));
    }
    Ok(hook)
}

/// What a queue or a topic needs: this server calls it with keys, and has no role of its own.
fn check_queue(target: &str, auth: &str, prefix: &str, name: &str) -> Result<()> {
    if target.is_empty() {
        return Err(Error::field(&format!("event_hooks.{name}"), "is a required field"));
    }
    match auth {
        "" | "keys" => Ok(()),
        _ => {
            let rule = "must be keys: this server has no role that it could assume";
            Err(Error::field(&format!("event_hooks.{prefix}_auth_type"), rule))
        }
    }
}

/// An object whose secrets are sealed. One that comes back masked, as it is shown, stays what it was in `before`.
pub(crate) fn sealed_members(call: &Call, before: Option<&RawValue>, sent: Fields) -> Box<RawValue> {
    let before: Map<String, Value> = before.and_then(|json| serde_json::from_str(json.get()).ok()).unwrap_or_default();
    let mut members = Map::new();
    for (name, value) in sent.rest().iter() {
        let value: Value = serde_json::from_str(value.get()).unwrap_or_default();
        let value = match value {
            Value::Null => continue,
            Value::String(text) if SECRETS.contains(&name) => match text == MASK {
                true => before.get(name).cloned().unwrap_or_default(),
                false => sealed(call, text).into(),
            },
            value => value,
        };
        members.insert(name.to_owned(), value);
    }
    raw(&members)
}

/// A secret as it is stored; an empty one is none.
fn sealed(call: &Call, secret: String) -> String {
    if secret.is_empty() { secret } else { call.server.apps.seal(call.tenant.app.id, &secret) }
}

/// What is shown in the place of a stored secret.
pub(super) fn masked(stored: &str) -> &str {
    if stored.starts_with(SEALED) { MASK } else { stored }
}

fn raw(value: &impl serde::Serialize) -> Box<RawValue> {
    to_raw_value(value).expect("JSON values are JSON")
}
