//! Making channels (chat §11.3).

use ids::{ChannelId, Timestamp, UserId, json::Object};

use super::{Channel, hide};
use crate::{
    Error, Result, Tx,
    chat::{
        events::{self, Event},
        members::{self, Newcomer, Terms},
        types,
    },
    keyspace::{CHANNEL, Chat},
    users,
};

/// What is said of a channel that is to be made.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// Who makes it.
    pub created_by: Option<UserId>,
    /// Its settings.
    pub details: Details,
    /// Its first members.
    pub members: Vec<Newcomer>,
    /// Who is invited.
    pub invites: Vec<Newcomer>,
    /// Whether it stays hidden from its maker until somebody writes.
    pub hides_for_creator: bool,
    /// Whether unknown users are made: the app's own server calls.
    pub makes_users: bool,
}

/// What can be said of a channel; what is absent stays as it is, or is the default of a new channel.
#[derive(Clone, Debug, Default)]
pub struct Details {
    /// See [`Channel::team`].
    pub team: Option<String>,
    /// See [`Channel::is_frozen`].
    pub is_frozen: Option<bool>,
    /// See [`Channel::is_disabled`].
    pub is_disabled: Option<bool>,
    /// See [`Channel::cooldown_seconds`].
    pub cooldown_seconds: Option<u32>,
    /// See [`Channel::is_auto_translated`].
    pub is_auto_translated: Option<bool>,
    /// See [`Channel::auto_translation_language`].
    pub auto_translation_language: Option<String>,
    /// See [`Channel::filter_tags`].
    pub filter_tags: Option<Vec<String>>,
    /// See [`Channel::config_overrides`].
    pub config_overrides: Option<Object>,
    /// The application's own fields.
    pub custom: Object,
}

impl Details {
    /// Checks what cannot be whatever somebody says.
    ///
    /// # Errors
    /// [`Error::Unfit`] when what differs from the type is not what its name asks for.
    pub(super) fn check(&self) -> Result<()> {
        self.config_overrides.as_ref().map_or(Ok(()), types::check_overrides)
    }

    /// Writes what was said into `channel`, but for the application's own fields.
    pub(super) fn apply(&self, channel: &mut Channel) {
        let said = self.clone();
        channel.team = said.team.unwrap_or_else(|| channel.team.clone());
        channel.is_frozen = said.is_frozen.unwrap_or(channel.is_frozen);
        channel.is_disabled = said.is_disabled.unwrap_or(channel.is_disabled);
        channel.cooldown_seconds = said.cooldown_seconds.unwrap_or(channel.cooldown_seconds);
        channel.is_auto_translated = said.is_auto_translated.unwrap_or(channel.is_auto_translated);
        channel.filter_tags = said.filter_tags.unwrap_or_else(|| channel.filter_tags.clone());
        if let Some(language) = said.auto_translation_language {
            channel.auto_translation_language = language;
        }
        if let Some(overrides) = said.config_overrides {
            channel.config_overrides = overrides.to_string();
        }
    }
}

/// Makes the channel `id` as `draft` says, unless there is one; answers whether it was made.
///
/// A channel that was deleted is made anew: nothing that was said or done in it before is seen.
///
/// # Errors
/// [`Error::Absent`] without its type, [`Error::Unfit`] when nobody is said to make it.
pub async fn get_or_create(tx: &mut Tx, id: &ChannelId, draft: &Draft, now: Timestamp) -> Result<bool> {
    let tenant = tx.tenant();
    let before = CHANNEL.get(tx, tenant, &Chat(id.clone())).await?;
    if before.as_ref().is_some_and(|channel| channel.deleted_at.is_none()) {
        return Ok(false);
    }
    types::load(tx, id.kind()).await?;
    let maker = draft.created_by.as_ref().ok_or_else(|| Error::Unfit(NO_MAKER.to_owned()))?;
    users::ensure(tx, maker, now).await?;
    let mut channel = Channel::new(Some(maker.clone()), now);
    // What was said before the deletion stays unseen.
    channel.truncated_at = before.and_then(|channel| channel.deleted_at);
    draft.details.check()?;
    draft.details.apply(&mut channel);
    channel.custom = draft.details.custom.to_string();
    CHANNEL.put(tx, tenant, &Chat(id.clone()), &channel);
    events::record(tx, Event::new("channel.created", now, Some(id)).by(Some(maker)));
    let terms = Terms { makes_users: draft.makes_users, ..Terms::default() };
    members::add(tx, id, &draft.members, &terms, Some(maker), now).await?;
    members::invite(tx, id, &draft.invites, &terms, Some(maker), now).await?;
    if draft.hides_for_creator {
        hide::put(tx, id, maker, now);
    }
    Ok(true)
}

const NO_MAKER: &str = "either data.created_by or data.created_by_id must be provided when using server side auth.";
