//! The settings of an app that are kept as they are sent: their names, what they must be, and what is shown of them
//! before anybody sets them (chat §11.1, v2 §7.1).

use Kind::{Choice, Filters, Flag, Number, Numbers, Object, Secret, Text, Texts, Upload};

/// What a setting must be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A truth value.
    Flag,
    /// A whole number in this range.
    Number(i64, i64),
    /// Any text.
    Text,
    /// A text that is sealed, and never shown.
    Secret,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A list of texts.
    Texts,
    /// An object that replaces the one before.
    Object,
    /// An object of whole numbers.
    Numbers,
    /// What may be uploaded.
    Upload,
    /// Predefined filters of channels.
    Filters,
}

/// A setting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// By the API's name.
    pub(super) name: &'static str,
    /// What it must be.
    pub(super) kind: Kind,
    /// What is shown, as JSON, before it is set; nothing, if absent.
    pub(super) default: Option<&'static str>,
    /// Whether users see it.
    pub(super) is_public: bool,
    /// Whether it is shown where it is set, and not inside `push_notifications`.
    pub(super) is_shown: bool,
}

const fn shown(name: &'static str, kind: Kind, default: &'static str) -> Known {
    Known { name, kind, default: Some(default), is_public: false, is_shown: true }
}

const fn public(name: &'static str, kind: Kind, default: &'static str) -> Known {
    Known { is_public: true, ..shown(name, kind, default) }
}

const fn optional(name: &'static str, kind: Kind) -> Known {
    Known { name, kind, default: None, is_public: false, is_shown: true }
}

const fn push(name: &'static str) -> Known {
    Known { name, kind: Object, default: None, is_public: false, is_shown: false }
}

const COUNT: Kind = Number(0, i64::MAX);
const UPLOADS: &str = concat!(
    r#"{"allowed_file_extensions":[],"blocked_file_extensions":[],"#,
    r#""allowed_mime_types":[],"blocked_mime_types":[],"size_limit":0}"#
);

/// Every setting that is kept as it is sent.
pub(super) const KNOWN: &[Known] = &[
    public("async_url_enrich_enabled", Flag, "false"),
    public("auto_translation_enabled", Flag, "false"),
    public("file_upload_config", Upload, UPLOADS),
    public("image_upload_config", Upload, UPLOADS),
    public("shared_locations_enabled", Flag, "false"),
    public("user_response_time_enabled", Flag, "false"),
    shown("before_message_send_hook_url", Text, "\"\""),
    shown("cdn_expiration_seconds", COUNT, "1209600"),
    shown("channel_hide_members_only", Flag, "false"),
    shown("custom_action_handler_url", Text, "\"\""),
    shown("enforce_unique_usernames", Choice(&["no", "app", "team"]), "\"no\""),
    shown("feed_audit_logs_enabled", Flag, "false"),
    shown("guest_user_creation_disabled", Flag, "false"),
    shown("image_moderation_enabled", Flag, "false"),
    shown("image_moderation_labels", Texts, "[]"),
    shown("max_aggregated_activities_length", COUNT, "0"),
    shown("member_custom_on_messages_enabled", Flag, "false"),
    shown("moderation_enabled", Flag, "false"),
    shown("moderation_webhook_url", Text, "\"\""),
    shown("multi_tenant_enabled", Flag, "false"),
    shown("permission_version", Choice(&["v1", "v2"]), "\"v2\""),
    shown("reminders_interval", Number(60, 86_400), "300"),
    shown("sns_key", Text, "\"\""),
    shown("sns_secret", Secret, "\"\""),
    shown("sns_topic_arn", Text, "\"\""),
    shown("sqs_key", Text, "\"\""),
    shown("sqs_secret", Secret, "\"\""),
    shown("sqs_url", Text, "\"\""),
    shown("user_search_disallowed_roles", Texts, "[]"),
    shown("webhook_events", Texts, "[]"),
    shown("webhook_url", Text, "\"\""),
    optional("activity_metrics_config", Numbers),
    optional("allowed_flag_reasons", Texts),
    optional("async_moderation_config", Object),
    optional("before_message_send_hook_attempt_timeout_ms", COUNT),
    optional("chat_primary_use_case", Text),
    optional("datadog_info", Object),
    optional("enable_hook_payload_compression", Flag),
    optional("feeds_moderation_enabled", Flag),
    optional("feeds_v2_region", Text),
    optional("image_moderation_block_labels", Texts),
    optional("moderation_analytics_enabled", Flag),
    optional("moderation_dashboard_preferences", Object),
    optional("moderation_onboarding_complete", Flag),
    optional("moderation_s3_image_access_role_arn", Text),
    optional("predefined_filters", Filters),
    optional("reminders_max_members", COUNT),
    optional("reminders_max_per_user", COUNT),
    optional("video_primary_use_case", Text),
    push("apn_config"),
    push("firebase_config"),
    push("huawei_config"),
    push("push_config"),
    push("xiaomi_config"),
];

/// What nobody can set, as JSON, but clients want to read.
pub(super) const FIXED: &[(&str, &str)] = &[
    ("allow_multi_user_devices", "false"),
    ("call_types", "{}"),
    ("campaign_enabled", "true"),
    ("moderation_audio_call_moderation_enabled", "false"),
    ("moderation_llm_configurability_enabled", "false"),
    ("moderation_multitenant_blocklist_enabled", "false"),
    ("moderation_video_call_moderation_enabled", "false"),
    ("organization", "\"\""),
    ("placement", "\"\""),
    ("policies", "{}"),
    ("suspended_explanation", "\"\""),
    ("use_hook_v2", "false"),
];

/// Members of objects that are sealed, and never shown.
pub(super) const SECRETS: [&str; 16] = [
    "api_key",
    "apn_auth_key",
    "apn_p12_cert",
    "auth_key",
    "credentials_json",
    "firebase_credentials",
    "firebase_server_key",
    "gcs_credentials",
    "huawei_app_secret",
    "p12_cert",
    "secret",
    "server_key",
    "sns_secret",
    "sqs_secret",
    "webhook_secret",
    "xiaomi_app_secret",
];
