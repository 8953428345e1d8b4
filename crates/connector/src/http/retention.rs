//! `/v1/retention`.

use axum::{Json, body::Bytes, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Problem, body, router::Here};
use crate::retention::Retention;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    packages_days: Option<u32>,
    identifiers_days: Option<u32>,
}

fn shown(kept: Retention) -> Json<Value> {
    Json(json!({"packages_days": kept.packages_days, "identifiers_days": kept.identifiers_days}))
}

pub(super) async fn get((State(connector), _): Here) -> Result<Json<Value>, Problem> {
    Ok(shown(connector.retention().await?))
}

pub(super) async fn change((State(connector), _): Here, bytes: Bytes) -> Result<Json<Value>, Problem> {
    let change: Change = body::read(&bytes)?;
    Ok(shown(connector.set_retention(change.packages_days, change.identifiers_days).await?))
}
