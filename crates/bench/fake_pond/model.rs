//! Feeds that really copy.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// What an entry is sorted by: its time, then the order of arrival.
type Position = (String, u64);

/// Feeds by `group:id`.
#[derive(Default)]
pub(crate) struct Model {
    feeds: HashMap<String, Vec<Entry>>,
    followers: HashMap<String, Vec<String>>,
    arrived: u64,
}

/// An activity in a feed.
#[derive(Clone)]
struct Entry {
    position: Position,
    id: Arc<str>,
    /// As it is answered in the feed it was added to.
    own: Arc<str>,
    /// As it is answered in the feeds of followers.
    copied: Arc<str>,
    is_copy: bool,
}

impl Entry {
    fn text(&self) -> &str {
        if self.is_copy { &self.copied } else { &self.own }
    }
}

impl Model {
    /// A page of a feed.
    pub(crate) fn read(&self, path: &str, query: &str) -> Result<String> {
        let feed = feed_of(path)?;
        let (limit, offset) = (number(query, "limit").unwrap_or(25), number(query, "offset").unwrap_or(0));
        let entries = self.feeds.get(&feed).map(Vec::as_slice).unwrap_or_default();
        let page: Vec<&Entry> = entries.iter().rev().skip(offset).take(limit).collect();
        let results: Vec<&str> = page.iter().map(|entry| entry.text()).collect();
        let next = match page.last() {
            Some(last) if entries.len() > offset + limit => format!("{path}?id_lt={}&limit={limit}", last.id),
            _ => String::new(),
        };
        Ok(format!(r#"{{"results":[{}],"next":"{next}","duration":"0.01ms"}}"#, results.join(",")))
    }

    /// Adds activities, or follows.
    pub(crate) fn write(&mut self, path: &str, query: &str, body: &str) -> Result<String> {
        let body: Value = serde_json::from_str(body)?;
        let limit = number(query, "activity_copy_limit").unwrap_or(100);
        if path.ends_with("/follow_many/") {
            for edge in body.as_array().context("not a list")? {
                self.follow(text(edge, "source")?, text(edge, "target")?, limit);
            }
        } else if path.ends_with("/following/") {
            let limit = body["activity_copy_limit"].as_u64().map_or(limit, |limit| limit as usize);
            self.follow(&feed_of(path)?, text(&body, "target")?, limit);
        } else if let Some(activities) = body["activities"].as_array() {
            for activity in activities {
                self.add(&feed_of(path)?, activity.clone())?;
            }
        } else {
            return Ok(with_duration(self.add(&feed_of(path)?, body)?));
        }
        Ok(with_duration(json!({})))
    }

    fn add(&mut self, feed: &str, mut activity: Value) -> Result<Value> {
        self.arrived += 1;
        let time = activity["time"].as_str().map(str::to_owned);
        let time = time.unwrap_or_else(|| format!("2030-01-01T00:00:00.{:06}", self.arrived));
        let id = format!("{:08x}-0000-1000-8080-800000000000", self.arrived);
        activity["id"] = json!(id);
        activity["time"] = json!(time);
        activity["origin"] = json!(feed);
        let copied = activity.to_string();
        activity["origin"] = Value::Null;
        let own = activity.to_string();
        let position = (time, self.arrived);
        let entry = Entry { position, id: id.into(), own: own.into(), copied: copied.into(), is_copy: false };
        for follower in self.followers.get(feed).cloned().unwrap_or_default() {
            self.put(&follower, Entry { is_copy: true, ..entry.clone() });
        }
        self.put(feed, entry);
        Ok(activity)
    }

    fn put(&mut self, feed: &str, entry: Entry) {
        let entries = self.feeds.entry(feed.to_owned()).or_default();
        let place = entries.partition_point(|other| other.position < entry.position);
        entries.insert(place, entry);
    }

    fn follow(&mut self, source: &str, target: &str, limit: usize) {
        let copies = self.feeds.get(target).map(Vec::as_slice).unwrap_or_default();
        let copies: Vec<Entry> = copies.iter().rev().take(limit).cloned().collect();
        for entry in copies {
            self.put(source, Entry { is_copy: true, ..entry });
        }
        self.followers.entry(target.to_owned()).or_default().push(source.to_owned());
    }
}

fn with_duration(mut value: Value) -> String {
    value["duration"] = json!("0.01ms");
    value.to_string()
}

/// `group:id` of a path such as `/api/v1.0/feed/group/id/…`.
fn feed_of(path: &str) -> Result<String> {
    let mut parts = path.trim_start_matches("/api/v1.0/").split('/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("feed"), Some(group), Some(id)) => Ok(format!("{group}:{id}")),
        _ => bail!("no feed in {path}"),
    }
}

fn number(query: &str, name: &str) -> Option<usize> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(key, _)| *key == name)?.1.parse().ok()
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    value[name].as_str().with_context(|| format!("no `{name}`"))
}
