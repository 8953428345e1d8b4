//! Users: `POST /users`, `PATCH /users`, `GET /users` (chat §6.1, §11.7; v2 §2).

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    channels::ChannelMute,
    dialect::{Custom, Time},
    push::PushPreferences,
};

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
    /// Whether moderation looks away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bypass_moderation: Option<bool>,
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

impl User<'_> {
    /// The size in which the v2 dialect tells users in events: without what is the user's own affair, and that of moderators
    /// (chat §18, `UserLite`).
    pub fn lite(self) -> Self {
        User { invisible: None, privacy_settings: None, ..self.private() }
    }

    /// The same with what the user shows of itself (chat §18, `UserPriv`).
    pub fn private(self) -> Self {
        User { ban_expires: None, shadow_banned: None, bypass_moderation: None, ..self }
    }
}

/// A user with what only the user itself, and the app's own server, see of it (chat §6.2).
#[derive(Serialize, Debug)]
pub struct FullUser<'a> {
    /// What everybody sees.
    #[serde(flatten)]
    pub user: User<'a>,
    /// The rest; not told to others.
    #[serde(flatten)]
    pub own: Option<Own<'a>>,
}

/// What only the user itself, and the app's own server, see of a user.
#[derive(Serialize, Debug, Default)]
pub struct Own<'a> {
    /// Whom the user mutes.
    pub mutes: Vec<UserMute<'a>>,
    /// Which channels the user mutes.
    pub channel_mutes: Vec<ChannelMute<'a>>,
    /// Of what the user wants to be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push_preferences: Option<PushPreferences<'a>>,
    /// Where pushes to the user go.
    pub devices: Vec<Device<'a>>,
    /// Messages that the user has not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_unread_count: Option<i64>,
    /// The same number by its older name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_count: Option<i64>,
    /// The number by team, for channels that have one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub total_unread_count_by_team: BTreeMap<&'a str, i64>,
    /// Channels with such messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_channels: Option<i64>,
    /// Threads with such replies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_threads: Option<i64>,
}

impl Own<'_> {
    /// What is told of it to others: nothing, in the members that typed clients of v2 want (v2 §2.1).
    pub fn withheld() -> Self {
        Own {
            total_unread_count: Some(0),
            unread_count: Some(0),
            unread_channels: Some(0),
            unread_threads: Some(0),
            ..Own::default()
        }
    }
}

/// That a user mutes another (chat §6.12).
#[derive(Serialize, Debug)]
pub struct UserMute<'a> {
    /// Who mutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User<'a>>,
    /// Whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<User<'a>>,
    /// Since when.
    pub created_at: Time,
    /// When it was last said again.
    pub updated_at: Time,
    /// Until when; for good, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Time>,
}

/// A device of a user (chat §6.11).
#[derive(Serialize, Debug)]
pub struct Device<'a> {
    /// The token that pushes are addressed to.
    pub id: &'a str,
    /// Whose it is.
    pub user_id: &'a str,
    /// Who carries pushes to it.
    pub push_provider: &'a str,
    /// Which of the app's configurations of that provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push_provider_name: Option<&'a str>,
    /// The machine, whatever the app on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardware_id: Option<&'a str>,
    /// Whether it rings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voip: Option<bool>,
    /// Whether nothing is sent to it any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_reason: Option<&'a str>,
    /// Since when it is known.
    pub created_at: Time,
}

/// What `GET /devices` answers.
#[derive(Serialize, Debug)]
pub struct Devices<'a> {
    /// The oldest first.
    pub devices: Vec<Device<'a>>,
}

/// That a user blocks another (chat §6.12).
#[derive(Serialize, Debug)]
pub struct Block<'a> {
    /// Who blocks.
    pub user_id: &'a str,
    /// The same.
    pub user: Option<User<'a>>,
    /// Whom.
    pub blocked_user_id: &'a str,
    /// The same.
    pub blocked_user: Option<User<'a>>,
    /// Since when.
    pub created_at: Time,
}

/// What `GET /users/block` answers.
#[derive(Serialize, Debug)]
pub struct Blocks<'a> {
    /// In the order in which they were made.
    pub blocks: Vec<Block<'a>>,
}

/// What `POST /users/block` answers.
#[derive(Serialize, Debug)]
pub struct Blocked<'a> {
    /// Who blocks.
    pub blocked_by_user_id: &'a str,
    /// Whom.
    pub blocked_user_id: &'a str,
    /// Since when.
    pub created_at: Time,
}

/// What `GET /users` answers.
#[derive(Serialize, Debug)]
pub struct Users<'a> {
    /// In the order that was asked for.
    pub users: Vec<FullUser<'a>>,
}

/// What changes of one user's state answer.
#[derive(Serialize, Debug)]
pub struct OneUser<'a> {
    /// The user as it is now.
    pub user: User<'a>,
}

/// What `POST /guest` answers.
#[derive(Serialize, Debug)]
pub struct Guest<'a> {
    /// The new user.
    pub user: User<'a>,
    /// A token of that user.
    pub access_token: String,
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
