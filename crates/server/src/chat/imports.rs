//! `/import_urls` and `/imports` (chat §11.12).

use domain::chat::imports::{self, Import, LIST_MAX, Mode, OFFSET_MAX, State};
use serde_json::{Map, Value};
use wire::chat::{
    dialect::Time,
    imports::{Failure, ImportTask, ImportUrl, Imports, OneImport, Outcome, Turn},
};

use super::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
};
use crate::{files, imports as work, reply::Reply};

/// Imports of a page if nobody says.
const LIST: usize = 25;

/// `POST /import_urls`: makes a place for a file.
pub(crate) async fn create_url(call: Call, mut sent: Fields) -> Result<Reply> {
    let name = sent.filled("filename")?.unwrap_or_else(|| "import.json".to_owned());
    let (id, now) = (call.new_id(), call.now());
    call.app.write(async |tx| imports::add_upload(tx, &id, &name, now).await).await?;
    let base = files::base(&call.server, &call.headers);
    let upload_url = work::link(&call.tenant, &base, &id, &name, now);
    call.answer(&ImportUrl { path: work::path(call.tenant.app.id, &id, &name), upload_url })
}

/// `POST /imports`: begins the import of a file that was uploaded.
pub(crate) async fn create(call: Call, mut sent: Fields) -> Result<Reply> {
    let path = sent.filled("path")?.ok_or_else(|| Error::field("path", "is a required field"))?;
    let mode = match sent.filled("mode")?.as_deref() {
        Some("insert") => Mode::Insert,
        Some("upsert") => Mode::Upsert,
        Some(_) => return Err(Error::field("mode", "must be one of [insert upsert]")),
        None => return Err(Error::field("mode", "is a required field")),
    };
    let merges_custom = sent.flag("merge_custom")?.unwrap_or_default();
    let upload = work::named(call.tenant.app.id, &path);
    let upload = upload.ok_or_else(|| Error::field("path", "must be one that import_urls answered"))?;
    let (id, now) = (call.new_id(), call.now());
    let plan = call.app.write(async |tx| imports::plan(tx, &id, upload, mode, merges_custom, now).await);
    let import = plan.await?;
    call.answer(&OneImport { import_task: shown(&call, &id, &import) })
}

/// `GET /imports/{id}`.
pub(crate) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let id = call.param("id");
    let import = imports::load(&mut call.snapshot(), id).await?;
    call.answer(&OneImport { import_task: shown(&call, id, &import) })
}

/// `GET /imports`: the newest first.
pub(crate) async fn list(call: Call, _: Fields) -> Result<Reply> {
    let mut sent = call.query_fields()?;
    let (limit, offset) = (sent.count("limit", LIST, LIST_MAX)?, sent.count("offset", 0, OFFSET_MAX)?);
    let found = imports::list(&mut call.snapshot(), offset, limit).await?;
    call.answer(&Imports { import_tasks: found.iter().map(|(id, import)| shown(&call, id, import)).collect() })
}

fn shown<'a>(call: &Call, id: &'a str, import: &'a Import) -> ImportTask<'a> {
    let time = |at| Time { at, dialect: call.dialect };
    let turn = |turn: &imports::Turn| Turn {
        created_at: time(turn.at),
        prev_state: state(turn.from),
        next_state: state(turn.to),
    };
    ImportTask {
        id,
        mode: match import.mode {
            Mode::Insert => "insert",
            Mode::Upsert => "upsert",
        },
        path: work::path(call.tenant.app.id, &import.upload, &import.name),
        state: state(import.state),
        size: import.bytes,
        history: import.history.iter().map(turn).collect(),
        result: import.state.is_final().then(|| outcome(import)),
        created_at: time(import.created_at),
        updated_at: time(import.updated_at),
    }
}

/// What came of the rows: by type and outcome how many, and which could not be stored.
fn outcome(import: &Import) -> Outcome<'_> {
    let mut counts = Map::new();
    for (name, count) in &import.counts {
        let Some((kind, outcome)) = name.split_once(' ') else { continue };
        counts.entry(kind).or_insert_with(|| Value::Object(Map::new()))[outcome] = (*count).into();
    }
    let errors = import.failures.iter();
    Outcome {
        counts,
        errors_count: import.failure_count,
        errors: errors.map(|it| Failure { row: it.row, kind: &it.kind, error: &it.reason }).collect(),
    }
}

fn state(state: State) -> &'static str {
    match state {
        State::Uploaded => "uploaded",
        State::Analyzing => "analyzing",
        State::AnalyzeFailed => "analyze_failed",
        State::Importing => "importing",
        State::Completed => "completed",
        State::Failed => "failed",
    }
}
