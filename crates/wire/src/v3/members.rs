//! Members of feeds: `/feed_groups/{group}/feeds/{feed}/members` (feeds-v3 §3.9, §4.1).

use serde::Serialize;

use super::Pager;
use crate::chat::{
    dialect::{Members as Own, Time},
    users::User,
};

/// A member of a feed.
#[derive(Serialize, Clone, Debug)]
pub struct Member<'a> {
    /// Who.
    pub user: User<'a>,
    /// The role in the feed.
    pub role: &'a str,
    /// `member`, `pending` or `rejected`.
    pub status: &'static str,
    /// The application's own fields.
    pub custom: Own<'a>,
    /// Since when.
    pub created_at: Time,
    /// When a field was last changed.
    pub updated_at: Time,
    /// When the invitation was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invite_accepted_at: Option<Time>,
    /// When it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invite_rejected_at: Option<Time>,
    /// The membership level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub membership_level: Option<Level<'a>>,
}

/// A membership level: `/membership_levels`.
#[derive(Serialize, Clone, Debug)]
pub struct Level<'a> {
    /// The id.
    pub id: &'a str,
    /// What it is called.
    pub name: &'a str,
    /// What it is.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub description: &'a str,
    /// The higher, the weightier.
    pub priority: i64,
    /// The `visibility_tag`s that it opens.
    pub tags: &'a [String],
    /// The application's own fields.
    pub custom: Own<'a>,
    /// Since when.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// One membership level.
#[derive(Serialize, Debug)]
pub struct OneLevel<'a> {
    /// The level.
    pub membership_level: Level<'a>,
}

/// Some membership levels.
#[derive(Serialize, Debug)]
pub struct Levels<'a> {
    /// In the order that was asked for.
    pub membership_levels: Vec<Level<'a>>,
    /// Where the pages beside this one are.
    #[serde(flatten)]
    pub pager: Pager,
}

/// One member.
#[derive(Serialize, Debug)]
pub struct OneMember<'a> {
    /// The member.
    pub member: Member<'a>,
}

/// What `PATCH …/members` answers.
#[derive(Serialize, Debug)]
pub struct Changed<'a> {
    /// Who came.
    pub added: Vec<Member<'a>>,
    /// Who was there and is changed.
    pub updated: Vec<Member<'a>>,
    /// Who went.
    pub removed_ids: Vec<&'a str>,
}

/// Some members.
#[derive(Serialize, Debug)]
pub struct Members<'a> {
    /// In the order that was asked for.
    pub members: Vec<Member<'a>>,
    /// Where the pages beside this one are.
    #[serde(flatten)]
    pub pager: Pager,
}
