//! Who is told of what happens in an app (chat §11.1, §13).

use ids::Timestamp;
use minicbor::{Decode, Encode};
use serde_json::Value;

use super::Settings;

/// The id of the hook that `webhook_url` stands for.
pub const LEGACY: &str = "webhook_url";

/// Somebody who is told of what happens.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Hook {
    /// The id.
    #[n(0)]
    pub id: String,
    /// Whether it is told in the v2 dialect: it was made there.
    #[n(1)]
    pub is_v2: bool,
    /// Since when there is it.
    #[n(2)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[n(3)]
    pub updated_at: Timestamp,
    /// What it is and what it is told, by the API's names: a JSON object, as it was sent.
    #[n(4)]
    pub details: String,
}

/// The id of the hook that `sqs_url` stands for.
pub const LEGACY_QUEUE: &str = "sqs_url";
/// The id of the hook that `sns_topic_arn` stands for.
pub const LEGACY_TOPIC: &str = "sns_topic_arn";

/// Settings that name somebody who is told of what happens, or asked about it.
const ADDRESSES: [&str; 5] =
    [LEGACY, LEGACY_QUEUE, LEGACY_TOPIC, "before_message_send_hook_url", "custom_action_handler_url"];

/// How events reach somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Way {
    /// They are posted to this address.
    Post(String),
    /// They are put into the queue of this address.
    Queue(String, Access),
    /// They are published to the topic of this name.
    Topic(String, Access),
    /// What becomes of messages that wait is posted below this address.
    Pending(String),
}

/// What opens a queue or a topic.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Access {
    /// Where it is; empty when its name says so.
    pub region: String,
    /// The id of the access key.
    pub key: String,
    /// Its secret, as it is stored.
    pub secret: String,
}

/// What a hook is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Product {
    /// Everything.
    All,
    /// What happens in chat.
    Chat,
    /// What moderators and policies do.
    Moderation,
    /// What happens in feeds.
    Feeds,
}

/// Somebody to whom events are sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Webhook {
    /// The id of the hook.
    pub id: String,
    /// How they are sent.
    pub way: Way,
    /// What it is for.
    pub product: Product,
    /// Whether it is sent events of the application's own.
    pub takes_custom: bool,
    /// Whether each event is a group of its own, where a topic keeps the order of groups.
    pub groups_by_event: bool,
    /// Which events; all, if empty.
    pub kinds: Vec<String>,
    /// Whether the bodies are those of the v2 dialect.
    pub is_v2: bool,
    /// Whether the bodies are compressed.
    pub is_packed: bool,
}

impl Hook {
    /// The detail `name`.
    pub fn detail(&self, name: &str) -> Option<Value> {
        let details: Value = serde_json::from_str(&self.details).expect("details were parsed before they were stored");
        details.get(name).cloned()
    }

    fn text(&self, name: &str) -> String {
        self.detail(name).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.detail(name).and_then(|value| value.as_bool())
    }

    /// How events are sent, if they are: a hook for what this server does not do is told nothing.
    fn webhook(&self, is_packed: bool) -> Option<Webhook> {
        let product = match self.text("product").as_str() {
            "" | "all" => Product::All,
            "chat" => Product::Chat,
            "moderation" => Product::Moderation,
            "feeds" => Product::Feeds,
            _ => return None,
        };
        let access = |kind: &str| Access {
            region: self.text(&format!("{kind}_region")),
            key: self.text(&format!("{kind}_key")),
            secret: self.text(&format!("{kind}_secret")),
        };
        let (way, target) = match self.text("hook_type").as_str() {
            "webhook" => (Way::Post(self.text("webhook_url")), self.text("webhook_url")),
            "sqs" => (Way::Queue(self.text("sqs_queue_url"), access("sqs")), self.text("sqs_queue_url")),
            "sns" => (Way::Topic(self.text("sns_topic_arn"), access("sns")), self.text("sns_topic_arn")),
            "pending_message" if self.calls_back() => {
                (Way::Pending(self.text("webhook_url")), self.text("webhook_url"))
            }
            _ => return None,
        };
        if target.is_empty() || !self.flag("enabled").unwrap_or(true) {
            return None;
        }
        let kinds = self.detail("event_types").and_then(|kinds| serde_json::from_value(kinds).ok());
        Some(Webhook {
            id: self.id.clone(),
            way,
            product,
            takes_custom: self.flag("should_send_custom_events").unwrap_or(true),
            groups_by_event: self.flag("sns_event_based_message_group_id_enabled").unwrap_or_default(),
            kinds: kinds.unwrap_or_default(),
            is_v2: self.is_v2,
            is_packed,
        })
    }

    /// Whether a hook for messages that wait is called at all.
    fn calls_back(&self) -> bool {
        let mode = self.detail("callback").and_then(|callback| callback.get("mode")?.as_str().map(str::to_owned));
        mode.as_deref() != Some("CALLBACK_MODE_NONE")
    }
}

/// How long a message waits to be committed where no hook says, in milliseconds: three days.
const PENDING_MILLIS: i64 = 3 * 24 * 60 * 60 * 1000;
/// The longest such time: 30 days.
const PENDING_MILLIS_MAX: i64 = 30 * 24 * 60 * 60 * 1000;

impl Settings {
    /// How long a message waits to be committed, in microseconds: as the hook for such messages says.
    pub fn pending_micros(&self) -> i64 {
        let said =
            |hook: &Hook| hook.detail("timeout_ms").and_then(|millis| millis.as_i64()).filter(|millis| *millis > 0);
        let hooks = self.event_hooks.iter().filter(|hook| hook.text("hook_type") == "pending_message");
        hooks.filter_map(said).next().unwrap_or(PENDING_MILLIS).min(PENDING_MILLIS_MAX) * 1000
    }

    /// Whether some server of the app's owner is told of what happens, or asked about it.
    pub fn has_hooks(&self) -> bool {
        !self.event_hooks.is_empty() || ADDRESSES.iter().any(|name| !self.text(name).is_empty())
    }

    /// Where events are sent: the enabled hooks, and what `webhook_url`, `sqs_url` and `sns_topic_arn` say.
    pub fn webhooks(&self) -> Vec<Webhook> {
        let is_packed = self.is_on("enable_hook_payload_compression");
        let legacy = |id: &str, way| Webhook {
            id: id.to_owned(),
            way,
            product: Product::All,
            takes_custom: true,
            groups_by_event: false,
            kinds: if id == LEGACY { self.texts("webhook_events") } else { Vec::new() },
            is_v2: false,
            is_packed,
        };
        let access = |kind: &str| Access {
            region: String::new(),
            key: self.text(&format!("{kind}_key")),
            secret: self.text(&format!("{kind}_secret")),
        };
        let mut hooks: Vec<Webhook> = self.event_hooks.iter().filter_map(|hook| hook.webhook(is_packed)).collect();
        let (url, queue, topic) = (self.text(LEGACY), self.text(LEGACY_QUEUE), self.text(LEGACY_TOPIC));
        hooks.extend((!url.is_empty()).then(|| legacy(LEGACY, Way::Post(url))));
        hooks.extend((!queue.is_empty()).then(|| legacy(LEGACY_QUEUE, Way::Queue(queue, access("sqs")))));
        hooks.extend((!topic.is_empty()).then(|| legacy(LEGACY_TOPIC, Way::Topic(topic, access("sns")))));
        hooks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hook(id: &str, details: &str) -> Hook {
        let now = Timestamp::from_micros(0);
        Hook { id: id.into(), is_v2: true, created_at: now, updated_at: now, details: details.into() }
    }

    #[test]
    fn events_go_to_enabled_webhooks_and_to_the_address_of_old() {
        let event_hooks = vec![
            hook("a", r#"{"hook_type":"webhook","webhook_url":"https://a.test","event_types":["message.new"]}"#),
            hook("b", r#"{"hook_type":"webhook","webhook_url":"https://b.test","enabled":false}"#),
            hook("c", r#"{"hook_type":"sqs","sqs_queue_url":"https://c.test","sqs_key":"k","product":"feeds"}"#),
            hook("d", r#"{"hook_type":"webhook","webhook_url":"https://d.test","product":"video"}"#),
        ];
        let others = r#"{"webhook_url":"https://e.test","enable_hook_payload_compression":true}"#.to_owned();
        let webhooks = Settings { event_hooks, others, ..Settings::default() }.webhooks();
        let webhook = |id: &str, url: &str, kinds: &[&str], is_v2| Webhook {
            id: id.into(),
            way: Way::Post(url.into()),
            product: Product::All,
            takes_custom: true,
            groups_by_event: false,
            kinds: kinds.iter().map(|&kind| kind.into()).collect(),
            is_v2,
            is_packed: true,
        };
        let access = Access { key: "k".into(), ..Access::default() };
        let queue = Webhook {
            way: Way::Queue("https://c.test".into(), access),
            product: Product::Feeds,
            ..webhook("c", "", &[], true)
        };
        let expected = [
            webhook("a", "https://a.test", &["message.new"], true),
            queue,
            webhook(LEGACY, "https://e.test", &[], false),
        ];
        assert_eq!(webhooks, expected);
    }
}
