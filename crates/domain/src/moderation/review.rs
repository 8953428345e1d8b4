//! The review queue (v2 §6.5): one item for each thing that was reported, open until a moderator has looked at it.

use std::borrow::Cow;

use ids::{ChannelId, Timestamp, UserId, json::Object};
use minicbor::{Decode, Encode};
use store::{Direction, Limit, key::after};

use super::{
    Found,
    actions::{self, Action},
    decisions::MARK_REVIEWED,
    flags::{Entity, Flag, Flagged, Found as Machine},
    news,
};
use crate::{
    Error, Result, Tx,
    filter::{Field, Filter, Kind, Row, Schema, Sort, Value},
    keyspace::{REVIEW, REVIEW_OF},
    rows,
};

/// The most items that are looked at for what machines found.
const ITEMS_MAX: usize = 10_000;

/// An item of the queue.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Item {
    /// What was reported.
    #[n(0)]
    pub entity: Entity,
    /// Whose it is.
    #[n(1)]
    pub creator: Option<UserId>,
    /// Where it is.
    #[n(2)]
    pub channel: Option<ChannelId>,
    /// The content, where only the application has it: a JSON object.
    #[n(3)]
    pub payload: String,
    /// When it was first reported.
    #[n(4)]
    pub created_at: Timestamp,
    /// When something last happened to it.
    #[n(5)]
    pub updated_at: Timestamp,
    /// When a moderator had looked at it; open, if absent.
    #[n(6)]
    pub reviewed_at: Option<Timestamp>,
    /// Who.
    #[n(7)]
    pub reviewed_by: Option<UserId>,
    /// What was last done about it.
    #[n(8)]
    pub action: String,
    /// The result, in the application's words: for flag reports.
    #[n(9)]
    pub result: String,
    /// More of it: a JSON object.
    #[n(10)]
    pub details: String,
    /// What machines found, one for each engine.
    #[n(11)]
    #[cbor(default)]
    pub marks: Vec<Mark>,
    /// What these say is to become of it: `keep`, `flag`, `remove` and the like; empty for nothing.
    #[n(12)]
    #[cbor(default)]
    pub recommended: String,
    /// The policy that asked; empty for none.
    #[n(13)]
    #[cbor(default)]
    pub policy: String,
    /// That it was handed on.
    #[n(14)]
    pub escalation: Option<Escalation>,
    /// Who looks at it, and until when others do not.
    #[n(15)]
    pub lock: Option<Lock>,
    /// The last appeal against what was decided.
    #[n(16)]
    pub appeal: Option<String>,
}

/// What a machine found in something: an engine of this server, or a model of the application's own.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Mark {
    /// Which: `blocklist`, `flood`, `velocity`, or what the application calls its own.
    #[n(0)]
    pub kind: String,
    /// Why.
    #[n(1)]
    pub reason: String,
    /// What it calls that.
    #[n(2)]
    pub labels: Vec<String>,
    /// What the application added: a JSON object.
    #[n(3)]
    pub custom: String,
    /// When.
    #[n(4)]
    pub at: Timestamp,
}

/// That an item was handed on.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Escalation {
    /// When.
    #[n(0)]
    pub at: Timestamp,
    /// By whom.
    #[n(1)]
    pub by: Option<UserId>,
    /// Why.
    #[n(2)]
    pub reason: String,
    /// What is to be known.
    #[n(3)]
    pub notes: String,
    /// How urgent it is.
    #[n(4)]
    pub priority: String,
}

/// That a moderator looks at an item.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Lock {
    /// Who.
    #[n(0)]
    pub by: UserId,
    /// Until when.
    #[n(1)]
    pub until: Timestamp,
}

/// The id of the open item of `entity`, made as `fresh` if there is none.
pub(super) async fn open(
    tx: &mut Tx,
    entity: &Entity,
    creator: Option<&UserId>,
    channel: Option<&ChannelId>,
    payload: &Object,
    fresh: &str,
    now: Timestamp,
) -> Result<String> {
    let (tenant, key) = (tx.tenant(), (entity.kind.clone(), entity.id.clone()));
    let (id, before) = match of(tx, entity).await? {
        Some(known) => (known.id, Some(known.item)),
        None => (fresh.to_owned(), None),
    };
    let before = before.unwrap_or_else(|| Item::new(entity.clone(), now));
    let item = Item {
        creator: creator.cloned(),
        channel: channel.cloned(),
        payload: payload.to_string(),
        updated_at: now,
        reviewed_at: None,
        reviewed_by: None,
        result: String::new(),
        details: "{}".to_owned(),
        ..before
    };
    REVIEW.put(tx, tenant, &id, &item);
    REVIEW_OF.put(tx, tenant, &key, &id);
    Ok(id)
}

/// The item of `entity`, open or closed: the last one, with its id.
///
/// # Errors
/// When the store fails.
pub async fn of(tx: &mut Tx, entity: &Entity) -> Result<Option<Queued>> {
    let (tenant, key) = (tx.tenant(), (entity.kind.clone(), entity.id.clone()));
    let Some(id) = REVIEW_OF.get(tx, tenant, &key).await? else { return Ok(None) };
    Ok(get(tx, &id).await?.map(|item| Queued { id, item }))
}

/// Adds what machines found to the item `id`; what the same engine found before is replaced.
pub(super) async fn mark(tx: &mut Tx, id: &str, found: &Machine) -> Result<()> {
    let mut item = load(tx, id).await?;
    item.marks.retain(|mark| found.marks.iter().all(|fresh| fresh.kind != mark.kind));
    item.marks.extend(found.marks.iter().cloned());
    item.recommended = found.recommended.clone();
    item.policy = found.policy.clone();
    put(tx, id, &item);
    Ok(())
}

fn put(tx: &mut Tx, id: &str, item: &Item) {
    let tenant = tx.tenant();
    REVIEW.put(tx, tenant, &id.to_owned(), item);
}

/// Changes the item `id`.
///
/// # Errors
/// [`Error::Absent`] when there is no such item.
pub async fn change(tx: &mut Tx, id: &str, change: impl FnOnce(&mut Item)) -> Result<Item> {
    let mut item = load(tx, id).await?;
    change(&mut item);
    put(tx, id, &item);
    Ok(item)
}

/// The item `id`.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, id: &str) -> Result<Option<Item>> {
    let tenant = tx.tenant();
    Ok(REVIEW.get(tx, tenant, &id.to_owned()).await?)
}

/// The item `id`.
///
/// # Errors
/// [`Error::Absent`] when there is none.
pub async fn load(tx: &mut Tx, id: &str) -> Result<Item> {
    get(tx, id).await?.ok_or_else(|| Error::Absent(format!("review queue item '{id}' does not exist")))
}

/// The open items of what is `creator`'s, at most so many.
pub(super) async fn open_of(tx: &mut Tx, creator: &UserId, most: usize) -> Result<Vec<String>> {
    let range = REVIEW.range(tx.tenant());
    let rows = rows::list(tx, &REVIEW, range, ITEMS_MAX).await?;
    let is_open = |item: &Item| item.reviewed_at.is_none() && item.creator.as_ref() == Some(creator);
    Ok(rows.into_iter().filter(|(_, item)| is_open(item)).map(|(id, _)| id).take(most).collect())
}

/// Locks items for a moderator: others who ask for locked items do not get them until then.
///
/// # Errors
/// When the store fails.
pub async fn lock(tx: &mut Tx, ids: &[String], lock: &Lock) -> Result<()> {
    for id in ids {
        if get(tx, id).await?.is_some() {
            change(tx, id, |item| item.lock = Some(lock.clone())).await?;
        }
    }
    Ok(())
}

/// Notes that `action` was done about the item `id`; `note` is the id of the note in the log.
///
/// # Errors
/// [`Error::Absent`] when there is no such item.
pub async fn note(tx: &mut Tx, id: &str, action: &Action, note: &str) -> Result<()> {
    let item = load(tx, id).await?;
    let action = Action {
        target: action.target.clone().or_else(|| item.creator.clone()),
        entity: Some(item.entity.clone()),
        channel: action.channel.clone().or_else(|| item.channel.clone()),
        item: Some(id.to_owned()),
        ..action.clone()
    };
    actions::record(tx, note, &action);
    Ok(())
}

/// Notes that `action` was done about the item `id`, which closes it; `name` is the id of the note in the log.
///
/// # Errors
/// [`Error::Absent`] when there is no such item.
pub async fn close(tx: &mut Tx, id: &str, action: &Action, name: &str) -> Result<Item> {
    let mut item = load(tx, id).await?;
    item.reviewed_at = Some(action.at);
    item.reviewed_by = action.user.clone();
    item.updated_at = action.at;
    item.action = action.kind.clone();
    item.lock = None;
    put(tx, id, &item);
    note(tx, id, action, name).await?;
    Ok(item)
}

/// Notes what came of the review of a flag report (chat §11.8).
///
/// # Errors
/// [`Error::Absent`] when there is no such item.
pub async fn report(
    tx: &mut Tx,
    id: &str,
    by: Option<&UserId>,
    (result, details): (&str, &Object),
    note: &str,
    now: Timestamp,
) -> Result<Item> {
    let action = Action { kind: MARK_REVIEWED.to_owned(), user: by.cloned(), ..Action::new(now) };
    let mut item = close(tx, id, &action, note).await?;
    item.result = result.to_owned();
    item.details = details.to_string();
    let tenant = tx.tenant();
    REVIEW.put(tx, tenant, &id.to_owned(), &item);
    news::changed(tx, id, Some((note, &action)), now);
    news::reviewed(tx, id, (note, &action), item.entity.message().is_some());
    Ok(item)
}

/// What a filter of the queue may name.
pub const SCHEMA: Schema = Schema {
    fields: &[
        Field::new("id", Kind::Text),
        Field::new("report_id", Kind::Text),
        Field::new("status", Kind::Text),
        Field::new("reviewed", Kind::Bool),
        Field::new("is_reviewed", Kind::Bool),
        Field::new("entity_type", Kind::Text),
        Field::new("entity_id", Kind::Text),
        Field::new("message_id", Kind::Text),
        Field::new("entity_creator_id", Kind::Text),
        Field::new("user_id", Kind::Text),
        Field::new("channel_cid", Kind::Text),
        Field::new("review_result", Kind::Text),
        Field::new("reviewed_by", Kind::Text),
        Field::new("recommended_action", Kind::Text),
        Field::new("latest_moderator_action", Kind::Text),
        Field::new("config_key", Kind::Text),
        Field::new("flag_types", Kind::List),
        Field::new("escalated", Kind::Bool),
        Field::new("assigned_to", Kind::Text),
        Field::new("appeal", Kind::Bool),
        Field::new("created_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
        Field::new("reviewed_at", Kind::Time),
    ],
    has_custom: false,
};
/// The order of the queue if nobody says.
pub const SORT: &[&str] = &["-created_at"];

/// An item with its id.
#[derive(Clone, PartialEq, Debug)]
pub struct Queued {
    /// The id.
    pub id: String,
    /// The item.
    pub item: Item,
}

impl Item {
    /// An open item of `entity`, of which nothing else is known.
    pub fn new(entity: Entity, now: Timestamp) -> Self {
        Item {
            entity,
            creator: None,
            channel: None,
            payload: "{}".to_owned(),
            created_at: now,
            updated_at: now,
            reviewed_at: None,
            reviewed_by: None,
            action: String::new(),
            result: String::new(),
            details: "{}".to_owned(),
            marks: Vec::new(),
            recommended: String::new(),
            policy: String::new(),
            escalation: None,
            lock: None,
            appeal: None,
        }
    }

    /// How it stands, in the API's words.
    pub fn status(&self) -> &'static str {
        if self.reviewed_at.is_some() { "reviewed" } else { "pending" }
    }
}

impl Queued {
    /// What machines found, as flags.
    pub fn flags(&self) -> Vec<Flagged> {
        let Item { entity, creator, channel, reviewed_at, .. } = &self.item;
        let flag = |mark: &Mark| Flagged {
            entity: entity.clone(),
            by: None,
            kind: mark.kind.clone(),
            labels: mark.labels.clone(),
            flag: Flag {
                item: self.id.clone(),
                creator: creator.clone(),
                channel: channel.clone(),
                reason: mark.reason.clone(),
                custom: mark.custom.clone(),
                created_at: mark.at,
                updated_at: mark.at,
            },
            reviewed_at: *reviewed_at,
        };
        self.item.marks.iter().map(flag).collect()
    }
}

impl Row for Queued {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.id)
    }

    fn value(&self, field: &str) -> Value<'_> {
        let Item { entity, creator, channel, created_at, updated_at, reviewed_at, reviewed_by, result, .. } =
            &self.item;
        let item = &self.item;
        match field {
            "id" | "report_id" => Value::text(&self.id),
            "status" => Value::text(self.item.status()),
            "reviewed" | "is_reviewed" => Value::Bool(reviewed_at.is_some()),
            "entity_type" => Value::text(&entity.kind),
            "entity_id" | "message_id" => Value::text(&entity.id),
            "entity_creator_id" | "user_id" => Value::maybe_text(creator.as_ref().map(UserId::as_str)),
            "channel_cid" => Value::maybe_text(channel.as_ref().map(ChannelId::as_str)),
            "review_result" => Value::text(result),
            "reviewed_by" => Value::maybe_text(reviewed_by.as_ref().map(UserId::as_str)),
            "recommended_action" => Value::text(&item.recommended),
            "latest_moderator_action" => Value::text(&item.action),
            "config_key" => Value::text(&item.policy),
            "flag_types" => Value::List(item.marks.iter().map(|mark| Value::text(&mark.kind)).collect()),
            "escalated" => Value::Bool(item.escalation.is_some()),
            "assigned_to" => Value::maybe_text(item.lock.as_ref().map(|lock| lock.by.as_str())),
            "appeal" => Value::Bool(item.appeal.is_some()),
            "created_at" => Value::Time(*created_at),
            "updated_at" => Value::Time(*updated_at),
            "reviewed_at" => Value::maybe_time(*reviewed_at),
            _ => Value::Null,
        }
    }
}

/// The items in which machines found something, of things of `kind` or of any.
pub(super) async fn marked(tx: &mut Tx, kind: Option<&str>) -> Result<Vec<Queued>> {
    let range = REVIEW.range(tx.tenant());
    let rows = rows::list(tx, &REVIEW, range, ITEMS_MAX).await?;
    let is_wanted = |item: &Item| !item.marks.is_empty() && kind.is_none_or(|kind| item.entity.kind == kind);
    Ok(rows.into_iter().filter(|(_, item)| is_wanted(item)).map(|(id, item)| Queued { id, item }).collect())
}

/// The items that `filter` wants, of things of `kind` or of any, in the order of `sort`.
///
/// # Errors
/// When the store fails.
pub async fn query(tx: &mut Tx, kind: Option<&str>, filter: &Filter, sort: &Sort) -> Result<Vec<Queued>> {
    let tenant = tx.tenant();
    let (mut found, mut range) = (Found::new(filter, sort), REVIEW.range(tenant));
    loop {
        let page = REVIEW.scan(tx, tenant, range.clone(), Direction::Forward, Limit::PAGE).await?;
        if let Some((key, _)) = page.rows.last() {
            range.start = after(REVIEW.key(tenant, key));
        }
        for (id, item) in page.rows {
            if kind.is_none_or(|kind| item.entity.kind == kind) {
                found.look(Queued { id, item });
            }
        }
        if !page.more {
            return Ok(found.sorted());
        }
    }
}
