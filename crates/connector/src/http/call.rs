//! Calls of the service, in this process or over the network: the command line makes the same ones either way.

use std::{path::Path, sync::Arc};

use axum::{
    Router,
    body::{Body, BodyDataStream, Bytes},
    http::Request,
};
use futures_util::StreamExt as _;
use serde_json::Value;
use tower::ServiceExt as _;
use zeroize::Zeroizing;

use super::{Caller, router};
use crate::{Connector, Error, Result, Secret, upstream::trusting};

/// The longest silence of a call: it may wait for its request.
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

/// Whom a caller of a service elsewhere trusts, and what it shows of itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trust<'a> {
    /// Certificates that are trusted beside those of the system, as PEM.
    pub ca_file: Option<&'a Path>,
    /// The certificate that is shown to a service that asks for one, and its key, each as PEM.
    pub shown: Option<(&'a Path, &'a Path)>,
}

/// What is shown of the caller.
fn identity(certificate: &Path, key: &Path) -> Result<reqwest::Identity> {
    let read = |path: &Path| std::fs::read(path).map_err(crate::error::file(path));
    let pem = Zeroizing::new([read(certificate)?, b"\n".to_vec(), read(key)?].concat());
    reqwest::Identity::from_pem(&pem).map_err(|_| {
        Error::Outbound(format!(
            "{} and {} are no certificate with its key in PEM",
            certificate.display(),
            key.display()
        ))
    })
}

/// What a call came to.
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// The status alone: bodies are about people.
impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Reply {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A file on its way.
pub struct Download(Source);

enum Source {
    Local(BodyDataStream),
    Remote(reqwest::Response),
}

impl Download {
    /// The next piece; nothing at the end.
    ///
    /// # Errors
    /// [`Error::Outbound`] when it breaks off: what came so far is not the file.
    pub async fn piece(&mut self) -> Result<Option<Bytes>> {
        match &mut self.0 {
            Source::Local(stream) => stream.next().await.transpose().map_err(|error| broken_off(&error)),
            Source::Remote(response) => response.chunk().await.map_err(|error| broken_off(&error)),
        }
    }
}

fn broken_off(error: &dyn std::error::Error) -> Error {
    Error::BrokenOff(error.source().map_or_else(|| error.to_string(), ToString::to_string))
}

/// The innermost cause says most: reqwest's own sentence is the same for all of them.
fn unreachable(base: &str, error: &dyn std::error::Error) -> Error {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    Error::Unreachable { url: base.to_owned(), cause: cause.to_string() }
}

fn outbound(error: impl std::fmt::Display) -> Error {
    Error::Outbound(error.to_string())
}

impl Service {
    /// The service of an open connector.
    pub fn local(connector: Arc<Connector>) -> Self {
        Service::Local(router(connector))
    }

    /// The service at `base`, which is shown `token`.
    ///
    /// # Errors
    /// [`Error::Outbound`]; [`Error::File`].
    pub fn remote(base: &str, token: Secret, trust: Trust<'_>) -> Result<Self> {
        let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).read_timeout(DEADLINE);
        let mut builder = trusting(builder, trust.ca_file)?;
        if let Some((certificate, key)) = trust.shown {
            builder = builder.identity(identity(certificate, key)?);
        }
        let client = builder.build().map_err(outbound)?;
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
        let (status, mut download) = self.open(method, path, bytes, media_type, prefer).await?;
        let mut body = Vec::new();
        while let Some(piece) = download.piece().await? {
            body.extend_from_slice(&piece);
        }
        Ok(Reply { status, body })
    }

    /// Makes a call whose answer may be large; answers its status, and its body a piece at a time.
    ///
    /// # Errors
    /// [`Error::Outbound`] when nobody answers.
    pub async fn open(
        &self,
        method: &str,
        path: &str,
        bytes: Vec<u8>,
        media_type: Option<&str>,
        prefer: Option<&str>,
    ) -> Result<(u16, Download)> {
        let headers = [("content-type", media_type), ("prefer", prefer)];
        let headers = headers.into_iter().filter_map(|(name, value)| Some((name, value?)));
        match self {
            Service::Local(router) => {
                let mut request = Request::builder().method(method).uri(path).extension(Caller::local());
                for (name, value) in headers {
                    request = request.header(name, value);
                }
                let request = request.body(Body::from(bytes)).map_err(outbound)?;
                let Ok(response) = router.clone().oneshot(request).await;
                let status = response.status().as_u16();
                Ok((status, Download(Source::Local(response.into_body().into_data_stream()))))
            }
            Service::Remote(remote) => {
                let method = method.parse::<reqwest::Method>().map_err(outbound)?;
                let mut request = remote
                    .client
                    .request(method, format!("{}{path}", remote.base))
                    .bearer_auth(remote.token.expose())
                    .body(bytes);
                for (name, value) in headers {
                    request = request.header(name, value);
                }
                let response = request.send().await.map_err(|error| unreachable(&remote.base, &error))?;
                Ok((response.status().as_u16(), Download(Source::Remote(response))))
            }
        }
    }
}
