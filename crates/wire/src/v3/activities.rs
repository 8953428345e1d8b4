//! Activities: `/activities` and what is below it (feeds-v3 §3.3, §4.1).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Location, Pager, engagement::Engagement, feeds::Feed, notifications::Context, reactions::Reaction};
use crate::chat::{
    dialect::{Members, Time},
    polls::Poll,
    users::User,
};

/// An activity.
#[derive(Serialize, Debug)]
pub struct Activity<'a> {
    /// The caller's id.
    pub id: &'a str,
    /// What kind it is.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// A text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<&'a str>,
    /// The text in other languages: `language`, and `<code>_text` for each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub i18n: Option<BTreeMap<&'a str, &'a str>>,
    /// `public`, `private` or `tag`.
    pub visibility: &'static str,
    /// The tag, if it is `tag`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility_tag: Option<&'a str>,
    /// `everyone`, `people_i_follow` or `nobody`.
    pub restrict_replies: &'static str,
    /// The feeds that it was added to.
    pub feeds: Vec<&'a str>,
    /// Who posted it.
    pub user: User<'a>,
    /// What hangs on it.
    pub attachments: Vec<Box<RawValue>>,
    /// Whom it mentions.
    pub mentioned_users: Vec<User<'a>>,
    /// By which it is found.
    pub filter_tags: &'a [String],
    /// What it is about.
    pub interest_tags: &'a [String],
    /// The application's own fields.
    pub custom: Members<'a>,
    /// What a search finds it by.
    pub search_data: Members<'a>,
    /// What users made of it.
    #[serde(flatten)]
    pub engagement: Engagement,
    /// How popular that makes it.
    pub popularity: i64,
    /// How it is ranked; 0 where nothing ranks.
    pub score: f64,
    /// Whether the viewer hid it.
    pub hidden: bool,
    /// Whether what it says is left out.
    pub preview: bool,
    /// Since when there is this activity.
    pub created_at: Time,
    /// When something about it last changed.
    pub updated_at: Time,
    /// When what it says was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Time>,
    /// When it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Time>,
    /// When it vanishes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// The activity that it shares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Box<Activity<'a>>>,
    /// The poll that it shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll: Option<Poll<'a>>,
    /// What the application counts of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<&'a BTreeMap<String, i64>>,
    /// The newest activities that share it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub latest_shares: Vec<Share<'a>>,
    /// The newest reactions of the viewer's friends, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub friend_reactions: Option<Vec<Reaction<'a>>>,
    /// How many reactions of the viewer's friends there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub friend_reaction_count: Option<usize>,
    /// What it is about, if it notifies of something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_context: Option<Context<'a>>,
    /// The feed that brought it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_feed: Option<Feed<'a>>,
    /// By which selector it came, where several select what is ranked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector_source: Option<&'a str>,
    /// What its score was made of, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score_vars: Option<&'a BTreeMap<String, f64>>,
    /// Whether the reader has read it, where that is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_read: Option<bool>,
    /// Whether the reader has seen it, where that is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_seen: Option<bool>,
    /// Whether the reader has watched it, where that is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_watched: Option<bool>,
}

/// An activity that shares another (feeds-v3 §4.1).
#[derive(Serialize, Debug)]
pub struct Share<'a> {
    /// Which.
    pub activity_id: &'a str,
    /// Whose it is.
    pub user: User<'a>,
    /// Since when.
    pub created_at: Time,
}

/// What `GET /activities/{id}/shares` answers.
#[derive(Serialize, Debug)]
pub struct Shares<'a> {
    /// The newest first.
    pub shares: Vec<Share<'a>>,
    /// Where the next page is.
    #[serde(flatten)]
    pub pager: Pager,
}

/// What came of one event of `POST /activities/metrics/track`.
#[derive(Serialize, Debug)]
pub struct Tracked<'a> {
    /// The activity.
    pub activity_id: &'a str,
    /// What was counted.
    pub metric: &'a str,
    /// Whether it was.
    pub allowed: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'a str>,
}

/// What `POST /activities/metrics/track` answers.
#[derive(Serialize, Debug)]
pub struct TrackedAll<'a> {
    /// In the order of the events.
    pub results: Vec<Tracked<'a>>,
}

/// What `POST /revisions/query` answers: none are kept.
#[derive(Serialize, Debug)]
pub struct Revisions {
    /// None.
    pub revisions: [(); 0],
    /// Where more are.
    #[serde(flatten)]
    pub pager: Pager,
}

/// One activity.
#[derive(Serialize, Debug)]
pub struct OneActivity<'a> {
    /// The activity.
    pub activity: Activity<'a>,
    /// How many users were told that it mentions them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mention_notifications_created: Option<i64>,
}

/// Some activities.
#[derive(Serialize, Debug)]
pub struct Activities<'a> {
    /// In the order that was asked for.
    pub activities: Vec<Activity<'a>>,
    /// Where the pages beside this one are.
    #[serde(flatten)]
    pub pager: Pager,
    /// How many users were told that one of them mentions them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mention_notifications_created: Option<i64>,
}

/// What `POST /activities/delete` answers.
#[derive(Serialize, Debug)]
pub struct Deleted<'a> {
    /// Those that were really deleted.
    pub deleted_ids: Vec<&'a str>,
}

/// What `POST /activities/{id}/feedback` answers.
#[derive(Serialize, Debug)]
pub struct Feedback<'a> {
    /// About which.
    pub activity_id: &'a str,
}

/// What pinning answers.
#[derive(Serialize, Debug)]
pub struct Pinned<'a> {
    /// The feed.
    pub feed: &'a str,
    /// Who pinned it.
    pub user_id: &'a str,
    /// Since when.
    pub created_at: Time,
    /// The activity.
    pub activity: Activity<'a>,
}

/// What unpinning answers.
#[derive(Serialize, Debug)]
pub struct Unpinned<'a> {
    /// The feed.
    pub feed: &'a str,
    /// Who unpinned it.
    pub user_id: &'a str,
    /// The activity.
    pub activity: Activity<'a>,
}

/// Some pinned activities.
#[derive(Serialize, Debug)]
pub struct Pins<'a> {
    /// In the order that was asked for.
    pub pinned_activities: Vec<Pin<'a>>,
    /// Where the pages beside this one are.
    #[serde(flatten)]
    pub pager: Pager,
}

/// A pinned activity (feeds-v3 §4.1).
#[derive(Serialize, Debug)]
pub struct Pin<'a> {
    /// The feed.
    pub feed: &'a str,
    /// The activity.
    pub activity: Activity<'a>,
    /// Who pinned it.
    pub user: User<'a>,
    /// Since when.
    pub created_at: Time,
    /// When it was pinned again.
    pub updated_at: Time,
}
