//! `/v1/doctor` and `/v1/keys/verify`: whether the connector itself is in order.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{Problem, router::Here};
use crate::keys;

pub(super) async fn doctor((State(connector), _): Here) -> Result<Json<Value>, Problem> {
    let findings = connector.examine().await?;
    let is_fine = findings.iter().all(|finding| finding.is_fine);
    let shown = findings.iter().map(|one| json!({"what": one.what, "ok": one.is_fine, "message": one.told}));
    Ok(Json(json!({"ok": is_fine, "findings": shown.collect::<Vec<_>>()})))
}

pub(super) async fn keys((State(connector), _): Here) -> Result<Json<Value>, Problem> {
    let id = connector.ring.current().id().to_owned();
    Ok(Json(match keys::verify(connector.store(), &connector.ring).await {
        Ok(count) => json!({"ok": true, "kek_id": id, "data_keys": count}),
        Err(error) => json!({"ok": false, "kek_id": id, "detail": error.to_string()}),
    }))
}
