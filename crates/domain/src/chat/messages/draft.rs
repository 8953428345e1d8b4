//! What a caller says of a message, and the limits that hold for it (chat §4.2).

use ids::{ChannelId, MessageId, Timestamp, UserId};

use super::{Kind, Message, scene::Scene};
use crate::{Error, Result, chat::locations::Location};

/// The most attachments.
const ATTACHMENTS_MAX: usize = 30;
/// The most bytes of all attachments.
const ATTACHMENTS_BYTES_MAX: usize = 5 * 1024;
/// The most bytes of the application's own fields.
const CUSTOM_BYTES_MAX: usize = 5 * 1024;
/// The most users whom a message names.
const MENTIONED_MAX: usize = 25;
/// The most roles that a message names, and the most groups of users.
const GROUPS_MAX: usize = 10;
/// The most users who alone may see a message.
const VISIBLE_TO_MAX: usize = 100;
/// The most bytes of what a pending message is sent with.
const METADATA_BYTES_MAX: usize = 5 * 1024;

/// A message as its sender describes it.
#[derive(Clone, PartialEq, Debug)]
pub struct Draft {
    /// Who says it.
    pub user: Option<UserId>,
    /// [`Kind::Regular`] or [`Kind::System`]; what the app's own server answered may be [`Kind::Ephemeral`].
    pub kind: Kind,
    /// See [`super::Message::text`].
    pub text: String,
    /// See [`super::Message::html`].
    pub html: Option<String>,
    /// See [`super::Message::mml`].
    pub mml: Option<String>,
    /// See [`super::Message::attachments`].
    pub attachments: Vec<String>,
    /// See [`super::Message::mentioned`].
    pub mentioned: Vec<UserId>,
    /// See [`super::Message::mentions_channel`].
    pub mentions_channel: bool,
    /// See [`super::Message::mentions_here`].
    pub mentions_here: bool,
    /// See [`super::Message::mentioned_roles`].
    pub mentioned_roles: Vec<String>,
    /// See [`super::Message::mentioned_groups`].
    pub mentioned_groups: Vec<String>,
    /// See [`super::Message::parent`].
    pub parent: Option<MessageId>,
    /// See [`super::Message::shows_in_channel`].
    pub shows_in_channel: bool,
    /// See [`super::Message::quoted`].
    pub quoted: Option<MessageId>,
    /// See [`super::Message::is_silent`].
    pub is_silent: bool,
    /// Whether it is pinned.
    pub is_pinned: bool,
    /// Until when, if it is pinned.
    pub pin_expires: Option<Timestamp>,
    /// See [`super::Message::visible_to`].
    pub visible_to: Vec<UserId>,
    /// See [`super::Message::poll`].
    pub poll: Option<String>,
    /// See [`super::Message::location`].
    pub location: Option<Location>,
    /// Whether it waits to be committed; the channel type says, if absent.
    pub is_pending: Option<bool>,
    /// What it is sent with, if it waits.
    pub metadata: Vec<(String, String)>,
    /// Whether members who hid the channel do not see it again for this message.
    pub keeps_hidden: bool,
    /// See [`super::Message::translations`].
    pub translations: Vec<(String, String)>,
    /// The slash command that was answered already, with its arguments.
    pub command: Option<(String, String)>,
    /// Whether it is moderated whoever sends it.
    pub forces_moderation: bool,
    /// The application's own fields: a JSON object.
    pub custom: String,
}

impl Draft {
    /// The message that it describes, said in `channel` at `now`; what needs more than the draft is not there yet.
    pub(super) fn message(self, channel: ChannelId, now: Timestamp) -> Message {
        Message {
            channel,
            edited_by: self.user.clone(),
            user: self.user,
            kind: self.kind,
            text: self.text,
            html: self.html,
            mml: self.mml,
            attachments: self.attachments,
            mentioned: self.mentioned,
            mentions_channel: self.mentions_channel,
            mentions_here: self.mentions_here,
            mentioned_roles: self.mentioned_roles,
            mentioned_groups: self.mentioned_groups,
            parent: self.parent,
            shows_in_channel: self.shows_in_channel,
            quoted: self.quoted,
            is_silent: self.is_silent,
            is_shadowed: false,
            pin: None,
            visible_to: self.visible_to,
            translations: self.translations,
            command: self.command,
            created_at: now,
            updated_at: now,
            text_updated_at: None,
            deleted_at: None,
            pending: None,
            poll: None,
            location: None,
            moderation: None,
            custom: self.custom,
        }
    }

    /// A plain text by `user`.
    pub fn text(user: Option<UserId>, text: impl Into<String>) -> Self {
        Draft {
            user,
            kind: Kind::Regular,
            text: text.into(),
            html: None,
            mml: None,
            attachments: Vec::new(),
            mentioned: Vec::new(),
            mentions_channel: false,
            mentions_here: false,
            mentioned_roles: Vec::new(),
            mentioned_groups: Vec::new(),
            parent: None,
            shows_in_channel: false,
            quoted: None,
            is_silent: false,
            is_pinned: false,
            pin_expires: None,
            visible_to: Vec::new(),
            poll: None,
            location: None,
            is_pending: None,
            metadata: Vec::new(),
            keeps_hidden: false,
            translations: Vec::new(),
            command: None,
            forces_moderation: false,
            custom: "{}".to_owned(),
        }
    }

    /// Whether it names anybody.
    pub(super) fn mentions_anybody(&self) -> bool {
        let names = [&self.mentioned_roles, &self.mentioned_groups];
        !self.mentioned.is_empty()
            || self.mentions_channel
            || self.mentions_here
            || names.iter().any(|all| !all.is_empty())
    }

    /// Checks what holds for every message, whoever sends it.
    ///
    /// # Errors
    /// [`Error::TooLong`], [`Error::TooBig`], [`Error::Unfit`] for whatever is past its limit.
    pub(super) fn check(&self, scene: &Scene) -> Result<()> {
        self.check_limits(scene)?;
        if self.text.is_empty() && self.attachments.is_empty() && self.poll.is_none() && self.location.is_none() {
            return Err(Error::Unfit(
                "message.text is empty: a message has a text, an attachment, a poll or a location".to_owned(),
            ));
        }
        Ok(())
    }

    /// Checks the limits of what a message holds, which may still be nothing.
    ///
    /// # Errors
    /// [`Error::TooLong`], [`Error::TooBig`], [`Error::Unfit`] for whatever is past its limit.
    pub(in crate::chat) fn check_limits(&self, scene: &Scene) -> Result<()> {
        let length_max = scene.config.max_message_length;
        if self.text.chars().count() > usize::try_from(length_max).unwrap_or(usize::MAX) {
            return Err(Error::TooLong(length_max));
        }
        let bytes = self.attachments.iter().map(String::len).sum();
        within("message.attachments", self.attachments.len(), ATTACHMENTS_MAX)?;
        within("message.mentioned_users", self.mentioned.len(), MENTIONED_MAX)?;
        within("message.mentioned_roles", self.mentioned_roles.len(), GROUPS_MAX)?;
        within("message.mentioned_group_ids", self.mentioned_groups.len(), GROUPS_MAX)?;
        within("message.restricted_visibility", self.visible_to.len(), VISIBLE_TO_MAX)?;
        fits("the attachments of a message", bytes, ATTACHMENTS_BYTES_MAX)?;
        fits("the own fields of a message", self.custom.len(), CUSTOM_BYTES_MAX)?;
        let bytes = self.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
        fits("pending_message_metadata", bytes, METADATA_BYTES_MAX)
    }
}

fn within(field: &str, count: usize, max: usize) -> Result<()> {
    if count > max { Err(Error::Unfit(format!("{field} holds at most {max}"))) } else { Ok(()) }
}

fn fits(what: &str, bytes: usize, max: usize) -> Result<()> {
    if bytes > max { Err(Error::TooBig(format!("{what} may have {max} bytes"))) } else { Ok(()) }
}
