//! Calls of the service, in this process or over the network: the command line makes the same ones either way.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::Request,
};
use serde_json::Value;
use tower::ServiceExt as _;

use super::{Caller, router};
use crate::{Connector, Error, Result, Secret};

/// The longest that a call may take: a package may be large, and a call may wait for its request.
const DEADLINE: std::time::Duration = std::time::Duration::from_secs(600);

/// Where the service is.
pub enum Service {
    /// In this process, for whoever has the data directory and its key.
    Local(Router),
    /// Elsewhere.
    Remote(Remote),
}

/// A service elsewhere.
pub struct Remote {
    client: reqwest::Client,
    base: String,
    token: Secret,
}

/// What a call came to.
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl Service {
    /// The service of an open connector.
    pub fn local(connector: Arc<Connector>) -> Self {
        Service::Local(router(connector))
    }

    /// The service at `base`, which is shown `token`.
    ///
    /// # Errors
    /// [`Error::Outbound`].
    pub fn remote(base: &str, token: Secret) -> Result<Self> {
        let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(DEADLINE);
        let client = builder.build().map_err(|error| Error::Outbound(error.to_string()))?;
        Ok(Service::Remote(Remote { client, base: base.trim_end_matches('/').to_owned(), token }))
    }

    /// Makes a call; `prefer` is the header of this name.
    ///
    /// # Errors
    /// [`Error::Outbound`] when nobody answers.
    pub async fn call(&self, method: &str, path: &str, body: Option<&Value>, prefer: Option<&str>) -> Result<Reply> {
        let bytes = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        self.send(method, path, bytes, None, prefer).await
    }

    /// Makes a call with a body of any media type.
    ///
    /// # Errors
    /// [`Error::Outbound`] when nobody answers.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        bytes: Vec<u8>,
        media_type: Option<&str>,
        prefer: Option<&str>,
    ) -> Result<Reply> {
        let outbound = |error: &dyn std::fmt::Display| Error::Outbound(error.to_string());
        let headers = [("content-type", media_type), ("prefer", prefer)];
        let headers = headers.into_iter().filter_map(|(name, value)| Some((name, value?)));
        match self {
            Service::Local(router) => {
                let mut request = Request::builder().method(method).uri(path).extension(Caller::local());
                for (name, value) in headers {
                    request = request.header(name, value);
                }
                let request = request.body(Body::from(bytes)).map_err(|error| outbound(&error))?;
                let Ok(response) = router.clone().oneshot(request).await;
                let status = response.status().as_u16();
                let body = to_bytes(response.into_body(), usize::MAX).await.map_err(|error| outbound(&error))?;
                Ok(Reply { status, body: body.to_vec() })
            }
            Service::Remote(remote) => {
                let method = method.parse::<reqwest::Method>().map_err(|error| outbound(&error))?;
                let mut request = remote
                    .client
                    .request(method, format!("{}{path}", remote.base))
                    .bearer_auth(remote.token.expose())
                    .body(bytes);
                for (name, value) in headers {
                    request = request.header(name, value);
                }
                let response = request.send().await.map_err(|error| outbound(&error))?;
                let status = response.status().as_u16();
                let body = response.bytes().await.map_err(|error| outbound(&error))?;
                Ok(Reply { status, body: body.to_vec() })
            }
        }
    }
}
