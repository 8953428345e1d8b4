//! What the fake has: users, what they wrote, jobs, and how it behaves.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use serde_json::{Value, json};

/// A job.
#[derive(Clone, Debug)]
pub struct Task {
    /// The words that it answers with, one after another; the last stays.
    pub words: Vec<String>,
    /// How often it was asked.
    pub asked: usize,
    /// What it answers when it is completed.
    pub result: Value,
}

/// The world. A test changes it as it likes.
#[derive(Debug)]
pub struct World {
    /// The API key.
    pub key: String,
    /// Its secret.
    pub secret: String,
    /// How far its clock is ahead, in seconds.
    pub skew_secs: i64,
    /// Whether it refuses tokens with times that do not fit.
    pub checks_times: bool,
    /// Users by id.
    pub users: BTreeMap<String, Value>,
    /// What each user's export holds beside the user.
    pub exports: BTreeMap<String, Value>,
    /// Exports as bytes, where a test cares for each of them.
    pub raw_exports: BTreeMap<String, Vec<u8>>,
    /// Users whose export is made while it is sent: how many messages of ten kilobytes it has.
    pub large_exports: BTreeMap<String, usize>,
    /// What was said against each user.
    pub reports: BTreeMap<String, Value>,
    /// What each user has in feeds; without it the API has no feeds.
    pub feeds: Option<BTreeMap<String, Value>>,
    /// The feeds data that was deleted, by user.
    pub feeds_deletions: Vec<String>,
    /// Files by path, beside those that jobs make.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Jobs by id.
    pub tasks: BTreeMap<String, Task>,
    /// The words of jobs to come.
    pub task_words: Vec<String>,
    /// The deletions that were executed.
    pub deletions: Vec<Vec<String>>,
    /// Whether deleted users vanish when the deletion is accepted; else they stay.
    pub deletes: bool,
    /// After how many further queries a deleted user is really gone.
    pub lingers: usize,
    /// Users that were deleted and are still shown: how often.
    pub lingering: BTreeMap<String, (usize, Value)>,
    /// The calls that this key may not make.
    pub forbidden: BTreeSet<&'static str>,
    /// The forms of `files` that it takes.
    pub files_forms: Vec<Value>,
    /// Whether it answers with everybody, whatever was asked.
    pub ignores_filters: bool,
    /// Whether every page is the first.
    pub loops: bool,
    /// The most users of a page; a larger one is refused as too large.
    pub page_max: usize,
    /// Whether a page after an id is refused, so that pages are told apart by their offset.
    pub refuses_ids_for_pages: bool,
    /// The most users that one call deletes; more are refused as too many.
    pub deletion_max: usize,
    /// Users whose export is refused as too large.
    pub too_large: BTreeSet<String>,
    /// The calls a minute; without it there is no limit, and the headers name a high one.
    pub limit: Option<u64>,
    /// Until when everything is answered with 429, in microseconds.
    pub storm_until: i64,
    /// Whether it compresses.
    pub compresses: bool,
    /// How often a link to a file is refused as expired.
    pub expired_links: usize,
    /// Where it is reached.
    pub address: SocketAddr,
    pub(super) windows: BTreeMap<(String, i64), u64>,
    pub(super) next_task: u64,
}

impl World {
    pub(super) fn new(key: &str, secret: &str, address: SocketAddr) -> Self {
        World {
            key: key.to_owned(),
            secret: secret.to_owned(),
            skew_secs: 0,
            checks_times: true,
            users: BTreeMap::new(),
            exports: BTreeMap::new(),
            raw_exports: BTreeMap::new(),
            large_exports: BTreeMap::new(),
            reports: BTreeMap::new(),
            feeds: None,
            feeds_deletions: Vec::new(),
            files: BTreeMap::new(),
            tasks: BTreeMap::new(),
            task_words: vec!["pending".to_owned(), "completed".to_owned()],
            deletions: Vec::new(),
            deletes: true,
            lingers: 0,
            lingering: BTreeMap::new(),
            forbidden: BTreeSet::new(),
            files_forms: vec![json!("hard"), json!(true)],
            ignores_filters: false,
            loops: false,
            page_max: usize::MAX,
            refuses_ids_for_pages: false,
            deletion_max: usize::MAX,
            too_large: BTreeSet::new(),
            limit: None,
            storm_until: 0,
            compresses: true,
            expired_links: 0,
            address,
            windows: BTreeMap::new(),
            next_task: 0,
        }
    }

    /// Adds a user with an e-mail address, a message and a reaction.
    pub fn add(&mut self, id: &str, email: &str) {
        let made = 1_700_000_000_000_000_000_i64 + i64::try_from(self.users.len()).unwrap();
        self.users.insert(
            id.to_owned(),
            json!({"id": id, "role": "user", "email": email, "custom": {"email": email}, "created_at": made, "n": 1e2}),
        );
        self.exports.insert(
            id.to_owned(),
            json!({
                "messages": [{"id": format!("{id}-1"), "cid": "messaging:general", "text": "hi", "created_at": made}],
                "reactions": [{"message_id": "m", "type": "like", "user_id": id}],
            }),
        );
        self.reports.insert(id.to_owned(), json!({"user": {"id": id}, "flags_received": [{"reason": "spam"}]}));
    }

    /// Adds a job with the words that are set.
    pub(super) fn task(&mut self, result: Value) -> String {
        self.next_task += 1;
        let id = format!("task-{}", self.next_task);
        self.tasks.insert(id.clone(), Task { words: self.task_words.clone(), asked: 0, result });
        id
    }

    /// Removes a user as a deletion does.
    pub(super) fn delete(&mut self, id: &str) {
        if !self.deletes {
            return;
        }
        if let Some(user) = self.users.remove(id)
            && self.lingers > 0
        {
            self.lingering.insert(id.to_owned(), (self.lingers, user));
        }
        self.exports.remove(id);
        self.raw_exports.remove(id);
        self.reports.remove(id);
    }
}
