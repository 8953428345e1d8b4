//! Feeds: `/feed_groups/{group}/feeds/{feed}` and `/feeds` (feeds-v3 §3.2, §4.1).

use serde::Serialize;

use super::{
    Location, Pager,
    activities::{Activity, Pin},
    follows::Follow,
    members::Member,
};
use crate::chat::{
    dialect::{Members, Time},
    users::User,
};

/// A feed.
#[derive(Serialize, Clone, Debug)]
pub struct Feed<'a> {
    /// `group:id`.
    pub feed: &'a str,
    /// The group.
    pub group_id: &'a str,
    /// The id within the group.
    pub id: &'a str,
    /// What it is called.
    pub name: &'a str,
    /// What it is about.
    pub description: &'a str,
    /// Who sees it.
    pub visibility: &'static str,
    /// By which it is found.
    pub filter_tags: &'a [String],
    /// Whose it is.
    pub created_by: User<'a>,
    /// How many activities stand in it.
    pub activity_count: i64,
    /// How many feeds follow it.
    pub follower_count: i64,
    /// How many feeds it follows.
    pub following_count: i64,
    /// How many members it has.
    pub member_count: i64,
    /// How many activities are pinned in it.
    pub pin_count: i64,
    /// The application's own fields.
    pub custom: Members<'a>,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// Since when there is this feed.
    pub created_at: Time,
    /// When a field was last changed.
    pub updated_at: Time,
    /// When it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Time>,
    /// What the viewer has to do with it.
    #[serde(flatten)]
    pub own: OwnData<'a>,
}

/// What a user has to do with a feed; absent unless it was asked for.
#[derive(Serialize, Clone, Debug, Default)]
pub struct OwnData<'a> {
    /// What the user can do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_capabilities: Option<Vec<&'static str>>,
    /// Follows of it by the user's feeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_follows: Option<Vec<Follow<'a>>>,
    /// Follows of the user's feeds by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_followings: Option<Vec<Follow<'a>>>,
    /// The user as its member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_membership: Option<Member<'a>>,
}

/// One feed.
#[derive(Serialize, Debug)]
pub struct OneFeed<'a> {
    /// The feed.
    pub feed: Feed<'a>,
}

/// Some feeds.
#[derive(Serialize, Debug)]
pub struct Feeds<'a> {
    /// In the order that was asked for.
    pub feeds: Vec<Feed<'a>>,
    /// Where the pages beside this one are.
    #[serde(flatten)]
    pub pager: Pager,
}

/// What `POST /feeds/own/batch` answers.
#[derive(Serialize, Debug)]
pub struct OwnBatch<'a> {
    /// Feed → what the user has to do with it.
    pub data: std::collections::BTreeMap<&'a str, OwnData<'a>>,
}

/// Activities in a group.
#[derive(Serialize, Debug)]
pub struct Aggregated<'a> {
    /// What the format says.
    pub group: &'a str,
    /// Some of its activities.
    pub activities: Vec<Activity<'a>>,
    /// How many it has.
    pub activity_count: usize,
    /// Of how many users.
    pub user_count: usize,
    /// Whether there may be more users.
    pub user_count_truncated: bool,
    /// How it is ranked; 0 where nothing ranks.
    pub score: f64,
    /// Whether the reader has read it, where that is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_read: Option<bool>,
    /// Whether the reader has seen it, where that is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_seen: Option<bool>,
    /// Whether the reader has watched it, where that is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_watched: Option<bool>,
    /// When the oldest of its activities was posted.
    pub created_at: Time,
    /// When the newest was.
    pub updated_at: Time,
}

/// What of a feed is new to its reader.
#[derive(Serialize, Clone, Copy, Debug)]
pub struct NotificationStatus {
    /// Groups, or activities, that were not read.
    pub unread: usize,
    /// Groups, or activities, that were not seen.
    pub unseen: usize,
    /// When something was last read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_read_at: Option<Time>,
    /// When something was last seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen_at: Option<Time>,
}

/// A feed with a page of what it shows.
#[derive(Serialize, Debug)]
pub struct Read<'a> {
    /// Whether the feed was made.
    pub created: bool,
    /// The feed.
    pub feed: Feed<'a>,
    /// The page.
    pub activities: Vec<Activity<'a>>,
    /// The page, where activities stand in groups.
    pub aggregated_activities: Vec<Aggregated<'a>>,
    /// What is pinned, in the order of pinning.
    pub pinned_activities: Vec<Pin<'a>>,
    /// The newest followers.
    pub followers: Vec<Follow<'a>>,
    /// The newest follows.
    pub following: Vec<Follow<'a>>,
    /// The members.
    pub members: Vec<Member<'a>>,
    /// What of the whole feed is new to its reader, where that is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_status: Option<NotificationStatus>,
    /// Where more followers are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub followers_pagination: Option<Pager>,
    /// Where more of the followed are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub following_pagination: Option<Pager>,
    /// Where more members are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member_pagination: Option<Pager>,
    /// Where the pages beside this one are.
    #[serde(flatten)]
    pub pager: Pager,
}
