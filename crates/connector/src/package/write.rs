//! Builds the archive from the stored bodies, straight into a sealed file.

use std::io::{self, Write};

use ids::Timestamp;
use serde_json::{Value, json, value::RawValue};
use store::Transaction;
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

use super::{
    manifest::{File, Integration, Manifest, Producer, Records, SCHEMA, Subject},
    others::Mask,
    page,
    seal::Sealed,
    views,
};
use crate::{
    Result,
    blobs::{self, Blobs, Reader, Written},
    engine::Run,
    executions::{Artifact, Attempt, SubTask, TaskKind, TaskStatus},
    keys::{Place, hex},
    keyspace::{ATTEMPT, HERE},
    signing::Signer,
};

const LEVEL: i64 = 6;
/// The calls by which an artifact came, by the end of its name.
const SOURCES: &[(&str, &str)] = &[
    ("user.json", "query_users"),
    ("export.json", "export_user"),
    ("moderation_report.json", "user_report"),
    ("async_export.jsonl", "export_users"),
    ("feeds_export.jsonl", "feeds_export"),
];

/// A stored body with the key that opens it.
pub(super) struct Body {
    pub(super) number: usize,
    pub(super) file: String,
    blob: String,
    key: zeroize::Zeroizing<Vec<u8>>,
}

/// Everything that the archive is made from.
pub(super) struct Plan {
    pub(super) bodies: Vec<Body>,
    pub(super) manifest: Manifest,
    calls: Value,
    /// When it was generated, as the archive says it of every file.
    moment: DateTime,
    /// How others are masked in what is made for people: for each subject, in order.
    masks: Vec<Mask>,
    /// Whether bodies are taken in as they came.
    is_raw: bool,
}

/// Why a body is not in a package.
const LEFT_OUT: &str = "left out, because it names others as it came";
/// The bodies that name others.
const OF_OTHERS: &[&str] = &["export.json", "async_export.jsonl", "feeds_export.jsonl"];

/// The archive that is being written, with what is in it so far.
struct Archive<W: Write + io::Seek> {
    zip: ZipWriter<W>,
    files: Vec<File>,
    moment: DateTime,
}

/// Counts and hashes what goes through.
struct Counted<'a, W: Write> {
    out: &'a mut W,
    bytes: u64,
    lines: u64,
    last: u8,
    hash: aws_lc_rs::digest::Context,
}

impl<W: Write> Write for Counted<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.bytes += count as u64;
        self.lines += bytes[..count].iter().filter(|byte| **byte == b'\n').count() as u64;
        self.last = bytes[..count].last().copied().unwrap_or(self.last);
        self.hash.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W: Write + io::Seek> Archive<W> {
    /// Adds a file; `fill` writes it.
    fn add(
        &mut self,
        path: &str,
        source: Option<&str>,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(LEVEL))
            .last_modified_time(self.moment)
            .large_file(true);
        self.zip.start_file(path, options).map_err(io::Error::other)?;
        let hash = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        let mut counted = Counted { out: &mut self.zip, bytes: 0, lines: 0, last: b'\n', hash };
        fill(&mut counted)?;
        let extension = path.rsplit('.').next();
        let media_type = match extension {
            Some("json") => "application/json",
            Some("jsonl") => "application/x-ndjson",
            Some("csv") => "text/csv",
            Some("html") => "text/html",
            _ if path.contains("/files/") => "application/octet-stream",
            _ => "text/plain",
        };
        self.files.push(File {
            path: path.to_owned(),
            bytes: counted.bytes,
            sha256: hex(counted.hash.finish().as_ref()),
            media_type: media_type.to_owned(),
            source_call: source.map(str::to_owned),
            records: (extension == Some("jsonl")).then_some(counted.lines + u64::from(counted.last != b'\n')),
        });
        Ok(())
    }

    /// Says how many records a file holds that is in the archive.
    fn holds(&mut self, path: &str, records: u64) {
        if let Some(file) = self.files.iter_mut().find(|file| file.path == path) {
            file.records = Some(records);
        }
    }

    fn add_text(&mut self, path: &str, text: &str) -> io::Result<()> {
        self.add(path, None, |out| out.write_all(text.as_bytes()))
    }
}

impl Run<'_> {
    /// Puts the package together.
    pub(crate) async fn package(&mut self, order: u32) -> Result<()> {
        let plan = self.plan_package_of().await?;
        let is_complete = plan.manifest.complete;
        let blobs = self.connector().blobs.clone();
        let signer = self.connector().signer.clone();
        let out = self.new_blob()?;
        let built = tokio::task::spawn_blocking(move || build(plan, &blobs, out, &signer)).await;
        let (written, manifest) = built.expect("building a package does not panic")?;
        self.keep("package.zip".to_owned(), &written, order);
        self.keep_bytes("manifest.json", manifest.as_bytes(), order)?;
        self.end(order, TaskStatus::Complete, (!is_complete).then_some("incomplete"));
        Ok(())
    }

    async fn plan_package_of(&self) -> Result<Plan> {
        let request = self.request();
        let mut gaps = self.gaps();
        let complete = gaps.iter().all(|gap| gap["why"] == "too large for one answer; exported as a file");
        let contents = self.integration().contents.clone();
        let salt = self.connector().pepper.hash(request.id.as_bytes());
        // The same moment however often it is built: when the last call ended.
        let calls = self.tasks().filter(|(_, task)| task.kind != TaskKind::Package);
        let generated_at = calls.filter_map(|(_, task)| task.ended_at).max().unwrap_or(request.created_at);
        let identifiers = &request.identifiers;
        let mut subjects = Vec::new();
        let mut masks = Vec::new();
        for (number, user_id) in self.target_ids()? {
            let matched = self.target(number).matched_by.iter();
            let matched = matched.filter_map(|one| identifiers.get(*one as usize)).map(|one| one.category.to_string());
            if contents.redact_others {
                masks.push(Mask::new(&user_id, &salt));
            }
            subjects.push(Subject {
                n: number + 1,
                user_id,
                matched_by: matched.collect(),
                records: Records::default(),
            });
        }
        let mut bodies = Vec::new();
        for (name, artifact) in self.artifacts().filter(|(name, _)| name.contains('/')) {
            let body = self.body(name, artifact)?;
            if !contents.raw && OF_OTHERS.contains(&body.file.as_str()) {
                gaps.push(json!({"what": body.file, "subject": body.number + 1, "why": LEFT_OUT}));
            }
            bodies.push(body);
        }
        let integration = self.integration();
        let manifest = Manifest {
            schema: SCHEMA.to_owned(),
            request_id: request.id.clone(),
            external_id: request.external_id.clone(),
            kind: request.kind.to_string(),
            regulation: request.regulation.to_string(),
            integration: Integration { name: integration.name.clone(), host: self.host(), kind: "stream".to_owned() },
            generated_at: generated_at.rfc3339().to_string(),
            complete,
            gaps,
            subjects,
            files: Vec::new(),
            producer: Producer { name: "millpond".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        };
        let calls = self.calls(&mut self.connector().store.read()).await?;
        Ok(Plan { bodies, manifest, calls, moment: moment(generated_at), masks, is_raw: contents.raw })
    }

    fn body(&self, name: &str, artifact: &Artifact) -> Result<Body> {
        let place = Place { table: "artifact", row: &self.execution.id, field: name };
        let key = self.data_key().open(place, &artifact.sealed_key)?;
        let (number, file) = name.split_once('/').unwrap_or(("0", name));
        let number = number.parse::<usize>().unwrap_or(0);
        Ok(Body { number, file: file.to_owned(), blob: artifact.blob.clone(), key })
    }

    /// Every call that was made, without tokens and keys.
    async fn calls(&self, tx: &mut Transaction) -> Result<Value> {
        let mut calls = Vec::new();
        for (order, task) in self.tasks() {
            for number in 1..=task.attempts {
                let attempt = ATTEMPT.get(tx, HERE, &(self.execution.id.clone(), order, number)).await?;
                calls.extend(attempt.map(|attempt| call(task, number, &attempt)));
            }
        }
        Ok(calls.into())
    }
}

/// A call as it is told of.
fn call(task: &SubTask, number: u32, attempt: &Attempt) -> Value {
    json!({
        "call": task.kind.word(),
        "subject": task.target.map(|number| number + 1),
        "path": attempt.path,
        "attempt": number,
        "at": attempt.started_at.rfc3339().to_string(),
        "ended_at": attempt.ended_at.map(|at| at.rfc3339().to_string()),
        "status": attempt.http,
        "code": attempt.code,
        "bytes": attempt.bytes,
        "sha256": attempt.body_sha256,
    })
}

/// A moment as an archive has it: in seconds, and not before 1980.
fn moment(at: Timestamp) -> DateTime {
    let at = jiff::Timestamp::from_microsecond(at.micros()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let at = at.to_zoned(jiff::tz::TimeZone::UTC);
    let part = |part: i8| u8::try_from(part).unwrap_or_default();
    let year = u16::try_from(at.year()).unwrap_or_default();
    let (month, day) = (part(at.month()), part(at.day()));
    DateTime::from_date_and_time(year, month, day, part(at.hour()), part(at.minute()), part(at.second()))
        .unwrap_or_default()
}

/// The package, and its manifest.
fn build(mut plan: Plan, blobs: &Blobs, out: blobs::Writer, signer: &Signer) -> Result<(Written, String)> {
    let zip = ZipWriter::new_stream(Sealed::new(out));
    let mut archive = Archive { zip, files: Vec::new(), moment: plan.moment };
    let manifest = fill(&mut archive, &mut plan, blobs, signer)?;
    let out = archive.zip.finish().map_err(|error| trouble(io::Error::other(error)))?;
    let out = out.into_inner().finish(signer).map_err(trouble)?;
    Ok((out.finish()?, manifest))
}

fn trouble(error: io::Error) -> crate::Error {
    crate::error::file("package.zip")(error)
}

fn fill<W: Write + io::Seek>(
    archive: &mut Archive<W>,
    plan: &mut Plan,
    blobs: &Blobs,
    signer: &Signer,
) -> Result<String> {
    plan.bodies.sort_by(|a, b| (a.number, &a.file).cmp(&(b.number, &b.file)));
    for body in &plan.bodies {
        let folder = format!("users/{}", body.number + 1);
        let path = match body.file.as_str() {
            "async_export.jsonl" => "async/export.jsonl",
            "feeds_export.jsonl" => "feeds/export.jsonl",
            file => file,
        };
        let source = SOURCES.iter().find(|(file, _)| *file == body.file).map(|(_, call)| *call);
        let source = source.or_else(|| body.file.starts_with("files/").then_some("fetch_file"));
        let read = || blobs.read(&body.blob, &body.key);
        let mask = subject_mask(plan, body.number);
        let mut raw = read()?;
        let copied = match mask.filter(|_| !plan.is_raw) {
            Some(_) if OF_OTHERS.contains(&body.file.as_str()) => Ok(()),
            Some(mask) if body.file == "moderation_report.json" => {
                let report: Value = serde_json::from_reader(io::BufReader::new(raw)).unwrap_or_default();
                let report = mask.applied(report).to_string();
                archive.add(&format!("{folder}/{path}"), source, |out| out.write_all(report.as_bytes()))
            }
            _ => archive.add(&format!("{folder}/{path}"), source, |out| io::copy(&mut raw, out).map(drop)),
        };
        copied.map_err(trouble)?;
        let listed = if body.file == "export.json" {
            Some(lists(archive, &folder, &read, mask).map_err(trouble)?)
        } else {
            None
        };
        let subject = plan.manifest.subjects.iter_mut().find(|subject| subject.n == body.number + 1);
        let Some(subject) = subject else { continue };
        match body.file.as_str() {
            "user.json" => archive.holds(&format!("{folder}/{path}"), 1),
            "export.json" => {
                let reports = subject.records.reports;
                subject.records = Records { reports, ..listed.unwrap_or_default() };
                let Records { messages, reactions, .. } = subject.records;
                archive.holds(&format!("{folder}/{path}"), messages + reactions);
                archive.holds(&format!("{folder}/messages.csv"), messages);
            }
            "moderation_report.json" => {
                let report: Value = serde_json::from_reader(io::BufReader::new(read()?)).unwrap_or_default();
                subject.records.reports = entries(&report);
                archive.holds(&format!("{folder}/{path}"), subject.records.reports);
            }
            _ => {}
        }
    }
    let calls = serde_json::to_string_pretty(&plan.calls).expect("a list is JSON");
    archive.add_text("calls.json", &calls).map_err(trouble)?;
    archive.add("index.html", None, |out| page::index(plan, blobs, out)).map_err(trouble)?;
    archive.add_text("README.txt", &page::readme(&plan.manifest)).map_err(trouble)?;
    plan.manifest.files = archive.files.clone();
    let manifest = serde_json::to_string_pretty(&plan.manifest).expect("a manifest is JSON");
    archive.add_text("manifest.json", &manifest).map_err(trouble)?;
    archive.add_text("manifest.json.sig", &signer.sign(manifest.as_bytes())).map_err(trouble)?;
    archive.add_text("public-key.pem", &signer.public_key_pem()).map_err(trouble)?;
    Ok(manifest)
}

impl Body {
    /// Its bytes, as they came.
    pub(super) fn read(&self, blobs: &Blobs) -> io::Result<Reader> {
        blobs.read(&self.blob, &self.key).map_err(io::Error::other)
    }
}

/// How others are masked for a subject, if they are.
pub(super) fn subject_mask(plan: &Plan, number: usize) -> Option<&Mask> {
    let at = plan.manifest.subjects.iter().position(|subject| subject.n == number + 1)?;
    plan.masks.get(at)
}

/// The lists of an export, for programs and for people.
fn lists<W: Write + io::Seek>(
    archive: &mut Archive<W>,
    folder: &str,
    read: &dyn Fn() -> Result<Reader>,
    mask: Option<&Mask>,
) -> io::Result<Records> {
    let open = || read().map_err(io::Error::other);
    let line = |raw: &RawValue| match mask {
        Some(mask) => format!("{}\n", shown(raw, Some(mask))),
        None => views::json_line(raw),
    };
    let mut records = Records::default();
    archive.add(&format!("{folder}/messages.jsonl"), None, |out| {
        records.messages = views::each(open()?, "messages", |raw| out.write_all(line(raw).as_bytes()))?;
        Ok(())
    })?;
    archive.add(&format!("{folder}/messages.csv"), None, |out| {
        out.write_all(views::CSV_HEAD.as_bytes())?;
        views::each(open()?, "messages", |raw| out.write_all(views::csv_row(&shown(raw, mask)).as_bytes())).map(drop)
    })?;
    archive.add(&format!("{folder}/reactions.jsonl"), None, |out| {
        records.reactions = views::each(open()?, "reactions", |raw| out.write_all(line(raw).as_bytes()))?;
        Ok(())
    })?;
    Ok(records)
}

/// A record as people are shown it.
pub(super) fn shown(raw: &RawValue, mask: Option<&Mask>) -> Value {
    let record = serde_json::from_str(raw.get()).unwrap_or_default();
    match mask {
        Some(mask) => mask.applied(record),
        None => record,
    }
}

/// The entries of the first list in a report.
pub(crate) fn entries(report: &Value) -> u64 {
    let fields = report.as_object().into_iter().flat_map(|fields| fields.values());
    fields.filter_map(Value::as_array).map(|list| list.len() as u64).next().unwrap_or(0)
}
