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

use super::{Problem, body, router::Here, views};
use crate::hooks::{Delivery, OVERLAP_SECS, Webhook};

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

pub(super) async fn list((State(connector), _): Here) -> Result<Json<Value>, Problem> {
    let hooks = connector.webhooks().await?;
    let now = connector.now();
    Ok(Json(json!({"data": hooks.iter().map(|hook| shown(hook, now)).collect::<Vec<_>>(), "next_cursor": null})))
}

pub(super) async fn remove((State(connector), _): Here, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    connector.remove_webhook(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn deliveries((State(connector), _): Here, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let all = connector.deliveries(&id).await?;
    Ok(Json(json!({"data": all.iter().map(sent).collect::<Vec<_>>(), "next_cursor": null})))
}

pub(super) async fn redeliver((State(connector), _): Here, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({"redelivered": connector.redeliver(&id).await?})))
}
