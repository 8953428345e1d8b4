//! `/v1/requests`: asked for, looked at, decided about.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Caller, Problem, body,
    query::{self, Query},
    router::Here,
    views,
};
use crate::{
    Asked, Connector, Detail, Filter, NewRequest,
    connector::check_reason,
    deadlines::Regulation,
    requests::{Category, GivenIdentifier, Kind, PREFIX_OF_IDS, Request, Verification},
    status::{Outcome, Status},
    upstream::Endpoint,
};

type Answer = Result<Json<Value>, Problem>;

/// The longest that a call waits for its request, in seconds.
const WAIT_SECS_MAX: u64 = 300;
/// From the end of a job to the look at what is left, in seconds (§13).
const SETTLE_SECS: i64 = 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Create {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    identifiers: Vec<Identifier>,
    #[serde(default)]
    integrations: Vec<String>,
    regulation: Option<String>,
    days: Option<i64>,
    received_at: Option<String>,
    external_id: Option<String>,
    verification: Option<Verified>,
    #[serde(default)]
    dry_run: bool,
    confirm_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Identifier {
    category: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Verified {
    method: String,
    verified_at: Option<String>,
    verified_by: String,
    evidence_ref: Option<String>,
}

impl Identifier {
    fn given(&self) -> Result<GivenIdentifier, Problem> {
        let category = body::word::<Category>("identifiers.category", &self.category)?;
        Ok(GivenIdentifier::new(category, &self.value)?)
    }
}

impl Verified {
    fn stored(&self, connector: &Connector) -> Result<Verification, Problem> {
        let verified_at = match &self.verified_at {
            Some(text) => body::moment("verification.verified_at", text)?,
            None => connector.now(),
        };
        Ok(Verification {
            method: self.method.clone(),
            verified_at,
            verified_by: self.verified_by.clone(),
            evidence_ref: self.evidence_ref.clone(),
        })
    }
}

impl Create {
    /// What it asks for, checked.
    pub(super) fn request(&self, connector: &Connector, kind: Kind, caller: &str) -> Result<NewRequest, Problem> {
        let identifiers: Result<Vec<_>, Problem> = self.identifiers.iter().map(Identifier::given).collect();
        let mut new = NewRequest::new(kind, identifiers?);
        new.integrations = self.integrations.iter().filter(|id| *id != "*").cloned().collect();
        if let Some(word) = &self.regulation {
            new.regulation = body::word::<Regulation>("regulation", word)?;
        }
        if self.days.is_some_and(|days| !(1..=365).contains(&days)) {
            return Err(Problem::field("days", "must be 1 to 365"));
        }
        new.days = self.days;
        if let Some(text) = &self.received_at {
            new.received_at = Some(body::moment("received_at", text)?);
        }
        new.external_id.clone_from(&self.external_id);
        new.verification = self.verification.as_ref().map(|one| one.stored(connector)).transpose()?;
        new.is_dry_run = self.dry_run;
        new.confirm_token.clone_from(&self.confirm_token);
        caller.clone_into(&mut new.requested_by);
        Ok(new)
    }
}

/// How long the caller waits, as `Prefer: wait=60` says.
pub(super) fn patience(headers: &HeaderMap) -> Duration {
    let prefer = headers.get("prefer").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let secs = prefer.split([',', ';']).find_map(|part| part.trim().strip_prefix("wait=")?.parse::<u64>().ok());
    Duration::from_secs(secs.unwrap_or(0).min(WAIT_SECS_MAX))
}

/// Waits for a request until it is settled, or the caller's patience is at its end.
async fn wait(connector: &Connector, id: &str, headers: &HeaderMap) -> Result<Request, Problem> {
    match tokio::time::timeout(patience(headers), connector.settled(id)).await {
        Ok(request) => Ok(request?),
        Err(_) => Ok(connector.request(id).await?),
    }
}

pub(super) async fn create(
    (State(connector), Extension(caller)): Here,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let create: Create = body::read(&bytes)?;
    let kind = create.kind.as_deref().ok_or_else(|| Problem::field("type", "is missing"))?;
    let mut new = create.request(&connector, body::word::<Kind>("type", kind)?, &caller.name)?;
    new.idempotency_key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).map(str::to_owned);
    let asked = connector.ask(&new).await?;
    let (id, is_new) = (asked.request().id.clone(), matches!(asked, Asked::Created(_)));
    let request = wait(&connector, &id, &headers).await?;
    let mut shown = views::request(&connector, &request).await?;
    if !is_new {
        shown["duplicate_of"] = id.into();
    }
    let waited = headers.contains_key("prefer");
    let status = match (is_new, waited) {
        (_, true) if request.state.status().is_final() => StatusCode::OK,
        (_, true) => StatusCode::ACCEPTED,
        (true, false) => StatusCode::CREATED,
        (false, false) => StatusCode::OK,
    };
    Ok((status, Json(shown)))
}

pub(super) async fn preview((State(connector), Extension(caller)): Here, headers: HeaderMap, bytes: Bytes) -> Answer {
    let create: Create = body::read(&bytes)?;
    if create.kind.as_deref().is_some_and(|kind| kind != Kind::Deletion.word()) {
        return Err(Problem::field("type", "must be deletion: an access is no more than a look itself"));
    }
    let mut new = create.request(&connector, Kind::Deletion, &caller.name)?;
    new.is_dry_run = true;
    let asked = connector.ask(&new).await?;
    let mut headers = headers;
    headers.entry("prefer").or_insert(axum::http::HeaderValue::from_static("wait=60"));
    let request = wait(&connector, &asked.request().id, &headers).await?;
    let mut shown = views::request(&connector, &request).await?;
    shown["would_call"] = would_call(&connector, &request).await?.into();
    let (secs, warnings) = expected(&connector, &request).await?;
    (shown["estimated_s"], shown["warnings"]) = (secs.into(), warnings.into());
    shown["counts"] = json!(counts(&connector, &request).await?);
    Ok(Json(shown))
}

/// Whether there is somebody to delete, as far as is known.
fn may_delete(detail: &Detail) -> bool {
    detail.execution.state.outcome() != Some(Outcome::NoRecordsFound)
}

/// How long the deletion takes at least, as the settings say, and what is promised less than could be.
async fn expected(connector: &Connector, request: &Request) -> Result<(i64, Vec<String>), Problem> {
    let (mut secs, mut warnings) = (0, Vec::new());
    for detail in connector.details(&request.id).await?.into_iter().filter(may_delete) {
        let integration = connector.integration(&detail.execution.integration).await?;
        let told = integration.warnings().into_iter().map(|warning| format!("{}: {warning}", integration.name));
        warnings.extend(told);
        if detail.targets.len() > 1 {
            warnings.push(format!("{}: {} users match", integration.name, detail.targets.len()));
        }
        let grace = i64::from(integration.policies.cooling_off_secs);
        let look = if integration.watching.verify_erasure { SETTLE_SECS } else { 0 };
        secs = secs.max(grace + i64::from(integration.watching.poll.first_secs) + look);
    }
    Ok((secs, warnings))
}

/// How much there is of the matches, by kind, on all integrations together.
async fn counts(connector: &Connector, request: &Request) -> Result<BTreeMap<String, u64>, Problem> {
    let mut counts = BTreeMap::new();
    for detail in connector.details(&request.id).await? {
        for (kind, count) in detail.execution.counts {
            *counts.entry(kind).or_default() += count;
        }
    }
    Ok(counts)
}

/// The calls that the deletion would make, in order and each once.
async fn would_call(connector: &Connector, request: &Request) -> Result<Vec<String>, Problem> {
    let mut calls: Vec<String> = Vec::new();
    for detail in connector.details(&request.id).await?.into_iter().filter(may_delete) {
        let integration = connector.integration(&detail.execution.integration).await?;
        let dialect = connector.dialect(&integration.dialect)?;
        let reads = [Endpoint::ExportUser, Endpoint::UserReport];
        let mut all = Vec::new();
        if integration.contents.export_before_delete {
            all.extend(reads);
        }
        all.push(Endpoint::QueryUsers);
        if integration.includes_feeds() {
            all.push(Endpoint::FeedsDelete);
        }
        all.extend([Endpoint::DeleteUsers, Endpoint::GetTask]);
        if integration.watching.verify_erasure {
            all.extend(reads);
        }
        for endpoint in all {
            let call = format!("{} {}", endpoint.method(), dialect.path(endpoint));
            if !calls.contains(&call) {
                calls.push(call);
            }
        }
    }
    Ok(calls)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    status: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    external_id: Option<String>,
    due_before: Option<String>,
    batch: Option<String>,
    integration: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

pub(super) async fn list((State(connector), _): Here, Query(wanted): Query<Wanted>) -> Answer {
    let filter = Filter {
        status: wanted.status.as_deref().map(|word| body::word::<Status>("status", word)).transpose()?,
        kind: wanted.kind.as_deref().map(|word| body::word::<Kind>("type", word)).transpose()?,
        external_id: wanted.external_id,
        due_before: wanted.due_before.as_deref().map(|text| body::moment("due_before", text)).transpose()?,
        batch: wanted.batch,
        integration: wanted.integration,
    };
    let limit = query::limit(wanted.limit)?;
    let cursor = query::cursor(wanted.cursor.as_deref(), PREFIX_OF_IDS)?;
    let page = connector.requests(&filter, cursor, limit).await?;
    let mut shown = Vec::new();
    for request in &page.requests {
        shown.push(views::summary(&connector, request).await?);
    }
    Ok(Json(query::list(shown, page.next.map(Value::from))))
}

pub(super) async fn search((State(connector), _): Here, bytes: Bytes) -> Answer {
    let identifier: Identifier = body::read(&bytes)?;
    let mut shown = Vec::new();
    for request in connector.find(&identifier.given()?).await? {
        shown.push(views::summary(&connector, &request).await?);
    }
    Ok(Json(json!({"data": shown, "next_cursor": null})))
}

pub(super) async fn get((State(connector), _): Here, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    let request = wait(&connector, &id, &headers).await?;
    Ok(Json(views::request(&connector, &request).await?))
}

async fn shown(connector: &Connector, id: &str) -> Answer {
    let request = connector.request(id).await?;
    Ok(Json(views::request(connector, &request).await?))
}

/// Why a decision is made, in the words of whoever makes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    reason: Option<String>,
}

/// The reason in a body, checked before anything is decided.
fn why(bytes: &Bytes) -> Result<Option<String>, Problem> {
    let Why { reason } = body::read(bytes)?;
    reason.as_deref().map(check_reason).transpose()?;
    Ok(reason)
}

/// Notes the reason of what was decided, if there is one, and shows the request.
async fn explained(connector: &Connector, id: &str, caller: &Caller, what: (&str, Option<String>)) -> Answer {
    if let (action, Some(reason)) = what {
        connector.explain(id, &caller.name, action, &reason).await?;
    }
    shown(connector, id).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Verifying {
    method: String,
    verified_at: Option<String>,
    verified_by: String,
    evidence_ref: Option<String>,
    reason: Option<String>,
}

pub(super) async fn verify(
    (State(connector), Extension(caller)): Here,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Answer {
    let Verifying { method, verified_at, verified_by, evidence_ref, reason } = body::read(&bytes)?;
    reason.as_deref().map(check_reason).transpose()?;
    let verified = Verified { method, verified_at, verified_by, evidence_ref };
    connector.verify(&id, &verified.stored(&connector)?, &caller.name).await?;
    explained(&connector, &id, &caller, ("verify", reason)).await
}

pub(super) async fn approve(
    (State(connector), Extension(caller)): Here,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Answer {
    let reason = why(&bytes)?;
    connector.approve(&id, &caller.name).await?;
    explained(&connector, &id, &caller, ("approve", reason)).await
}

pub(super) async fn deny((State(connector), Extension(caller)): Here, Path(id): Path<String>, bytes: Bytes) -> Answer {
    let reason = why(&bytes)?;
    connector.deny(&id, &caller.name).await?;
    explained(&connector, &id, &caller, ("deny", reason)).await
}

pub(super) async fn hold((State(connector), Extension(caller)): Here, Path(id): Path<String>, bytes: Bytes) -> Answer {
    let reason = why(&bytes)?;
    connector.hold(&id, &caller.name).await?;
    explained(&connector, &id, &caller, ("hold", reason)).await
}

pub(super) async fn resume(
    (State(connector), Extension(caller)): Here,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Answer {
    let reason = why(&bytes)?;
    connector.release(&id, &caller.name).await?;
    explained(&connector, &id, &caller, ("resume", reason)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Selection {
    execution: Option<String>,
    /// Numbers of matches, from 1.
    targets: Vec<usize>,
    reason: Option<String>,
}

pub(super) async fn select(
    (State(connector), Extension(caller)): Here,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Answer {
    let selection: Selection = body::read(&bytes)?;
    selection.reason.as_deref().map(check_reason).transpose()?;
    let request = connector.request(&id).await?;
    let execution = match (selection.execution, request.executions.as_slice()) {
        (Some(execution), all) if all.contains(&execution) => execution,
        (None, [only]) => only.clone(),
        _ => return Err(Problem::field("execution", "must name an execution of this request")),
    };
    let numbers: Vec<usize> = selection.targets.iter().map(|number| number.wrapping_sub(1)).collect();
    to_its_end(async move {
        connector.select_targets(&execution, &numbers, &caller.name).await?;
        explained(&connector, &id, &caller, ("select-targets", selection.reason)).await
    })
    .await
}

pub(super) async fn retry((State(connector), Extension(caller)): Here, Path(id): Path<String>, bytes: Bytes) -> Answer {
    let reason = why(&bytes)?;
    to_its_end(async move {
        connector.retry(&id, &caller.name).await?;
        explained(&connector, &id, &caller, ("retry", reason)).await
    })
    .await
}

/// Decides also when the caller is gone meanwhile: what was claimed for it would stand still until the claim ends.
async fn to_its_end(decision: impl Future<Output = Answer> + Send + 'static) -> Answer {
    tokio::spawn(decision).await.expect("a decision does not panic, and nobody stops it")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reasoned {
    reason: String,
}

pub(super) async fn extend(
    (State(connector), Extension(caller)): Here,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Answer {
    let given: Reasoned = body::read(&bytes)?;
    check_reason(&given.reason)?;
    connector.extend(&id, &given.reason, &caller.name).await?;
    explained(&connector, &id, &caller, ("extend", Some(given.reason))).await
}

pub(super) async fn cancel(
    (State(connector), Extension(caller)): Here,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Answer {
    let reason = why(&bytes)?;
    connector.cancel(&id, &caller.name).await?;
    explained(&connector, &id, &caller, ("cancel", reason)).await
}

/// Ends a failed request for the OpenDSR controllers that handed it in.
pub(super) async fn end((State(connector), Extension(caller)): Here, Path(id): Path<String>, bytes: Bytes) -> Answer {
    let reason = why(&bytes)?;
    connector.end_opendsr(&id, &caller.name).await?;
    explained(&connector, &id, &caller, ("end", reason)).await
}
