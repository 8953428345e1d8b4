//! What people open first: a page about everything that was found, and the same facts as plain text.

use std::{
    collections::BTreeMap,
    io::{self, BufReader, Write},
};

use serde_json::{Value, value::RawValue};

use super::{
    manifest::{Manifest, Subject},
    others::Mask,
    views,
    write::{Body, Plan, shown, subject_mask},
};
use crate::blobs::Blobs;

/// How many messages, reactions or reports of a user are on the page; all of them are in the files beside it.
const SHOWN_MAX: usize = 1_000;
/// How much of a text is on the page, in characters.
const CHARS_MAX: usize = 2_000;

fn facts(manifest: &Manifest) -> Vec<(&'static str, String)> {
    vec![
        ("Request", manifest.request_id.clone()),
        ("Type", manifest.kind.clone()),
        ("Searched", format!("{} ({})", manifest.integration.name, manifest.integration.host)),
        ("Generated", manifest.generated_at.clone()),
        ("Users found", manifest.subjects.len().to_string()),
    ]
}

fn gap_line(gap: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    format!("{} of user {}: {}", text(&gap["what"]), text(&gap["subject"]), text(&gap["why"]))
}

/// Writes the page: who, when, what was searched; of each user the profile, messages by channel, reactions and reports;
/// and what is missing.
pub(super) fn index(plan: &Plan, blobs: &Blobs, out: &mut dyn Write) -> io::Result<()> {
    let manifest = &plan.manifest;
    let mut body = String::from("<h1>Your data</h1>\n");
    if !manifest.complete {
        body.push_str(
            "<p class=\"gap\"><strong>INCOMPLETE</strong>: not everything could be fetched, see below.</p>\n",
        );
    }
    body.push_str(&views::table(facts(manifest).into_iter()));
    for subject in &manifest.subjects {
        let mask = subject_mask(plan, subject.n - 1);
        let bodies = plan.bodies.iter().filter(|body| body.number + 1 == subject.n);
        body.push_str(&user(subject, &bodies.collect::<Vec<_>>(), mask, blobs)?);
    }
    if !manifest.gaps.is_empty() {
        body.push_str("<h2>What is not here</h2>\n<ul>\n");
        for gap in &manifest.gaps {
            body.push_str(&format!("<li>{}</li>\n", views::escaped(&gap_line(gap))));
        }
        body.push_str("</ul>\n");
    }
    out.write_all(views::page("Your data", &body).as_bytes())
}

fn user(subject: &Subject, bodies: &[&Body], mask: Option<&Mask>, blobs: &Blobs) -> io::Result<String> {
    let rows = [
        ("User", subject.user_id.clone()),
        ("Found by", subject.matched_by.join(", ")),
        ("Messages", subject.records.messages.to_string()),
        ("Reactions", subject.records.reactions.to_string()),
        ("Reports", subject.records.reports.to_string()),
        ("Files", format!("users/{}/", subject.n)),
    ];
    let mut text = format!("<h2>User {}</h2>\n{}", subject.n, views::table(rows.into_iter()));
    let find = |file: &str| bodies.iter().find(|body| body.file == file);
    if let Some(profile) = find("user.json") {
        let profile: Value = serde_json::from_reader(BufReader::new(profile.read(blobs)?)).unwrap_or_default();
        let fields = profile.as_object().into_iter().flatten();
        text.push_str("<h3>Profile</h3>\n");
        text.push_str(&views::table(fields.map(|(name, value)| (name.as_str(), words(value)))));
    }
    if let Some(export) = find("export.json") {
        text.push_str(&messages(export, mask, blobs)?);
        text.push_str(&reactions(export, mask, blobs)?);
    }
    if let Some(report) = find("moderation_report.json") {
        text.push_str(&reports(report, mask, blobs)?);
    }
    Ok(text)
}

/// A value as a cell shows it.
fn words(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// The first records of a list, as people are shown them.
fn first(body: &Body, list: &str, mask: Option<&Mask>, blobs: &Blobs) -> io::Result<Vec<Value>> {
    let mut found = Vec::new();
    views::each(body.read(blobs)?, list, |raw: &RawValue| {
        if found.len() < SHOWN_MAX {
            found.push(shown(raw, mask));
        }
        Ok(())
    })?;
    Ok(found)
}

fn messages(export: &Body, mask: Option<&Mask>, blobs: &Blobs) -> io::Result<String> {
    let mut channels: BTreeMap<String, Vec<[String; 2]>> = BTreeMap::new();
    let found = first(export, "messages", mask, blobs)?;
    for message in &found {
        let channel = if message["cid"].is_null() { &message["channel_cid"] } else { &message["cid"] };
        let row = [words(&message["created_at"]), words(&message["text"])];
        channels.entry(words(channel)).or_default().push(row);
    }
    let mut text = String::new();
    for (channel, rows) in channels {
        text.push_str(&format!("<h3>Messages in {}</h3>\n{}", views::escaped(&channel), views::rows(&rows)));
    }
    text.push_str(&rest(found.len(), "messages.csv"));
    Ok(text)
}

fn reactions(export: &Body, mask: Option<&Mask>, blobs: &Blobs) -> io::Result<String> {
    let found = first(export, "reactions", mask, blobs)?;
    let row = |one: &Value| [words(&one["created_at"]), words(&one["type"]), words(&one["message_id"])];
    let rows: Vec<[String; 3]> = found.iter().map(row).collect();
    Ok(section("Reactions", &rows) + &rest(found.len(), "reactions.jsonl"))
}

/// Whatever the service says of the user: each entry of each list, under the name of the list.
fn reports(report: &Body, mask: Option<&Mask>, blobs: &Blobs) -> io::Result<String> {
    let report: Value = serde_json::from_reader(BufReader::new(report.read(blobs)?)).unwrap_or_default();
    let report = mask.map_or_else(|| report.clone(), |mask| mask.applied(report.clone()));
    let lists = report.as_object().into_iter().flatten().filter_map(|(name, list)| Some((name, list.as_array()?)));
    let entries = lists.flat_map(|(name, list)| list.iter().map(move |entry| [name.clone(), words(entry)]));
    let rows: Vec<[String; 2]> = entries.take(SHOWN_MAX).collect();
    Ok(section("Reports", &rows) + &rest(rows.len(), "moderation_report.json"))
}

fn section<const N: usize>(title: &str, rows: &[[String; N]]) -> String {
    if rows.is_empty() { String::new() } else { format!("<h3>{title}</h3>\n{}", views::rows(rows)) }
}

/// Where the rest is, when not all is on the page.
fn rest(count: usize, file: &str) -> String {
    if count < SHOWN_MAX { String::new() } else { format!("<p>These are the first; all of them are in {file}.</p>\n") }
}

/// The same facts as plain text, and how to check the hashes.
pub(super) fn readme(manifest: &Manifest) -> String {
    let mut text = String::new();
    if !manifest.complete {
        text.push_str("INCOMPLETE: not everything could be fetched, see the end.\n\n");
    }
    for (name, value) in facts(manifest) {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text.push_str(
        "\nEach file's SHA-256 stands in manifest.json; manifest.json.sig is an Ed25519 signature over its bytes,\n\
         to be checked with public-key.pem. The comment of the archive signs the archive itself, so that nothing can be\n\
         packed anew. `millpond privacy packages verify` checks all of it.\n",
    );
    for gap in &manifest.gaps {
        text.push_str(&format!("\nNot here: {}", gap_line(gap)));
    }
    text.push('\n');
    text
}
