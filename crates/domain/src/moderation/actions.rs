//! What moderators did, newest first (v2 §6.5).

use std::borrow::Cow;

use ids::{ChannelId, Timestamp, UserId};
use minicbor::{Decode, Encode};
use store::{Direction, Limit, key::after};

use super::{Found, flags::Entity};
use crate::{
    Result, Tx,
    filter::{Field, Filter, Kind, Row, Schema, Sort, Value},
    keyspace::{ACTION, Latest},
};

/// Something that was done about somebody or something.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Action {
    /// What: `ban`, `mark_reviewed`, `delete_message`.
    #[n(0)]
    pub kind: String,
    /// Who did it; the app's own server, if absent.
    #[n(1)]
    pub user: Option<UserId>,
    /// To whom.
    #[n(2)]
    pub target: Option<UserId>,
    /// Why, in the application's words.
    #[n(3)]
    pub reason: String,
    /// What kind of reporter told of it.
    #[n(4)]
    pub reporter: String,
    /// Where.
    #[n(5)]
    pub channel: Option<ChannelId>,
    /// What it is about.
    #[n(6)]
    pub entity: Option<Entity>,
    /// The item of the review queue that it closed.
    #[n(7)]
    pub item: Option<String>,
    /// The application's own words: a JSON object.
    #[n(8)]
    pub custom: String,
    /// When.
    #[n(9)]
    pub at: Timestamp,
}

impl Action {
    /// An action of a moderator at `at`, of which nothing else is known.
    pub fn new(at: Timestamp) -> Self {
        Action {
            kind: String::new(),
            user: None,
            target: None,
            reason: String::new(),
            reporter: "moderator".to_owned(),
            channel: None,
            entity: None,
            item: None,
            custom: "{}".to_owned(),
            at,
        }
    }
}

/// Notes an action.
pub fn record(tx: &mut Tx, id: &str, action: &Action) {
    let tenant = tx.tenant();
    ACTION.put(tx, tenant, &(Latest(action.at), id.to_owned()), action);
}

/// What a filter of actions may name.
pub const SCHEMA: Schema = Schema {
    fields: &[
        Field::new("id", Kind::Text),
        Field::new("type", Kind::Text),
        Field::new("action_type", Kind::Text),
        Field::new("user_id", Kind::Text),
        Field::new("target_user_id", Kind::Text),
        Field::new("reporter_type", Kind::Text),
        Field::new("reason", Kind::Text),
        Field::new("channel_cid", Kind::Text),
        Field::new("entity_type", Kind::Text),
        Field::new("entity_id", Kind::Text),
        Field::new("review_queue_item_id", Kind::Text),
        Field::new("created_at", Kind::Time),
    ],
    has_custom: false,
};

/// An action with its id.
#[derive(Clone, PartialEq, Debug)]
pub struct Noted {
    /// The id.
    pub id: String,
    /// What was done.
    pub action: Action,
}

impl Row for Noted {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.id)
    }

    fn value(&self, field: &str) -> Value<'_> {
        let Action { kind, user, target, reason, reporter, channel, entity, item, custom: _, at } = &self.action;
        match field {
            "id" => Value::text(&self.id),
            "type" | "action_type" => Value::text(kind),
            "user_id" => Value::maybe_text(user.as_ref().map(UserId::as_str)),
            "target_user_id" => Value::maybe_text(target.as_ref().map(UserId::as_str)),
            "reporter_type" => Value::text(reporter),
            "reason" => Value::text(reason),
            "channel_cid" => Value::maybe_text(channel.as_ref().map(ChannelId::as_str)),
            "entity_type" => Value::maybe_text(entity.as_ref().map(|entity| entity.kind.as_str())),
            "entity_id" => Value::maybe_text(entity.as_ref().map(|entity| entity.id.as_str())),
            "review_queue_item_id" => Value::maybe_text(item.as_deref()),
            "created_at" => Value::Time(*at),
            _ => Value::Null,
        }
    }
}

/// The actions that `filter` wants, in the order of `sort`.
///
/// # Errors
/// When the store fails.
pub async fn query(tx: &mut Tx, filter: &Filter, sort: &Sort) -> Result<Vec<Noted>> {
    let tenant = tx.tenant();
    let (mut found, mut range) = (Found::new(filter, sort), ACTION.range(tenant));
    loop {
        let page = ACTION.scan(tx, tenant, range.clone(), Direction::Forward, Limit::PAGE).await?;
        if let Some((key, _)) = page.rows.last() {
            range.start = after(ACTION.key(tenant, key));
        }
        for ((_, id), action) in page.rows {
            found.look(Noted { id, action });
        }
        if !page.more {
            return Ok(found.sorted());
        }
    }
}
