//! What users reported (chat §6.12, §11.8; v2 §6.2): one row per reporter and reported thing.

use std::borrow::Cow;

use ids::{ChannelId, MessageId, Timestamp, UserId, json::Object};
use minicbor::{Decode, Encode};
use serde_json::json;

use super::{
    Found as Chosen,
    checks::Outcome,
    news,
    review::{self, Mark},
};
use crate::{
    Error, Result, Tx,
    chat::{
        events::{self, Event},
        messages::{self, Message},
    },
    filter::{Field, Filter, Kind, Row, Schema, Sort, Value, custom},
    keyspace::{FLAG, FLAGGED, FLAGGED_BY},
    rows, users,
};

/// The kind of messages.
pub const MESSAGE: &str = "stream:chat:v1:message";
/// The kind of users.
pub const USER: &str = "stream:user";
/// The kind of flags that people make.
pub const BY_USER: &str = "user_report";
/// The longest name of a kind, and the longest id, in bytes.
pub const NAME_BYTES_MAX: usize = 255;
/// The most bytes of what a reporter adds.
pub const CUSTOM_BYTES_MAX: usize = 5 * 1024;
/// The most bytes of what machines say of one thing.
const FOUND_BYTES_MAX: usize = 32 * 1024;
/// The most flags that are looked at for one thing or one user.
const FLAGS_MAX: usize = 10_000;

/// Something that can be reported.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
pub struct Entity {
    /// Its kind; the application has kinds of its own.
    #[n(0)]
    pub kind: String,
    /// Its id among them.
    #[n(1)]
    pub id: String,
}

impl Entity {
    /// The thing of this kind with this id; short names of kinds are made long.
    ///
    /// # Errors
    /// [`Error::Unfit`] when one of them is too long.
    pub fn new(kind: &str, id: &str) -> Result<Self> {
        if kind.len() > NAME_BYTES_MAX || id.len() > NAME_BYTES_MAX {
            return Err(Error::Unfit(format!("entity_type and entity_id have at most {NAME_BYTES_MAX} bytes")));
        }
        let kind = match kind {
            "message" => MESSAGE,
            "user" => USER,
            other => other,
        };
        Ok(Entity { kind: kind.to_owned(), id: id.to_owned() })
    }

    /// The message that it is.
    pub fn message(&self) -> Option<MessageId> {
        (self.kind == MESSAGE).then(|| MessageId::parse(&self.id).ok()).flatten()
    }

    /// The user that it is.
    pub fn user(&self) -> Option<UserId> {
        (self.kind == USER).then(|| UserId::parse(&self.id).ok()).flatten()
    }
}

/// That somebody reported something.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Flag {
    /// Its item in the review queue.
    #[n(0)]
    pub item: String,
    /// Whose the reported thing is.
    #[n(1)]
    pub creator: Option<UserId>,
    /// Where it is.
    #[n(2)]
    pub channel: Option<ChannelId>,
    /// Why, in the reporter's words; empty when nobody said.
    #[n(3)]
    pub reason: String,
    /// What the application added: a JSON object.
    #[n(4)]
    pub custom: String,
    /// Since when.
    #[n(5)]
    pub created_at: Timestamp,
    /// When it was last said again.
    #[n(6)]
    pub updated_at: Timestamp,
}

impl Flag {
    /// What the application added.
    pub fn custom(&self) -> Object {
        Object::parse(&self.custom).expect("custom fields were parsed before they were stored")
    }
}

/// What a reporter says.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Why.
    pub reason: String,
    /// What the application adds.
    pub custom: Object,
    /// Whose the thing is, where only the application knows.
    pub creator: Option<UserId>,
    /// The content, where only the application has it: a JSON object.
    pub payload: Object,
}

/// A flag, and of what by whom it is.
#[derive(Clone, PartialEq, Debug)]
pub struct Flagged {
    /// What.
    pub entity: Entity,
    /// By whom; by no user, where a machine found something.
    pub by: Option<UserId>,
    /// What kind of flag: [`BY_USER`], or the name of the engine that found something.
    pub kind: String,
    /// What an engine calls what it found.
    pub labels: Vec<String>,
    /// How.
    pub flag: Flag,
    /// When its item was reviewed.
    pub reviewed_at: Option<Timestamp>,
}

/// Reports `entity` on behalf of `by`, or says it again. `item` becomes the id of its item in the review queue if it has
/// none.
///
/// # Errors
/// [`Error::Absent`] when there is no such reporter, message or user, [`Error::TooBig`] when too much was added.
pub async fn add(
    tx: &mut Tx,
    by: &UserId,
    entity: &Entity,
    report: &Report,
    item: &str,
    now: Timestamp,
) -> Result<Flagged> {
    users::load(tx, by).await?;
    let size = report.custom.to_string().len() + report.payload.to_string().len() + report.reason.len();
    if size > CUSTOM_BYTES_MAX {
        return Err(Error::TooBig(format!("a flag has at most {CUSTOM_BYTES_MAX} bytes of own fields")));
    }
    let (creator, message) = subject(tx, entity, report).await?;
    let channel = message.as_ref().map(|(_, message)| message.channel.clone());
    let (fresh, payload) = (item, &report.payload);
    let item = review::open(tx, entity, creator.as_ref(), channel.as_ref(), payload, fresh, now).await?;
    news::found(tx, &item, fresh, entity, now);
    let (tenant, key) = (tx.tenant(), key(entity, by));
    let before = FLAG.get(tx, tenant, &key).await?;
    let flag = Flag {
        item,
        creator: creator.clone(),
        channel,
        reason: report.reason.clone(),
        custom: report.custom.to_string(),
        created_at: before.map_or(now, |before| before.created_at),
        updated_at: now,
    };
    FLAG.put(tx, tenant, &key, &flag);
    FLAGGED_BY.put(tx, tenant, &(by.to_string(), entity.kind.clone(), entity.id.clone()), &());
    if let Some(creator) = &creator {
        FLAGGED.put(tx, tenant, &(creator.to_string(), entity.kind.clone(), entity.id.clone()), &());
    }
    let total = of_entity(tx, entity).await?.len();
    let more = json!({ "reason": flag.reason, "total_flags": total }).to_string();
    tell(tx, "flagged", Some(by), creator.as_ref(), message.as_ref(), more, now);
    Ok(by_user(entity.clone(), by.clone(), flag))
}

fn by_user(entity: Entity, by: UserId, flag: Flag) -> Flagged {
    Flagged { entity, by: Some(by), kind: BY_USER.to_owned(), labels: Vec::new(), flag, reviewed_at: None }
}

/// What machines found in something: engines of this server, or models of the application's own.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// What.
    pub marks: Vec<Mark>,
    /// What is to become of it.
    pub recommended: String,
    /// The policy that asked; empty for none.
    pub policy: String,
    /// Whose the thing is, where only the application knows.
    pub creator: Option<UserId>,
    /// The content, where only the application has it: a JSON object.
    pub payload: Object,
}

impl Found {
    /// What checks by `policy` found.
    pub fn of(outcome: &Outcome, policy: &str, now: Timestamp) -> Self {
        let mark = |hit: &super::checks::Hit| Mark {
            kind: hit.engine.to_owned(),
            reason: format!("{}: {}", hit.rule, hit.verdict.name()),
            labels: vec![hit.rule.clone()],
            custom: "{}".to_owned(),
            at: now,
        };
        Found {
            marks: outcome.hits.iter().map(mark).collect(),
            recommended: outcome.verdict().name().to_owned(),
            policy: policy.to_owned(),
            ..Found::default()
        }
    }
}

/// Puts `entity` into the review queue for what was `found` in it; what the same engine found before is replaced. Answers
/// the id of its item, which is `item` if it has none. A message that is not stored (any more) may be a thing of the
/// application's own.
///
/// # Errors
/// [`Error::TooBig`] when too much was found.
pub async fn add_found(tx: &mut Tx, entity: &Entity, found: &Found, item: &str, now: Timestamp) -> Result<String> {
    let size = found.marks.iter().map(|mark| mark.custom.len() + mark.reason.len()).sum::<usize>();
    if size + found.payload.to_string().len() > FOUND_BYTES_MAX {
        return Err(Error::TooBig(format!("flags and moderation_payload have at most {FOUND_BYTES_MAX} bytes")));
    }
    let report = Report { creator: found.creator.clone(), ..Report::default() };
    let (creator, message) = match subject(tx, entity, &report).await {
        Err(Error::Absent(_)) => (found.creator.clone(), None),
        known => known?,
    };
    let channel = message.as_ref().map(|(_, message)| message.channel.clone());
    let (fresh, payload) = (item, &found.payload);
    let item = review::open(tx, entity, creator.as_ref(), channel.as_ref(), payload, fresh, now).await?;
    review::mark(tx, &item, found).await?;
    news::found(tx, &item, fresh, entity, now);
    if let Some(creator) = &creator {
        let tenant = tx.tenant();
        FLAGGED.put(tx, tenant, &(creator.to_string(), entity.kind.clone(), entity.id.clone()), &());
    }
    if message.is_some() && !found.marks.is_empty() {
        let more = json!({ "reason": found.marks[0].reason, "total_flags": of_entity(tx, entity).await?.len() });
        tell(tx, "flagged", None, creator.as_ref(), message.as_ref(), more.to_string(), now);
    }
    Ok(item)
}

/// Reports `entity` on behalf of the application itself: it stands in the review queue, and nobody made a flag. Answers
/// the id of its item there.
///
/// # Errors
/// As [`add`].
pub async fn add_by_app(tx: &mut Tx, entity: &Entity, report: &Report, item: &str, now: Timestamp) -> Result<String> {
    let (creator, message) = subject(tx, entity, report).await?;
    let channel = message.map(|(_, message)| message.channel);
    let (fresh, payload) = (item, &report.payload);
    let item = review::open(tx, entity, creator.as_ref(), channel.as_ref(), payload, fresh, now).await?;
    news::found(tx, &item, fresh, entity, now);
    Ok(item)
}

/// Takes the report of `entity` by `by` back; answers it, if there was one.
///
/// # Errors
/// When the store fails.
pub async fn remove(tx: &mut Tx, by: &UserId, entity: &Entity, now: Timestamp) -> Result<Option<Flagged>> {
    let (tenant, key) = (tx.tenant(), key(entity, by));
    let Some(flag) = FLAG.get(tx, tenant, &key).await? else { return Ok(None) };
    FLAG.delete(tx, tenant, &key);
    FLAGGED_BY.delete(tx, tenant, &(by.to_string(), entity.kind.clone(), entity.id.clone()));
    if let Some(creator) = &flag.creator
        && of_entity(tx, entity).await?.is_empty()
    {
        FLAGGED.delete(tx, tenant, &(creator.to_string(), entity.kind.clone(), entity.id.clone()));
    }
    let message = match entity.message() {
        Some(id) => messages::get(tx, &id).await?.map(|message| (id, message)),
        None => None,
    };
    tell(tx, "unflagged", Some(by), flag.creator.as_ref(), message.as_ref(), "{}".to_owned(), now);
    Ok(Some(by_user(entity.clone(), by.clone(), flag)))
}

/// Whose the entity is, and the message that it is.
async fn subject(
    tx: &mut Tx,
    entity: &Entity,
    report: &Report,
) -> Result<(Option<UserId>, Option<(MessageId, Message)>)> {
    match entity.kind.as_str() {
        MESSAGE => {
            let id = MessageId::parse(&entity.id).map_err(|error| Error::Unfit(format!("entity_id: {error}")))?;
            let message = messages::load(tx, &id).await?;
            Ok((message.user.clone(), Some((id, message))))
        }
        USER => {
            let id = UserId::parse(&entity.id).map_err(|error| Error::Unfit(format!("entity_id: {error}")))?;
            users::load(tx, &id).await?;
            Ok((Some(id), None))
        }
        _ => Ok((report.creator.clone(), None)),
    }
}

fn key(entity: &Entity, by: &UserId) -> (String, String, String) {
    (entity.kind.clone(), entity.id.clone(), by.to_string())
}

fn tell(
    tx: &mut Tx,
    what: &str,
    by: Option<&UserId>,
    creator: Option<&UserId>,
    message: Option<&(MessageId, Message)>,
    more: String,
    now: Timestamp,
) {
    let event = match message {
        Some((id, message)) => Event::new(&format!("message.{what}"), now, Some(&message.channel)).about(id, message),
        None => Event { other: creator.cloned(), ..Event::new(&format!("user.{what}"), now, None) },
    };
    events::record(tx, event.by(by).with(more));
}

/// The flags of `entity`: by reporter, then what machines found.
///
/// # Errors
/// When the store fails.
pub async fn of_entity(tx: &mut Tx, entity: &Entity) -> Result<Vec<Flagged>> {
    let range = FLAG.prefix(tx.tenant(), &(entity.kind.clone(), entity.id.clone()));
    let mut all = flagged(rows::list(tx, &FLAG, range, FLAGS_MAX).await?)?;
    if let Some(queued) = review::of(tx, entity).await? {
        all.extend(queued.flags());
    }
    Ok(all)
}

/// The flags that `user` made.
///
/// # Errors
/// When the store fails.
pub async fn made_by(tx: &mut Tx, user: &UserId) -> Result<Vec<Flagged>> {
    let tenant = tx.tenant();
    let range = FLAGGED_BY.prefix(tenant, &user.to_string());
    let keys = rows::list(tx, &FLAGGED_BY, range, FLAGS_MAX).await?;
    let keys: Vec<_> = keys.into_iter().map(|((by, kind, id), ())| (kind, id, by)).collect();
    let flags = FLAG.get_many(tx, tenant, &keys).await?;
    flagged(keys.into_iter().zip(flags).filter_map(|(key, flag)| Some((key, flag?))).collect())
}

/// The flags of what is `user`'s, and of the user, at most so many.
///
/// # Errors
/// When the store fails.
pub async fn against(tx: &mut Tx, user: &UserId) -> Result<Vec<Flagged>> {
    let tenant = tx.tenant();
    let range = FLAGGED.prefix(tenant, &user.to_string());
    let keys = rows::list(tx, &FLAGGED, range, FLAGS_MAX).await?;
    let mut all = Vec::new();
    for ((_, kind, id), ()) in keys {
        all.extend(of_entity(tx, &Entity { kind, id }).await?);
        if all.len() >= FLAGS_MAX {
            break;
        }
    }
    Ok(all)
}

fn flagged(rows: Vec<((String, String, String), Flag)>) -> Result<Vec<Flagged>> {
    let read = |((kind, id, by), flag): ((String, String, String), Flag)| {
        by_user(Entity { kind, id }, UserId::parse(&by).expect("keys are made of user ids"), flag)
    };
    Ok(rows.into_iter().map(read).collect())
}

/// What a filter of flags may name.
pub const SCHEMA: Schema = Schema {
    fields: &[
        Field::new("user_id", Kind::Text),
        Field::new("created_by_id", Kind::Text),
        Field::new("entity_type", Kind::Text),
        Field::new("entity_id", Kind::Text),
        Field::new("entity_creator_id", Kind::Text),
        Field::new("channel_cid", Kind::Text),
        Field::new("message_id", Kind::Text),
        Field::new("reason", Kind::Text),
        Field::new("type", Kind::Text),
        Field::new("review_queue_item_id", Kind::Text),
        Field::new("is_reviewed", Kind::Bool),
        Field::new("created_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
    ],
    has_custom: true,
};
/// The order of flags if nobody says.
pub const SORT: &[&str] = &["-created_at"];

impl Row for Flagged {
    fn id(&self) -> Cow<'_, str> {
        let by = self.by.as_ref().map_or(self.kind.as_str(), UserId::as_str);
        Cow::Owned(format!("{} {by}", self.entity.id))
    }

    fn value(&self, field: &str) -> Value<'_> {
        let Flag { creator, channel, reason, created_at, updated_at, .. } = &self.flag;
        match field {
            // In lists of flags this is the author of what was reported (chat §7).
            "user_id" | "entity_creator_id" => Value::maybe_text(creator.as_ref().map(UserId::as_str)),
            "created_by_id" => Value::maybe_text(self.by.as_ref().map(UserId::as_str)),
            "type" => Value::text(&self.kind),
            "review_queue_item_id" => Value::text(&self.flag.item),
            "entity_type" => Value::text(&self.entity.kind),
            "entity_id" | "message_id" => Value::text(&self.entity.id),
            "channel_cid" => Value::maybe_text(channel.as_ref().map(ChannelId::as_str)),
            "reason" => Value::text(reason),
            "is_reviewed" => Value::Bool(self.reviewed_at.is_some()),
            "created_at" => Value::Time(*created_at),
            "updated_at" => Value::Time(*updated_at),
            _ => custom(&self.flag.custom(), field),
        }
    }
}

/// The flags that `filter` wants, of things of `kind` or of any, in the order of `sort`.
///
/// # Errors
/// When the store fails.
pub async fn query(tx: &mut Tx, kind: Option<&str>, filter: &Filter, sort: &Sort) -> Result<Vec<Flagged>> {
    let tenant = tx.tenant();
    let range = match kind {
        Some(kind) => FLAG.prefix(tenant, &kind.to_owned()),
        None => FLAG.range(tenant),
    };
    let mut found = Chosen::new(filter, sort);
    for mut flag in flagged(rows::list(tx, &FLAG, range, FLAGS_MAX).await?)? {
        let item = review::get(tx, &flag.flag.item).await?;
        flag.reviewed_at = item.and_then(|item| item.reviewed_at);
        found.look(flag);
    }
    for queued in review::marked(tx, kind).await? {
        queued.flags().into_iter().for_each(|flag| found.look(flag));
    }
    Ok(found.sorted())
}
