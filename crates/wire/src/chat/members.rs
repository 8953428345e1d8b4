//! Members: `GET /members`, and in the state of channels (chat §6.6).

use serde::Serialize;

use super::{
    dialect::{Custom, Time},
    users::User,
};

/// A member of a channel.
#[derive(Serialize, Clone, Debug)]
pub struct Member<'a> {
    /// Who.
    pub user_id: &'a str,
    /// Who, in full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User<'a>>,
    /// The role by its old name: owner, moderator, member or admin.
    pub role: &'static str,
    /// The role in the channel.
    pub channel_role: &'a str,
    /// Whether the member is a moderator.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_moderator: bool,
    /// What became of the invitation.
    pub status: &'static str,
    /// Whether the member was invited.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub invited: bool,
    /// When the invitation was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invite_accepted_at: Option<Time>,
    /// When the invitation was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invite_rejected_at: Option<Time>,
    /// Since when.
    pub created_at: Time,
    /// When a field was last changed.
    pub updated_at: Time,
    /// Whether the member is banned from the channel.
    pub banned: bool,
    /// Until when; absent for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ban_expires: Option<Time>,
    /// Whether only the member sees what the member writes.
    pub shadow_banned: bool,
    /// Whether the member muted the channel.
    pub notifications_muted: bool,
    /// When the member pinned the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned_at: Option<Time>,
    /// When the member archived the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<Time>,
    /// The application's own fields.
    #[serde(flatten)]
    pub custom: Custom<'a>,
}

/// What `GET /members` answers.
#[derive(Serialize, Debug)]
pub struct Members<'a> {
    /// In the order that was asked for.
    pub members: Vec<Member<'a>>,
}

/// What a change of one member answers.
#[derive(Serialize, Debug)]
pub struct ChangedMember<'a> {
    /// The member as it is now.
    pub channel_member: Member<'a>,
}
