//! What dashboards of moderation keep here: `/moderation/action_config`, `/moderation/queues`,
//! `/moderation/feeds_moderation_template` and `/moderation/setup` (v2 §6.4, §6.5).

use std::collections::BTreeMap;

use domain::{
    Tx,
    filter::{Filter, Sort},
    moderation::{
        review,
        settings::{self, Kind, Setting},
    },
};
use ids::{Timestamp, UserId};
use serde_json::{Map, Value, json, value::RawValue};
use wire::chat::dialect::{Dialect, Time};

use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
    },
    reply::Reply,
};

/// The most settings of one call.
const BULK_MAX: usize = 100;
/// Steps of a setup.
const STEPS: [&str; 4] = ["welcome", "input", "configure", "live"];
/// How a setup stands.
const STATUSES: [&str; 2] = ["in_progress", "completed"];
/// The one setup of an app.
const SETUP: &str = "setup";
/// The longest id, in bytes.
const ID_BYTES_MAX: usize = 255;

/// Texts that a setting needs.
fn required(sent: &mut Fields, name: &str) -> Result<String> {
    sent.filled(name)?.ok_or_else(|| Error::field(name, "is a required field"))
}

fn value(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

fn members(setting: &Setting) -> Map<String, Value> {
    serde_json::from_str(&setting.json).unwrap_or_default()
}

fn time(at: Timestamp, dialect: Dialect) -> Value {
    serde_json::to_value(Time { at, dialect }).expect("times are JSON")
}

/// A button, as it is stored.
fn action(sent: &mut Fields) -> Result<Map<String, Value>> {
    let order = sent.number("order")?.ok_or_else(|| Error::field("order", "is a required field"))?;
    let mut action = Map::new();
    action.insert("action".to_owned(), required(sent, "action")?.into());
    action.insert("entity_type".to_owned(), required(sent, "entity_type")?.into());
    action.insert("order".to_owned(), order.into());
    action.insert("description".to_owned(), sent.text("description")?.unwrap_or_default().into());
    action.insert("icon".to_owned(), sent.text("icon")?.unwrap_or_default().into());
    if let Some(queue) = sent.filled("queue_type")? {
        action.insert("queue_type".to_owned(), queue.into());
    }
    if let Some(custom) = sent.object("custom")? {
        action.insert("custom".to_owned(), serde_json::from_str(&custom.rest().to_string()).unwrap_or_default());
    }
    Ok(action)
}

fn id(call: &Call, sent: &mut Fields) -> Result<String> {
    let id = sent.filled("id")?.unwrap_or_else(|| call.new_id());
    match id.len() <= ID_BYTES_MAX {
        true => Ok(id),
        false => Err(Error::field("id", &format!("has at most {ID_BYTES_MAX} bytes"))),
    }
}

fn with_id(mut members: Map<String, Value>, id: &str) -> Map<String, Value> {
    members.insert("id".to_owned(), id.into());
    members
}

/// Buttons by the type of what they are for, in their order; of one queue or one type, if that is asked.
pub(super) async fn actions(
    call: &Call,
    (queue, entity): (Option<&str>, Option<&str>),
) -> Result<BTreeMap<String, Vec<Value>>> {
    let mut known = settings::list(&mut call.snapshot(), Kind::Action).await?;
    known.sort_by_key(|(_, setting)| members(setting).get("order").and_then(Value::as_i64));
    let mut by_type: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (id, setting) in known {
        let action = with_id(members(&setting), &id);
        let text = |name: &str| action.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        if queue.is_none_or(|queue| text("queue_type") == queue)
            && entity.is_none_or(|kind| text("entity_type") == kind)
        {
            by_type.entry(text("entity_type")).or_default().push(Value::Object(action));
        }
    }
    Ok(by_type)
}

/// `GET /moderation/action_config`: the buttons that were set; there are none by default.
pub(crate) async fn list_actions(call: Call, _: Fields) -> Result<Reply> {
    let asked = |name| call.query.get(name).filter(|text| !text.is_empty());
    let known = match call.flag("only_defaults")? {
        true => BTreeMap::new(),
        false => actions(&call, (asked("queue_type"), asked("entity_type"))).await?,
    };
    call.flag("exclude_defaults")?;
    call.answer(&json!({ "action_config": known }))
}

/// `POST /moderation/action_config`: sets one.
pub(crate) async fn upsert_action(call: Call, mut sent: Fields) -> Result<Reply> {
    let by = call.actor(&mut sent)?;
    let (id, action) = (id(&call, &mut sent)?, action(&mut sent)?);
    put_actions(&call, by.as_ref(), &[(id.clone(), action.clone())]).await?;
    call.answer(&json!({ "action_config": with_id(action, &id) }))
}

/// `POST /moderation/action_config/bulk`: sets many.
pub(crate) async fn upsert_actions(call: Call, mut sent: Fields) -> Result<Reply> {
    let by = call.actor(&mut sent)?;
    let listed = sent.objects("action_configs")?.unwrap_or_default();
    if listed.is_empty() || listed.len() > BULK_MAX {
        return Err(Error::field("action_configs", &format!("must hold 1 to {BULK_MAX}")));
    }
    let read = |mut one: Fields| Ok((id(&call, &mut one)?, action(&mut one)?));
    let all: Vec<(String, Map<String, Value>)> = listed.into_iter().map(read).collect::<Result<_>>()?;
    put_actions(&call, by.as_ref(), &all).await?;
    let shown: Vec<_> = all.into_iter().map(|(id, action)| with_id(action, &id)).collect();
    call.answer(&json!({ "action_configs": shown }))
}

async fn put_actions(call: &Call, by: Option<&UserId>, all: &[(String, Map<String, Value>)]) -> Result<()> {
    let now = call.now();
    let body = async |tx: &mut Tx| {
        for (id, action) in all {
            let json = Value::Object(action.clone()).to_string();
            settings::put(tx, (Kind::Action, id), &json, by, now).await?;
        }
        Ok(())
    };
    Ok(call.app.write(body).await?)
}

/// `DELETE /moderation/action_config/{id}`.
pub(crate) async fn remove_action(call: Call, _: Fields) -> Result<Reply> {
    let ids = [call.param("id").to_owned()];
    remove_all(&call, &ids).await
}

/// `POST /moderation/action_config/bulk_delete`.
pub(crate) async fn remove_actions(call: Call, mut sent: Fields) -> Result<Reply> {
    let ids = sent.texts("ids")?.unwrap_or_default();
    if ids.is_empty() || ids.len() > BULK_MAX {
        return Err(Error::field("ids", &format!("must hold 1 to {BULK_MAX} ids")));
    }
    remove_all(&call, &ids).await
}

async fn remove_all(call: &Call, ids: &[String]) -> Result<Reply> {
    let body = async |tx: &mut Tx| {
        let mut deleted = 0;
        for id in ids {
            deleted += usize::from(settings::remove(tx, Kind::Action, id).await?.is_some());
        }
        Ok(deleted)
    };
    let deleted = call.app.write(body).await?;
    call.answer(&json!({ "deleted": deleted }))
}

/// `GET /moderation/queues`.
pub(crate) async fn list_queues(call: Call, _: Fields) -> Result<Reply> {
    let known = settings::list(&mut call.snapshot(), Kind::Queue).await?;
    let mut queues = Vec::with_capacity(known.len());
    for (id, setting) in &known {
        queues.push(queue(&call, id, setting).await?);
    }
    call.answer(&json!({ "queues": queues }))
}

/// `POST /moderation/queues`: names a filter and a sort of the review queue.
pub(crate) async fn add_queue(call: Call, mut sent: Fields) -> Result<Reply> {
    let mut queue = Map::new();
    queue.insert("name".to_owned(), required(&mut sent, "name")?.into());
    queue.insert("type".to_owned(), required(&mut sent, "type")?.into());
    queue.insert("description".to_owned(), sent.text("description")?.unwrap_or_default().into());
    keep_queue(&call, &call.new_id(), queue, sent).await
}

/// `GET /moderation/queues/{id}`.
pub(crate) async fn get_queue(call: Call, _: Fields) -> Result<Reply> {
    let id = call.param("id");
    let setting = load(&call, id).await?;
    let queue = queue(&call, id, &setting).await?;
    call.answer(&json!({ "queue": queue }))
}

/// `PATCH /moderation/queues/{id}`: what is absent stays.
pub(crate) async fn update_queue(call: Call, mut sent: Fields) -> Result<Reply> {
    let id = call.param("id").to_owned();
    let mut queue = members(&load(&call, &id).await?);
    for name in ["name", "description"] {
        if let Some(text) = sent.text(name)? {
            queue.insert(name.to_owned(), text.into());
        }
    }
    keep_queue(&call, &id, queue, sent).await
}

/// `POST /moderation/queues/{id}/delete`.
pub(crate) async fn remove_queue(call: Call, _: Fields) -> Result<Reply> {
    let id = call.param("id").to_owned();
    let setting = load(&call, &id).await?;
    let shown = queue(&call, &id, &setting).await?;
    call.app.write(async |tx: &mut Tx| settings::remove(tx, Kind::Queue, &id).await).await?;
    call.answer(&json!({ "queue": shown }))
}

async fn load(call: &Call, id: &str) -> Result<Setting> {
    let known = settings::get(&mut call.snapshot(), Kind::Queue, id).await?;
    Ok(known.ok_or_else(|| domain::Error::Absent(format!("moderation queue '{id}' does not exist")))?)
}

/// Keeps a queue with its filter and sort, if they are what the review queue takes.
async fn keep_queue(call: &Call, id: &str, mut queue: Map<String, Value>, mut sent: Fields) -> Result<Reply> {
    let by = call.actor(&mut sent)?;
    if let Some(filters) = sent.raw("filters").filter(|raw| raw.get() != "null") {
        Filter::parse(filters.get(), review::SCHEMA)?;
        queue.insert("filters".to_owned(), value(&filters));
    }
    if let Some(sort) = sent.raw("sort").filter(|raw| raw.get() != "null") {
        Sort::parse(sort.get())?;
        queue.insert("sort".to_owned(), value(&sort));
    }
    let (json, now) = (Value::Object(queue).to_string(), call.now());
    let body = async |tx: &mut Tx| settings::put(tx, (Kind::Queue, id), &json, by.as_ref(), now).await;
    let setting = call.app.write(body).await?;
    let shown = self::queue(call, id, &setting).await?;
    call.answer(&json!({ "queue": shown }))
}

/// A queue with how many open items it holds.
async fn queue(call: &Call, id: &str, setting: &Setting) -> Result<Value> {
    let mut shown = with_id(members(setting), id);
    let filters = shown.entry("filters").or_insert_with(|| json!({})).to_string();
    shown.entry("sort").or_insert_with(|| json!([]));
    let filter = Filter::parse(&filters, review::SCHEMA)?;
    let held = review::query(&mut call.snapshot(), None, &filter, &Sort::by(review::SORT)).await?;
    shown.insert("item_count".to_owned(), held.len().into());
    shown.insert("created_by".to_owned(), setting.created_by.as_ref().map_or("", UserId::as_str).into());
    shown.insert("created_at".to_owned(), time(setting.created_at, call.dialect));
    shown.insert("updated_at".to_owned(), time(setting.updated_at, call.dialect));
    Ok(Value::Object(shown))
}

/// `POST /moderation/feeds_moderation_template`: keeps a template by its name.
pub(crate) async fn upsert_template(call: Call, mut sent: Fields) -> Result<Reply> {
    let name = required(&mut sent, "name")?;
    if name.len() > ID_BYTES_MAX {
        return Err(Error::field("name", &format!("has at most {ID_BYTES_MAX} bytes")));
    }
    let config = sent.object("config")?.ok_or_else(|| Error::field("config", "is a required field"))?;
    let (json, now) = (config.rest().to_string(), call.now());
    let body = async |tx: &mut Tx| settings::put(tx, (Kind::Template, &name), &json, None, now).await;
    let setting = call.app.write(body).await?;
    call.answer(&template(&call, &name, &setting))
}

/// `GET /moderation/feeds_moderation_template`.
pub(crate) async fn list_templates(call: Call, _: Fields) -> Result<Reply> {
    let known = settings::list(&mut call.snapshot(), Kind::Template).await?;
    let templates: Vec<Value> = known.iter().map(|(name, setting)| template(&call, name, setting)).collect();
    call.answer(&json!({ "templates": templates }))
}

/// `DELETE /moderation/feeds_moderation_template`: all of them, for the call names none.
pub(crate) async fn remove_templates(call: Call, _: Fields) -> Result<Reply> {
    let body = async |tx: &mut Tx| {
        for (name, _) in settings::list(tx, Kind::Template).await? {
            settings::remove(tx, Kind::Template, &name).await?;
        }
        Ok(())
    };
    call.app.write(body).await?;
    call.done()
}

fn template(call: &Call, name: &str, setting: &Setting) -> Value {
    json!({
        "name": name,
        "config": members(setting),
        "created_at": time(setting.created_at, call.dialect),
        "updated_at": time(setting.updated_at, call.dialect),
    })
}

/// `POST /moderation/setup`: notes how far somebody came with setting moderation up.
pub(crate) async fn upsert_setup(call: Call, mut sent: Fields) -> Result<Reply> {
    let (step, status) = (required(&mut sent, "current_step")?, required(&mut sent, "status")?);
    for (name, text, known) in [("current_step", &step, &STEPS[..]), ("status", &status, &STATUSES[..])] {
        if !known.contains(&text.as_str()) {
            return Err(Error::field(name, &format!("must be one of [{}]", known.join(" "))));
        }
    }
    let data = sent.object("setup_data")?.map(Fields::rest).unwrap_or_default();
    let data: Value = serde_json::from_str(&data.to_string()).unwrap_or_default();
    let json = json!({ "current_step": step, "status": status, "setup_data": data }).to_string();
    let now = call.now();
    let body = async |tx: &mut Tx| settings::put(tx, (Kind::Setup, SETUP), &json, None, now).await;
    let setting = call.app.write(body).await?;
    call.answer(&json!({ "setup_session": session(&call, &setting) }))
}

/// `GET /moderation/setup`.
pub(crate) async fn get_setup(call: Call, _: Fields) -> Result<Reply> {
    match settings::get(&mut call.snapshot(), Kind::Setup, SETUP).await? {
        Some(setting) => call.answer(&json!({ "setup_session": session(&call, &setting) })),
        None => call.done(),
    }
}

fn session(call: &Call, setting: &Setting) -> Value {
    let mut session = members(setting);
    session.insert("created_at".to_owned(), time(setting.created_at, call.dialect));
    session.insert("updated_at".to_owned(), time(setting.updated_at, call.dialect));
    Value::Object(session)
}
