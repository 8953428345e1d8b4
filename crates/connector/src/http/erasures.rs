//! `/v1/erasures/replay`: erasures done again after the other side restored a backup (§13).

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use ids::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Problem, body, requests::patience, router::Here};
use crate::replays::Replay;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    since: Option<String>,
    #[serde(default)]
    integrations: Vec<String>,
}

pub(super) async fn replay(
    (State(connector), Extension(caller)): Here,
    bytes: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let wanted: Wanted = body::read(&bytes)?;
    let since = wanted.since.as_deref().map(|text| body::moment("since", text)).transpose()?;
    let since = since.unwrap_or(Timestamp::from_micros(0));
    let named: Vec<String> = wanted.integrations.into_iter().filter(|id| id != "*").collect();
    let replays = connector.replay_erasures(&named, since, &caller.name).await?;
    let shown: Vec<Value> = replays.iter().map(view).collect();
    Ok((StatusCode::ACCEPTED, Json(json!({"data": shown, "next_cursor": null}))))
}

pub(super) async fn get(
    (State(connector), _): Here,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let replay = match tokio::time::timeout(patience(&headers), connector.replayed(&id)).await {
        Ok(replay) => replay?,
        Err(_) => connector.replay(&id).await?,
    };
    Ok(Json(view(&replay)))
}

fn view(replay: &Replay) -> Value {
    let time = |at: Timestamp| at.rfc3339().to_string();
    json!({
        "id": replay.id,
        "integration": replay.integration,
        "status": replay.status(),
        "reason": replay.reason.map(crate::status::Reason::word),
        "since": time(replay.since),
        "looked_at": replay.looked_at,
        "resurrected": replay.resurrected,
        "re_registered": replay.re_registered,
        "unclear": replay.unclear,
        "started_at": time(replay.started_at),
        "finished_at": replay.finished_at.map(time),
        "next_attempt_at": replay.next_run_at.map(time),
        "links": {"requests": format!("/v1/requests?batch={}", replay.id)},
    })
}
