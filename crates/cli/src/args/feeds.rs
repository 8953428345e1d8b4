//! `millpond app groups` and `millpond app webhooks`: what the feeds of an app are, and who is told of them.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use wire::admin::feed_groups::{Access, Kind};

/// What `app groups` does.
#[derive(Subcommand, Debug)]
pub(crate) enum GroupsCommand {
    /// List the feed groups of an app
    #[command(after_help = "Example:\n  millpond app groups list 1")]
    List {
        /// The app's number or API key
        app: String,
    },
    /// Make a feed group, or replace its settings; what its feeds hold stays
    #[command(after_help = "Examples:\n  millpond app groups set 1 news --type aggregated --format '{{ verb }}'\n  \
        millpond app groups set 1 hot --type flat --ranking top=top.json --default-ranking top")]
    Set(SetGroup),
    /// Take a feed group away; nobody reaches its feeds until there is one of that name again
    #[command(after_help = "Example:\n  millpond app groups remove 1 news")]
    Remove {
        /// The app's number or API key
        app: String,
        /// The group
        name: String,
    },
}

/// `millpond app groups set`.
#[derive(Args, Debug)]
pub(crate) struct SetGroup {
    /// The app's number or API key
    pub(crate) app: String,
    /// The group
    pub(crate) name: String,
    /// What its feeds are: flat, aggregated or notification
    #[arg(long = "type", value_name = "TYPE", value_parser = named::<Kind>)]
    pub(crate) kind: Kind,
    /// What users may do with feeds of others: private, global_read, global_write or global_read_write
    #[arg(long, value_name = "PRESET", default_value = "private", value_parser = named::<Access>)]
    pub(crate) access: Access,
    /// How activities of an aggregated or notification feed are put in groups
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<String>,
    /// A ranking method and the file with its JSON; repeat it for more
    #[arg(long, value_name = "NAME=FILE", value_parser = pair)]
    pub(crate) ranking: Vec<(String, PathBuf)>,
    /// The ranking method of reads that ask for none
    #[arg(long, value_name = "NAME")]
    pub(crate) default_ranking: Option<String>,
    /// Tell subscribers of its feeds nothing
    #[arg(long)]
    pub(crate) no_realtime: bool,
}

/// What `app webhooks` does.
#[derive(Subcommand, Debug)]
pub(crate) enum WebhooksCommand {
    /// List who is told of what changes in the feeds of an app
    #[command(after_help = "Example:\n  millpond app webhooks list 1")]
    List {
        /// The app's number or API key
        app: String,
    },
    /// Tell an address of what changes in feeds from now on, or change what it is told
    #[command(
        after_help = "Example:\n  millpond app webhooks set 1 search --url https://example.com/hook --feed-groups user"
    )]
    Set(SetWebhook),
    /// Tell an address nothing any more
    #[command(after_help = "Example:\n  millpond app webhooks remove 1 search")]
    Remove {
        /// The app's number or API key
        app: String,
        /// The webhook
        id: String,
    },
}

/// `millpond app webhooks set`.
#[derive(Args, Debug)]
pub(crate) struct SetWebhook {
    /// The app's number or API key
    pub(crate) app: String,
    /// By which it is changed and taken away
    pub(crate) id: String,
    /// The address that changes are posted to
    #[arg(long, value_name = "URL")]
    pub(crate) url: String,
    /// The groups whose feeds it is told of; all, if it is left out
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) feed_groups: Vec<String>,
    /// Tell it of no reactions
    #[arg(long)]
    pub(crate) no_reactions: bool,
    /// Do not ask the address for the app's API key first
    #[arg(long)]
    pub(crate) no_verify: bool,
}

/// A value by its name in the API.
fn named<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}

fn pair(text: &str) -> Result<(String, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("write the name, = and the file")?;
    Ok((name.to_owned(), file.into()))
}
