//! Feed groups and feed webhooks: from a file at the start, and by `millpond app groups` and `millpond app webhooks`.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context as _, Result, ensure};
use client::admin::Admin;
use serde::Deserialize;
use serde_json::{Value, json};
use server::Feeds;
use wire::admin::{
    feed_groups::{FeedGroup, FeedGroups},
    feed_webhooks::{FeedWebhook, FeedWebhooks},
};

use crate::{
    args::feeds::{GroupsCommand, SetGroup, SetWebhook, WebhooksCommand},
    output,
};

/// What such a file says.
#[derive(Deserialize, Debug, Default)]
#[serde(deny_unknown_fields, default)]
struct File {
    feed_groups: BTreeMap<String, FeedGroup>,
    feed_webhooks: BTreeMap<String, FeedWebhook>,
}

/// Reads the file at `path`.
pub(crate) fn read(path: &Path) -> Result<Feeds> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    parse(&text).with_context(|| format!("{} does not say what feeds are", path.display()))
}

fn parse(text: &str) -> Result<Feeds> {
    let File { feed_groups, feed_webhooks } = toml::from_str(text)?;
    let mut feeds = Feeds::default();
    for (name, group) in feed_groups {
        ensure!(group.name.is_empty() || group.name == name, "feed_groups.{name} has another name in it");
        feeds.groups.push(FeedGroup { name, ..group });
    }
    for (id, webhook) in feed_webhooks {
        ensure!(webhook.id.is_empty() || webhook.id == id, "feed_webhooks.{id} has another id in it");
        feeds.webhooks.push(FeedWebhook { id, ..webhook });
    }
    Ok(feeds)
}

/// Does what `app groups` asks.
pub(crate) async fn groups(admin: &Admin, is_json: bool, command: GroupsCommand) -> Result<()> {
    match command {
        GroupsCommand::List { app } => {
            let FeedGroups { feed_groups } = admin.feed_groups(&app).await?;
            if is_json {
                return output::json(&json!({ "feed_groups": feed_groups }));
            }
            let width = feed_groups.iter().map(|group| group.name.len()).max().unwrap_or_default();
            for group in feed_groups {
                let (kind, access) = (word(&group.kind), word(&group.access));
                let format = group.aggregation_format.unwrap_or_default();
                let line = format!("{:<width$}  {kind:<12}  {access:<17}  {format}", group.name);
                output::line(line.trim_end())?;
            }
            Ok(())
        }
        GroupsCommand::Set(set) => {
            let (app, group) = (set.app.clone(), group(set)?);
            let made = admin.put_feed_group(&app, &group).await?;
            if is_json { output::json(&made) } else { output::line(&format!("feed group {}", group.name)) }
        }
        GroupsCommand::Remove { app, name } => {
            admin.remove_feed_group(&app, &name).await?;
            if is_json { output::json(&json!({ "removed": name })) } else { output::line(&format!("removed {name}")) }
        }
    }
}

fn group(set: SetGroup) -> Result<FeedGroup> {
    let mut ranking = BTreeMap::new();
    for (name, file) in set.ranking {
        let text = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let method: Value = serde_json::from_slice(&text).with_context(|| format!("{} is no JSON", file.display()))?;
        ranking.insert(name, method);
    }
    Ok(FeedGroup {
        name: set.name,
        kind: set.kind,
        access: set.access,
        aggregation_format: set.format,
        ranking,
        default_ranking: set.default_ranking,
        realtime: !set.no_realtime,
    })
}

/// Does what `app webhooks` asks.
pub(crate) async fn webhooks(admin: &Admin, is_json: bool, command: WebhooksCommand) -> Result<()> {
    match command {
        WebhooksCommand::List { app } => {
            let FeedWebhooks { feed_webhooks } = admin.feed_webhooks(&app).await?;
            if is_json {
                return output::json(&json!({ "feed_webhooks": feed_webhooks }));
            }
            for webhook in feed_webhooks {
                let groups = match webhook.feed_groups.is_empty() {
                    true => "all groups".to_owned(),
                    false => webhook.feed_groups.join(","),
                };
                let reactions = if webhook.reactions { "and reactions" } else { "" };
                output::line(format!("{}  {}  {groups} {reactions}", webhook.id, webhook.url).trim_end())?;
            }
            Ok(())
        }
        WebhooksCommand::Set(SetWebhook { app, id, url, feed_groups, no_reactions, no_verify }) => {
            let webhook = FeedWebhook { id, url, feed_groups, reactions: !no_reactions, verify: !no_verify };
            let made = admin.put_feed_webhook(&app, &webhook).await?;
            if is_json { output::json(&made) } else { output::line(&format!("feed webhook {}", webhook.id)) }
        }
        WebhooksCommand::Remove { app, id } => {
            admin.remove_feed_webhook(&app, &id).await?;
            if is_json { output::json(&json!({ "removed": id })) } else { output::line(&format!("removed {id}")) }
        }
    }
}

/// The name of a value in the API.
fn word(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_groups_with_methods_and_webhooks() {
        let feeds = parse(
            "[feed_groups.hot]\ntype = \"flat\"\naccess = \"global_read\"\ndefault_ranking = \"top\"\n\
             [feed_groups.hot.ranking.top]\nscore = \"n\"\ndefaults = { n = 1 }\n\
             [feed_groups.news]\ntype = \"aggregated\"\naggregation_format = \"{{ verb }}\"\n\
             [feed_webhooks.search]\nurl = \"https://example.com/\"\nfeed_groups = [\"hot\"]\n",
        )
        .unwrap();
        let names: Vec<&str> = feeds.groups.iter().map(|group| group.name.as_str()).collect();
        assert_eq!(names, ["hot", "news"]);
        assert_eq!(feeds.groups[0].ranking["top"], json!({ "score": "n", "defaults": { "n": 1 } }));
        assert_eq!((feeds.webhooks[0].id.as_str(), feeds.webhooks[0].reactions), ("search", true));
    }

    #[test]
    fn what_a_file_cannot_mean_is_refused() {
        for text in [
            "[groups.news]\ntype = \"flat\"",
            "[feed_groups.news]\ntype = \"round\"",
            "[feed_groups.news]\ntype = \"flat\"\nunknown = 1",
            "[feed_groups.news]\ntype = \"flat\"\nname = \"other\"",
            "[feed_webhooks.a]\nfeed_groups = []",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
