//! `/analytics/…` (feeds-v1 §5.16): what users saw and did is checked and dropped, and links that count lead on.
//!
//! Nobody here makes anything of such events, so nothing of them is stored.

use bytes::Bytes;
use ids::json::Object;
use reqwest::Url;
use serde_json::{Value, value::RawValue};

use crate::{
    error::{Error, Result},
    from_wire::{self, Members, missing},
    gate::Call,
    reply::{Redirect, Reply},
};

/// The most engagements, impressions or events of one call, and the most things in one impression.
const EVENTS_MAX: usize = 1000;
/// The longest label and the longest id, in bytes.
const NAME_BYTES_MAX: usize = 255;
/// The longest address that a link leads to, in bytes.
const URL_BYTES_MAX: usize = 2048;

/// `POST engagement/`: what somebody did.
pub(crate) async fn engage(_: Call, body: Bytes) -> Result<Reply> {
    for item in events(&Members::read(&body)?, "content_list")?.ok_or_else(|| missing("content_list"))? {
        check_engagement(&Members::new(item))?;
    }
    Ok(Reply::empty(201))
}

/// `POST impression/`: what somebody saw, one or a list.
pub(crate) async fn impress(_: Call, body: Bytes) -> Result<Reply> {
    let is_list = body.trim_ascii_start().first() == Some(&b'[');
    let impressions: Vec<Object> = if is_list { from_wire::bodies(&body)? } else { vec![from_wire::body(&body)?] };
    from_wire::check_count("impressions", impressions.len(), EVENTS_MAX)?;
    for impression in impressions {
        check_impression(&Members::new(impression))?;
    }
    Ok(Reply::empty(201))
}

/// `GET redirect/`: leads on to `url`.
///
/// Whoever made the link has signed a token into it. Without one it leads nowhere, or this server would lend its name to
/// everybody's links.
pub(crate) async fn redirect(call: Call) -> Result<Redirect> {
    let url = call.query.get("url").ok_or_else(|| missing("url"))?;
    let to = web("url", url)?;
    if let Some(events) = call.query.get("events") {
        let events: Vec<Object> = from_wire::bodies(events.as_bytes())
            .map_err(|_| Error::field("events", "must be a list of objects, as JSON"))?;
        from_wire::check_count("events", events.len(), EVENTS_MAX)?;
    }
    Ok(Redirect::to(&to))
}

/// An address that a browser may be sent to.
fn web(field: &str, text: &str) -> Result<Url> {
    let wrong = || Error::field(field, format!("must be an address of the web of at most {URL_BYTES_MAX} bytes"));
    let url = Url::parse(text).map_err(|_| wrong())?;
    // A name before the host makes one host look like another.
    let is_plain = url.username().is_empty() && url.password().is_none();
    let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
    if is_web && is_plain && url.as_str().len() <= URL_BYTES_MAX { Ok(url) } else { Err(wrong()) }
}

fn check_engagement(engagement: &Members) -> Result<()> {
    engagement.text("label", NAME_BYTES_MAX)?.ok_or_else(|| missing("label"))?;
    check_content("content", &engagement.value("content").ok_or_else(|| missing("content"))?)?;
    check_circumstances(engagement)
}

fn check_impression(impression: &Members) -> Result<()> {
    let Some(Value::Array(contents)) = impression.value("content_list") else {
        return Err(Error::field("content_list", "must be a list of what was seen"));
    };
    if contents.is_empty() {
        return Err(Error::field("content_list", "must not be empty"));
    }
    from_wire::check_count("content_list", contents.len(), EVENTS_MAX)?;
    contents.iter().try_for_each(|content| check_content("content_list", content))?;
    check_circumstances(impression)
}

/// Something that can be seen: its id, or an object that says more of it.
fn check_content(field: &str, content: &Value) -> Result<()> {
    let is_right = match content {
        Value::String(id) => !id.is_empty() && id.len() <= NAME_BYTES_MAX,
        Value::Object(more) => !more.is_empty(),
        _ => false,
    };
    if is_right { Ok(()) } else { Err(Error::field(field, "must be an id, or an object that says what it is")) }
}

/// Who it was, and what it was about.
fn check_circumstances(event: &Members) -> Result<()> {
    match event.value("user_data") {
        None | Some(Value::Object(_)) => {}
        Some(Value::String(id)) if !id.is_empty() && id.len() <= NAME_BYTES_MAX => {}
        Some(_) => return Err(Error::field("user_data", "must be the id of a user, or an object with one")),
    }
    for feature in events(event, "features")?.unwrap_or_default() {
        let feature = Members::new(feature);
        for name in ["group", "value"] {
            feature.text(name, NAME_BYTES_MAX)?.ok_or_else(|| missing(name))?;
        }
    }
    Ok(())
}

/// The member `name`, a list of objects.
fn events(members: &Members, name: &str) -> Result<Option<Vec<Object>>> {
    let raw = members.object_itself().get(name).map(RawValue::get).filter(|raw| *raw != "null");
    let Some(raw) = raw else { return Ok(None) };
    let list = from_wire::bodies(raw.as_bytes()).map_err(|_| Error::field(name, "must be a list of objects"))?;
    from_wire::check_count(name, list.len(), EVENTS_MAX)?;
    Ok(Some(list))
}
