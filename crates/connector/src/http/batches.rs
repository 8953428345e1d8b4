//! `/v1/batches`.

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Problem, body,
    query::{self, Query},
    requests::Create,
    router::Here,
    views,
};
use crate::{
    Connector, NewRequest,
    batches::{Batch, BatchState, DELETIONS_PER_HOUR, NewBatch, Row, columns, lines},
    package::csv_cell,
    requests::{Kind, Request},
    status::{Outcome, Reason},
};

type Answer = Result<Json<Value>, Problem>;

const REPORT_HEAD: &str = "row,external_id,type,request_id,status,outcome,reason,duplicate,error\r\n";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    /// What rows ask for that do not say it themselves.
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    i_know: bool,
    max_deletions_per_hour: Option<u32>,
}

pub(super) async fn create(
    (State(connector), Extension(caller)): Here,
    Query(given): Query<Given>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let text = std::str::from_utf8(&bytes);
    let text = text.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "malformed", "the body is not UTF-8"))?;
    if given.max_deletions_per_hour == Some(0) {
        return Err(Problem::field("max_deletions_per_hour", "must be at least 1"));
    }
    let kind = given.kind.as_deref().map(|word| body::word::<Kind>("type", word)).transpose()?;
    let media_type = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let read = if media_type.starts_with("text/csv") { columns(text)? } else { lines(text) };
    let integrations = connector.integrations().await?;
    let id_of = |name: &String| {
        let found = integrations.iter().find(|one| one.id == *name || one.name == *name);
        found.map(|one| one.id.clone()).ok_or_else(|| "`integrations` names one that is not here".to_owned())
    };
    let request = |row: Result<Value, String>| {
        let mut new = read_row(&connector, &row?, kind, &caller.name)?;
        new.integrations = new.integrations.iter().map(id_of).collect::<Result<_, _>>()?;
        Ok(new)
    };
    let new = NewBatch {
        rows: read.into_iter().map(request).collect(),
        requested_by: caller.name.clone(),
        deletions_per_hour: given.max_deletions_per_hour.unwrap_or(DELETIONS_PER_HOUR),
        is_known: given.i_know,
    };
    let batch = connector.add_batch(&new).await?;
    Ok((StatusCode::CREATED, Json(show(&connector, &batch).await?)))
}

/// A row as a request, or what is wrong with it.
fn read_row(connector: &Connector, row: &Value, kind: Option<Kind>, caller: &str) -> Result<NewRequest, String> {
    let told = |problem: Problem| problem.detail().to_owned();
    let create: Create = body::read(row.to_string().as_bytes()).map_err(told)?;
    let kind = match &create.kind {
        Some(word) => body::word::<Kind>("type", word).map_err(told)?,
        None => kind.ok_or_else(|| "`type` is missing".to_owned())?,
    };
    let new = create.request(connector, kind, caller).map_err(told)?;
    if new.confirm_token.is_some() {
        return Err("`confirm_token` belongs to a single request".to_owned());
    }
    if new.identifiers.is_empty() {
        return Err("`identifiers` is missing".to_owned());
    }
    Ok(new)
}

async fn show(connector: &Connector, batch: &Batch) -> Result<Value, Problem> {
    let progress = connector.batch_progress(batch).await?;
    let done = u64::from(progress.done());
    let left = u64::from(batch.rows) - done;
    let elapsed = (connector.now().micros() - batch.created_at.micros()).max(0).unsigned_abs() / 1_000_000;
    let runs = matches!(batch.state, BatchState::Running | BatchState::Checking);
    let eta = (runs && done > 0).then(|| elapsed * left / done);
    Ok(json!({
        "id": batch.id,
        "state": batch.state.word(),
        "reason": batch.reason,
        "requested_by": batch.requested_by,
        "created_at": views::time(Some(batch.created_at)),
        "finished_at": views::time(batch.finished_at),
        "deletions": batch.deletions,
        "max_deletions_per_hour": batch.deletions_per_hour,
        "users_counted": batch.counted,
        "progress": {
            "total": batch.rows,
            "queued": progress.queued,
            "processing": progress.processing,
            "complete": progress.complete,
            "no_records": progress.no_records,
            "failed": progress.failed,
            "held": progress.held,
            "canceled": progress.canceled,
            "eta_s": eta,
        },
        "links": {
            "self": format!("/v1/batches/{}", batch.id),
            "rows": format!("/v1/batches/{}/rows", batch.id),
            "report": format!("/v1/batches/{}/report.csv", batch.id),
        },
    }))
}

pub(super) async fn get((State(connector), _): Here, Path(id): Path<String>) -> Answer {
    let batch = connector.batch(&id).await?;
    Ok(Json(show(&connector, &batch).await?))
}

/// How a row stands.
fn standing(row: &Row, request: Option<&Request>, is_canceled: bool) -> &'static str {
    match request {
        Some(request) => request.state.status().word(),
        None if row.problem.is_some() => "invalid",
        None if is_canceled => "canceled",
        None => "waiting",
    }
}

fn shown(number: u32, row: &Row, request: Option<&Request>, is_canceled: bool) -> Value {
    let state = request.map(|request| &request.state);
    json!({
        "row": number + 1,
        "external_id": row.external_id,
        "type": row.kind.map(Kind::word),
        "request_id": row.request,
        "status": standing(row, request, is_canceled),
        "outcome": state.and_then(|state| state.outcome()).map(Outcome::word),
        "reason": state.and_then(|state| state.reason()).map(Reason::word),
        "duplicate": row.is_duplicate,
        "error": row.problem,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    status: Option<String>,
    limit: Option<usize>,
    cursor: Option<u32>,
}

pub(super) async fn rows((State(connector), _): Here, Path(id): Path<String>, Query(wanted): Query<Wanted>) -> Answer {
    let batch = connector.batch(&id).await?;
    let limit = query::limit(wanted.limit)?;
    if wanted.cursor.is_some_and(|cursor| !(1..=batch.rows).contains(&cursor)) {
        return Err(Problem::field("cursor", "is none that this list gave"));
    }
    let is_canceled = batch.state == BatchState::Canceled;
    let mut data = Vec::new();
    // The cursor is the number of the last row that was looked at, from 1.
    let mut after = wanted.cursor.and_then(|cursor| cursor.checked_sub(1));
    loop {
        let page = connector.batch_rows(&id, after).await?;
        if page.is_empty() {
            return Ok(Json(json!({"data": data, "next_cursor": null})));
        }
        for (number, row, request) in &page {
            after = Some(*number);
            let status = standing(row, request.as_ref(), is_canceled);
            if wanted.status.as_deref().is_some_and(|wanted| wanted != status) {
                continue;
            }
            data.push(shown(*number, row, request.as_ref(), is_canceled));
            if data.len() == limit {
                let next = (number + 1 < batch.rows).then_some(number + 1);
                return Ok(Json(json!({"data": data, "next_cursor": next})));
            }
        }
    }
}

pub(super) async fn pause((State(connector), Extension(caller)): Here, Path(id): Path<String>) -> Answer {
    let batch = connector.pause_batch(&id, &caller.name).await?;
    Ok(Json(show(&connector, &batch).await?))
}

pub(super) async fn resume((State(connector), Extension(caller)): Here, Path(id): Path<String>) -> Answer {
    let batch = connector.resume_batch(&id, &caller.name).await?;
    Ok(Json(show(&connector, &batch).await?))
}

pub(super) async fn cancel((State(connector), Extension(caller)): Here, Path(id): Path<String>) -> Answer {
    let batch = connector.cancel_batch(&id, &caller.name).await?;
    Ok(Json(show(&connector, &batch).await?))
}

/// Every row with its result, as a table that no program takes for formulas.
pub(super) async fn report((State(connector), _): Here, Path(id): Path<String>) -> Result<Response, Problem> {
    let batch = connector.batch(&id).await?;
    let is_canceled = batch.state == BatchState::Canceled;
    let mut text = REPORT_HEAD.to_owned();
    let mut after = None;
    loop {
        let page = connector.batch_rows(&id, after).await?;
        let Some((last, ..)) = page.last() else { break };
        after = Some(*last);
        for (number, row, request) in &page {
            let shown = shown(*number, row, request.as_ref(), is_canceled);
            let cell = |name: &str| match &shown[name] {
                Value::Null => String::new(),
                Value::String(text) => csv_cell(text),
                other => other.to_string(),
            };
            let names =
                ["row", "external_id", "type", "request_id", "status", "outcome", "reason", "duplicate", "error"];
            text.push_str(&names.map(cell).join(","));
            text.push_str("\r\n");
        }
    }
    let named = format!("attachment; filename=\"{id}.csv\"");
    Ok(([("content-type", "text/csv; charset=utf-8".to_owned()), ("content-disposition", named)], text).into_response())
}
