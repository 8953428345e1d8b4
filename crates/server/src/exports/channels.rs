//! What was said in channels: one JSON document, JSON lines, or comma separated values (chat §11.12, §14).

use std::collections::BTreeSet;

use domain::{
    chat::{
        channels::Channel,
        members,
        messages::{self, Message, Shown},
    },
    exports::subject,
    keyspace::{CHANNEL, Chat},
    tasks::{ExportChannels, ExportedChannel, Layout},
    users::People,
};
use ids::{MessageId, Timestamp, UserId};
use serde_json::{Map, Value, json};
use wire::chat::dialect::Dialect;

use super::{Result, Sheet};
use crate::chat::to_wire::{self, messages::Frame};

/// Columns of comma separated values where nobody says.
const COLUMNS: [&str; 8] = ["id", "cid", "type", "user_id", "text", "parent_id", "created_at", "deleted_at"];

/// The most members that are written of one channel.
const MEMBERS_MAX: usize = 100_000;

/// Writes what was said in the channels.
pub(super) async fn write(sheet: &mut Sheet<'_>, asked: &ExportChannels) -> Result<()> {
    let mut seen = BTreeSet::new();
    match asked.layout {
        Layout::Document => sheet.text("{\"channels\":[").await?,
        Layout::Csv => sheet.text(&row(columns(asked).iter().map(|name| Value::from(*name)))).await?,
        Layout::Lines => {}
    }
    let mut is_first = true;
    for part in &asked.channels {
        let tenant = sheet.tenant.app.id.0;
        let channel = CHANNEL.get(&mut sheet.tx, tenant, &Chat(part.id.clone())).await?;
        let Some(channel) = channel.filter(|channel| asked.with_deleted || channel.deleted_at.is_none()) else {
            continue;
        };
        one(sheet, asked, part, &channel, is_first, &mut seen).await?;
        is_first = false;
    }
    if asked.layout == Layout::Document {
        sheet.text("\n]").await?;
    }
    write_users(sheet, asked, &seen).await?;
    if asked.layout == Layout::Document { sheet.text("}\n").await } else { Ok(()) }
}

async fn one(
    sheet: &mut Sheet<'_>,
    asked: &ExportChannels,
    part: &ExportedChannel,
    channel: &Channel,
    is_first: bool,
    seen: &mut BTreeSet<UserId>,
) -> Result<()> {
    let about = described(part, channel);
    match asked.layout {
        Layout::Document => {
            let comma = if is_first { "\n" } else { ",\n" };
            sheet.text(&format!("{comma}{{\"channel\":{about},\"members\":[")).await?;
        }
        Layout::Lines => sheet.line(&json!({ "type": "channel", "data": about })).await?,
        Layout::Csv => {}
    }
    let members = members::all(&mut sheet.tx, &part.id, MEMBERS_MAX).await?;
    for (n, (user, member)) in members.iter().enumerate() {
        sheet.names(user);
        seen.insert(user.clone());
        let data = json!({ "user_id": user.as_str(), "channel_role": member.channel_role,
            "created_at": time(member.created_at) });
        match asked.layout {
            Layout::Document => sheet.item(n == 0, &data).await?,
            Layout::Lines => {
                sheet.line(&json!({ "type": "member", "cid": part.id.as_str(), "data": data })).await?;
            }
            Layout::Csv => {}
        }
    }
    if asked.layout == Layout::Document {
        sheet.text("],\"messages\":[").await?;
    }
    let (mut walk, mut is_first) = (subject::Walk::default(), true);
    let since = part.since.max(channel.truncated_at.filter(|_| !asked.with_truncated).map(|at| at.plus_micros(1)));
    while let Some(page) = subject::said(&mut sheet.tx, &part.id, &mut walk).await? {
        for (id, message) in page {
            let is_after = since.is_none_or(|since| message.created_at >= since);
            if is_after && part.until.is_none_or(|until| message.created_at <= until) {
                write_message(sheet, asked, id, message, is_first, seen).await?;
                is_first = false;
            }
        }
    }
    if asked.layout == Layout::Document { sheet.text("]}").await } else { Ok(()) }
}

async fn write_message(
    sheet: &mut Sheet<'_>,
    asked: &ExportChannels,
    id: MessageId,
    message: Message,
    is_first: bool,
    seen: &mut BTreeSet<UserId>,
) -> Result<()> {
    let now = Timestamp::from_micros(sheet.server.clock.now_micros());
    let named = message.user.iter().chain(&message.mentioned).cloned().collect::<Vec<_>>();
    for user in named {
        sheet.names(&user);
        seen.insert(user);
    }
    let mut people = People::default();
    let mut shown = messages::gather(&mut sheet.tx, vec![(id, message)], None, &mut people).await?;
    let Some(shown) = shown.pop() else { return Ok(()) };
    for user in others(&shown) {
        sheet.names(user);
        seen.insert(user.clone());
    }
    let frame = Frame { dialect: Dialect::Classic, people: &people, now, shows_deleted: !asked.clears_deleted };
    let mut data = serde_json::to_value(frame.message(&shown)).expect("wire types are JSON");
    // The users stand in the file once, if at all.
    let author = shown.message.user.as_ref().map(|user| user.as_str());
    data["user_id"] = author.into();
    if let Some(fields) = data.as_object_mut() {
        fields.remove("user");
    }
    match asked.layout {
        Layout::Document => sheet.item(is_first, &picked(data, &asked.fields)).await,
        Layout::Lines => sheet.line(&json!({ "type": "message", "data": picked(data, &asked.fields) })).await,
        Layout::Csv => {
            let cells = columns(asked).into_iter().map(|name| data.get(name).cloned().unwrap_or_default());
            sheet.text(&row(cells)).await
        }
    }
}

fn others(shown: &Shown) -> impl Iterator<Item = &UserId> {
    let quoted = shown.quoted.iter().filter_map(|quoted| quoted.message.user.as_ref());
    shown.reactions.latest.iter().map(|reacted| &reacted.user).chain(&shown.participants).chain(quoted)
}

async fn write_users(sheet: &mut Sheet<'_>, asked: &ExportChannels, seen: &BTreeSet<UserId>) -> Result<()> {
    if !asked.with_users || asked.layout == Layout::Csv {
        return Ok(());
    }
    let now = Timestamp::from_micros(sheet.server.clock.now_micros());
    if asked.layout == Layout::Document {
        sheet.text(",\"users\":[").await?;
    }
    let mut is_first = true;
    for user in seen {
        let people = People::load(&mut sheet.tx, [user]).await?;
        let Some(data) = to_wire::users::embedded(Dialect::Classic, &people, user, now) else { continue };
        match asked.layout {
            Layout::Document => sheet.item(is_first, &data).await?,
            _ => sheet.line(&json!({ "type": "user", "data": data })).await?,
        }
        is_first = false;
    }
    if asked.layout == Layout::Document { sheet.text("]").await } else { Ok(()) }
}

fn described(part: &ExportedChannel, channel: &Channel) -> Value {
    let mut about = Map::new();
    if let Ok(Value::Object(custom)) = serde_json::from_str(&channel.custom) {
        about = custom;
    }
    about.insert("cid".to_owned(), part.id.as_str().into());
    about.insert("type".to_owned(), part.id.kind().into());
    about.insert("id".to_owned(), part.id.id().into());
    about.insert("created_by_id".to_owned(), channel.created_by.as_ref().map(|user| user.as_str()).into());
    about.insert("created_at".to_owned(), time(channel.created_at).into());
    about.insert("updated_at".to_owned(), time(channel.updated_at).into());
    about.insert("deleted_at".to_owned(), channel.deleted_at.map(time).into());
    about.insert("frozen".to_owned(), channel.is_frozen.into());
    Value::Object(about)
}

/// The members that are asked for, or all.
fn picked(data: Value, fields: &[String]) -> Value {
    match data {
        Value::Object(members) if !fields.is_empty() => {
            Value::Object(members.into_iter().filter(|(name, _)| fields.contains(name)).collect())
        }
        data => data,
    }
}

fn columns(asked: &ExportChannels) -> Vec<&str> {
    match asked.fields.is_empty() {
        true => COLUMNS.to_vec(),
        false => asked.fields.iter().map(String::as_str).collect(),
    }
}

/// A line of comma separated values.
fn row(cells: impl Iterator<Item = Value>) -> String {
    let cell = |value: Value| {
        let text = match value {
            Value::Null => String::new(),
            Value::String(text) => text,
            value => value.to_string(),
        };
        match text.contains([',', '"', '\n', '\r']) {
            true => format!("\"{}\"", text.replace('"', "\"\"")),
            false => text,
        }
    };
    format!("{}\r\n", cells.map(cell).collect::<Vec<_>>().join(","))
}

fn time(at: Timestamp) -> String {
    at.rfc3339().to_string()
}
