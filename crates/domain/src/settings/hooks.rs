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

/// An address to which events are sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Webhook {
    /// The id of the hook.
    pub id: String,
    /// The address.
    pub url: String,
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

    /// Where events of chat are sent, if this is what the hook is for.
    fn webhook(&self, is_packed: bool) -> Option<Webhook> {
        let is_enabled = self.detail("enabled").and_then(|value| value.as_bool()).unwrap_or(true);
        let is_for_chat = matches!(self.text("product").as_str(), "" | "all" | "chat");
        let url = self.text("webhook_url");
        if !is_enabled || !is_for_chat || self.text("hook_type") != "webhook" || url.is_empty() {
            return None;
        }
        let kinds = self.detail("event_types").and_then(|kinds| serde_json::from_value(kinds).ok());
        Some(Webhook { id: self.id.clone(), url, kinds: kinds.unwrap_or_default(), is_v2: self.is_v2, is_packed })
    }
}

impl Settings {
    /// Where events of chat are sent: the enabled hooks of this kind, and what `webhook_url` says.
    pub fn webhooks(&self) -> Vec<Webhook> {
        let is_packed = self.is_on("enable_hook_payload_compression");
        let legacy = Webhook {
            id: LEGACY.to_owned(),
            url: self.text("webhook_url"),
            kinds: self.texts("webhook_events"),
            is_v2: false,
            is_packed,
        };
        let hooks = self.event_hooks.iter().filter_map(|hook| hook.webhook(is_packed));
        hooks.chain((!legacy.url.is_empty()).then_some(legacy)).collect()
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
            hook("c", r#"{"hook_type":"sqs","sqs_queue_url":"https://c.test"}"#),
            hook("d", r#"{"hook_type":"webhook","webhook_url":"https://d.test","product":"video"}"#),
        ];
        let others = r#"{"webhook_url":"https://e.test","enable_hook_payload_compression":true}"#.to_owned();
        let webhooks = Settings { event_hooks, others, ..Settings::default() }.webhooks();
        let webhook = |id: &str, url: &str, kinds: &[&str], is_v2| Webhook {
            id: id.into(),
            url: url.into(),
            kinds: kinds.iter().map(|&kind| kind.into()).collect(),
            is_v2,
            is_packed: true,
        };
        let expected =
            [webhook("a", "https://a.test", &["message.new"], true), webhook(LEGACY, "https://e.test", &[], false)];
        assert_eq!(webhooks, expected);
    }
}
