//! Sends the events of each app to its hooks: those of chat (chat §13), and what changes in feeds (feeds-v1 §9.3).
//!
//! Each hook follows the log at its own pace and keeps its place, so a hook that fails holds up no other, and an event is
//! sent at least once. The events of one channel are sent in commit order, one after the other; channels do not wait for
//! each other. An event that is refused for too long is given up, and the log says so.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    sync::Arc,
    time::Duration,
};

use async_compression::tokio::bufread::GzipEncoder;
use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{
    chat::events::Event,
    keyspace::{HOOK_PLACE, LOG},
    log::Event as Logged,
    places::{self, Place},
    settings::{
        self, Settings,
        hooks::{Access as Keys, Way, Webhook},
    },
};
use futures_util::{StreamExt, stream};
use http::{HeaderMap, HeaderValue, header};
use ids::{AppId, ChannelId, Timestamp};
use parking_lot::Mutex;
use serde_json::{Value, json, value::RawValue};
use store::{Limit, Stamp, Store};
use tokio::{io::AsyncReadExt, sync::Notify, task::JoinSet};
use wire::chat::dialect::Dialect;

use super::news;
use crate::{
    Server,
    apps::Tenant,
    aws::{self, Target},
    outbound::Outbound,
    realtime,
};

mod feeds;

/// Channels that are sent at once to one hook.
const CHANNELS_AT_ONCE: usize = 16;
/// The longest pause between two attempts.
const PAUSE_MAX: Duration = Duration::from_secs(300);

/// Every number of the hooks, with its default.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long a hook may take to answer. Default: 6 s.
    pub timeout: Duration,
    /// The pause before the second attempt; it doubles with each. Default: 1 s.
    pub first_pause: Duration,
    /// The address of the service of topics, where it is not Amazon's. Default: Amazon's of the topic's region.
    pub sns_endpoint: Option<String>,
    /// Attempts before an event is given up. Default: 12, which is some 25 minutes.
    pub attempts_max: u32,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            timeout: Duration::from_secs(6),
            first_pause: Duration::from_secs(1),
            attempts_max: 12,
            sns_endpoint: None,
        }
    }
}

/// Runs until the server ends.
pub(crate) async fn webhooks(server: Arc<Server>, store: Store, outbound: Outbound) {
    let wake = news::of(&store, |published| !published.appended.is_empty());
    let works = Arc::new(Works { server, outbound, wake, busy: Mutex::default() });
    let mut tasks = JoinSet::new();
    loop {
        for tenant in works.server.apps.all() {
            for (product, hook) in hooks(&tenant.app.settings) {
                let key = (tenant.app.id, product, hook);
                if works.begin(&key) {
                    tasks.spawn(works.clone().work(tenant.clone(), key));
                }
            }
        }
        while tasks.try_join_next().is_some() {}
        works.wake.notified().await;
    }
}

/// The hooks that settings name.
fn hooks(settings: &Settings) -> Vec<(Product, String)> {
    let of_chat = settings.webhooks().into_iter().map(|hook| (Product::Chat, hook.id));
    of_chat.chain(settings.feed_hooks.iter().map(|hook| (Product::Feeds, hook.id.clone()))).collect()
}

/// What a hook is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Product {
    Chat,
    Feeds,
}

type Key = (AppId, Product, String);

struct Works {
    server: Arc<Server>,
    outbound: Outbound,
    wake: Arc<Notify>,
    /// Hooks that are being sent something, and whether there is more by now.
    busy: Mutex<HashMap<Key, bool>>,
}

/// An event to send, and what it is called.
type Due = (Place, Event);

impl Works {
    /// Whether nobody sends to the hook; whoever does will look again.
    fn begin(&self, key: &Key) -> bool {
        let mut busy = self.busy.lock();
        match busy.get_mut(key) {
            Some(has_more) => {
                *has_more = true;
                false
            }
            None => {
                busy.insert(key.clone(), false);
                true
            }
        }
    }

    async fn work(self: Arc<Self>, tenant: Arc<Tenant>, key: Key) {
        let delivered = match key.1 {
            Product::Chat => self.deliver(&tenant, &key.2).await,
            Product::Feeds => feeds::deliver(&self, &tenant, &key.2).await,
        };
        if let Err(error) = delivered {
            tracing::error!(%error, app = key.0.0, hook = key.2, "events could not be sent to a hook");
        }
        if self.busy.lock().remove(&key) == Some(true) {
            self.wake.notify_one();
        }
    }

    /// Sends what the hook `id` was not sent yet, as long as there is such a hook.
    async fn deliver(&self, tenant: &Tenant, id: &str) -> domain::Result<()> {
        let app = &tenant.app;
        loop {
            let mut tx = app.snapshot();
            let hooks = settings::load(&mut tx).await?.webhooks();
            let Some(hook) = hooks.iter().find(|hook| hook.id == id) else { return Ok(()) };
            let Some(before) = places::get(&mut tx, &HOOK_PLACE, id).await? else { return Ok(()) };
            let page = LOG.scan_from(&mut tx, app.id.0, (Stamp(before.stamp), before.index), Limit::PAGE).await?;
            drop(tx);
            let Some((last, _)) = page.rows.last() else { return Ok(()) };
            let place = Place { stamp: last.0.0, index: last.1 };
            let due = page.rows.into_iter().filter_map(|((stamp, index), logged)| match logged {
                Logged::Chat(event) if hook.takes(&event) => Some((Place { stamp: stamp.0, index }, *event)),
                _ => None,
            });
            let mut lanes: BTreeMap<Option<ChannelId>, Vec<Due>> = BTreeMap::new();
            due.for_each(|(place, event)| lanes.entry(event.channel.clone()).or_default().push((place, event)));
            let sending = Sending { works: self, tenant, hook };
            let lanes = stream::iter(lanes.into_values());
            lanes.for_each_concurrent(CHANNELS_AT_ONCE, |lane| sending.send_all(lane)).await;
            // A place is a commit of its own, which is no event, so this ends.
            app.write(async |tx| places::advance(tx, &HOOK_PLACE, id, place).await).await?;
        }
    }
}

/// What is sent to one hook.
#[derive(Clone, Copy)]
struct Sending<'a> {
    works: &'a Works,
    tenant: &'a Tenant,
    hook: &'a Webhook,
}

impl Sending<'_> {
    async fn send_all(self, lane: Vec<Due>) {
        let (app, hook) = (self.tenant.app.id.0, &self.hook.id);
        for (place, event) in lane {
            let kind = event.kind.clone();
            match self.send(place, event).await {
                Ok(true) => {}
                Ok(false) => tracing::warn!(app, hook, kind, "an event was given up: a hook refused it"),
                Err(error) => tracing::error!(%error, app, hook, kind, "an event could not be read"),
            }
        }
    }

    /// Sends an event until it is taken, or given up; answers whether it was taken.
    async fn send(self, place: Place, event: Event) -> domain::Result<bool> {
        let Sending { works, tenant, hook } = self;
        let dialect = if hook.is_v2 { Dialect::V2 } else { Dialect::Classic };
        let group = match (hook.groups_by_event, &event.channel) {
            (false, Some(channel)) => channel.to_string(),
            _ => event.kind.clone(),
        };
        let text = realtime::show_to_hook(&works.server, tenant, event, dialect, works.now()).await?;
        let url = match &hook.way {
            Way::Post(url) => url.clone(),
            Way::Pending(url) => {
                let Some((method, text)) = pending(&text) else { return Ok(true) };
                return Ok(self.post(place, &format!("{}/{method}", url.trim_end_matches('/')), &text).await);
            }
            Way::Queue(url, access) => {
                return Ok(self.hand_over(place, (&Target::Queue(url.clone()), access), &text, &group).await);
            }
            Way::Topic(name, access) => {
                return Ok(self.hand_over(place, (&Target::Topic(name.clone()), access), &text, &group).await);
            }
        };
        Ok(self.post(place, &url, text.get()).await)
    }

    async fn post(self, place: Place, url: &str, text: &str) -> bool {
        let Sending { works, tenant, hook } = self;
        let signature = tenant.sign(text.as_bytes());
        let body = if hook.is_packed { packed(text.as_bytes()).await } else { text.into() };
        let post = Post { tenant, hook: &hook.id, url, place, name: "", is_packed: hook.is_packed };
        works.send(&post, &signature, &body).await
    }

    /// Hands an event to a queue or a topic until it is taken, or given up.
    async fn hand_over(self, place: Place, (target, access): (&Target, &Keys), text: &RawValue, group: &str) -> bool {
        let Sending { works, tenant, hook } = self;
        let Some(secret) = works.server.apps.unseal(tenant.app.id, &access.secret) else {
            tracing::warn!(hook = hook.id, "the secret of a queue was sealed with another key");
            return false;
        };
        let body = match hook.is_packed {
            true => STANDARD.encode(packed(text.get().as_bytes()).await),
            false => text.get().to_owned(),
        };
        let id = event_id(tenant.app.id, &hook.id, place, "");
        let options = &works.server.webhooks;
        let access = aws::Access {
            target,
            region: &access.region,
            key: &access.key,
            secret: &secret,
            sns_endpoint: options.sns_endpoint.as_deref(),
        };
        let message = aws::Message { body: &body, id: &id, group };
        works.try_often(&hook.id, &Attempt::HandOver(&access, message)).await
    }
}

/// What a hook for messages that wait is posted, and where: the message, what it was sent with, and how the call came.
fn pending(event: &RawValue) -> Option<(String, String)> {
    let event: BTreeMap<String, Value> = serde_json::from_str(event.get()).ok()?;
    let custom = event.get("custom");
    let member = |name: &str| event.get(name).or_else(|| custom?.get(name)).cloned();
    let method = member("method")?.as_str()?.to_owned();
    let mut body = json!({ "message": member("message")?, "metadata": member("metadata").unwrap_or_default() });
    if let Some(info) = event.get("request_info") {
        body["request_info"] = info.clone();
    }
    Some((method, body.to_string()))
}

/// One thing to be taken.
enum Attempt<'a> {
    /// A signed body, posted.
    Post(&'a Post<'a>, &'a str, &'a [u8]),
    /// A message for a queue or a topic.
    HandOver(&'a aws::Access<'a>, aws::Message<'a>),
}

/// One thing to post to a hook.
struct Post<'a> {
    tenant: &'a Tenant,
    hook: &'a str,
    url: &'a str,
    /// What it tells of.
    place: Place,
    /// Tells it from others at the same place.
    name: &'a str,
    is_packed: bool,
}

impl Works {
    /// Now.
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.server.clock.now_micros())
    }

    /// Posts `body` until it is taken, or given up; answers whether it was taken.
    async fn send(&self, post: &Post<'_>, signature: &str, body: &[u8]) -> bool {
        self.try_often(post.hook, &Attempt::Post(post, signature, body)).await
    }

    /// Tries until it succeeds, with longer and longer pauses; answers whether it did.
    async fn try_often(&self, hook: &str, what: &Attempt<'_>) -> bool {
        let options = &self.server.webhooks;
        for attempt in 1..=options.attempts_max {
            match self.try_once(what, attempt).await {
                Ok(()) => return true,
                Err(error) => tracing::debug!(error, attempt, hook, "a hook did not take an event"),
            }
            if attempt < options.attempts_max {
                let pause = options.first_pause.saturating_mul(2_u32.saturating_pow(attempt - 1));
                tokio::time::sleep(pause.min(PAUSE_MAX)).await;
            }
        }
        false
    }
}

impl Works {
    async fn try_once(&self, what: &Attempt<'_>, attempt: u32) -> Result<(), String> {
        let timeout = self.server.webhooks.timeout;
        match what {
            Attempt::Post(post, signature, body) => {
                let headers = post.headers(signature, attempt);
                match self.outbound.post(post.url, headers, body.to_vec(), timeout).await {
                    Ok(answer) if answer.is_success() => Ok(()),
                    Ok(answer) => Err(format!("status {}", answer.status)),
                    Err(error) => Err(error.to_string()),
                }
            }
            Attempt::HandOver(access, message) => {
                let sent = aws::send(&self.outbound, access, *message, self.now(), timeout).await;
                sent.map_err(|error| error.to_string())
            }
        }
    }
}

impl Post<'_> {
    fn headers(&self, signature: &str, attempt: u32) -> HeaderMap {
        let text = |text: &str| HeaderValue::from_str(text).expect("ids and digits fit into headers");
        let key = HeaderValue::from_str(&self.tenant.key);
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("x-webhook-id", text(&event_id(self.tenant.app.id, self.hook, self.place, self.name)));
        headers.insert("x-webhook-attempt", HeaderValue::from(attempt));
        headers.insert("x-api-key", key.unwrap_or(HeaderValue::from_static("")));
        headers.insert("x-signature", text(signature));
        if self.is_packed {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        headers
    }
}

/// The same at each attempt, also after a restart.
fn event_id(app: AppId, hook: &str, place: Place, name: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, hook.as_bytes());
    let tag = hmac::sign(&key, format!("{}/{}/{}{name}", app.0, place.stamp, place.index).as_bytes());
    let bytes = tag.as_ref().first_chunk().expect("a tag has 32 bytes");
    uuid::Builder::from_custom_bytes(*bytes).into_uuid().to_string()
}

async fn packed(body: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let read: io::Result<usize> = GzipEncoder::new(body).read_to_end(&mut packed).await;
    read.expect("packing from memory into memory does not fail");
    packed
}
