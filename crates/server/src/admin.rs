//! `/admin/…`: apps and tokens, for whoever can read the server's data directory.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::header;
use subtle::ConstantTimeEq;
use wire::admin::{App, Apps, CreateApp, CreateToken, Token};

use crate::{
    Server,
    apps::NewApp,
    auth,
    error::{Error, Result},
    from_wire, reply,
};

/// Lets only the administrator's token through.
pub(crate) async fn pass(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    let started = std::time::Instant::now();
    let sent = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let sent = sent.and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default();
    let is_admin = server.admin_token.as_bytes().ct_eq(sent.as_bytes());
    let response = match bool::from(is_admin) {
        true => next.run(request).await,
        false => {
            auth::refused("the administrator's token is missing or wrong; it stands in admin.json").into_response()
        }
    };
    reply::finish(response, started)
}

/// `GET /admin/apps`.
pub(crate) async fn list(State(server): State<Arc<Server>>) -> Json<Apps> {
    Json(Apps { apps: server.apps.all().iter().map(|tenant| tenant.to_wire()).collect() })
}

/// `POST /admin/apps`.
pub(crate) async fn create(State(server): State<Arc<Server>>, body: Bytes) -> Result<Json<App>> {
    let CreateApp { id, name, key, secret, is_for_sdk_suites } = from_wire::body(&body)?;
    let tenant = server.apps.create(NewApp { id, name, key, secret, is_for_sdk_suites }).await?;
    Ok(Json(tenant.to_wire()))
}

/// `POST /admin/apps/{app}/rotate`.
pub(crate) async fn rotate(State(server): State<Arc<Server>>, Path(app): Path<String>) -> Result<Json<App>> {
    let id = server.apps.by_name(&app)?.app.id.0;
    Ok(Json(server.apps.rotate(id).await?.to_wire()))
}

/// `POST /admin/apps/{app}/revoke`.
pub(crate) async fn revoke(State(server): State<Arc<Server>>, Path(app): Path<String>) -> Result<Json<App>> {
    let id = server.apps.by_name(&app)?.app.id.0;
    Ok(Json(server.apps.revoke(id).await?.to_wire()))
}

/// `POST /admin/tokens`.
pub(crate) async fn token(State(server): State<Arc<Server>>, body: Bytes) -> Result<Json<Token>> {
    let CreateToken { app, user, expires_in } = from_wire::body(&body)?;
    if let Some(user) = &user {
        ids::UserId::parse(user).map_err(|error| Error::field("user", error.to_string()))?;
    }
    let now = server.clock.now_seconds();
    let expires_at = expires_in.map(|seconds| now.saturating_add_unsigned(seconds));
    Ok(Json(Token { token: server.apps.by_name(&app)?.token(user.as_deref(), expires_at) }))
}
