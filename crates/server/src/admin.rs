//! `/admin/…`: apps and tokens, for whoever can read the server's data directory.

use std::sync::Arc;

use axum::{body::Body, extract::Request, response::Response};
use bytes::Bytes;
use http::header;
use subtle::ConstantTimeEq;
use wire::admin::{Apps, CreateApp, CreateToken, Token};

use crate::{
    Server,
    apps::NewApp,
    auth,
    error::{Error, Result},
    from_wire,
    gate::{self, Params},
    reply::Reply,
};

pub(crate) mod feed_groups;
pub(crate) mod feed_webhooks;

/// A call of the administrator.
pub(crate) struct Call {
    server: Arc<Server>,
    params: Params,
    body: Bytes,
}

/// A handler of such calls.
pub(crate) trait Handler: Clone + Send + Sync + 'static {
    /// Answers a call that was let in.
    fn answer(self, call: Call) -> impl Future<Output = Result<Reply>> + Send;
}

impl<F, R> Handler for F
where
    F: Fn(Call) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<Reply>> + Send,
{
    fn answer(self, call: Call) -> impl Future<Output = Result<Reply>> + Send {
        self(call)
    }
}

/// Lets only the administrator's token through.
pub(crate) async fn answer(
    server: Arc<Server>,
    params: Result<Params>,
    request: Request,
    handler: impl Handler,
) -> Response {
    let started = gate::started(request.extensions());
    let outcome = match admit(server, params, request).await {
        Ok(call) => handler.answer(call).await,
        Err(error) => Err(error),
    };
    outcome.unwrap_or_else(Reply::from).finish(started)
}

async fn admit(server: Arc<Server>, params: Result<Params>, request: Request<Body>) -> Result<Call> {
    let sent = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let sent = sent.and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default();
    if !bool::from(server.admin_token.as_bytes().ct_eq(sent.as_bytes())) {
        return Err(auth::refused("the administrator's token is missing or wrong; it stands in admin.json"));
    }
    Ok(Call { server, params: params?, body: gate::read(request.into_body()).await? })
}

impl Call {
    fn app(&self) -> Result<u32> {
        Ok(self.server.apps.by_name(self.params.get("app"))?.app.id.0)
    }

    /// Takes up changed settings of the app with this API key.
    async fn reload(&self, key: &str) -> Result<()> {
        self.server.apps.changed(key).await?;
        self.server.pages.clear();
        Ok(())
    }
}

/// `GET /admin/apps`.
pub(crate) async fn list(call: Call) -> Result<Reply> {
    Ok(Reply::ok(&Apps { apps: call.server.apps.all().iter().map(|tenant| tenant.to_wire()).collect() }))
}

/// `POST /admin/apps`.
pub(crate) async fn create(call: Call) -> Result<Reply> {
    let CreateApp { id, name, key, secret, is_for_sdk_suites } = from_wire::body(&call.body)?;
    let tenant = call.server.apps.create(NewApp { id, name, key, secret, is_for_sdk_suites }).await?;
    Ok(Reply::ok(&tenant.to_wire()))
}

/// `POST /admin/apps/{app}/rotate`.
pub(crate) async fn rotate(call: Call) -> Result<Reply> {
    Ok(Reply::ok(&call.server.apps.rotate(call.app()?).await?.to_wire()))
}

/// `POST /admin/apps/{app}/revoke`.
pub(crate) async fn revoke(call: Call) -> Result<Reply> {
    Ok(Reply::ok(&call.server.apps.revoke(call.app()?).await?.to_wire()))
}

/// `POST /admin/tokens`.
pub(crate) async fn token(call: Call) -> Result<Reply> {
    let CreateToken { app, user, expires_in } = from_wire::body(&call.body)?;
    if let Some(user) = &user {
        ids::UserId::parse(user).map_err(|error| Error::field("user", error.to_string()))?;
    }
    let now = call.server.clock.now_seconds();
    let expires_at = expires_in.map(|seconds| now.saturating_add_unsigned(seconds));
    Ok(Reply::ok(&Token { token: call.server.apps.by_name(&app)?.token(user.as_deref(), expires_at) }))
}
