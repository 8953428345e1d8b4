//! Push providers, templates and preferences, and what tries them out (chat §6.15, §11.1, §11.9; v2 §7.4).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, value::RawValue};

use super::dialect::Time;

/// A named way to tell devices.
#[derive(Serialize, Debug)]
pub struct PushProvider<'a> {
    /// `apn`, `firebase`, `huawei` or `xiaomi`.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Since when there is it.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
    /// Since when it is switched off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<Time>,
    /// What was set, but for its secrets.
    #[serde(flatten)]
    pub details: BTreeMap<String, Value>,
}

/// What `POST /push_providers` answers.
#[derive(Serialize, Debug)]
pub struct OnePushProvider<'a> {
    /// The provider.
    pub push_provider: PushProvider<'a>,
}

/// What `GET /push_providers` answers.
#[derive(Serialize, Debug)]
pub struct PushProviders<'a> {
    /// By type and name.
    pub push_providers: Vec<PushProvider<'a>>,
}

/// What devices would be sent of an event.
#[derive(Serialize, Debug)]
pub struct PushTemplate<'a> {
    /// Of which event.
    pub event_type: &'a str,
    /// Whether devices are told of it.
    pub enable_push: bool,
    /// By which provider.
    pub push_provider_internal_id: &'a str,
    /// The text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<&'a str>,
    /// Since when there is it.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// What `POST /push_templates` answers.
#[derive(Serialize, Debug)]
pub struct OnePushTemplate<'a> {
    /// The template.
    pub template: PushTemplate<'a>,
}

/// What `GET /push_templates` answers.
#[derive(Serialize, Debug)]
pub struct PushTemplates<'a> {
    /// By event.
    pub templates: Vec<PushTemplate<'a>>,
}

/// What a user wants to be told of.
#[derive(Serialize, Debug)]
pub struct PushPreferences<'a> {
    /// Of which messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat_level: Option<&'a str>,
    /// Of which calls; not in a channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_level: Option<&'a str>,
    /// Of which activities; not in a channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feeds_level: Option<&'a str>,
    /// Until then, of nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_until: Option<Time>,
    /// By kind of message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat_preferences: Option<Box<RawValue>>,
    /// By kind of activity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feeds_preferences: Option<Box<RawValue>>,
}

/// What `POST /push_preferences` answers: what was changed, as it is now.
#[derive(Serialize, Debug, Default)]
pub struct ChangedPreferences<'a> {
    /// User → what the user wants.
    pub user_preferences: BTreeMap<&'a str, PushPreferences<'a>>,
    /// User → channel → what the user wants there.
    pub user_channel_preferences: BTreeMap<&'a str, BTreeMap<&'a str, PushPreferences<'a>>>,
}

/// What `POST /check_push` answers.
#[derive(Serialize, Debug)]
pub struct PushCheck<'a> {
    /// The event that was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_type: Option<&'a str>,
    /// Device → what went wrong.
    pub device_errors: BTreeMap<String, DeviceError<'a>>,
    /// What went wrong with all of them.
    pub general_errors: Vec<String>,
    /// Whether no device was told.
    pub skip_devices: bool,
    /// For Apple's service.
    pub rendered_apn_template: String,
    /// For Google's.
    pub rendered_firebase_template: String,
    /// What would be told.
    pub rendered_message: BTreeMap<&'static str, String>,
}

/// Why a device was not told.
#[derive(Serialize, Debug)]
pub struct DeviceError<'a> {
    /// What went wrong.
    pub error_message: String,
    /// Who would have carried it.
    pub provider: &'a str,
    /// By which of the app's providers.
    pub provider_name: &'a str,
}
