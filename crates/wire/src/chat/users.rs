//! Users: `POST /users`, `PATCH /users`, `GET /users` (chat §6.1, §11.7; v2 §2).

use std::collections::BTreeMap;

use serde::Serialize;

use super::dialect::{Custom, Time};

/// A user, in the size that other objects embed.
#[derive(Serialize, Clone, Debug)]
pub struct User<'a> {
    /// The id.
    pub id: &'a str,
    /// The user-level role.
    pub role: &'a str,
    /// A display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// The URL of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<&'a str>,
    /// A language code; v2 always has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<&'a str>,
    /// The teams that the user belongs to.
    pub teams: &'a [String],
    /// Team → role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub teams_role: Option<BTreeMap<&'a str, &'a str>>,
    /// Since when there is this user.
    pub created_at: Time,
    /// When a field was last changed.
    pub updated_at: Time,
    /// When the user was last connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_active: Option<Time>,
    /// Whether the user is banned from the app.
    pub banned: bool,
    /// Until when; absent for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ban_expires: Option<Time>,
    /// Whether only the author sees what the user writes; v2 always has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow_banned: Option<bool>,
    /// Whether the user is connected and not invisible.
    pub online: bool,
    /// Whether presence is hidden; v2 always has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invisible: Option<bool>,
    /// Since when the user cannot connect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deactivated_at: Option<Time>,
    /// When the user was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Time>,
    /// Older tokens are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoke_tokens_issued_before: Option<Time>,
    /// What the user shows of itself; absent until it was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy_settings: Option<PrivacySettings>,
    /// Whom the user blocked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked_user_ids: Option<Vec<&'a str>>,
    /// The application's own fields.
    #[serde(flatten)]
    pub custom: Custom<'a>,
}

/// What a user shows of itself (chat §6.1).
#[derive(Serialize, Clone, Copy, Debug, Default)]
pub struct PrivacySettings {
    /// Whether others see the user type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typing_indicators: Option<Enabled>,
    /// Whether others see how far the user has read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_receipts: Option<Enabled>,
    /// Whether others see what was delivered to the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery_receipts: Option<Enabled>,
}

/// A switch.
#[derive(Serialize, Clone, Copy, Debug)]
pub struct Enabled {
    /// Whether it is on.
    pub enabled: bool,
}

/// What `POST /users` and `PATCH /users` answer.
#[derive(Serialize, Debug)]
pub struct Upserted<U> {
    /// Id → the user as it is now.
    pub users: BTreeMap<String, U>,
    /// Empty: no task is needed.
    pub membership_deletion_task_id: &'static str,
}
