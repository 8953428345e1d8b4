//! Events of feeds: frames of sockets, and the bodies of webhooks (feeds-v3 §7).

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    activities::{Activity, Pinned},
    bookmarks::{Bookmark, Folder},
    comments::Comment,
    feeds::{Feed, NotificationStatus},
    follows::Follow,
    members::Member,
    reactions::Reaction,
};
use crate::chat::{
    dialect::{Members, Time},
    polls::{Poll, Vote},
    users::User,
};

/// What a user said of an activity to whoever ranks.
#[derive(Serialize, Debug)]
pub struct Feedback<'a> {
    /// `hide`, `show_more` or `show_less`.
    pub action: &'a str,
    /// The activity.
    pub activity_id: &'a str,
    /// Whether so, or no longer; a word in the API.
    pub value: &'static str,
    /// Who said so.
    pub user: User<'a>,
    /// Since when there is feedback of the user.
    pub created_at: Time,
    /// When this was said.
    pub updated_at: Time,
}

/// Something that happened in feeds.
#[derive(Serialize, Debug)]
pub struct Event<'a> {
    /// What happened.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// When.
    pub created_at: Time,
    /// More that is the application's own.
    pub custom: Members<'a>,
    /// In which feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fid: Option<&'a str>,
    /// Who saw that feed then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feed_visibility: Option<&'static str>,
    /// Who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User<'a>>,
    /// The activity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity: Option<Activity<'a>>,
    /// The pin, which holds the activity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned_activity: Option<Pinned<'a>>,
    /// The feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feed: Option<Feed<'a>>,
    /// What of the feed is new to its owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_status: Option<NotificationStatus>,
    /// The follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow: Option<Follow<'a>>,
    /// The member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<Member<'a>>,
    /// The comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<Comment<'a>>,
    /// The reaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reaction: Option<Reaction<'a>>,
    /// The bookmark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bookmark: Option<Bookmark<'a>>,
    /// The poll.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll: Option<Poll<'a>>,
    /// The vote in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll_vote: Option<Vote<'a>>,
    /// What the user said of the activity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity_feedback: Option<Feedback<'a>>,
    /// The folder of bookmarks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bookmark_folder: Option<Folder<'a>>,
    /// Whatever else: members of this kind of event.
    #[serde(flatten)]
    pub more: std::collections::BTreeMap<&'a str, &'a RawValue>,
}
