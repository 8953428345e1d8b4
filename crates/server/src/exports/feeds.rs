//! What a user has in feeds: one JSON object (v2 §4.2).
//!
//! The documented lists are always there, if empty; what is told beside them stands under `extra`.

mod v3;

use std::io::Write as _;

use domain::{
    exports::{
        sets::{self, FeedSet},
        subject::{self, FeedRow, Walk},
    },
    feeds::activities::Activity as Posted,
    users::{self, People},
};
use ids::{ActivityId, FeedId, Timestamp, UserId};
use serde::Serialize;
use serde_json::{
    Value, json,
    value::{RawValue, to_raw_value},
};
use wire::chat::dialect::Dialect;

use super::{Result, Sheet, rows::Teller};
use crate::chat::to_wire;

/// Writes what `user` has in feeds.
pub(super) async fn write(sheet: &mut Sheet<'_>, user: &UserId, now: Timestamp) -> Result<()> {
    let people = People::load(&mut sheet.tx, [user]).await?;
    let profile = to_wire::users::embedded(Dialect::V2, &people, user, now);
    let profile = serde_json::to_value(&profile).expect("wire types are JSON");
    let (app, at) = (sheet.tenant.app.id.0.to_string(), time(now));
    sheet
        .text(&format!(
            r#"{{"version":"1","app":{},"user_id":{},"exported_at":{},"user":{}"#,
            json!(app),
            json!(user.as_str()),
            json!(at),
            documented(profile),
        ))
        .await?;
    let nobody = People::default();
    let teller = Teller { user, dialect: Dialect::Classic, people: &nobody, now };
    for set in FeedSet::DOCUMENTED {
        sheet.text(",\n").await?;
        list(sheet, &teller, set).await?;
    }
    sheet.text(",\n\"extra\":{").await?;
    for (n, set) in sets::beside_documented().into_iter().enumerate() {
        sheet.text(if n == 0 { "\n" } else { ",\n" }).await?;
        list(sheet, &teller, set).await?;
    }
    sheet.text("}}\n").await
}

/// The rows of `set`, as a list under its name.
async fn list(sheet: &mut Sheet<'_>, teller: &Teller<'_>, set: FeedSet) -> Result<()> {
    sheet.text(&format!("\"{}\":[", set.list())).await?;
    let (mut walk, mut is_first) = (Walk::default(), true);
    while let Some(rows) = subject::feed_page(&mut sheet.tx, teller.user, set, &mut walk).await? {
        for row in rows {
            sheet.item_by(is_first, |out| write_row(out, row, teller)).await?;
            is_first = false;
        }
    }
    sheet.text("]").await
}

/// Writes the row as a JSON object.
fn write_row(out: &mut Vec<u8>, row: FeedRow, teller: &Teller<'_>) {
    match row {
        FeedRow::Activity(id, activity, feeds) => write_activity(out, id, &activity, &feeds),
        // Its times are texts, as all in a document.
        FeedRow::User(row) => out.extend_from_slice(teller.told(row).get().as_bytes()),
        row => out.extend_from_slice(told(row).get().as_bytes()),
    }
}

/// Writes an activity, of which there are many: the app's own fields are JSON already, and are joined as they are.
fn write_activity(out: &mut Vec<u8>, id: ActivityId, activity: &Posted, feeds: &[FeedId]) {
    let Posted { actor, verb, object, target, foreign_id, to, custom } = activity;
    let named = Activity {
        id: id.to_string(),
        kind: verb,
        actor,
        object,
        target,
        foreign_id,
        to: names(to),
        feeds: names(feeds),
    };
    serde_json::to_writer(&mut *out, &named).expect("wire types are JSON");
    let closing = out.pop();
    debug_assert_eq!(closing, Some(b'}'));
    write!(out, r#","custom":{custom},"created_at":"{}"}}"#, id.time().rfc3339())
        .expect("writing to memory cannot fail");
}

/// The row as a JSON object.
fn told(row: FeedRow) -> Box<RawValue> {
    match row {
        FeedRow::Feed(feed) => raw(&json!({ "fid": feed.to_string(), "deleted_at": null, "custom": {} })),
        FeedRow::Follow(source, target, follow) => {
            let status = if follow.is_active { "accepted" } else { "ended" };
            raw(&json!({ "source": source.to_string(), "target": target.to_string(), "status": status,
                "created_at": time(follow.created_at), "custom": {} }))
        }
        FeedRow::Reaction(id, reaction) => raw(&Reaction {
            id,
            kind: reaction.kind,
            activity_id: reaction.activity.to_string(),
            parent: reaction.parent.map(|parent| parent.id),
            target_feeds: names(&reaction.target_feeds),
            custom: object(reaction.data),
            created_at: time(reaction.created_at),
            deleted_at: reaction.deleted_at.map(time),
        }),
        FeedRow::Item(name, id, item) => {
            raw(&Item { name, id, custom: object(item.data), created_at: time(item.created_at) })
        }
        FeedRow::Profile(profile) => raw(&Profile { data: object(profile.data), created_at: time(profile.created_at) }),
        FeedRow::Mark(feed, group, is_read) => raw(&json!({ "fid": feed.to_string(), "all": group == 0,
            "mark": if is_read { "read" } else { "seen" } })),
        row => v3::told(row),
    }
}

fn raw(row: &impl Serialize) -> Box<RawValue> {
    to_raw_value(row).expect("wire types are JSON")
}

fn object(json: String) -> Box<RawValue> {
    RawValue::from_string(json).expect("it was parsed before it was stored")
}

fn names(feeds: &[FeedId]) -> Vec<String> {
    feeds.iter().map(ToString::to_string).collect()
}

/// An activity in the file, but for the app's own fields and when it was.
#[derive(Serialize)]
struct Activity<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: &'a str,
    actor: &'a str,
    object: &'a str,
    target: &'a str,
    foreign_id: &'a str,
    to: Vec<String>,
    feeds: Vec<String>,
}

/// A reaction in the file.
#[derive(Serialize)]
struct Reaction {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    activity_id: String,
    parent: Option<String>,
    target_feeds: Vec<String>,
    custom: Box<RawValue>,
    created_at: String,
    deleted_at: Option<String>,
}

/// An item of a collection in the file.
#[derive(Serialize)]
struct Item {
    name: String,
    id: String,
    custom: Box<RawValue>,
    created_at: String,
}

/// What feeds v1.0 know of the user, in the file.
#[derive(Serialize)]
struct Profile {
    data: Box<RawValue>,
    created_at: String,
}

fn time(at: Timestamp) -> String {
    at.rfc3339().to_string()
}

/// The user with times as texts, for the file is a document and not an answer.
fn documented(mut user: Value) -> Value {
    if let Some(fields) = user.as_object_mut() {
        for (name, value) in fields.iter_mut() {
            if let (true, Some(nanos)) = (name.ends_with("_at") || name == "last_active", value.as_i64()) {
                *value = time(Timestamp::from_micros(nanos / 1000)).into();
            }
        }
    }
    user
}

/// Whether there is such a user, or something in feeds that would be theirs.
pub(crate) async fn is_known(tx: &mut domain::Tx, user: &UserId) -> domain::Result<bool> {
    Ok(users::get(tx, user).await?.is_some() || !subject::feeds(tx, user).await?.is_empty())
}
