//! `/v1/webhooks`.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
};
use ids::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Problem, body,
    query::{self, Paged, Query},
    router::Here,
    views,
};
use crate::hooks::{Delivery, DeliveryState, OVERLAP_SECS, PREFIX_OF_IDS, Webhook};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotation {
    overlap_s: Option<u32>,
}

fn shown(hook: &Webhook, now: Timestamp) -> Value {
    json!({
        "id": hook.id,
        "url": hook.url,
        "created_at": hook.created_at.rfc3339_short().to_string(),
        "disabled": hook.is_disabled,
        "old_secret_ends_at": views::time(hook.old_secret_ends_at(now)),
    })
}

fn sent(delivery: &Delivery) -> Value {
    json!({
        "event_id": delivery.event,
        "type": delivery.kind,
        "request_id": delivery.request,
        "state": delivery.state.word(),
        "attempts": delivery.attempts,
        "next_attempt_at": delivery.next_at.rfc3339_short().to_string(),
        "last_status": delivery.last_status,
    })
}

pub(super) async fn create((State(connector), _): Here, bytes: Bytes) -> Result<(StatusCode, Json<Value>), Problem> {
    let create: Create = body::read(&bytes)?;
    let (hook, secret) = connector.add_webhook(&create.url).await?;
    let mut shown = shown(&hook, connector.now());
    shown["secret"] = secret.expose().into();
    Ok((StatusCode::CREATED, Json(shown)))
}

pub(super) async fn rotate(
    (State(connector), _): Here,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Result<Json<Value>, Problem> {
    let rotation: Rotation = body::read(&bytes)?;
    let (hook, secret) = connector.rotate_webhook(&id, rotation.overlap_s.unwrap_or(OVERLAP_SECS)).await?;
    let mut shown = shown(&hook, connector.now());
    shown["secret"] = secret.expose().into();
    Ok(Json(shown))
}

pub(super) async fn list((State(connector), _): Here, Query(paged): Query<Paged>) -> Result<Json<Value>, Problem> {
    let now = connector.now();
    let (hooks, next) = paged.of(connector.webhooks().await?, PREFIX_OF_IDS, |hook| &hook.id)?;
    Ok(Json(query::list(hooks.iter().map(|hook| shown(hook, now)).collect(), next)))
}

pub(super) async fn remove((State(connector), _): Here, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    connector.remove_webhook(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which deliveries are wanted; the cursor is the number of the last one of the page before.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    state: Option<String>,
    limit: Option<usize>,
    cursor: Option<u64>,
}

/// The newest first.
pub(super) async fn deliveries(
    (State(connector), _): Here,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Value>, Problem> {
    let limit = query::limit(wanted.limit)?;
    let state = wanted.state.as_deref().map(|word| body::word::<DeliveryState>("state", word)).transpose()?;
    let (page, next) = connector.deliveries(&id, state, wanted.cursor, limit).await?;
    Ok(Json(query::list(page.iter().map(sent).collect(), next.map(Value::from))))
}

pub(super) async fn redeliver((State(connector), _): Here, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({"redelivered": connector.redeliver(&id).await?})))
}
