//! Bayeux messages: what clients ask, and what they are answered (feeds-v1 §9.1).

use std::{sync::Arc, time::Duration};

use domain::feeds::policy;
use ids::FeedId;
use serde_json::{Value, json};

use super::{HOLD, TIMEOUT_MILLIS, hub::Heard};
use crate::{
    Server,
    apps::Tenant,
    auth::{Action, Caller, Resource},
    front::Platform,
};

/// The ways in which clients may come.
const CONNECTION_TYPES: [&str; 4] = ["long-polling", "cross-origin-long-polling", "callback-polling", "websocket"];

/// How long a client that sends too many messages is told to wait, in milliseconds.
const PAUSE_MILLIS: u64 = 1000;

/// What becomes of a message.
pub(super) enum Asked {
    /// It is answered at once.
    Answer(Value),
    /// Its answer waits for something to tell.
    Connect(Connect),
}

/// A client that asks what is new.
pub(super) struct Connect {
    /// The client.
    pub(super) client: String,
    /// The answer.
    pub(super) answer: Value,
    /// How long it waits for something to tell.
    pub(super) timeout: Duration,
}

/// Does what `message` asks.
pub(super) async fn ask(server: &Arc<Server>, message: &Value) -> Asked {
    let text = |name: &str| message.get(name).and_then(Value::as_str);
    let channel = text("channel").unwrap_or_default();
    let client = text("clientId").unwrap_or_default();
    let mut answer = json!({ "channel": channel });
    if let Some(id) = message.get("id").filter(|id| id.is_string() || id.is_number()) {
        answer["id"] = id.clone();
    }
    if channel == "/meta/handshake" {
        return Asked::Answer(shake_hands(server, message, answer));
    }
    if !channel.starts_with("/meta/") {
        return Asked::Answer(failed(answer, format!("403:{channel}:Forbidden channel")));
    }
    match server.faye.hear(client) {
        Heard::Yes => {}
        Heard::TooMany => return Asked::Answer(too_many(answer, channel)),
        Heard::Unknown => return Asked::Answer(unknown(answer, client)),
    }
    answer["clientId"] = client.into();
    match channel {
        "/meta/connect" => {
            answer["successful"] = true.into();
            answer["advice"] = json!({ "reconnect": "retry", "interval": 0, "timeout": TIMEOUT_MILLIS });
            let asked = message.pointer("/advice/timeout").and_then(Value::as_u64);
            let timeout = asked.map_or(HOLD, |millis| Duration::from_millis(millis).min(HOLD));
            Asked::Connect(Connect { client: client.to_owned(), answer, timeout })
        }
        "/meta/subscribe" => Asked::Answer(subscribe(server, message, client, answer).await),
        "/meta/unsubscribe" => {
            for name in names(message) {
                server.faye.unsubscribe(client, name);
            }
            answer["subscription"] = message.get("subscription").cloned().unwrap_or_default();
            answer["successful"] = true.into();
            Asked::Answer(answer)
        }
        "/meta/disconnect" => {
            server.faye.forget(client);
            answer["successful"] = true.into();
            Asked::Answer(answer)
        }
        _ => Asked::Answer(failed(answer, format!("404:{channel}:Unknown channel"))),
    }
}

fn failed(mut answer: Value, error: String) -> Value {
    answer["successful"] = false.into();
    answer["error"] = error.into();
    answer
}

fn too_many(answer: Value, channel: &str) -> Value {
    let mut answer = failed(answer, format!("429:{channel}:Too many messages"));
    answer["advice"] = json!({ "reconnect": "retry", "interval": PAUSE_MILLIS, "timeout": TIMEOUT_MILLIS });
    answer
}

fn unknown(answer: Value, client: &str) -> Value {
    let mut answer = failed(answer, format!("401:{client}:Unknown client"));
    answer["advice"] = json!({ "reconnect": "handshake", "interval": 0, "timeout": TIMEOUT_MILLIS });
    answer
}

fn shake_hands(server: &Server, message: &Value, mut answer: Value) -> Value {
    answer["version"] = "1.0".into();
    answer["supportedConnectionTypes"] = json!(CONNECTION_TYPES);
    let types = message.get("supportedConnectionTypes").and_then(Value::as_array);
    let is_served =
        types.is_none_or(|types| types.iter().filter_map(Value::as_str).any(|kind| CONNECTION_TYPES.contains(&kind)));
    if !is_served {
        return failed(answer, "301::Connection types not supported".to_owned());
    }
    match server.faye.join() {
        Some(client) => {
            answer["clientId"] = client.into();
            answer["successful"] = true.into();
            answer["advice"] = json!({ "reconnect": "retry", "interval": 0, "timeout": TIMEOUT_MILLIS });
            answer
        }
        None => {
            let mut answer = failed(answer, "503::Too many clients".to_owned());
            answer["advice"] = json!({ "reconnect": "retry", "interval": 5000, "timeout": TIMEOUT_MILLIS });
            answer
        }
    }
}

/// The channels in a subscription: one, or a list.
fn names(message: &Value) -> Vec<&str> {
    match message.get("subscription") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).take(100).collect(),
        _ => Vec::new(),
    }
}

async fn subscribe(server: &Arc<Server>, message: &Value, client: &str, mut answer: Value) -> Value {
    answer["subscription"] = message.get("subscription").cloned().unwrap_or_default();
    let names = names(message);
    if names.is_empty() {
        return failed(answer, "402:subscription:Missing required parameter".to_owned());
    }
    for name in names {
        let Some((tenant, feeds)) = readable(server, message.get("ext"), name) else {
            return failed(answer, format!("403:{name}:Forbidden channel"));
        };
        let now = server.clock.now_micros();
        if !server.rates.check(tenant.app.id.0, "realtime", Platform::Web, now).allowed {
            return failed(answer, format!("429:{name}:Too many subscriptions of this app"));
        }
        if !server.faye.subscribe(&tenant.app, client, name, &feeds).await {
            return failed(answer, format!("403:{name}:Too many subscriptions"));
        }
    }
    answer["successful"] = true.into();
    answer
}

/// The feeds of a channel that its subscriber may read; `None` when there is none.
fn readable(server: &Server, ext: Option<&Value>, channel: &str) -> Option<(Arc<Tenant>, Vec<FeedId>)> {
    let text = |name: &str| ext?.get(name)?.as_str();
    let bare = channel.strip_prefix('/')?;
    if text("user_id").is_some_and(|user| user != bare) {
        return None;
    }
    let tenant = server.apps.by_key(text("api_key")?).filter(|tenant| !tenant.is_suspended)?;
    let token = tenant.verify(text("signature")?).ok()?;
    token.check(server.clock.now_seconds()).ok()?;
    let key = bare.strip_prefix(&format!("site-{}-feed-", tenant.app.id))?;
    let mut feeds = feeds(&tenant, key);
    feeds.retain(|feed| match &token.caller {
        Caller::Server(scope) => scope.allows(Resource::Feed, Action::Read, Some(feed)),
        Caller::User(user) => tenant.app.group(feed.group()).is_ok_and(|group| policy::may_read(user, feed, group)),
    });
    (!feeds.is_empty()).then_some((tenant, feeds))
}

/// The feeds whose group and id, one after the other, are `key`.
fn feeds(tenant: &Tenant, key: &str) -> Vec<FeedId> {
    let groups = tenant.app.groups.keys();
    groups.filter_map(|group| FeedId::new(group, key.strip_prefix(group.as_str())?).ok()).collect()
}

/// The channel of a feed.
pub(super) fn channel(app: u32, feed: &FeedId) -> String {
    format!("/site-{app}-feed-{}{}", feed.group(), feed.id())
}
