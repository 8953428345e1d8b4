//! Files that a person's messages name (§9.6): fetched from the service's own hosts and those that an operator allows.
//!
//! What cannot be fetched is listed in the package; it does not fail the request.

use std::io::BufReader;

use reqwest::Url;
use serde_json::{Value, json};

use super::run::Run;
use crate::{
    Result,
    executions::{TaskKind, TaskStatus},
    keys::Place,
    package::each,
    upstream::Meaning,
};

/// The most files of a person.
const FILES_MAX: usize = 500;
/// The largest file, in bytes.
const FILE_BYTES_MAX: u64 = 100 << 20;
/// All files of a package together, in bytes.
const ALL_BYTES_MAX: u64 = 2 << 30;
const TRIES_MAX: u32 = 3;
const TRY_AGAIN: i64 = 5_000_000;
/// The fields of an attachment that name a file.
const FILE_FIELDS: [&str; 2] = ["asset_url", "image_url"];

impl Run<'_> {
    /// Lists the files that a user's messages name, and plans to fetch each.
    pub(super) fn list_files(&mut self, order: u32) -> Result<()> {
        let number = self.task(order).target.unwrap_or(0) as usize;
        if !self.artifacts.contains_key(&format!("{number}/export.json")) {
            self.end(order, TaskStatus::Skipped, Some("files of an account that is too large for one answer"));
            return Ok(());
        }
        let urls = self.files_named(number)?;
        let mut listed = Vec::new();
        for (file, url) in (0_u32..).zip(&urls).take(FILES_MAX) {
            listed.push(json!({"file": path_of(file), "url": url}));
            self.add(TaskKind::FetchFile, Some(number)).file = Some(file);
        }
        let listed = serde_json::to_vec_pretty(&listed).expect("a list is JSON");
        self.keep_bytes(&format!("{number}/files.json"), &listed, order)?;
        if urls.len() > FILES_MAX {
            let task = self.add(TaskKind::FetchFile, Some(number));
            (task.status, task.note) = (TaskStatus::Skipped, Some(format!("files after the first {FILES_MAX}")));
        }
        self.end(order, TaskStatus::Complete, None);
        Ok(())
    }

    /// The URLs of files in a user's messages, each once, in order.
    fn files_named(&self, number: usize) -> Result<Vec<String>> {
        let name = format!("{number}/export.json");
        let Some(artifact) = self.artifacts.get(&name) else { return Ok(Vec::new()) };
        let place = Place { table: "artifact", row: &self.execution.id, field: &name };
        let key = self.key.open(place, &artifact.sealed_key)?;
        let reader = self.connector.blobs.read(&artifact.blob, &key)?;
        let mut urls: Vec<String> = Vec::new();
        let read = each(BufReader::new(reader), "messages", |message| {
            let message: Value = serde_json::from_str(message.get())?;
            let attachments = message["attachments"].as_array().into_iter().flatten();
            for url in attachments.flat_map(|one| FILE_FIELDS.map(|field| one[field].as_str())).flatten() {
                if urls.len() <= FILES_MAX && !urls.iter().any(|known| known == url) {
                    urls.push(url.to_owned());
                }
            }
            Ok(())
        });
        read.map_err(crate::error::file("export.json"))?;
        Ok(urls)
    }

    /// Fetches a file, without credentials.
    pub(super) async fn fetch_file(&mut self, order: u32) -> Result<()> {
        let number = self.task(order).target.unwrap_or(0) as usize;
        let file = self.task(order).file.unwrap_or(0);
        let url = self.files_named(number)?.into_iter().nth(file as usize).unwrap_or_default();
        let taken: u64 = self.artifacts().filter(|(name, _)| name.contains("/files/")).map(|(_, one)| one.bytes).sum();
        let most = FILE_BYTES_MAX.min(ALL_BYTES_MAX.saturating_sub(taken));
        if most == 0 {
            self.end(order, TaskStatus::Skipped, Some("all files together are too large"));
            return Ok(());
        }
        if !self.may_fetch(&url) {
            self.end(order, TaskStatus::Skipped, Some("its host is not allowed"));
            return Ok(());
        }
        let mut blob = self.new_blob()?;
        let answer = self.fetch(order, "attachment", &url, &mut blob, most).await;
        match answer.meaning {
            Meaning::Ok => {
                let written = blob.finish()?;
                self.keep(format!("{number}/{}", path_of(file)), &written, order);
                self.end(order, TaskStatus::Complete, None);
            }
            Meaning::Trouble | Meaning::Lost | Meaning::Unsent if self.task(order).attempts < TRIES_MAX => {
                self.wait(TRY_AGAIN);
            }
            _ => {
                let why =
                    answer.status.map_or(answer.message, |status| format!("it cannot be fetched: status {status}"));
                self.end(order, TaskStatus::Skipped, Some(&why));
            }
        }
        Ok(())
    }

    /// Whether a file may be fetched from where it is.
    fn may_fetch(&self, url: &str) -> bool {
        let Ok(url) = Url::parse(url) else { return false };
        let Some(name) = url.host_str() else { return false };
        let host = url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
        if host == self.host() {
            return matches!(url.scheme(), "http" | "https");
        }
        let mut allowed = self.session.dialect.file_hosts.iter().chain(&self.integration.contents.file_hosts);
        url.scheme() == "https" && allowed.any(|allowed| is_allowed(&host, allowed))
    }
}

/// Where a file is in the folder of its user: a number, nothing of the data.
fn path_of(file: u32) -> String {
    format!("files/{:04}", file + 1)
}

fn is_allowed(host: &str, allowed: &str) -> bool {
    if allowed.starts_with('.') { host.ends_with(allowed) } else { host == allowed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_allowed_by_its_name_or_by_what_it_is_below() {
        assert!(is_allowed("us.cdn.example.com", ".cdn.example.com"));
        assert!(is_allowed("cdn.example.com", "cdn.example.com"));
        assert!(!is_allowed("evilcdn.example.com", ".cdn.example.com"));
        assert!(!is_allowed("us.cdn.example.com", "cdn.example.com"));
    }
}
