//! Messages: `POST /channels/{type}/{id}/message`, `GET /messages/{id}` and all that answers with one (chat §6.7, §11.4).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    dialect::{Custom, Time},
    drafts::Draft,
    locations::Location,
    polls::Poll,
    reminders::Reminder,
    user_groups::UserGroup,
    users::User,
};

/// Why a message was refused by moderation (chat §6.7).
#[derive(Serialize, Debug)]
pub struct Moderation<'a> {
    /// `bounce` or `remove`.
    pub action: &'a str,
    /// What its author said.
    pub original_text: &'a str,
    /// A blocklist that found something in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocklist_matched: Option<&'a str>,
    /// All that did.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub blocklists_matched: &'a [String],
}

/// A message.
#[derive(Serialize, Debug)]
pub struct Message<'a> {
    /// The id.
    pub id: &'a str,
    /// Where it was said.
    pub cid: &'a str,
    /// `regular`, `reply`, `system`, `ephemeral`, `error` or `deleted`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The text.
    pub text: &'a str,
    /// The text as HTML.
    pub html: String,
    /// The markup of the application's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mml: Option<&'a str>,
    /// Who said it.
    pub user: Option<User<'a>>,
    /// What the author is in the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberBrief<'a>>,
    /// What hangs on it.
    pub attachments: Vec<Box<RawValue>>,
    /// Whom it names.
    pub mentioned_users: Vec<User<'a>>,
    /// The roles whose holders it names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mentioned_roles: Vec<&'a str>,
    /// The groups of users that it names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mentioned_group_ids: Vec<&'a str>,
    /// Those groups, as far as they are there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mentioned_groups: Vec<UserGroup<'a>>,
    /// Whether it names all members; v2 always has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mentioned_channel: Option<bool>,
    /// Whether it names all who are there; v2 always has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mentioned_here: Option<bool>,
    /// The newest reactions, the newest first.
    pub latest_reactions: Vec<Reaction<'a>>,
    /// The reactions of the reader.
    pub own_reactions: Vec<Reaction<'a>>,
    /// Type → how many.
    pub reaction_counts: BTreeMap<&'a str, i64>,
    /// Type → the sum of their scores.
    pub reaction_scores: BTreeMap<&'a str, i64>,
    /// Type → both, and when.
    pub reaction_groups: BTreeMap<&'a str, ReactionGroup<'a>>,
    /// The message that it replies to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<&'a str>,
    /// Whether a reply shows in the channel, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show_in_channel: Option<bool>,
    /// How many replies it has.
    pub reply_count: i64,
    /// How many of its replies were deleted.
    pub deleted_reply_count: i64,
    /// Who takes part in its thread.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub thread_participants: Vec<User<'a>>,
    /// The message that it quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quoted_message_id: Option<&'a str>,
    /// That message, without what it quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quoted_message: Option<Box<Message<'a>>>,
    /// The slash command that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<&'a str>,
    /// What the command was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args: Option<&'a str>,
    /// The poll that it shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll_id: Option<&'a str>,
    /// That poll, as long as it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll: Option<Box<Poll<'a>>>,
    /// Where its author is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_location: Option<Location<'a>>,
    /// That the reader saved it for later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reminder: Option<Reminder<'a>>,
    /// What the reader has begun to write in its thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<Draft<'a>>,
    /// Why moderation refused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moderation: Option<Moderation<'a>>,
    /// Whether it counts for nobody as unread.
    pub silent: bool,
    /// Whether only its author sees it.
    pub shadowed: bool,
    /// Who may see it; everybody, if empty.
    pub restricted_visibility: Vec<&'a str>,
    /// Whether it is pinned.
    pub pinned: bool,
    /// Since when; the classic dialect always has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned_at: Option<Option<Time>>,
    /// By whom; the classic dialect always has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned_by: Option<Option<User<'a>>>,
    /// Until when; the classic dialect always has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin_expires: Option<Option<Time>>,
    /// `<language>_text` → text, and `language`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub i18n: Option<BTreeMap<&'a str, &'a str>>,
    /// When it was said.
    pub created_at: Time,
    /// When a field was last changed.
    pub updated_at: Time,
    /// When the text was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_text_updated_at: Option<Time>,
    /// When it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Time>,
    /// Whether the reader deleted it for themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_for_me: Option<bool>,
    /// The application's own fields.
    #[serde(flatten)]
    pub custom: Custom<'a>,
}

/// What the author of a message is in the channel.
#[derive(Serialize, Clone, Copy, Debug)]
pub struct MemberBrief<'a> {
    /// The role there.
    pub channel_role: &'a str,
    /// Whether the author mutes the channel; v2 alone has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notifications_muted: Option<bool>,
    /// The member's own fields, where somebody asked for them.
    #[serde(flatten)]
    pub custom: Option<Custom<'a>>,
}

/// What the answer to a new message tells of its channel.
#[derive(Serialize, Debug)]
pub struct ChannelContext<'a> {
    /// Which channel.
    pub cid: &'a str,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// Its id.
    pub id: &'a str,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<User<'a>>,
}

/// What `POST /channels/{type}/{id}/message` answers.
#[derive(Serialize, Debug)]
pub struct SentMessage<'a> {
    /// The message.
    pub message: Message<'a>,
    /// What a message that waits was sent with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_message_metadata: Option<BTreeMap<String, String>>,
    /// Where it was said, where the caller asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_context: Option<ChannelContext<'a>>,
    /// Of each user whom it names, whether it is a member, where the caller asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mentioned_members: Option<BTreeMap<&'a str, bool>>,
}

/// A reaction (chat §6.9).
#[derive(Serialize, Debug)]
pub struct Reaction<'a> {
    /// To which message.
    pub message_id: &'a str,
    /// Whose.
    pub user_id: &'a str,
    /// The same as an object.
    pub user: Option<User<'a>>,
    /// Which.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// How strong.
    pub score: i64,
    /// Since when.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
    /// The application's own fields.
    #[serde(flatten)]
    pub custom: Custom<'a>,
}

/// The reactions of one type.
#[derive(Serialize, Debug)]
pub struct ReactionGroup<'a> {
    /// How many.
    pub count: i64,
    /// The sum of their scores.
    pub sum_scores: i64,
    /// When the first came.
    pub first_reaction_at: Time,
    /// When the last came.
    pub last_reaction_at: Time,
    /// The newest; v2 alone has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_reactions_by: Option<Vec<ReactionBy<'a>>>,
}

/// Who reacted when.
#[derive(Serialize, Debug)]
pub struct ReactionBy<'a> {
    /// When.
    pub created_at: Time,
    /// Who.
    pub user_id: &'a str,
    /// The same as an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User<'a>>,
}

/// An answer with one message.
#[derive(Serialize, Debug)]
pub struct OneMessage<M> {
    /// The message.
    pub message: M,
    /// What a message that waits was sent with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_message_metadata: Option<BTreeMap<String, String>>,
}

/// An answer with some messages.
#[derive(Serialize, Debug)]
pub struct Messages<M> {
    /// The messages.
    pub messages: Vec<M>,
}

/// An older version of a message (chat §6.15).
#[derive(Serialize, Debug)]
pub struct HistoryEntry<'a> {
    /// Of which message.
    pub message_id: &'a str,
    /// Who wrote it.
    pub message_updated_by_id: &'a str,
    /// When it was written.
    pub message_updated_at: Time,
    /// The text.
    pub text: &'a str,
    /// What hung on it.
    pub attachments: Vec<Box<RawValue>>,
    /// Whether the message was deleted then.
    pub is_deleted: bool,
    /// The application's own fields.
    #[serde(flatten)]
    pub custom: Custom<'a>,
}

/// What `POST /messages/history` answers.
#[derive(Serialize, Debug)]
pub struct History<'a> {
    /// The older versions.
    pub message_history: Vec<HistoryEntry<'a>>,
    /// What asks for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What asks for the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
}

/// What reacting answers.
#[derive(Serialize, Debug)]
pub struct Reacted<'a> {
    /// The message.
    pub message: Message<'a>,
    /// The reaction.
    pub reaction: Reaction<'a>,
}

/// An answer with some reactions.
#[derive(Serialize, Debug)]
pub struct Reactions<'a> {
    /// The reactions.
    pub reactions: Vec<Reaction<'a>>,
    /// What asks for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What asks for the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
}
