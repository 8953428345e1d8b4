//! Telling an event: who hears of it, and what they hear (chat §10.1).
//!
//! An event is read once and written at most once for each dialect; all receivers share the bytes. An event that nobody
//! hears of costs a look at the hub.

use std::sync::Arc;

use domain::chat::{
    channels,
    events::Event,
    messages::{Kind, Message},
    types,
};
use ids::{AppId, Timestamp, UserId, json::Object};
use serde_json::value::RawValue;
use uuid::Uuid;
use wire::chat::{
    dialect::{Dialect, Time},
    events::{Event as WireEvent, More},
};

use super::{
    feeds,
    frames::Frame,
    hub::{Connection, Hub},
    scene::Scene,
    unread,
};
use crate::{Server, apps::Tenant};

/// Above this many watchers, reads and typing are told to nobody; above this many receivers, none is told what it has not
/// read.
const CROWD: usize = 100;

/// Tells `event` to whoever hears of it, and lets go of whom it locks out.
pub(super) async fn tell(server: &Server, tenant: &Tenant, event: Event) -> domain::Result<()> {
    let is_locked_out = matches!(event.kind.as_str(), "user.deleted" | "user.deactivated");
    let locked_out = event.user.clone().filter(|_| is_locked_out);
    tell_all(server, tenant, event).await?;
    if let Some(user) = locked_out {
        server.hub.disconnect(tenant.app.id, &user);
    }
    Ok(())
}

async fn tell_all(server: &Server, tenant: &Tenant, event: Event) -> domain::Result<()> {
    let (hub, app) = (&server.hub, tenant.app.id);
    let now = Timestamp::from_micros(server.clock.now_micros());
    let absent = absent_kind(&event);
    let mut receivers = receivers(hub, app, &event, now);
    let mut members = match (&absent, &event.channel) {
        (Some(_), Some(channel)) => hub.audience.absent(hub, tenant, channel).await?,
        _ => Vec::new(),
    };
    hub.audience.note(app, &event);
    hub.tallies.note(app, &event);
    receivers.retain(|connection| may_hear(&event, &connection.identity.user));
    if is_about_watchers(&event) && !receivers.is_empty() && !tells_who_watches(tenant, &event).await? {
        receivers.clear();
    }
    if let Some(subject) = event.feeds.as_deref().filter(|_| !receivers.is_empty()) {
        receivers = feeds::who_may_hear(&mut tenant.app.snapshot(), subject, receivers).await?;
    }
    if receivers.is_empty() && members.is_empty() {
        return Ok(());
    }
    let event = Event { at: if event.at.micros() == 0 { now } else { event.at }, ..event };
    let scene = Scene::read(server, &mut tenant.app.snapshot(), event, now).await?;
    let is_crowd = receivers.len() + members.len() > CROWD;
    push(server, tenant, Text::new(&scene, &scene.event.kind), &receivers, is_crowd).await?;
    let Some(kind) = absent else { return Ok(()) };
    members.retain(|connection| may_hear(&scene.event, &connection.identity.user));
    push(server, tenant, Text::new(&scene, kind), &members, is_crowd).await
}

fn is_about_watchers(event: &Event) -> bool {
    matches!(event.kind.as_str(), "user.watching.start" | "user.watching.stop")
}

/// Whether the channel of the event tells who begins and ends to watch it: its `connect_events` (chat §6.5).
async fn tells_who_watches(tenant: &Tenant, event: &Event) -> domain::Result<bool> {
    let (Some(id), mut tx) = (&event.channel, tenant.app.snapshot()) else { return Ok(true) };
    let Some(channel) = channels::get(&mut tx, id).await? else { return Ok(true) };
    let kind = types::load(&mut tx, id.kind()).await?;
    Ok(types::config(&kind, &channel).connect_events)
}

/// Puts the event into the outboxes of its receivers; each of a few is told what it has not read, too.
async fn push(
    server: &Server,
    tenant: &Tenant,
    mut text: Text<'_>,
    receivers: &[Arc<Connection>],
    is_crowd: bool,
) -> domain::Result<()> {
    let (hub, scene, kind) = (&server.hub, text.scene, text.kind);
    let is_counted = unread::is_counted(kind) && !is_crowd;
    let mut tx = tenant.app.snapshot();
    let mut before: Option<(&UserId, unread::Tally)> = None;
    for connection in receivers {
        let written = text.of(connection.identity.dialect);
        let user = &connection.identity.user;
        if !is_counted || connection.identity.is_anonymous {
            hub.push(connection, written.frame.clone());
            continue;
        }
        let tally = match before {
            Some((known, tally)) if known == user => tally,
            _ => hub.tallies.of(&mut tx, kind, user, scene.event.channel.as_ref(), scene.now).await?,
        };
        let frame = Frame::text(&tally.patch(&written.text));
        before = Some((user, tally));
        hub.push(connection, frame);
    }
    Ok(())
}

/// The bytes of an event, written when the first receiver of a dialect asks.
struct Text<'s> {
    scene: &'s Scene,
    kind: &'s str,
    written: [Option<Written>; 2],
}

struct Written {
    text: String,
    frame: Frame,
}

impl<'s> Text<'s> {
    fn new(scene: &'s Scene, kind: &'s str) -> Self {
        Text { scene, kind, written: [None, None] }
    }

    fn of(&mut self, dialect: Dialect) -> &Written {
        let Text { scene, kind, written } = self;
        let slot = &mut written[usize::from(dialect == Dialect::V2)];
        slot.get_or_insert_with(|| {
            let text = scene.write(kind, dialect);
            let frame = Frame::text(&text);
            Written { text, frame }
        })
    }
}

/// The connections that hear of the event itself.
fn receivers(hub: &Hub, app: AppId, event: &Event, now: Timestamp) -> Vec<Arc<Connection>> {
    let mut receivers = Vec::new();
    if is_for_webhooks(&event.kind) {
        return receivers;
    }
    let mut take = |connection: &Arc<Connection>| receivers.push(connection.clone());
    if let Some(subject) = &event.feeds {
        // What happened in no feed, hooks alone hear of.
        if let Some(fid) = &subject.fid {
            hub.each_feed_watcher(app, fid, &mut take);
        }
        return receivers;
    }
    match (&event.channel, event.only_for.as_slice()) {
        (channel, [first, rest @ ..]) => {
            for user in std::iter::once(first).chain(rest) {
                hub.each_of(app, user, &mut take);
            }
            if let Some(channel) = channel.as_ref().filter(|_| event.kind == "notification.added_to_channel") {
                // Whoever watches hears of it as `member.added`.
                receivers.retain(|connection| !connection.watches(channel));
            }
        }
        (Some(channel), []) => {
            let is_crowd = hub.watcher_count(app, channel) > CROWD;
            let is_told = match event.kind.as_str() {
                "typing.start" | "typing.stop" | "message.read" => !is_crowd,
                "user.watching.start" | "user.watching.stop" => !is_crowd || hub.is_news(app, channel, now),
                _ => true,
            };
            if is_told {
                hub.each_watcher(app, channel, &mut take);
            }
            if let ("user.banned" | "user.unbanned", Some(user)) = (event.kind.as_str(), &event.user) {
                // Whoever is banned from a channel hears of it also without watching.
                hub.each_of(app, user, &mut take);
                receivers.sort_by_key(Arc::as_ptr);
                receivers.dedup_by(|a, b| Arc::ptr_eq(a, b));
            }
        }
        (None, []) => {
            let Some(user) = &event.user else { return receivers };
            hub.each_follower(app, user, &mut take);
            if event.kind != "user.presence.changed" {
                hub.each_of(app, user, &mut take);
            }
            receivers.sort_by_key(Arc::as_ptr);
            receivers.dedup_by(|a, b| Arc::ptr_eq(a, b));
        }
    }
    receivers
}

/// Whether no connection hears of it.
fn is_for_webhooks(kind: &str) -> bool {
    match kind.split_once('.') {
        Some(("appeal" | "export" | "flag" | "moderation" | "review_queue_item" | "user_group", _)) => true,
        Some(("channel", kind)) => matches!(kind, "created" | "muted" | "unmuted"),
        Some(("message" | "user", kind)) => {
            matches!(kind, "flagged" | "pending" | "unflagged" | "unread_message_reminder")
        }
        _ => false,
    }
}

/// Whether this receiver may: a typing user does not hear of itself, and some messages are for some only.
pub(crate) fn may_hear(event: &Event, receiver: &UserId) -> bool {
    if matches!(event.kind.as_str(), "typing.start" | "typing.stop") && event.user.as_ref() == Some(receiver) {
        return false;
    }
    let Some((_, message)) = event.message.as_deref() else { return true };
    let is_author = message.user.as_ref() == Some(receiver);
    let is_visible = message.visible_to.is_empty() || message.visible_to.contains(receiver);
    is_author || (is_visible && !message.is_shadowed)
}

/// What members who do not watch hear instead.
fn absent_kind(event: &Event) -> Option<&'static str> {
    if !event.only_for.is_empty() {
        return None;
    }
    match event.kind.as_str() {
        "message.new" => {
            let (_, message) = event.message.as_deref()?;
            is_noticed(message).then_some("notification.message_new")
        }
        "channel.deleted" => Some("notification.channel_deleted"),
        "channel.truncated" => Some("notification.channel_truncated"),
        _ => None,
    }
}

fn is_noticed(message: &Message) -> bool {
    let is_in_channel = match message.kind {
        Kind::Regular | Kind::System => true,
        Kind::Reply => message.shows_in_channel,
        Kind::Ephemeral | Kind::Error => false,
    };
    is_in_channel && !message.is_silent && !message.is_shadowed
}

/// The event as a caller is shown it.
///
/// # Errors
/// When the store fails.
pub(crate) async fn show(
    server: &Server,
    tenant: &Tenant,
    event: Event,
    dialect: Dialect,
    now: Timestamp,
) -> domain::Result<Box<RawValue>> {
    let scene = Scene::read(server, &mut tenant.app.snapshot(), event, now).await?;
    let text = scene.write(&scene.event.kind, dialect);
    Ok(RawValue::from_string(text).expect("an event is JSON"))
}

/// The event as a hook is told it: with how the call came, and with who has not read what (chat §10.1, §13).
///
/// # Errors
/// When the store fails.
pub(crate) async fn show_to_hook(
    server: &Server,
    tenant: &Tenant,
    event: Event,
    dialect: Dialect,
    now: Timestamp,
) -> domain::Result<Box<RawValue>> {
    let mut tx = tenant.app.snapshot();
    let mut scene = Scene::read(server, &mut tx, event, now).await?;
    scene.add_for_hook((server, tenant), &mut tx, dialect).await?;
    let kind = scene.event.kind.clone();
    let mut text = scene.write(&kind, dialect);
    if let ([user], true) = (scene.event.only_for.as_slice(), unread::is_counted(&kind)) {
        text = unread::tally(&mut tx, &kind, user, now).await?.patch(&text);
    }
    Ok(RawValue::from_string(text).expect("an event is JSON"))
}

/// A health check.
pub(crate) fn health(dialect: Dialect, connection: Uuid, at: Timestamp) -> String {
    health_check(dialect, connection, at, None)
}

/// The first frame of a connection: a health check that says who its user is (chat §9.2).
pub(crate) fn hello(dialect: Dialect, connection: Uuid, at: Timestamp, me: &RawValue) -> String {
    health_check(dialect, connection, at, Some(me))
}

fn health_check(dialect: Dialect, connection: Uuid, at: Timestamp, me: Option<&RawValue>) -> String {
    let fields = Object::default();
    let more = More { fields: &fields, is_custom: false, dialect };
    let connection = connection.to_string();
    let event = WireEvent {
        connection_id: Some(&connection),
        cid: Some("*"),
        me,
        ..WireEvent::new("health.check", Time { at, dialect }, more)
    };
    serde_json::to_string(&event).expect("wire types are JSON")
}

/// Whether `kind` is a name that the server knows; others are the application's own.
pub(crate) fn is_built_in(kind: &str) -> bool {
    let family = kind.split_once('.').map(|(family, _)| family);
    family.is_some_and(|family| FAMILIES.contains(&family))
}

/// First parts of the names of events.
const FAMILIES: [&str; 23] = [
    "ai_indicator",
    "appeal",
    "campaign",
    "channel",
    "channel_batch_update",
    "draft",
    "export",
    "flag",
    "health",
    "member",
    "message",
    "moderation",
    "moderation_check",
    "moderation_rule",
    "notification",
    "poll",
    "reaction",
    "reminder",
    "review_queue_item",
    "thread",
    "typing",
    "user",
    "user_group",
];
