//! What a user has in feeds: one JSON object (v2 §4.2).
//!
//! The lists that this version's feeds cannot fill are there and empty.

use domain::{
    exports::subject::{self, Walk},
    users::{self, People},
};
use ids::{Timestamp, UserId};
use serde_json::{Value, json, value::RawValue};
use wire::chat::dialect::Dialect;

use super::{Result, Sheet};
use crate::chat::to_wire;

/// Lists of data sets that feeds v1.0 does not have.
const EMPTY: [&str; 5] = ["comments", "reactions", "bookmarks", "bookmark_folders", "collections"];

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
    list(sheet, "feeds").await?;
    for (n, feed) in subject::feeds(&mut sheet.tx, user).await?.iter().enumerate() {
        sheet.item(n == 0, &json!({ "fid": feed.to_string(), "deleted_at": null, "custom": {} })).await?;
    }
    sheet.text("]").await?;
    write_follows(sheet, user).await?;
    write_activities(sheet, user).await?;
    for name in EMPTY {
        list(sheet, name).await?;
        sheet.text("]").await?;
    }
    sheet.text("}\n").await
}

async fn list(sheet: &mut Sheet<'_>, name: &str) -> Result<()> {
    sheet.text(&format!(",\n\"{name}\":[")).await
}

async fn write_follows(sheet: &mut Sheet<'_>, user: &UserId) -> Result<()> {
    list(sheet, "follows").await?;
    let (mut walk, mut is_first) = (Walk::default(), true);
    while let Some(follows) = subject::follows(&mut sheet.tx, user, &mut walk).await? {
        for (source, target, follow) in follows {
            let status = if follow.is_active { "accepted" } else { "ended" };
            let row = json!({ "source": source.to_string(), "target": target.to_string(), "status": status,
                "created_at": time(follow.created_at), "custom": {} });
            sheet.item(is_first, &row).await?;
            is_first = false;
        }
    }
    sheet.text("]").await
}

async fn write_activities(sheet: &mut Sheet<'_>, user: &UserId) -> Result<()> {
    list(sheet, "activities").await?;
    let (mut walk, mut is_first) = (Walk::default(), true);
    while let Some(activities) = subject::activities(&mut sheet.tx, user, &mut walk).await? {
        for (id, activity, feeds) in activities {
            let custom: Box<RawValue> =
                RawValue::from_string(activity.custom).expect("it was parsed before it was stored");
            let names = |feeds: &[ids::FeedId]| feeds.iter().map(ToString::to_string).collect::<Vec<_>>();
            let row = Activity {
                id: id.to_string(),
                kind: activity.verb,
                actor: activity.actor,
                object: activity.object,
                target: activity.target,
                foreign_id: activity.foreign_id,
                to: names(&activity.to),
                feeds: names(&feeds),
                custom,
                created_at: time(id.time()),
            };
            sheet.item(is_first, &row).await?;
            is_first = false;
        }
    }
    sheet.text("]").await
}

/// An activity in the file.
#[derive(serde::Serialize)]
struct Activity {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    actor: String,
    object: String,
    target: String,
    foreign_id: String,
    to: Vec<String>,
    feeds: Vec<String>,
    custom: Box<RawValue>,
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
