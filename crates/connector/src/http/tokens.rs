//! `/v1/tokens`.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Problem, body,
    query::{self, Paged, Query},
    router::Here,
    views,
};
use crate::tokens::{PREFIX_OF_IDS, Role};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    name: String,
    role: String,
    expires_at: Option<String>,
}

pub(super) async fn create((State(connector), _): Here, bytes: Bytes) -> Result<(StatusCode, Json<Value>), Problem> {
    let create: Create = body::read(&bytes)?;
    let role = body::word::<Role>("role", &create.role)?;
    let expires_at = create.expires_at.as_deref().map(|text| body::moment("expires_at", text)).transpose()?;
    let (token, text) = connector.create_token(&create.name, role, expires_at).await?;
    let mut shown = views::token(&token);
    shown["token"] = text.expose().into();
    Ok((StatusCode::CREATED, Json(shown)))
}

pub(super) async fn list((State(connector), _): Here, Query(paged): Query<Paged>) -> Result<Json<Value>, Problem> {
    let (tokens, next) = paged.of(connector.tokens().await?, PREFIX_OF_IDS, |token| &token.id)?;
    Ok(Json(query::list(tokens.iter().map(views::token).collect(), next)))
}

pub(super) async fn revoke((State(connector), _): Here, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    connector.revoke_token(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}
