//! Files that tell what is stored: written by tasks, fetched by signed links (v2 §3.2).
//!
//! A file is written from one snapshot, so it tells of one moment, and streamed to where it will be, so memory does not grow
//! with it. A killed worker's file is begun anew. A link is good for a day and needs no key; it is made anew whenever
//! somebody asks how the task stands, and with the row of the file all links to it end.

mod channels;
mod feeds;
pub(crate) mod rows;
pub(crate) mod users;

pub(crate) use feeds::is_known;

use std::{collections::BTreeSet, io, sync::Arc};

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use domain::{
    Tx,
    chat::events::{self, Event},
    exports,
    tasks::{self, Kind, Step},
    users as people,
};
use http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use ids::{AppId, Timestamp, UserId};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{Server, apps::Tenant, blobs::Draft, query::Query, seal, workers::Failed};

/// Where the files are found.
pub(crate) const PREFIX: &str = "/exports/";
/// How long a link is good.
const LINK_SECONDS: i64 = 24 * 3600;
/// How long a worker writes before it shows that it is alive.
const SIGN_OF_LIFE_MICROS: i64 = 5_000_000;
/// The most users that one transaction notes.
const USERS_NOTED_MAX: usize = 500;
/// Bytes that are gathered before they are written.
const BUFFER_BYTES: usize = 64 << 10;

/// Why a file was not finished.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Nothing can come of it.
    #[error("{0}")]
    Hopeless(String),
    /// Another try may succeed.
    #[error(transparent)]
    Store(#[from] domain::Error),
    /// Somebody of whom it tells was erased meanwhile; another try will not find them.
    #[error("somebody of whom the export tells was erased meanwhile")]
    Overtaken,
    /// The file could not be written.
    #[error("the file cannot be written: {0}")]
    File(#[from] io::Error),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Error::Store(error.into())
    }
}

type Result<T> = std::result::Result<T, Error>;

/// The name of the file of the task `task`.
pub(crate) fn file_name(what: &str, app: AppId, task: &str, ending: &str) -> String {
    format!("exports/{what}/{}/{task}.{ending}", app.0)
}

/// A file that a task writes, from one snapshot.
struct Sheet<'s> {
    server: &'s Server,
    tenant: &'s Tenant,
    task: &'s str,
    tx: Tx,
    draft: Draft,
    buffer: Vec<u8>,
    /// When the worker last showed that it is alive.
    seen_at: Timestamp,
    /// Who stands in the file and is not noted yet, and who is.
    new: BTreeSet<UserId>,
    noted: BTreeSet<UserId>,
}

impl Sheet<'_> {
    /// A JSON object and a line's end.
    async fn line(&mut self, object: &impl Serialize) -> Result<()> {
        serde_json::to_writer(&mut self.buffer, object).expect("wire types are JSON");
        self.buffer.push(b'\n');
        self.flush_if_full().await
    }

    /// Text as it is.
    async fn text(&mut self, text: &str) -> Result<()> {
        self.buffer.extend_from_slice(text.as_bytes());
        self.flush_if_full().await
    }

    /// An item of a JSON list, with a comma before it unless it `is_first`.
    async fn item(&mut self, is_first: bool, object: &impl Serialize) -> Result<()> {
        self.item_by(is_first, |out| serde_json::to_writer(out, object).expect("wire types are JSON")).await
    }

    /// The same of an item that `write` writes.
    async fn item_by(&mut self, is_first: bool, write: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        self.buffer.extend_from_slice(if is_first { b"\n" } else { b",\n" });
        write(&mut self.buffer);
        self.flush_if_full().await
    }

    /// Notes that the file holds something of `user`: before it holds it, so that who erases the user finds the file.
    fn names(&mut self, user: &UserId) {
        if !self.noted.contains(user) {
            self.new.insert(user.clone());
        }
    }

    async fn flush_if_full(&mut self) -> Result<()> {
        let now = Timestamp::from_micros(self.server.clock.now_micros());
        if now.micros() - self.seen_at.micros() > SIGN_OF_LIFE_MICROS || self.new.len() >= USERS_NOTED_MAX {
            self.sign(now).await?;
        }
        if self.buffer.len() < BUFFER_BYTES {
            return Ok(());
        }
        self.flush().await
    }

    async fn flush(&mut self) -> Result<()> {
        let now = Timestamp::from_micros(self.server.clock.now_micros());
        self.sign(now).await?;
        self.draft.append(&self.buffer).await?;
        self.buffer.clear();
        // Somebody who waits may go first.
        tokio::task::yield_now().await;
        Ok(())
    }

    /// Notes who stands in the file, and that somebody is at work.
    async fn sign(&mut self, now: Timestamp) -> Result<()> {
        if self.new.is_empty() && now.micros() - self.seen_at.micros() <= SIGN_OF_LIFE_MICROS {
            return Ok(());
        }
        let mut were_there = Vec::with_capacity(self.new.len());
        for user in &self.new {
            were_there.push(is_there(&mut self.tx, user).await?);
        }
        let (holder, id, new) = (self.server.tasks.holder(), self.task, &self.new);
        let signed = self.tenant.app.write(async |tx| {
            let Some(task) = tasks::held(tx, id, holder).await? else { return Ok(Signed::Lost) };
            exports::load(tx, id).await?;
            for (user, was_there) in new.iter().zip(&were_there) {
                if *was_there && !is_there(tx, user).await? {
                    return Ok(Signed::Overtaken);
                }
            }
            exports::note(tx, id, new);
            tasks::keep(tx, id, task, Step::More, now);
            Ok(Signed::Held)
        });
        match signed.await? {
            Signed::Held => {}
            Signed::Lost => return Err(Error::Hopeless("another worker took the task".to_owned())),
            Signed::Overtaken => return Err(Error::Overtaken),
        }
        self.noted.append(&mut self.new);
        self.seen_at = now;
        Ok(())
    }
}

/// What came of a sign of life.
enum Signed {
    /// The task is still this worker's.
    Held,
    /// It is another's.
    Lost,
    /// Somebody of whom the file tells was erased meanwhile.
    Overtaken,
}

/// Whether there is a user `id` of whom more than a frame is left.
async fn is_there(tx: &mut Tx, id: &UserId) -> domain::Result<bool> {
    Ok(people::get(tx, id).await?.is_some_and(|user| !user.is_pruned))
}

/// Does the task `id`, which writes a file, to its end.
///
/// # Errors
/// When the store or the disk fails, or the file told of somebody who was erased: another try may succeed.
pub(crate) async fn run(server: &Server, tenant: &Tenant, id: &str) -> std::result::Result<(), Failed> {
    match write(server, tenant, id).await {
        Ok(()) => Ok(()),
        Err(Error::Store(error @ domain::Error::Store(_))) => Err(error.into()),
        Err(Error::File(error)) => Err(error.into()),
        Err(Error::Overtaken) => Err(Failed::Overtaken),
        Err(error @ (Error::Store(_) | Error::Hopeless(_))) => {
            Ok(give_up(server, tenant, id, &error.to_string()).await?)
        }
    }
}

async fn give_up(server: &Server, tenant: &Tenant, id: &str, reason: &str) -> domain::Result<()> {
    let (holder, now) = (server.tasks.holder(), Timestamp::from_micros(server.clock.now_micros()));
    let given = tenant.app.write(async |tx| {
        let Some(task) = tasks::held(tx, id, holder).await? else { return Ok(()) };
        tell(tx, &task, id, now, json!({ "error": reason }));
        tasks::fail(tx, id, task, "export_failed", reason.to_owned(), now).await
    });
    given.await
}

async fn write(server: &Server, tenant: &Tenant, id: &str) -> Result<()> {
    let now = Timestamp::from_micros(server.clock.now_micros());
    let mut tx = tenant.app.snapshot();
    let (task, export) = (tasks::load(&mut tx, id).await?, exports::load(&mut tx, id).await?);
    let draft = server.blobs.begin(&export.file).await?;
    let (new, noted, buffer) = (BTreeSet::new(), export.subjects.into_iter().collect(), Vec::new());
    let mut sheet = Sheet { server, tenant, task: id, tx, draft, buffer, seen_at: now, new, noted };
    match &task.kind {
        Kind::ExportUsers(users) => users::write(&mut sheet, users).await?,
        Kind::ExportChannels(asked) => channels::write(&mut sheet, asked).await?,
        Kind::ExportFeeds(user) => feeds::write(&mut sheet, user, now).await?,
        _ => return Err(Error::Hopeless("the task writes no file".to_owned())),
    }
    sheet.flush().await?;
    sheet.draft.keep().await?;
    let (holder, now) = (server.tasks.holder(), Timestamp::from_micros(server.clock.now_micros()));
    let url = link(server, tenant, &HeaderMap::new(), &export.file, now);
    let kept = tenant.app.write(async |tx| {
        let Some(task) = tasks::held(tx, id, holder).await? else { return Ok(()) };
        if exports::get(tx, id).await?.is_none() {
            // It was to hold data of somebody who was erased meanwhile.
            exports::discard_file(tx, &export.file);
            return Err(domain::Error::Absent(String::new()));
        }
        tell(tx, &task, id, now, json!({ "url": url }));
        tasks::keep(tx, id, task, Step::Done, now);
        Ok(())
    });
    match kept.await {
        Err(domain::Error::Absent(_)) => {
            server.blobs.remove(&export.file).await?;
            Err(Error::Hopeless("what the export was to hold was erased".to_owned()))
        }
        kept => Ok(kept?),
    }
}

/// Tells the app's hooks what came of a task (chat §10.1).
fn tell(tx: &mut Tx, task: &tasks::Task, id: &str, now: Timestamp, mut more: Value) {
    let what = match &task.kind {
        Kind::ExportUsers(_) => "users",
        Kind::ExportChannels(_) => "channels",
        _ => return,
    };
    let outcome = if more.get("url").is_some() { "success" } else { "error" };
    more["task_id"] = id.into();
    more["started_at"] = task.created_at.rfc3339().to_string().into();
    more["finished_at"] = now.rfc3339().to_string().into();
    events::record(tx, Event::new(&format!("export.{what}.{outcome}"), now, None).with(more.to_string()));
}

/// A new link to `file`, as who asked with `headers` reaches this server.
pub(crate) fn link(server: &Server, tenant: &Tenant, headers: &HeaderMap, file: &str, now: Timestamp) -> String {
    let expires = now.micros() / 1_000_000 + LINK_SECONDS;
    let nonce: String = seal::random::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
    let signature = tenant.sign_link(&signed(file, expires, &nonce));
    format!("{}/{file}?exp={expires}&n={nonce}&sig={signature}", base(server, headers))
}

fn signed(file: &str, expires: i64, nonce: &str) -> String {
    format!("{file}\n{expires}\n{nonce}")
}

/// How clients reach this server.
fn base(server: &Server, headers: &HeaderMap) -> String {
    let header = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(url) = &server.public_url {
        return url.trim_end_matches('/').to_owned();
    }
    let scheme = header(HeaderName::from_static("x-forwarded-proto")).filter(|scheme| *scheme == "https");
    format!("{}://{}", scheme.unwrap_or("http"), header(header::HOST).unwrap_or("localhost"))
}

/// `GET /exports/…`: a file, for whoever has a link to it.
pub(crate) async fn download(server: Arc<Server>, request: Request) -> Response {
    match found(&server, request.uri().clone()).await {
        Ok(response) => response,
        Err(status) => status.into_response(),
    }
}

async fn found(server: &Server, uri: Uri) -> std::result::Result<Response, StatusCode> {
    let file = uri.path().trim_start_matches('/');
    let (_, name) = file.rsplit_once('/').ok_or(StatusCode::NOT_FOUND)?;
    let app = file.split('/').nth(2).and_then(|app| app.parse().ok()).ok_or(StatusCode::NOT_FOUND)?;
    let tenant = server.apps.by_id(AppId(app)).ok_or(StatusCode::FORBIDDEN)?;
    let query = Query::parse(uri.query().unwrap_or_default());
    let expires: i64 = query.get("exp").and_then(|exp| exp.parse().ok()).ok_or(StatusCode::FORBIDDEN)?;
    let text = signed(file, expires, query.get("n").unwrap_or_default());
    let is_signed = tenant.is_signed_link(&text, query.get("sig").unwrap_or_default());
    if !is_signed || server.clock.now_seconds() > expires {
        return Err(StatusCode::FORBIDDEN);
    }
    let task = name.split('.').next().unwrap_or_default();
    let failed = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, "an export could not be read");
        StatusCode::INTERNAL_SERVER_ERROR
    };
    let export = exports::get(&mut tenant.app.snapshot(), task).await.map_err(|error| failed(&error))?;
    if export.is_none_or(|export| export.file != file) {
        return Err(StatusCode::GONE);
    }
    let content = server.blobs.open(file).await.map_err(|error| failed(&error))?;
    let (length, body) = content.ok_or(StatusCode::GONE)?;
    Ok(response(name, length, body))
}

fn response(name: &str, length: u64, body: Body) -> Response {
    let kind = match name.rsplit_once('.') {
        Some((_, "csv")) => "text/csv; charset=utf-8",
        Some((_, "jsonl")) => "application/jsonl",
        _ => "application/json",
    };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    (headers, body).into_response()
}

/// Removes the files that nobody needs any more.
///
/// # Errors
/// When the store or the disk fails; what is left then goes with the next call.
pub(crate) async fn sweep(server: &Server, tenant: &Tenant) -> std::result::Result<(), Failed> {
    let files = exports::stale(&mut tenant.app.snapshot()).await?;
    if files.is_empty() {
        return Ok(());
    }
    for file in &files {
        server.blobs.remove(file).await?;
    }
    let forgotten = tenant.app.write(async |tx| {
        exports::forget(tx, &files);
        Ok(())
    });
    Ok(forgotten.await?)
}
