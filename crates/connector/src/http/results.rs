//! What came of a request: packages, manifests, certificates.

use std::io::{Cursor, Read as _};

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};

use super::{Problem, router::Here};
use crate::{Connector, Error};

/// A file of the first execution that has it.
async fn file(connector: &Connector, id: &str, name: &str) -> Result<Vec<u8>, Problem> {
    let request = connector.request(id).await?;
    for execution in &request.executions {
        let mut bytes = Vec::new();
        match connector.artifact(execution, name, &mut bytes).await {
            Ok(()) => return Ok(bytes),
            Err(Error::Missing { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::missing("file", name).into())
}

pub(super) async fn package((State(connector), _): Here, Path(id): Path<String>) -> Result<Response, Problem> {
    let bytes = file(&connector, &id, "package.zip").await?;
    let named = format!("attachment; filename=\"{id}.zip\"");
    let headers = [("content-type", "application/zip".to_owned()), ("content-disposition", named)];
    Ok((headers, bytes).into_response())
}

pub(super) async fn manifest((State(connector), _): Here, Path(id): Path<String>) -> Result<Response, Problem> {
    let package = file(&connector, &id, "package.zip").await?;
    let unreadable = || Problem::from(Error::missing("file", "manifest.json"));
    let mut zip = zip::ZipArchive::new(Cursor::new(package)).map_err(|_| unreadable())?;
    let mut text = String::new();
    let mut entry = zip.by_name("manifest.json").map_err(|_| unreadable())?;
    entry.read_to_string(&mut text).map_err(|_| unreadable())?;
    Ok(([("content-type", "application/json")], text).into_response())
}

pub(super) async fn certificate((State(connector), _): Here, Path(id): Path<String>) -> Result<Response, Problem> {
    let text = file(&connector, &id, "erasure-certificate.json").await?;
    let signature = file(&connector, &id, "erasure-certificate.json.sig").await?;
    let signature = String::from_utf8(signature).unwrap_or_default();
    let key = connector.public_key();
    let headers = [
        ("content-type", "application/json"),
        ("millpond-signature", signature.as_str()),
        ("millpond-public-key", key.as_str()),
    ];
    Ok((headers, text).into_response())
}

pub(super) async fn events(_: Here, Path(_): Path<String>) -> Problem {
    Problem::unavailable("following a request as a stream")
}

pub(super) async fn link(_: Here, Path(_): Path<String>) -> Problem {
    Problem::unavailable("a one-time link")
}
