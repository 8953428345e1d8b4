//! Channel types, what their channels can do, and slash commands (chat §6.5).

use domain::chat::{
    commands::Command,
    types::{ChannelType, Config},
};
use serde_json::value::RawValue;
use wire::chat::{
    dialect::{Dialect, Time},
    types::{Blocklisted, Command as WireCommand, Config as WireConfig},
};

/// What the channels of `kind` can do as `config` says, with these commands: `config` of a channel.
pub(crate) fn config<'a, C>(
    dialect: Dialect,
    kind: &'a ChannelType,
    config: &'a Config,
    commands: Vec<C>,
) -> WireConfig<'a, C> {
    let time = |at| Time { at, dialect };
    let raw = |json: &'a Option<String>| json.as_deref().map(parsed);
    WireConfig {
        name: &kind.name,
        created_at: time(kind.created_at),
        updated_at: time(kind.updated_at),
        flags: config.clone().flags_mut().into_iter().map(|(name, is_on)| (name, *is_on)).collect(),
        message_retention: &config.message_retention,
        max_message_length: config.max_message_length,
        automod: &config.automod,
        automod_behavior: &config.automod_behavior,
        automod_thresholds: raw(&config.automod_thresholds),
        blocklist: &config.blocklist,
        blocklist_behavior: (!config.blocklist_behavior.is_empty()).then_some(&config.blocklist_behavior),
        blocklists: config
            .blocklists
            .iter()
            .map(|listed| Blocklisted { blocklist: &listed.blocklist, behavior: &listed.behavior })
            .collect(),
        push_level: &config.push_level,
        chat_preferences: raw(&config.chat_preferences),
        allowed_flag_reasons: config.allowed_flag_reasons.as_deref(),
        partition_size: config.partition_size,
        partition_ttl: config.partition_ttl.as_deref(),
        commands,
        permissions: None,
        grants: None,
    }
}

/// A channel type with these commands.
pub(crate) fn channel_type<C>(dialect: Dialect, kind: &ChannelType, commands: Vec<C>) -> WireConfig<'_, C> {
    WireConfig {
        permissions: Some(parsed(&kind.permissions)),
        grants: Some(kind.grants()),
        ..config(dialect, kind, &kind.config, commands)
    }
}

/// A slash command.
pub(crate) fn command<'a>(dialect: Dialect, name: &'a str, command: &'a Command) -> WireCommand<'a> {
    let time = |at| Time { at, dialect };
    WireCommand {
        name,
        description: &command.description,
        args: &command.args,
        set: &command.set,
        created_at: command.created_at.map(time),
        updated_at: command.updated_at.map(time),
    }
}

fn parsed(json: &str) -> &RawValue {
    serde_json::from_str(json).expect("it was parsed before it was stored")
}
