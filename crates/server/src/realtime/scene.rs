//! What an event names, read once, and how it is written.

use domain::{
    Tx,
    chat::{channels::Channel, events::Event},
    keyspace::{CHANNEL, Chat},
    users::People,
};
use ids::{AppId, Timestamp, UserId, json::Object};
use serde::Serialize;
use serde_json::value::RawValue;
use wire::chat::{
    dialect::{Dialect, Time},
    events::{Event as WireEvent, More},
};

use super::tell::is_built_in;
use crate::{Server, chat::to_wire};

/// An event with all that it names.
pub(super) struct Scene {
    pub(super) event: Event,
    channel: Option<Channel>,
    people: People,
    more: Object,
    watcher_count: usize,
    now: Timestamp,
}

impl Scene {
    /// Reads what `event` names.
    pub(super) async fn read(server: &Server, tx: &mut Tx, event: Event, now: Timestamp) -> domain::Result<Self> {
        let (tenant, app) = (tx.tenant(), AppId(tx.tenant()));
        let channel = match &event.channel {
            Some(id) => CHANNEL.get(tx, tenant, &Chat(id.clone())).await?,
            None => None,
        };
        let mut people = People::load(tx, &named(&event, channel.as_ref())).await?;
        for (id, person) in people.iter_mut() {
            person.is_online = server.hub.is_online(app, id);
        }
        let watcher_count = event.channel.as_ref().map_or(0, |channel| server.hub.watcher_count(app, channel));
        let more = Object::parse(&event.more).unwrap_or_default();
        Ok(Scene { people, channel, watcher_count, more, now, event })
    }

    /// The event called `kind`, as JSON.
    pub(super) fn write(&self, kind: &str, dialect: Dialect) -> String {
        let event = &self.event;
        let user = event.user.as_ref().and_then(|user| self.user(user, dialect));
        let other = event.other.as_ref().and_then(|user| self.user(user, dialect));
        let is_target = matches!(kind.split_once('.'), Some(("user", "muted" | "unmuted" | "flagged" | "unflagged")));
        let channel = names_channel(kind, dialect).then(|| self.channel(dialect)).flatten();
        let message = event.message.as_ref().map(|_| self.message(dialect));
        let reaction = event.reaction.as_ref().map(|_| self.reaction(dialect));
        let member = event.member.as_ref().map(|_| self.member(dialect));
        let more = More { fields: &self.more, is_custom: !is_built_in(kind), dialect };
        let wire = WireEvent {
            cid: event.channel.as_ref().map(|channel| channel.as_str()),
            channel_id: event.channel.as_ref().map(|channel| channel.id()),
            channel_type: event.channel.as_ref().map(|channel| channel.kind()),
            team: self.channel.as_ref().map(|channel| channel.team.as_str()).filter(|team| !team.is_empty()),
            user: user.as_deref(),
            target_user: other.as_deref().filter(|_| is_target),
            created_by: other.as_deref().filter(|_| !is_target),
            channel: channel.as_deref(),
            member: member.as_deref(),
            message_id: event.message.as_ref().and_then(|message| dialect.v2_only(message.0.as_str())),
            message: message.as_deref(),
            reaction: reaction.as_deref(),
            watcher_count: counts_watchers(kind).then_some(self.watcher_count),
            ..WireEvent::new(kind, Time { at: event.at, dialect }, more)
        };
        serde_json::to_string(&wire).expect("wire types are JSON")
    }
}

/// The users in an event.
fn named(event: &Event, channel: Option<&Channel>) -> Vec<UserId> {
    let message = event.message.as_ref().map(|message| &message.1);
    let one = [
        event.user.as_ref(),
        event.other.as_ref(),
        event.reaction.as_ref().map(|(_, user, _)| user),
        event.member.as_ref().map(|(user, _)| user),
        message.and_then(|message| message.user.as_ref()),
        message.and_then(|message| message.pin.as_ref()).and_then(|pin| pin.by.as_ref()),
        channel.and_then(|channel| channel.created_by.as_ref()),
    ];
    let mentioned = message.into_iter().flat_map(|message| &message.mentioned);
    let mut ids: Vec<UserId> = one.into_iter().flatten().chain(mentioned).cloned().collect();
    ids.sort();
    ids.dedup();
    ids
}

/// Whether events of this kind show the whole channel.
fn names_channel(kind: &str, dialect: Dialect) -> bool {
    match kind.split_once('.') {
        Some(("channel" | "member" | "notification", _)) => true,
        // Of these the v2 dialect always has it (chat §10.2).
        Some(("reaction", _)) => dialect == Dialect::V2,
        _ => false,
    }
}

/// Whether events of this kind say how many watch.
fn counts_watchers(kind: &str) -> bool {
    matches!(kind, "message.new" | "user.watching.start" | "user.watching.stop" | "notification.thread_message_new")
}

fn raw(object: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(object).expect("wire types are JSON")
}

// The shapes of other resources, as events embed them.
impl Scene {
    /// Whether anybody is told at all.
    pub(super) fn is_told(&self) -> bool {
        true
    }

    fn channel(&self, dialect: Dialect) -> Option<Box<RawValue>> {
        let (id, channel) = (self.event.channel.as_ref()?, self.channel.as_ref()?);
        let time = |at| Time { at, dialect };
        Some(raw(&serde_json::json!({
            "id": id.id(), "type": id.kind(), "cid": id.as_str(), "created_at": time(channel.created_at),
            "updated_at": time(channel.updated_at), "frozen": channel.is_frozen,
        })))
    }

    fn message(&self, dialect: Dialect) -> Box<RawValue> {
        let (id, message) = self.event.message.as_deref().expect("the caller asked whether there is one");
        let user = message.user.as_ref().and_then(|user| self.user(user, dialect));
        raw(&serde_json::json!({
            "id": id.as_str(), "text": message.text, "cid": message.channel.as_str(), "user": user,
            "created_at": Time { at: message.created_at, dialect },
        }))
    }

    fn reaction(&self, dialect: Dialect) -> Box<RawValue> {
        let (kind, user, reaction) = self.event.reaction.as_ref().expect("the caller asked whether there is one");
        raw(&serde_json::json!({
            "type": kind, "user_id": user.as_str(), "score": reaction.score,
            "created_at": Time { at: reaction.created_at, dialect },
        }))
    }

    fn member(&self, dialect: Dialect) -> Box<RawValue> {
        let (user, member) = self.event.member.as_ref().expect("the caller asked whether there is one");
        raw(&serde_json::json!({
            "user_id": user.as_str(), "channel_role": member.channel_role, "user": self.user(user, dialect),
        }))
    }

    fn user(&self, id: &UserId, dialect: Dialect) -> Option<Box<RawValue>> {
        let user = to_wire::users::embedded(dialect, &self.people, id, self.now)?;
        Some(raw(&user))
    }
}
