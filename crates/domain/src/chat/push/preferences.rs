//! Of what users want their devices told (chat §6.15, v2 §7.4).

use ids::{ChannelId, Timestamp, UserId};
use minicbor::{Decode, Encode};

use crate::{Error, Result, Tx, keyspace::PUSH_PREFERENCE, users};

/// Of which messages a user wants to be told.
pub const CHAT_LEVELS: [&str; 6] = ["all", "mentions", "direct_mentions", "all_mentions", "none", "default"];
/// Of which calls and activities.
pub const LEVELS: [&str; 3] = ["all", "none", "default"];
/// What chat tells of, by kind; each `all` or `none`.
pub const CHAT_KINDS: [&str; 8] = [
    "default_preference",
    "direct_mentions",
    "channel_mentions",
    "here_mentions",
    "role_mentions",
    "group_mentions",
    "thread_replies",
    "distinct_channel_messages",
];

/// What a user wants, in one channel or everywhere.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Preference {
    /// Of which messages; one of [`CHAT_LEVELS`].
    #[n(0)]
    pub chat_level: Option<String>,
    /// Of which calls; one of [`LEVELS`].
    #[n(1)]
    pub call_level: Option<String>,
    /// Of which activities; one of [`LEVELS`].
    #[n(2)]
    pub feeds_level: Option<String>,
    /// Until then, of nothing.
    #[n(3)]
    pub disabled_until: Option<Timestamp>,
    /// By kind of message: a JSON object.
    #[n(4)]
    pub chat_preferences: Option<String>,
    /// By kind of activity: a JSON object.
    #[n(5)]
    pub feeds_preferences: Option<String>,
}

/// What changes of a preference.
#[derive(Clone, Debug)]
pub struct Change {
    /// Whose.
    pub user: UserId,
    /// In which channel; everywhere, if absent.
    pub channel: Option<ChannelId>,
    /// What is said; what is absent stays.
    pub said: Preference,
    /// Whether `disabled_until` goes.
    pub is_enabled_again: bool,
}

/// Changes what a user wants; what it is then.
///
/// # Errors
/// [`Error::Unfit`] for a level that is none, and one that a channel does not have; [`Error::Absent`] without the user.
pub async fn set(tx: &mut Tx, change: &Change) -> Result<Preference> {
    let Change { user, channel, said, .. } = change;
    check("chat_level", said.chat_level.as_deref(), &CHAT_LEVELS)?;
    check("call_level", said.call_level.as_deref(), &LEVELS)?;
    check("feeds_level", said.feeds_level.as_deref(), &LEVELS)?;
    if channel.is_some()
        && (said.call_level.is_some() || said.feeds_level.is_some() || said.feeds_preferences.is_some())
    {
        return Err(Error::Unfit("a channel has a chat_level, chat_preferences and disabled_until alone".to_owned()));
    }
    users::load(tx, user).await?;
    if let Some(channel) = channel {
        super::super::channels::load(tx, channel).await?;
    }
    let (tenant, key) = (tx.tenant(), key(user, channel.as_ref()));
    let before = PUSH_PREFERENCE.get(tx, tenant, &key).await?.unwrap_or_default();
    let said = said.clone();
    let preference = Preference {
        chat_level: said.chat_level.or(before.chat_level),
        call_level: said.call_level.or(before.call_level),
        feeds_level: said.feeds_level.or(before.feeds_level),
        disabled_until: said.disabled_until.or(before.disabled_until).filter(|_| !change.is_enabled_again),
        chat_preferences: said.chat_preferences.or(before.chat_preferences),
        feeds_preferences: said.feeds_preferences.or(before.feeds_preferences),
    };
    PUSH_PREFERENCE.put(tx, tenant, &key, &preference);
    Ok(preference)
}

fn check(name: &str, level: Option<&str>, known: &[&str]) -> Result<()> {
    match level.is_none_or(|level| known.contains(&level)) {
        true => Ok(()),
        false => Err(Error::Unfit(format!("{name} must be one of {}", known.join(", ")))),
    }
}

/// What `user` wants in `channel`, or everywhere.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, user: &UserId, channel: Option<&ChannelId>) -> Result<Option<Preference>> {
    let tenant = tx.tenant();
    Ok(PUSH_PREFERENCE.get(tx, tenant, &key(user, channel)).await?)
}

fn key(user: &UserId, channel: Option<&ChannelId>) -> (String, String) {
    (user.to_string(), channel.map_or_else(String::new, ToString::to_string))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::pond::{Pond, broken, channel, user};

    fn change(said: Preference) -> Change {
        Change { user: user("amy"), channel: None, said, is_enabled_again: false }
    }

    fn level(level: &str) -> Preference {
        Preference { chat_level: Some(level.to_owned()), ..Preference::default() }
    }

    #[tokio::test]
    async fn what_is_not_said_stays_and_a_pause_ends_when_that_is_said() {
        let pond = Pond::new().await;
        let until = Some(pond.tick());
        pond.write(async |tx| set(tx, &change(level("none"))).await).await;
        let paused = Preference { disabled_until: until, ..Preference::default() };
        let both = pond.write(async |tx| set(tx, &change(paused.clone())).await).await;
        assert_eq!(both, Preference { disabled_until: until, ..level("none") });
        let again = Change { is_enabled_again: true, ..change(Preference::default()) };
        assert_eq!(pond.write(async |tx| set(tx, &again).await).await, level("none"));
    }

    #[tokio::test]
    async fn channels_have_preferences_of_their_own() {
        let pond = Pond::new().await;
        let here = Change { channel: Some(channel()), ..change(level("all")) };
        pond.write(async |tx| set(tx, &here).await).await;
        let mut tx = pond.app.snapshot();
        assert_eq!(get(&mut tx, &user("amy"), Some(&channel())).await.unwrap(), Some(level("all")));
        assert_eq!(get(&mut tx, &user("amy"), None).await.unwrap(), None);
        let calls = Preference { call_level: Some("all".to_owned()), ..Preference::default() };
        let here = Change { channel: Some(channel()), ..change(calls) };
        let refused = broken(pond.app.write(async |tx| set(tx, &here).await).await);
        assert_eq!(refused, "a channel has a chat_level, chat_preferences and disabled_until alone");
    }

    #[tokio::test]
    async fn a_level_that_is_none_and_a_user_who_is_not_there_are_refused() {
        let pond = Pond::new().await;
        let wrong = broken(pond.app.write(async |tx| set(tx, &change(level("loud"))).await).await);
        assert!(wrong.starts_with("chat_level must be one of"), "{wrong}");
        let nobody = Change { user: user("zoe"), ..change(level("all")) };
        assert!(pond.app.write(async |tx| set(tx, &nobody).await).await.is_err());
    }
}
