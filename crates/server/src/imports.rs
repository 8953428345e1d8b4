//! Imports: files that are uploaded to a signed place, looked at, and stored row by row (chat §11.12).
//!
//! A file is read in pieces of bounded size, once to look at all of it and once for each pass, from where the last commit
//! stands: memory does not grow with it, and a killed worker's import goes on where it was.

mod items;
mod rows;

use std::{collections::HashSet, sync::Arc};

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use domain::{
    chat::imports::{self, Import, PASSES, Row, State},
    tasks::{self, Progress, Step, Task},
};
use http::{StatusCode, Uri};
use http_body_util::BodyExt;
use ids::{AppId, Timestamp};
use parking_lot::Mutex;

use crate::{Server, apps::Tenant, query::Query, workers::Failed};
use items::{Broken, Items, Place};

/// Where files are uploaded to.
pub(crate) const ROUTE: &str = "/files/import/{app}/{id}/{name}";
/// The largest file.
pub(crate) const FILE_BYTES_MAX: u64 = 300 << 20;
/// How long a file can be uploaded by a link.
const LINK_SECONDS: i64 = 3600;
/// How long a worker looks at a file before it shows that it is alive.
const SIGN_OF_LIFE_MICROS: i64 = 5_000_000;
/// Rows that are read before they are stored.
const BATCH_ROWS: usize = 100;
/// How many bytes of rows are read before they are stored.
const BATCH_BYTES: usize = 256 << 10;
/// Rows after which an import lets others go first.
const ROWS_MAX: u64 = 20_000;

type Result<T> = std::result::Result<T, Failed>;

/// The places to which somebody uploads at this moment.
#[derive(Debug, Default)]
pub(crate) struct Uploading(Mutex<HashSet<String>>);

/// Holds a place, until dropped.
struct Held<'u> {
    of: &'u Uploading,
    place: String,
}

impl Uploading {
    fn hold(&self, place: &str) -> Option<Held<'_>> {
        self.0.lock().insert(place.to_owned()).then(|| Held { of: self, place: place.to_owned() })
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.of.0.lock().remove(&self.place);
    }
}

/// How a call names the file that was uploaded to the place `id`.
pub(crate) fn path(app: AppId, id: &str, name: &str) -> String {
    format!("imports/{}/{id}/{name}", app.0)
}

/// The place that a path of this app names.
pub(crate) fn named(app: AppId, path: &str) -> Option<&str> {
    let rest = path.strip_prefix(&format!("imports/{}/", app.0))?;
    rest.split_once('/').map(|(id, _)| id)
}

/// A link by which a file can be uploaded to the place `id`, for who reaches this server at `base`.
pub(crate) fn link(tenant: &Tenant, base: &str, id: &str, name: &str, now: Timestamp) -> String {
    let expires = now.micros() / 1_000_000 + LINK_SECONDS;
    let signature = tenant.sign_link(&signed(id, expires));
    let (app, name) = (tenant.app.id.0, crate::files::escaped(name));
    format!("{base}/files/import/{app}/{id}/{name}?Expires={expires}&Signature={signature}")
}

fn signed(id: &str, expires: i64) -> String {
    format!("import\n{id}\n{expires}")
}

/// `PUT /files/import/…`: takes a file, from whoever has the link.
pub(crate) async fn upload(server: Arc<Server>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match take(&server, &parts.uri, body).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(status) => status.into_response(),
    }
}

async fn take(server: &Server, uri: &Uri, body: Body) -> std::result::Result<(), StatusCode> {
    let mut segments = uri.path().trim_start_matches("/files/import/").split('/');
    let app = segments.next().and_then(|app| app.parse().ok()).ok_or(StatusCode::NOT_FOUND)?;
    let id = segments.next().ok_or(StatusCode::NOT_FOUND)?;
    let tenant = server.apps.by_id(AppId(app)).ok_or(StatusCode::FORBIDDEN)?;
    let query = Query::parse(uri.query().unwrap_or_default());
    let expires: i64 = query.get("Expires").and_then(|at| at.parse().ok()).ok_or(StatusCode::FORBIDDEN)?;
    let is_signed = tenant.is_signed_link(&signed(id, expires), query.get("Signature").unwrap_or_default());
    if !is_signed || server.clock.now_seconds() > expires {
        return Err(StatusCode::FORBIDDEN);
    }
    let _held = server.uploading.hold(&format!("{app}/{id}")).ok_or(StatusCode::CONFLICT)?;
    let now = now(server);
    let place = imports::get_upload(&mut tenant.app.snapshot(), id, now).await.map_err(failed)?;
    if place.ok_or(StatusCode::GONE)?.bytes.is_some() {
        return Err(StatusCode::CONFLICT);
    }
    let file = imports::file(app, id);
    match keep(server, &file, body).await {
        Ok(bytes) => {
            let noted = tenant.app.write(async |tx| imports::note_upload(tx, id, bytes, now).await);
            noted.await.map_err(failed)
        }
        Err(status) => {
            server.blobs.remove(&file).await.map_err(failed)?;
            Err(status)
        }
    }
}

fn failed(error: impl std::fmt::Display) -> StatusCode {
    tracing::error!(%error, "a file for an import could not be taken");
    StatusCode::INTERNAL_SERVER_ERROR
}

/// Writes the body as it comes; how many bytes it had.
async fn keep(server: &Server, file: &str, mut body: Body) -> std::result::Result<u64, StatusCode> {
    let mut draft = server.blobs.begin(file).await.map_err(failed)?;
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        // What is wrong with a body, such as its size, the front says.
        let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
        let Ok(chunk) = frame.into_data() else { continue };
        bytes += chunk.len() as u64;
        if bytes > FILE_BYTES_MAX {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        draft.append(&chunk).await.map_err(failed)?;
    }
    draft.keep().await.map_err(failed)?;
    Ok(bytes)
}

fn now(server: &Server) -> Timestamp {
    Timestamp::from_micros(server.clock.now_micros())
}

/// Somebody at work on an import.
struct Worker<'s> {
    server: &'s Server,
    tenant: &'s Tenant,
    id: &'s str,
    file: String,
    seen_at: Timestamp,
}

/// Does the import `id`, to its end or until others are to go first.
///
/// # Errors
/// When the store or the disk fails: another try goes on where this one was.
pub(crate) async fn run(server: &Server, tenant: &Tenant, id: &str) -> Result<()> {
    let import = match imports::load(&mut tenant.app.snapshot(), id).await {
        Err(domain::Error::Absent(_)) => return Ok(()),
        import => import?,
    };
    let file = import.file(tenant.app.id.0);
    let mut worker = Worker { server, tenant, id, file, seen_at: now(server) };
    match import.state {
        State::Uploaded | State::Analyzing => worker.analyze().await,
        State::Importing => worker.import(&import).await,
        State::AnalyzeFailed | State::Completed | State::Failed => Ok(()),
    }
}

impl Worker<'_> {
    /// Changes the task while this worker holds it; whether it does.
    async fn hold(&mut self, state: State, progress: Option<Progress>) -> Result<bool> {
        let (holder, id, now) = (self.server.tasks.holder(), self.id, now(self.server));
        let held = self.tenant.app.write(async |tx| {
            let Some(mut task) = tasks::held(tx, id, holder).await? else { return Ok(false) };
            task.progress = progress.clone().unwrap_or(task.progress);
            imports::turn(tx, id, state, &task.progress, now).await?;
            let step = if state.is_final() { Step::Done } else { Step::More };
            tasks::keep(tx, id, task, step, now);
            Ok(true)
        });
        self.seen_at = now;
        Ok(held.await?)
    }

    async fn sign_of_life(&mut self, state: State) -> Result<bool> {
        match now(self.server).micros() - self.seen_at.micros() > SIGN_OF_LIFE_MICROS {
            true => self.hold(state, None).await,
            false => Ok(true),
        }
    }

    /// Looks at the whole file: with one row that is none, nothing of it is stored.
    async fn analyze(&mut self) -> Result<()> {
        if !self.hold(State::Analyzing, None).await? {
            return Ok(());
        }
        let mut found = Progress::default();
        let mut items = Items::new(&self.server.blobs, &self.file, Place::default());
        let mut count = 0_u64;
        loop {
            if !self.sign_of_life(State::Analyzing).await? {
                return Ok(());
            }
            match items.next().await? {
                Ok(None) => break,
                Ok(Some(raw)) => {
                    count += 1;
                    if let Err(reason) = rows::read(&self.tenant.app, &raw.text) {
                        imports::fail(&mut found, raw.number, &rows::kind(&raw.text), &reason);
                    }
                }
                Err(Broken { row, reason }) => {
                    imports::fail(&mut found, row, "", &reason);
                    break;
                }
            }
        }
        if count == 0 && found.failed.is_empty() {
            imports::fail(&mut found, 0, "", "the file holds no rows");
        }
        match found.failed.is_empty() {
            true => self.hold(State::Importing, None).await.map(drop),
            false => self.hold(State::AnalyzeFailed, Some(found)).await.map(drop),
        }
    }

    /// Stores rows, pass after pass.
    async fn import(&mut self, import: &Import) -> Result<()> {
        let mut left = ROWS_MAX;
        let task = tasks::load(&mut self.tenant.app.snapshot(), self.id).await?;
        let (mut pass, mut place) = (task.progress.stage, Place::decode(&task.progress.cursor));
        while pass < PASSES {
            let (rows, next) = match self.batch(pass, place).await? {
                Batch::Rows(rows, next) => (rows, Some(next)),
                Batch::Last(rows) => (rows, None),
                Batch::Lost => return Ok(()),
            };
            match self.store(import, &rows, next).await? {
                Stored::All => match next {
                    Some(next) => place = next,
                    None => (pass, place) = (pass + 1, Place::default()),
                },
                Stored::UpTo(stored) => place = stored,
                Stored::Lost => return Ok(()),
            }
            left = left.saturating_sub(rows.len() as u64 + 1);
            if left == 0 {
                return Ok(());
            }
            tokio::task::yield_now().await;
        }
        self.hold(State::Completed, None).await.map(drop)
    }

    /// The next rows of the pass from `place` on.
    async fn batch(&mut self, pass: u8, place: Place) -> Result<Batch> {
        let mut items = Items::new(&self.server.blobs, &self.file.clone(), place);
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < BATCH_ROWS && bytes < BATCH_BYTES {
            if !self.sign_of_life(State::Importing).await? {
                return Ok(Batch::Lost);
            }
            let raw = match items.next().await? {
                Ok(Some(raw)) => raw,
                // The file was looked at as a whole before.
                Ok(None) | Err(_) => return Ok(Batch::Last(batch)),
            };
            if let Ok(item) = rows::read(&self.tenant.app, &raw.text)
                && item.is_of(pass)
            {
                bytes += raw.text.len();
                batch.push(((raw.number, item), raw.start));
            }
        }
        Ok(Batch::Rows(batch, items.place()))
    }

    /// Stores rows as far as a transaction takes them, with how far that is.
    async fn store(&mut self, import: &Import, rows: &[(Row, Place)], next: Option<Place>) -> Result<Stored> {
        let (holder, id, now, terms) = (self.server.tasks.holder(), self.id, now(self.server), import.terms());
        let given: Vec<Row> = rows.iter().map(|(row, _)| row.clone()).collect();
        let stored = self.tenant.app.write(async |tx| {
            let Some(mut task) = tasks::held(tx, id, holder).await? else { return Ok(Stored::Lost) };
            let count = imports::store(tx, &mut task, &given, terms, now).await?;
            let stored = match rows.get(count) {
                Some((_, place)) => {
                    task.progress.cursor = place.encode();
                    Stored::UpTo(*place)
                }
                None => {
                    go_on(&mut task, next);
                    Stored::All
                }
            };
            tasks::keep(tx, id, task, Step::More, now);
            Ok(stored)
        });
        self.seen_at = now;
        Ok(stored.await?)
    }
}

/// Rows of one pass, each with where it begins.
enum Batch {
    /// Some, and where to look on.
    Rows(Vec<(Row, Place)>, Place),
    /// The last ones of the file.
    Last(Vec<(Row, Place)>),
    /// Somebody else has the task.
    Lost,
}

/// What a transaction took.
enum Stored {
    /// All rows.
    All,
    /// Those before the one that begins here.
    UpTo(Place),
    /// Somebody else has the task.
    Lost,
}

fn go_on(task: &mut Task, next: Option<Place>) {
    match next {
        Some(place) => task.progress.cursor = place.encode(),
        None => task.progress.next_stage(),
    }
}
