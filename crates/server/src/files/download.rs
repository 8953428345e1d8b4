//! Handing files out by signed links, pictures in whatever shape is asked for (chat §11.10).
//!
//! A file is handed out as something to save, never to run: with its type only if that is harmless, and without scripts.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use domain::files::{self, Variant};
use http::{HeaderName, StatusCode, Uri, header};
use ids::AppId;
use images::{Picture, Shape, Wrong};

use super::{blob, escaped, forget, new_id, signed};
use crate::{Server, apps::Tenant, pictures, query::Query};

/// Types that a browser shows without running anything; all others are handed out as mere bytes.
const HARMLESS: [&str; 16] = [
    "application/pdf",
    "audio/aac",
    "audio/m4a",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "audio/webm",
    "image/bmp",
    "image/gif",
    "image/heic",
    "image/jpeg",
    "image/png",
    "image/webp",
    "text/plain",
    "video/mp4",
    "video/webm",
];
/// Why a file is not handed out.
enum Refusal {
    /// The link leads nowhere, or the server failed.
    Plain(StatusCode),
    /// The words say what is wrong.
    Said(StatusCode, String),
}

impl From<StatusCode> for Refusal {
    fn from(status: StatusCode) -> Self {
        Refusal::Plain(status)
    }
}

impl From<pictures::Error> for Refusal {
    fn from(error: pictures::Error) -> Self {
        let status = match &error {
            pictures::Error::Refused(_) => StatusCode::BAD_REQUEST,
            pictures::Error::Gone => StatusCode::NOT_FOUND,
            pictures::Error::Busy => StatusCode::SERVICE_UNAVAILABLE,
            pictures::Error::Failed(_) | pictures::Error::Stored(_) => return failed(&error).into(),
        };
        Refusal::Said(status, error.to_string())
    }
}

/// `GET /files/…`: a file, for whoever has a link to it.
pub(crate) async fn download(server: Arc<Server>, request: Request) -> Response {
    let uri = request.into_parts().0.uri;
    match found(&server, &uri).await {
        Ok(response) => response,
        Err(Refusal::Plain(status)) => status.into_response(),
        Err(Refusal::Said(status, words)) => {
            let headers =
                [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
            (status, headers, words).into_response()
        }
    }
}

async fn found(server: &Server, uri: &Uri) -> Result<Response, Refusal> {
    let mut parts = uri.path().split('/').skip(2);
    let app = parts.next().and_then(|app| app.parse().ok()).ok_or(StatusCode::NOT_FOUND)?;
    let id = parts.next().ok_or(StatusCode::NOT_FOUND)?;
    let tenant = server.apps.by_id(AppId(app)).ok_or(StatusCode::FORBIDDEN)?;
    let query = Query::parse(uri.query().unwrap_or_default());
    let expires: i64 = query.get("Expires").and_then(|at| at.parse().ok()).ok_or(StatusCode::FORBIDDEN)?;
    let is_signed = tenant.is_signed_link(&signed(id, expires), query.get("Signature").unwrap_or_default());
    if !is_signed || server.clock.now_seconds() > expires {
        return Err(StatusCode::FORBIDDEN.into());
    }
    let shape = shape(&query)
        .map_err(|Wrong { field, rule }| Refusal::Said(StatusCode::BAD_REQUEST, format!("{field} {rule}")))?;
    let file = files::get(&mut tenant.app.snapshot(), id).await.map_err(|error| failed(&error))?;
    let file = file.ok_or(StatusCode::NOT_FOUND)?;
    let (id, mime_type) = match shape {
        None => (id.to_owned(), file.mime_type),
        Some(shape) => match reshaped(server, &tenant, id, shape).await? {
            Reshaped::Kept(variant) => (variant.id, variant.mime_type),
            Reshaped::Loose(picture) => {
                let length = picture.bytes.len() as u64;
                return Ok(response(&file.name, picture.mime_type, length, picture.bytes.into()));
            }
        },
    };
    let content = server.blobs.open(&blob(tenant.app.id, &id)).await.map_err(|error| failed(&error))?;
    let (length, body) = content.ok_or(StatusCode::NOT_FOUND)?;
    Ok(response(&file.name, &mime_type, length, body))
}

fn failed(error: &dyn std::error::Error) -> StatusCode {
    tracing::error!(%error, "a file could not be read");
    StatusCode::INTERNAL_SERVER_ERROR
}

/// The shape in which a picture is wanted, if one is named.
///
/// # Errors
/// The parameter that breaks a rule.
pub(crate) fn shape(query: &Query) -> Result<Option<Shape>, Wrong> {
    let [w, h, resize, crop] = ["w", "h", "resize", "crop"].map(|name| query.get(name));
    let is_any = [w, h, resize, crop].iter().any(Option::is_some);
    is_any.then(|| Shape::parse(w, h, resize, crop)).transpose()
}

/// A picture in another shape.
pub(crate) enum Reshaped {
    /// It is kept.
    Kept(Variant),
    /// It was made for this once.
    Loose(Picture),
}

/// The file `id` in another shape: the one that is kept, or a new one, which is kept as long as there are not too many.
///
/// # Errors
/// When the file cannot be shown in another shape.
pub(crate) async fn reshaped(
    server: &Server,
    tenant: &Tenant,
    id: &str,
    shape: Shape,
) -> Result<Reshaped, pictures::Error> {
    let (app, name) = (tenant.app.id, shape.to_string());
    if let Some(kept) = files::variant(&mut tenant.app.snapshot(), id, &name).await? {
        return Ok(Reshaped::Kept(kept));
    }
    let picture = pictures::reshape(&server.blobs, &blob(app, id), shape).await?;
    let made = Variant { id: new_id(), mime_type: picture.mime_type.to_owned() };
    let at = blob(app, &made.id);
    server.blobs.write(&at, &picture.bytes).await?;
    // Asked in the commit that keeps it: a file that went meanwhile takes what was made of it along.
    let kept = tenant.app.write(async |tx| files::add_variant(tx, id, &name, &made).await).await;
    if !matches!(&kept, Ok(Some(kept)) if kept.id == made.id) {
        forget(server, &at).await;
    }
    Ok(kept?.map_or(Reshaped::Loose(picture), Reshaped::Kept))
}

fn response(name: &str, mime_type: &str, length: u64, body: Body) -> Response {
    let kind = if HARMLESS.contains(&mime_type) { mime_type } else { "application/octet-stream" };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{}", escaped(name))),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin".to_owned()),
        (header::CACHE_CONTROL, "private, max-age=86400".to_owned()),
    ];
    (headers, body).into_response()
}
