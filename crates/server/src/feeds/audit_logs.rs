//! `GET audit_logs/` (feeds-v1 §5.15).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::feeds::audit::{self, Entry, From, Kind, Of, Place};
use ids::{Timestamp, UserId};
use wire::{
    error::Code,
    feeds::audit_logs::{AuditLog, AuditLogs, Empty},
};

use crate::{
    error::{Error, Result},
    from_wire::missing,
    gate::Call,
    reply::Reply,
};

/// Entries of a page when nobody says.
const LIMIT: usize = 25;
/// The most entries of a page.
const LIMIT_MAX: usize = 100;

/// What was done to a thing, or by a user, the newest first.
pub(crate) async fn list(call: Call) -> Result<Reply> {
    let (of, by) = asked(&call)?;
    let limit = call.query.number("limit", LIMIT, 1..=LIMIT_MAX)?;
    let from = match (call.query.get("next"), call.query.get("prev")) {
        (None, None) => From::Newest,
        (Some(cursor), None) => From::After(place("next", cursor)?),
        (None, Some(cursor)) => From::Before(place("prev", cursor)?),
        (Some(_), Some(_)) => return Err(Error::field("prev", "cannot stand beside next")),
    };
    if !call.tenant.app.settings.is_on(audit::SWITCH) {
        let words = format!("audit logs are not kept for this app; switch on its setting `{}`", audit::SWITCH);
        return Err(Error::new(Code::NotAllowed, words));
    }
    let page = audit::list(&mut call.tenant.app.snapshot(), &of, &from, limit).await?;
    let cursor = |entry: Option<&Entry>, is_more: bool| entry.filter(|_| is_more).map(cursor).unwrap_or_default();
    let (next, prev) = (cursor(page.entries.last(), page.has_older), cursor(page.entries.first(), page.has_newer));
    let wanted = page.entries.iter().filter(|entry| by.is_none() || entry.user == by);
    Ok(Reply::ok(&AuditLogs { audit_logs: wanted.map(shown).collect(), next, prev }))
}

/// Whose log it is, and whose entries of it are wanted.
fn asked(call: &Call) -> Result<(Of, Option<UserId>)> {
    let user = call.query.get("user_id").map(UserId::parse).transpose();
    let user = user.map_err(|error| Error::field("user_id", error.to_string()))?;
    match (call.query.get("entity_type"), call.query.get("entity_id"), user) {
        (Some(kind), Some(id), user) => {
            let kind = Kind::parse(kind).ok_or_else(|| Error::field("entity_type", "must be activity or reaction"))?;
            Ok((Of::Entity(kind, id.to_owned()), user))
        }
        (Some(_), None, _) => Err(missing("entity_id")),
        (None, Some(_), _) => Err(missing("entity_type")),
        (None, None, Some(user)) => Ok((Of::User(user), None)),
        (None, None, None) => Err(Error::input("send `entity_type` and `entity_id`, or `user_id`")),
    }
}

fn cursor(Entry { place: Place { at, kind, id, action }, .. }: &Entry) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}.{action}.{kind}.{id}", at.micros()))
}

fn place(field: &str, cursor: &str) -> Result<Place> {
    let read = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let mut parts = text.splitn(4, '.');
        let at = Timestamp::from_micros(parts.next()?.parse().ok()?);
        let action = parts.next()?.parse().ok()?;
        Some(Place { at, action, kind: parts.next()?.to_owned(), id: parts.next()?.to_owned() })
    };
    read().ok_or_else(|| Error::field(field, "is no cursor that was given out"))
}

fn shown(entry: &Entry) -> AuditLog {
    AuditLog {
        entity_type: entry.place.kind.clone(),
        entity_id: entry.place.id.clone(),
        action: entry.action,
        user_id: entry.user.as_ref().map(UserId::to_string).unwrap_or_default(),
        custom: Empty {},
        created_at: entry.place.at.rfc3339().to_string(),
    }
}
