//! What came of a request: packages, manifests, certificates.

use std::{io::Read as _, sync::Arc};

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Problem, body, query::Query, router::Here, stream, views};
use crate::{Connector, Error, Secret, blobs::Reader, package::Recipient};

/// Where links lead.
pub(super) const LINKS_PATH: &str = "/v1/links";

/// A small file, as a whole.
async fn file(connector: &Connector, id: &str, name: &str) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    open(connector, id, name).await?.read_to_end(&mut bytes).map_err(crate::error::file(name))?;
    Ok(bytes)
}

/// A file of the first execution that has it.
async fn open(connector: &Connector, id: &str, name: &str) -> Result<Reader, Problem> {
    let request = connector.request(id).await?;
    for execution in &request.executions {
        match connector.open_artifact(execution, name).await {
            Ok(reader) => return Ok(reader),
            Err(Error::Missing { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::missing("file", name).into())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Delivery {
    /// Who alone can open it: `age1…`.
    recipient: Option<String>,
}

pub(super) async fn package(
    (State(connector), _): Here,
    Path(id): Path<String>,
    Query(delivery): Query<Delivery>,
) -> Result<Response, Problem> {
    let recipient = delivery.recipient.as_deref().map(Recipient::parse).transpose()?;
    archive(&connector, &id, recipient).await
}

/// A delivery whose passphrase belongs into no URL.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedDelivery {
    recipient: Option<String>,
    passphrase: Option<String>,
}

pub(super) async fn sealed_package(
    (State(connector), _): Here,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let delivery: SealedDelivery = body::read(&bytes)?;
    let recipient = match (delivery.recipient, delivery.passphrase) {
        (Some(recipient), None) => Recipient::parse(&recipient)?,
        (None, Some(passphrase)) => Recipient::passphrase(Secret::new(passphrase))?,
        _ => return Err(Problem::field("recipient", "or `passphrase` must be there, and one of them alone")),
    };
    archive(&connector, &id, Some(recipient)).await
}

/// The package, encrypted if there is a recipient.
async fn archive(connector: &Connector, id: &str, recipient: Option<Recipient>) -> Result<Response, Problem> {
    let (name, media_type) = match &recipient {
        Some(_) => (format!("{id}.zip.age"), "application/octet-stream"),
        None => (format!("{id}.zip"), "application/zip"),
    };
    let reader = open(connector, id, "package.zip").await?;
    let package = stream::body(reader, recipient, connector.surroundings.clone());
    let named = format!("attachment; filename=\"{name}\"");
    let headers = [("content-type", media_type.to_owned()), ("content-disposition", named)];
    Ok((headers, package).into_response())
}

pub(super) async fn manifest((State(connector), _): Here, Path(id): Path<String>) -> Result<Response, Problem> {
    let text = file(&connector, &id, "manifest.json").await?;
    Ok(([("content-type", "application/json")], text).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    format: Option<String>,
}

/// The certificate: as JSON with its signature in the headers, the page for people, or a signature alone.
pub(super) async fn certificate(
    (State(connector), _): Here,
    Path(id): Path<String>,
    Query(form): Query<Form>,
) -> Result<Response, Problem> {
    let (name, media_type) = match form.format.as_deref() {
        None | Some("json") => ("erasure-certificate.json", "application/json"),
        Some("html") => ("erasure-certificate.html", "text/html; charset=utf-8"),
        Some("sig") => ("erasure-certificate.json.sig", "text/plain"),
        Some("html.sig") => ("erasure-certificate.html.sig", "text/plain"),
        Some(_) => return Err(Problem::field("format", "must be json, html, sig or html.sig")),
    };
    let text = file(&connector, &id, name).await?;
    let signature = file(&connector, &id, &format!("{}.sig", name.trim_end_matches(".sig"))).await?;
    let signature = String::from_utf8(signature).unwrap_or_default();
    let key = connector.public_key();
    let headers = [
        ("content-type", media_type),
        ("millpond-signature", signature.as_str()),
        ("millpond-public-key", key.as_str()),
    ];
    Ok((headers, text).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    expires_in_s: Option<u32>,
    downloads: Option<u32>,
}

pub(super) async fn link(
    (State(connector), Extension(caller)): Here,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let wanted: Wanted = body::read(&bytes)?;
    // Nobody gets a link to nothing.
    open(&connector, &id, "package.zip").await?;
    let downloads = wanted.downloads.unwrap_or(1);
    let (link, token) = connector.make_link(&id, wanted.expires_in_s, downloads, &caller.name).await?;
    let shown = json!({
        "url": format!("{LINKS_PATH}/{}", token.expose()),
        "expires_at": views::time(Some(link.expires_at)),
        "downloads": link.left,
    });
    Ok((StatusCode::CREATED, Json(shown)))
}

/// The package that a link leads to, for whoever has the link.
pub(super) async fn linked(
    State(connector): State<Arc<Connector>>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let id = connector.use_link(&token).await?;
    archive(&connector, &id, None).await
}
