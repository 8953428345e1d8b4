//! The settings of an integration, from flags to the fields of the service.

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::{
    args::{Set, Settings},
    asking, wrong,
};

/// The fields that the flags name, and no others.
pub(super) fn body(given: &Settings) -> Result<Value> {
    let include_feeds = match given.include_feeds.as_deref() {
        None => None,
        Some("auto") => Some(Value::Null),
        Some(word) => match word.parse::<bool>() {
            Ok(include) => Some(include.into()),
            Err(_) => return Err(wrong("--include-feeds is true, false or auto")),
        },
    };
    // An empty text takes back what was set.
    let hosts = given.file_hosts.as_ref().map(|hosts| json!(without_empty(hosts)));
    let owner = given.new_channel_owner_id.as_ref();
    let owner = owner.map(|id| if id.is_empty() { Value::Null } else { id.as_str().into() });
    let forms = given.files_forms.as_ref().map(|forms| forms.iter().map(|form| files_form(form)).collect::<Value>());
    let cooling_off = given.cooling_off.as_deref().map(asking::secs).transpose()?;
    let delete_options = fields([
        ("user", text(&given.delete_user)),
        ("messages", text(&given.delete_messages)),
        ("conversations", text(&given.delete_conversations)),
        ("calls", text(&given.delete_calls)),
        ("new_channel_owner_id", owner),
        ("files_forms", forms),
    ]);
    let policies = fields([
        ("multi_match_access", text(&given.multi_match_access)),
        ("multi_match_delete", text(&given.multi_match_delete)),
        ("approval", given.approval.map(Value::from)),
        ("four_eyes", given.four_eyes.map(Value::from)),
        ("require_verification", given.require_verification.map(Value::from)),
        ("cooling_off_s", cooling_off.map(Value::from)),
        ("verify_erasure", given.verify_erasure.map(Value::from)),
    ]);
    let secs = |time: &Option<String>| time.as_deref().map(asking::secs).transpose();
    let poll = fields([
        ("preset", text(&given.poll)),
        ("first_s", secs(&given.poll_first)?.map(Value::from)),
        ("most_s", secs(&given.poll_most)?.map(Value::from)),
        ("after_an_hour_s", secs(&given.poll_after_an_hour)?.map(Value::from)),
        ("after_a_day_s", secs(&given.poll_after_a_day)?.map(Value::from)),
        ("spread", given.poll_spread.map(Value::from)),
    ]);
    let all = fields([
        ("async_deletion_behavior", text(&given.async_deletion_behavior)),
        ("email_field", text(&given.email_field)),
        ("throttle", given.throttle.map(|share| json!({"target": share}))),
        ("delete_options", delete_options),
        ("policies", policies),
        ("poll", poll),
        ("erasure_ledger", text(&given.erasure_ledger)),
        ("include_feeds", include_feeds),
        ("include_files", given.include_files.map(Value::from)),
        ("file_hosts", hosts),
        ("redact_others", given.redact_others.map(Value::from)),
        ("raw", given.raw.map(Value::from)),
        ("async_export_fallback", given.async_export_fallback.map(Value::from)),
        ("export_before_delete", given.export_before_delete.map(Value::from)),
    ]);
    Ok(all.unwrap_or_else(|| json!({})))
}

/// The fields that `integrations set` changes.
pub(super) fn changes(given: &Set) -> Result<Value> {
    let mut body = body(&given.settings)?;
    if let Some(name) = &given.name {
        body["name"] = name.as_str().into();
    }
    if body == json!({}) {
        return Err(wrong("say what to change; `millpond privacy integrations set --help` lists the settings"));
    }
    Ok(body)
}

fn text(given: &Option<String>) -> Option<Value> {
    given.as_deref().map(Value::from)
}

fn without_empty(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).filter(|one| !one.is_empty()).collect()
}

fn files_form(word: &str) -> Value {
    if word == "true" { true.into() } else { word.into() }
}

/// An object of what was given; nothing when nothing was.
fn fields<const N: usize>(given: [(&str, Option<Value>); N]) -> Option<Value> {
    let given = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let fields: Map<String, Value> = given.collect();
    (!fields.is_empty()).then_some(Value::Object(fields))
}
