//! Channel types: what the channels of a type can do, and who may do what in them (chat §6.5, §8, §11.2).
//!
//! The built-in types are there without a row until they are changed, and a row holds only the grants that were changed.

mod change;
pub mod config;
pub mod defaults;

use std::collections::BTreeMap;

use ids::{Timestamp, json::Object};
use minicbor::{Decode, Encode};

pub use self::{
    change::{Change, Regrant, create, list, remove, update},
    config::{Blocklisted, Config},
    defaults::Grants,
};
use super::{channels::Channel, permissions::Rules};
use crate::{Error, Result, Tx, chat::commands, keyspace::CHANNEL_TYPE};

/// The types that every app has (chat §6.5).
pub const BUILT_IN: [&str; 5] = ["messaging", "livestream", "team", "gaming", "commerce"];

/// A channel type.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct ChannelType {
    /// Its name.
    #[n(0)]
    pub name: String,
    /// What its channels can do.
    #[n(1)]
    pub config: Config,
    /// What was changed of its grants; see [`ChannelType::granted`].
    #[n(2)]
    pub changed_grants: Grants,
    /// Grants of an older kind, which are only kept: a JSON list, as it was sent.
    #[n(3)]
    pub permissions: String,
    /// Since when there is it.
    #[n(4)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[n(5)]
    pub updated_at: Timestamp,
    /// What the app says for all its types; not stored here.
    #[cbor(skip)]
    pub rules: Rules,
}

impl ChannelType {
    /// A type as its creator finds it before saying anything about it.
    pub fn new(name: &str, now: Timestamp) -> Self {
        let commands = commands::BUILT_IN.map(|command| command.name.to_owned()).to_vec();
        ChannelType {
            name: name.to_owned(),
            config: Config { commands, ..Config::default() },
            changed_grants: Grants::new(),
            permissions: "[]".to_owned(),
            created_at: now,
            updated_at: now,
            rules: Rules::default(),
        }
    }

    /// A type that every app has.
    pub fn built_in(name: &str) -> Option<Self> {
        let name = BUILT_IN.into_iter().find(|known| *known == name)?;
        let mut kind = Self::new(name, Timestamp::from_micros(0));
        kind.config.url_enrichment = name != "livestream";
        kind.config.count_messages = name == "team";
        Some(kind)
    }

    /// What the role is granted.
    pub fn granted(&self, role: &str) -> &[String] {
        let changed = self.changed_grants.get(role);
        changed.or_else(|| defaults::of_type(&self.name).get(role)).map_or(&[], Vec::as_slice)
    }

    /// Role → what it is granted, for all roles that are granted something, or were once.
    pub fn grants(&self) -> BTreeMap<&str, &[String]> {
        let defaults = defaults::of_type(&self.name).keys().filter(|role| !defaults::GLOBAL_ROLES.contains(&&***role));
        let roles = defaults.chain(self.changed_grants.keys());
        roles.map(|role| (role.as_str(), self.granted(role))).collect()
    }
}

/// The types that the official clients' own suites presume beside the others (chat §16.4): `messaging` can do more.
pub fn of_the_sdk_suites(now: Timestamp) -> Vec<ChannelType> {
    let mut messaging = ChannelType::built_in("messaging").expect("it is built in");
    messaging.config.polls = true;
    messaging.config.user_message_reminders = true;
    (messaging.created_at, messaging.updated_at) = (now, now);
    vec![messaging]
}

/// What `channel` can do: what its type says, but for what it says otherwise.
pub fn config(kind: &ChannelType, channel: &Channel) -> Config {
    if channel.config_overrides == "{}" {
        return kind.config.clone();
    }
    let overrides = Object::parse(&channel.config_overrides).expect("overrides were parsed before they were stored");
    // They were checked before they were stored; what a later version no longer takes is as if nobody had said it.
    kind.config.overridden(&overrides).unwrap_or_else(|_| kind.config.clone())
}

/// Checks what a channel is to say otherwise than its type (chat §6.5).
///
/// # Errors
/// [`Error::Unfit`] when a value is not what its name asks for.
pub fn check_overrides(overrides: &Object) -> Result<()> {
    Config::default().overridden(overrides)?;
    modifiers(overrides).map(|_| ())
}

/// Role → grants that a channel adds, and with `!` takes away.
pub(super) fn modifiers(overrides: &Object) -> Result<Grants> {
    let wrong = || Error::Unfit("config_overrides.grants must hold lists of permissions".to_owned());
    match overrides.get("grants").map(serde_json::value::RawValue::get) {
        None | Some("null" | "[]") => Ok(Grants::new()),
        Some(json) => {
            let roles: BTreeMap<String, serde_json::Value> = serde_json::from_str(json).map_err(|_| wrong())?;
            let read = |(role, ids)| Some((role, config::texts(&ids)?));
            roles.into_iter().map(read).collect::<Option<_>>().ok_or_else(wrong)
        }
    }
}

/// The channel type `name`.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, name: &str) -> Result<Option<ChannelType>> {
    let (tenant, rules) = (tx.tenant(), tx.app.settings.rules());
    let stored = CHANNEL_TYPE.get(tx, tenant, &name.to_owned()).await?;
    Ok(stored.or_else(|| ChannelType::built_in(name)).map(|kind| ChannelType { rules, ..kind }))
}

/// The channel type `name`.
///
/// # Errors
/// [`Error::Absent`] when there is none.
pub async fn load(tx: &mut Tx, name: &str) -> Result<ChannelType> {
    get(tx, name).await?.ok_or_else(|| Error::Absent(format!("channel type \"{name}\" does not exist")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(overrides: &str) -> Channel {
        Channel { config_overrides: overrides.into(), ..Channel::new(None, Timestamp::from_micros(0)) }
    }

    #[test]
    fn the_built_in_types_differ_in_links_and_counting_only() {
        let configs = BUILT_IN.map(|name| ChannelType::built_in(name).unwrap().config);
        assert_eq!(configs.each_ref().map(|config| config.url_enrichment), [true, false, true, true, true]);
        assert_eq!(configs.each_ref().map(|config| config.count_messages), [false, false, true, false, false]);
        assert_eq!((configs[0].max_message_length, configs[0].commands.len()), (5000, 6));
        assert_eq!(ChannelType::built_in("of-the-app"), None);
    }

    #[test]
    fn a_channel_says_otherwise_what_is_its_to_say() {
        let kind = ChannelType::built_in("messaging").unwrap();
        let overrides =
            r#"{"replies":false,"max_message_length":10,"commands":["giphy"],"search":false,"x":1,"quotes":null}"#;
        let config = config(&kind, &channel(overrides));
        let expected = Config { replies: false, max_message_length: 10, commands: vec!["giphy".into()], ..kind.config };
        assert_eq!(config, expected);
    }

    #[test]
    fn overrides_of_the_wrong_type_are_refused() {
        for overrides in [
            r#"{"replies":"no"}"#,
            r#"{"max_message_length":20001}"#,
            r#"{"max_message_length":"many"}"#,
            r#"{"commands":"all"}"#,
            r#"{"grants":{"user":"create-message"}}"#,
        ] {
            assert!(check_overrides(&Object::parse(overrides).unwrap()).is_err(), "{overrides}");
        }
        assert!(
            check_overrides(&Object::parse(r#"{"grants":{"user":["!add-links"]},"replies":true}"#).unwrap()).is_ok()
        );
    }
}
