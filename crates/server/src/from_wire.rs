//! From what clients send to what the domain takes: all leniency and all checks of shape are here (feeds-v1 §1.2, §4.2, §11).

use domain::feeds::{
    activities::{Change, Draft, Reference},
    targets::{Retarget, TARGETS_MAX},
};
use ids::{ActivityId, FeedId, Timestamp, json::Object};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, value::RawValue};
use wire::{
    error::Code,
    feeds::{
        activities::{self, CORE, READ_ONLY},
        targets::UpdateTargets,
    },
};

use crate::error::{Error, Result};

mod members;

pub(crate) use members::{Members, missing};

/// The most activities of one call.
pub(crate) const ACTIVITIES_MAX: usize = 100;
/// The largest activity, in bytes of JSON.
pub(crate) const ACTIVITY_BYTES_MAX: usize = 10 * 1024;
/// The longest verb and the longest name of a custom field, in bytes.
const NAME_BYTES_MAX: usize = 255;
/// The longest foreign id, in bytes.
const FOREIGN_ID_BYTES_MAX: usize = 512;
/// The most fields that one partial update sets, and as many that it takes away.
const CHANGES_MAX: usize = 25;

/// The body of a request, a JSON object.
///
/// # Errors
/// 400 when it is not what the call takes.
pub(crate) fn body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    // Without this check a list would do, with the members of the object in their order.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(Error::input("invalid request payload: it is not a JSON object"));
    }
    json(bytes)
}

/// The body of a request, a list of JSON objects.
///
/// # Errors
/// 400 when it is not what the call takes.
pub(crate) fn bodies<T: DeserializeOwned>(bytes: &[u8]) -> Result<Vec<T>> {
    let items: Vec<Box<RawValue>> = json(bytes)?;
    items.iter().map(|item| body(item.get().as_bytes())).collect()
}

fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| Error::input(format!("invalid request payload: {error}")))
}

/// The body of a batch: a list of JSON objects, or `{}`, which a client sends for an empty one.
///
/// # Errors
/// 400 in the words that the contract fixes (feeds-v1 §5.7).
pub(crate) fn batch<T: DeserializeOwned>(bytes: &[u8]) -> Result<Vec<T>> {
    if Object::parse(text(bytes)?).is_ok_and(|object| object.is_empty()) {
        return Ok(Vec::new());
    }
    bodies(bytes).map_err(|_| Error::input("invalid request payload"))
}

/// A feed id as text.
///
/// # Errors
/// 400 that names `field`.
pub(crate) fn feed(field: &str, text: &str) -> Result<FeedId> {
    FeedId::parse(text.trim()).map_err(|error| Error::field(field, error.to_string()))
}

/// Several feed ids.
///
/// # Errors
/// 400 that names `field`.
pub(crate) fn feeds<'t>(field: &str, texts: impl IntoIterator<Item = &'t str>) -> Result<Vec<FeedId>> {
    texts.into_iter().map(|text| feed(field, text)).collect()
}

/// An activity id as text.
///
/// # Errors
/// 400 that names `field`.
pub(crate) fn activity_id(field: &str, text: &str) -> Result<ActivityId> {
    ActivityId::parse(text).map_err(|error| Error::field(field, error.to_string()))
}

/// A time as text.
///
/// # Errors
/// 400 that names `field`.
pub(crate) fn time(field: &str, text: &str) -> Result<Timestamp> {
    Timestamp::parse(text).map_err(|error| Error::field(field, error.to_string()))
}

/// The drafts of the body of `POST feed/{group}/{id}/`, and whether it was a list.
///
/// # Errors
/// 400 or 413 for what the contract refuses.
pub(crate) fn drafts(bytes: &[u8]) -> Result<(Vec<Draft>, bool)> {
    let object: Object = body(bytes)?;
    let is_list = object.get("activities").is_some_and(|value| value.get().starts_with('['));
    if !is_list {
        return Ok((vec![draft(text(bytes)?)?], false));
    }
    Ok((list(bytes)?, true))
}

/// The drafts of the body of `POST activities/`: each with a foreign id and a time.
///
/// # Errors
/// 400 or 413 for what the contract refuses.
pub(crate) fn updates(bytes: &[u8]) -> Result<Vec<Draft>> {
    let drafts = list(bytes)?;
    for draft in &drafts {
        require("foreign_id", !draft.foreign_id.is_empty())?;
        require("time", draft.time.is_some())?;
    }
    Ok(drafts)
}

fn require(field: &str, is_there: bool) -> Result<()> {
    if is_there { Ok(()) } else { Err(Error::field(field, "this field is required")) }
}

fn list(bytes: &[u8]) -> Result<Vec<Draft>> {
    let activities::Activities { activities } = body(bytes)?;
    if activities.is_empty() {
        return Err(Error::field("activities", "must not be empty"));
    }
    check_count("activities", activities.len(), ACTIVITIES_MAX)?;
    activities.iter().map(|activity| draft(activity.get())).collect()
}

/// Checks the length of a list.
///
/// # Errors
/// 400 that names `field`.
pub(crate) fn check_count(field: &str, count: usize, max: usize) -> Result<()> {
    if count > max {
        return Err(Error::field(field, format!("must have at most {max} items, not {count}")));
    }
    Ok(())
}

fn text(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| Error::input("the body is not valid UTF-8"))
}

/// One activity.
///
/// # Errors
/// 400 that names every field that is wrong; 413 when it is too large.
pub(crate) fn draft(json: &str) -> Result<Draft> {
    let mut fields: Object = body(json.as_bytes())?;
    if json.len() > ACTIVITY_BYTES_MAX {
        return Err(Error::new(Code::TooLarge, format!("an activity has at most {ACTIVITY_BYTES_MAX} bytes of JSON")));
    }
    let mut wrong = Map::new();
    let draft = Draft {
        actor: wrong_or(&mut wrong, "actor", required(&mut fields, "actor")),
        verb: wrong_or(&mut wrong, "verb", verb(&mut fields)),
        object: wrong_or(&mut wrong, "object", required(&mut fields, "object")),
        target: wrong_or(&mut wrong, "target", optional(&mut fields, "target", reference)),
        foreign_id: wrong_or(&mut wrong, "foreign_id", foreign_id(&mut fields)),
        time: wrong_or(&mut wrong, "time", moment(&mut fields)),
        to: wrong_or(&mut wrong, "to", targets(&mut fields)),
        custom: Object::default(),
    };
    if !wrong.is_empty() {
        return Err(Error::fields(wrong));
    }
    Ok(Draft { custom: custom(fields)?, ..draft })
}

/// A rule that a field breaks, in words.
type Checked<T> = std::result::Result<T, String>;

fn wrong_or<T: Default>(wrong: &mut Map<String, Value>, field: &str, checked: Checked<T>) -> T {
    checked.unwrap_or_else(|rule| {
        wrong.insert(field.to_owned(), vec![rule].into());
        T::default()
    })
}

/// Takes a member out; `null` counts as absent.
fn take(fields: &mut Object, name: &str) -> Option<Value> {
    let value = serde_json::from_str(fields.remove(name)?.get()).unwrap_or(Value::Null);
    (value != Value::Null).then_some(value)
}

fn optional(fields: &mut Object, name: &str, read: fn(Value) -> Checked<String>) -> Checked<String> {
    take(fields, name).map_or(Ok(String::new()), read)
}

fn required(fields: &mut Object, name: &str) -> Checked<String> {
    match optional(fields, name, reference)? {
        text if text.is_empty() => Err("this field is required".to_owned()),
        text => Ok(text),
    }
}

fn verb(fields: &mut Object) -> Checked<String> {
    let verb = required(fields, "verb")?;
    if verb.len() > NAME_BYTES_MAX {
        return Err(format!("must have at most {NAME_BYTES_MAX} bytes"));
    }
    Ok(verb)
}

fn foreign_id(fields: &mut Object) -> Checked<String> {
    let id = optional(fields, "foreign_id", scalar)?;
    if id.len() > FOREIGN_ID_BYTES_MAX {
        return Err(format!("must have at most {FOREIGN_ID_BYTES_MAX} bytes"));
    }
    Ok(id)
}

fn scalar(value: Value) -> Checked<String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err("must be a text or a number".to_owned()),
    }
}

/// A text or number; or an object as enriched reads show it, which becomes its reference again.
fn reference(value: Value) -> Checked<String> {
    let Value::Object(object) = value else { return scalar(value) };
    let member = |name: &str| object.get(name).and_then(Value::as_str);
    match (member("reference"), member("collection"), member("id")) {
        (Some(reference), ..) => Ok(reference.to_owned()),
        (None, Some(collection), Some(id)) => Ok(format!("SO:{collection}:{id}")),
        (None, None, Some(id)) if object.contains_key("verb") => Ok(format!("SA:{id}")),
        (None, None, Some(id)) if object.contains_key("kind") => Ok(format!("SR:{id}")),
        (None, None, Some(id)) => Ok(format!("SU:{id}")),
        (None, _, None) => Err("must be a text, a number, or an object as an enriched feed shows it".to_owned()),
    }
}

fn moment(fields: &mut Object) -> Checked<Option<Timestamp>> {
    match take(fields, "time") {
        None => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Timestamp::parse(&text).map(Some).map_err(|error| error.to_string()),
        Some(_) => Err("is not an ISO 8601 time such as 2018-07-08T14:09:36.000000".to_owned()),
    }
}

fn targets(fields: &mut Object) -> Checked<Vec<FeedId>> {
    let items = match take(fields, "to") {
        None => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(_) => return Err("must be a list of feed ids".to_owned()),
    };
    if items.len() > TARGETS_MAX {
        return Err(format!("must have at most {TARGETS_MAX} feeds"));
    }
    let mut feeds: Vec<FeedId> = Vec::with_capacity(items.len());
    for item in &items {
        let feed = target(item)?;
        if !feeds.contains(&feed) {
            feeds.push(feed);
        }
    }
    Ok(feeds)
}

/// `group:id`, or with a token behind it (`group:id token`, or a list of both), which older clients sign.
fn target(item: &Value) -> Checked<FeedId> {
    let text = item.as_str().or_else(|| item.get(0)?.as_str()).ok_or("must be a list of feed ids")?;
    let feed = text.split_whitespace().next().unwrap_or_default();
    FeedId::parse(feed).map_err(|error| error.to_string())
}

/// What is left of an activity: the application's own fields.
///
/// # Errors
/// 400 when one has no name, or too long a one.
pub(crate) fn custom(mut fields: Object) -> Result<Object> {
    for name in CORE.iter().chain(&READ_ONLY) {
        fields.remove(name);
    }
    if let Some((name, _)) = fields.iter().find(|(name, _)| name.is_empty() || name.len() > NAME_BYTES_MAX) {
        let name: String = name.chars().take(40).collect();
        let detail = format!("the name of a custom field has 1 to {NAME_BYTES_MAX} bytes, `{name}…` has not");
        return Err(Error::new(Code::CustomField, detail));
    }
    Ok(fields)
}

/// Which activity is meant: by id, or by foreign id and time, not by both.
///
/// # Errors
/// 400 when it is neither or both.
pub(crate) fn activity(id: Option<&str>, foreign_id: Option<&RawValue>, moment: Option<&str>) -> Result<Reference> {
    let foreign_id = foreign_id.map(RawValue::get).filter(|json| *json != "null");
    match (id, foreign_id, moment) {
        (Some(id), None, None) => Ok(Reference::Id(activity_id("id", id)?)),
        (None, Some(json), Some(moment)) => {
            let value = serde_json::from_str(json).unwrap_or(Value::Null);
            let foreign_id = scalar(value).map_err(|rule| Error::field("foreign_id", rule))?;
            Ok(Reference::Foreign(foreign_id, time("time", moment)?))
        }
        _ => Err(Error::input("name an activity either by `id` or by `foreign_id` and `time`")),
    }
}

/// The partial updates of the body of `POST activity/`, and whether it was a list.
///
/// # Errors
/// 400 for what the contract refuses.
pub(crate) fn changes(bytes: &[u8]) -> Result<(Vec<(Reference, Change)>, bool)> {
    let object: Object = body(bytes)?;
    if object.get("changes").is_none() {
        return Ok((vec![change(body(bytes)?)?], false));
    }
    let activities::Changes { changes } = body(bytes)?;
    check_count("changes", changes.len(), ACTIVITIES_MAX)?;
    if changes.is_empty() {
        return Err(Error::field("changes", "must not be empty"));
    }
    let changes = changes.iter().map(|sent| change(body(sent.get().as_bytes())?));
    Ok((changes.collect::<Result<_>>()?, true))
}

fn change(sent: activities::Change) -> Result<(Reference, Change)> {
    let reference = activity(sent.id.as_deref(), sent.foreign_id.as_deref(), sent.time.as_deref())?;
    let change = Change { set: sent.set.unwrap_or_default(), unset: sent.unset.unwrap_or_default() };
    check_count("set", change.set.len(), CHANGES_MAX)?;
    check_count("unset", change.unset.len(), CHANGES_MAX)?;
    if change.set.is_empty() && change.unset.is_empty() {
        return Err(Error::input("there is nothing to change: send `set` or `unset`"));
    }
    let paths: Vec<&str> =
        change.set.iter().map(|(path, _)| path).chain(change.unset.iter().map(String::as_str)).collect();
    for (at, path) in paths.iter().enumerate() {
        check_path(path)?;
        if let Some(other) = paths[..at].iter().find(|other| collide(other, path)) {
            return Err(Error::input(format!("`{other}` and `{path}` cannot be changed at once")));
        }
    }
    Ok((reference, change))
}

fn check_path(path: &str) -> Result<()> {
    let mut names = path.split('.');
    let first = names.next().unwrap_or_default();
    if CORE.contains(&first) || READ_ONLY.contains(&first) {
        return Err(Error::input(format!(
            "`{path}` cannot be changed by a partial update: `{first}` belongs to the API"
        )));
    }
    if path.split('.').any(|name| name.is_empty() || name.len() > NAME_BYTES_MAX) {
        return Err(Error::input(format!("`{path}` is not a path: names are separated by single dots")));
    }
    Ok(())
}

/// Whether one path is the other, or leads into it.
fn collide(a: &str, b: &str) -> bool {
    let leads = |outer: &str, inner: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'));
    a == b || leads(a, b) || leads(b, a)
}

/// The changes of targets in the body of `POST feed_targets/…`.
///
/// # Errors
/// 400 for what the contract refuses.
pub(crate) fn retargets(bytes: &[u8]) -> Result<Vec<(Reference, Retarget)>> {
    let is_list = bytes.trim_ascii_start().first() == Some(&b'[');
    let sent: Vec<UpdateTargets> = if is_list { bodies(bytes)? } else { vec![body(bytes)?] };
    check_count("activities", sent.len(), ACTIVITIES_MAX)?;
    if sent.is_empty() {
        return Err(Error::input("there is nothing to change: the list is empty"));
    }
    let retargets: Vec<_> = sent.into_iter().map(retarget).collect::<Result<_>>()?;
    for (at, (reference, _)) in retargets.iter().enumerate() {
        if retargets[..at].iter().any(|(other, _)| other == reference) {
            return Err(Error::input(format!("activity {reference} stands in the list twice")));
        }
    }
    Ok(retargets)
}

fn retarget(sent: UpdateTargets) -> Result<(Reference, Retarget)> {
    let reference = activity(sent.id.as_deref(), sent.foreign_id.as_deref(), sent.time.as_deref())?;
    let read = |field, texts: Vec<String>| -> Result<Vec<FeedId>> {
        check_count(field, texts.len(), TARGETS_MAX)?;
        let mut feeds = feeds(field, texts.iter().map(|text| text.split(' ').next().unwrap_or_default()))?;
        let mut seen = std::collections::HashSet::new();
        feeds.retain(|feed| seen.insert(feed.clone()));
        Ok(feeds)
    };
    let retarget = match (sent.new_targets, sent.added_targets, sent.removed_targets) {
        (Some(new), None, None) => Retarget::Replace(read("new_targets", new)?),
        (None, None, None) => {
            return Err(Error::input(
                "there is nothing to change: send `new_targets`, `added_targets` or `removed_targets`",
            ));
        }
        (None, added, removed) => {
            let added = read("added_targets", added.unwrap_or_default())?;
            let removed = read("removed_targets", removed.unwrap_or_default())?;
            if let Some(both) = added.iter().find(|feed| removed.contains(feed)) {
                return Err(Error::input(format!("`{both}` is both in added_targets and in removed_targets")));
            }
            Retarget::Edit { added, removed }
        }
        (Some(_), ..) => {
            return Err(Error::input("new_targets cannot be combined with added_targets or removed_targets"));
        }
    };
    Ok((reference, retarget))
}

#[cfg(test)]
mod tests;
