//! Uploaded files: taken out of multipart forms, kept beside the store, and handed out by signed links (chat §11.10).
//!
//! Nothing here decodes an image or trusts what a caller says of a file. A file is handed out as something to save, never
//! to run: with its type only if that is harmless, and without scripts.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{
        FromRequest, Multipart, Request,
        multipart::{Field, MultipartError},
    },
    response::{IntoResponse, Response},
};
use domain::{
    files::{self, File, NAME_BYTES_MAX},
    settings::uploads::BYTES_MAX,
};
use http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use ids::{AppId, ChannelId, Timestamp, UserId};
use wire::chat::error::Code;

use crate::{
    Server,
    apps::Tenant,
    blobs::Draft,
    chat::{self, Error},
    query::Query,
    seal,
};

/// Where the files are found.
pub(crate) const ROUTE: &str = "/files/{app}/{id}/{name}";
/// The largest form: a file, and what stands around it.
pub(crate) const FORM_BYTES_MAX: u64 = BYTES_MAX + (1 << 20);
/// How long a link is good (chat §11.10).
const LINK_SECONDS: i64 = 14 * 24 * 3600;
/// The most bytes of a form's text fields.
const TEXT_BYTES_MAX: usize = 10 << 10;
/// The most fields of a form.
const FIELDS_MAX: usize = 20;
/// How much of a file is looked at to tell its type.
const HEAD_BYTES: usize = 512;
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
/// The type of a file by its extension, where its content does not tell.
const BY_EXTENSION: [(&str, &str); 20] = [
    ("bmp", "image/bmp"),
    ("csv", "text/csv"),
    ("gif", "image/gif"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("html", "text/html"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("log", "text/plain"),
    ("m4a", "audio/m4a"),
    ("md", "text/markdown"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain"),
    ("webp", "image/webp"),
];

type Result<T> = std::result::Result<T, Error>;

/// What was taken out of a form.
pub(crate) struct Received {
    /// The id of the file, whose bytes are kept and whose row is to be written.
    pub(crate) id: String,
    /// Its name, without a path.
    pub(crate) name: String,
    /// Its type.
    pub(crate) mime_type: String,
    /// How large it is.
    pub(crate) bytes: u64,
    /// Whom the form names as its owner: the JSON text of its field `user`.
    pub(crate) user: Option<String>,
    /// The sizes in which the caller wants an image: the JSON text of that field.
    pub(crate) upload_sizes: Option<String>,
}

impl Received {
    /// The row of the file.
    pub(crate) fn file(
        &self,
        owner: Option<UserId>,
        channel: Option<ChannelId>,
        is_image: bool,
        now: Timestamp,
    ) -> File {
        let (name, mime_type) = (self.name.clone(), self.mime_type.clone());
        File { owner, name, mime_type, bytes: self.bytes, is_image, channel, created_at: now }
    }
}

/// Where the bytes of a file are.
fn blob(app: AppId, id: &str) -> String {
    format!("uploads/{}/{id}", app.0)
}

/// Takes the file out of a form and keeps its bytes.
///
/// # Errors
/// 4 for what is no form with a file in it, 22 for a file that is too big.
pub(crate) async fn receive(server: &Server, tenant: &Tenant, headers: &HeaderMap, body: Body) -> Result<Received> {
    let mut request = Request::new(body);
    request.headers_mut().extend(headers.get(header::CONTENT_TYPE).map(|kind| (header::CONTENT_TYPE, kind.clone())));
    let no_form = |_| Error::input("the body must be multipart/form-data with a field called file");
    let mut form = Multipart::from_request(request, &()).await.map_err(no_form)?;
    let (mut file, mut user, mut upload_sizes) = (None, None, None);
    for _ in 0..FIELDS_MAX {
        let Some(field) = form.next_field().await.map_err(broken)? else { break };
        match field.name() {
            Some("user") => user = Some(text(field).await?),
            Some("upload_sizes") => upload_sizes = Some(text(field).await?),
            Some("file") if file.is_none() => file = Some(keep(server, tenant, field).await?),
            _ => drop(text(field).await?),
        }
    }
    let Kept { id, name, mime_type, bytes } = file.ok_or_else(|| Error::field("file", "is a required field"))?;
    Ok(Received { id, name, mime_type, bytes, user, upload_sizes })
}

fn broken(error: MultipartError) -> Error {
    Error::input(format!("the form cannot be read: {error}"))
}

async fn text(mut field: Field<'_>) -> Result<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > TEXT_BYTES_MAX {
            return Err(Error::new(Code::PayloadTooBig, format!("a field of a form may have {TEXT_BYTES_MAX} bytes")));
        }
    }
    String::from_utf8(bytes).map_err(|_| Error::input("the fields of a form must be UTF-8"))
}

/// A file whose bytes are kept.
struct Kept {
    id: String,
    name: String,
    mime_type: String,
    bytes: u64,
}

async fn keep(server: &Server, tenant: &Tenant, mut field: Field<'_>) -> Result<Kept> {
    let id = uuid::Builder::from_random_bytes(seal::random()).into_uuid().to_string();
    let blob = blob(tenant.app.id, &id);
    let name = base_name(field.file_name().unwrap_or_default());
    let mut draft = server.blobs.begin(&blob).await.map_err(|error| unwritten(&error))?;
    let written = write(&mut draft, &mut field).await;
    let (head, bytes) = match written {
        Ok(written) => written,
        Err(error) => {
            drop(draft);
            forget(server, &blob).await;
            return Err(error);
        }
    };
    draft.keep().await.map_err(|error| unwritten(&error))?;
    let mime_type = mime_type(&name, &head).to_owned();
    Ok(Kept { id, name, mime_type, bytes })
}

async fn write(draft: &mut Draft, field: &mut Field<'_>) -> Result<(Vec<u8>, u64)> {
    let (mut head, mut bytes) = (Vec::new(), 0);
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        bytes += chunk.len() as u64;
        if bytes > BYTES_MAX {
            return Err(Error::new(Code::PayloadTooBig, format!("a file may have {BYTES_MAX} bytes")));
        }
        if head.len() < HEAD_BYTES {
            head.extend_from_slice(&chunk[..chunk.len().min(HEAD_BYTES - head.len())]);
        }
        draft.append(&chunk).await.map_err(|error| unwritten(&error))?;
    }
    Ok((head, bytes))
}

fn unwritten(error: &std::io::Error) -> Error {
    tracing::error!(%error, "an upload could not be written");
    Error::new(Code::Internal, "the server failed; its log says why")
}

async fn forget(server: &Server, blob: &str) {
    if let Err(error) = server.blobs.remove(blob).await {
        tracing::warn!(%error, "what was begun of an upload could not be removed");
    }
}

/// Removes the bytes of an upload that is refused after all.
pub(crate) async fn discard(server: &Server, tenant: &Tenant, id: &str) {
    forget(server, &blob(tenant.app.id, id)).await;
}

/// The last part of a path of whatever system, without what would break a header or a URL.
fn base_name(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut name: String = name.chars().filter(|c| !c.is_control() && *c != '"').collect();
    while name.len() > NAME_BYTES_MAX {
        name.pop();
    }
    if matches!(name.as_str(), "" | "." | "..") { "file".to_owned() } else { name }
}

/// The type of a file: what its first bytes say, else what its name says.
fn mime_type(name: &str, head: &[u8]) -> &'static str {
    let by_content = infer::get(head).map(|kind| kind.mime_type());
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default();
    let by_name = BY_EXTENSION.iter().find(|(known, _)| *known == extension).map(|(_, kind)| *kind);
    by_content.or(by_name).unwrap_or("application/octet-stream")
}

/// A link to the file, as who asked with `headers` reaches this server.
pub(crate) fn link(
    server: &Server,
    tenant: &Tenant,
    headers: &HeaderMap,
    id: &str,
    name: &str,
    now: Timestamp,
) -> String {
    let expires = now.micros() / 1_000_000 + LINK_SECONDS;
    let signature = tenant.sign_link(&signed(id, expires));
    let (base, app, name) = (base(server, headers), tenant.app.id.0, escaped(name));
    format!("{base}/files/{app}/{id}/{name}?Expires={expires}&Signature={signature}")
}

fn signed(id: &str, expires: i64) -> String {
    format!("file\n{id}\n{expires}")
}

/// How clients reach this server.
fn base(server: &Server, headers: &HeaderMap) -> String {
    let header = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(url) = &server.public_url {
        return url.trim_end_matches('/').to_owned();
    }
    let scheme = header(HeaderName::from_static("x-forwarded-proto")).filter(|scheme| *scheme == "https");
    format!("{}://{}", scheme.unwrap_or("http"), header(header::HOST).unwrap_or("localhost"))
}

/// A text as a part of a path.
fn escaped(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let part = |byte: u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(part).collect()
}

/// The file of this app that a link leads to, whatever became of its signature.
pub(crate) fn linked(tenant: &Tenant, url: &str) -> Option<String> {
    let path = url.split(['?', '#']).next()?;
    let (_, rest) = path.split_once("/files/")?;
    let mut parts = rest.split('/');
    let app: u32 = parts.next()?.parse().ok()?;
    let id = uuid::Uuid::parse_str(parts.next()?).ok()?;
    (app == tenant.app.id.0).then(|| id.to_string())
}

/// `GET /files/…`: a file, for whoever has a link to it.
pub(crate) async fn download(server: Arc<Server>, request: Request) -> Response {
    let uri = request.into_parts().0.uri;
    match found(&server, &uri).await {
        Ok(response) => response,
        Err(status) => status.into_response(),
    }
}

async fn found(server: &Server, uri: &Uri) -> std::result::Result<Response, StatusCode> {
    let mut parts = uri.path().split('/').skip(2);
    let app = parts.next().and_then(|app| app.parse().ok()).ok_or(StatusCode::NOT_FOUND)?;
    let id = parts.next().ok_or(StatusCode::NOT_FOUND)?;
    let tenant = server.apps.by_id(AppId(app)).ok_or(StatusCode::FORBIDDEN)?;
    let query = Query::parse(uri.query().unwrap_or_default());
    let expires: i64 = query.get("Expires").and_then(|at| at.parse().ok()).ok_or(StatusCode::FORBIDDEN)?;
    let is_signed = tenant.is_signed_link(&signed(id, expires), query.get("Signature").unwrap_or_default());
    if !is_signed || server.clock.now_seconds() > expires {
        return Err(StatusCode::FORBIDDEN);
    }
    let failed = |error: &dyn std::error::Error| {
        tracing::error!(%error, "a file could not be read");
        StatusCode::INTERNAL_SERVER_ERROR
    };
    let file = files::get(&mut tenant.app.snapshot(), id).await.map_err(|error| failed(&error))?;
    let file = file.ok_or(StatusCode::NOT_FOUND)?;
    let content = server.blobs.open(&blob(tenant.app.id, id)).await.map_err(|error| failed(&error))?;
    let (length, body) = content.ok_or(StatusCode::NOT_FOUND)?;
    Ok(response(&file, length, body))
}

fn response(file: &File, length: u64, body: Body) -> Response {
    let is_harmless = HARMLESS.contains(&file.mime_type.as_str());
    let kind = if is_harmless { file.mime_type.as_str() } else { "application/octet-stream" };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{}", escaped(&file.name))),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin".to_owned()),
        (header::CACHE_CONTROL, "private, max-age=86400".to_owned()),
    ];
    (headers, body).into_response()
}

/// Removes the bytes of files that are gone.
///
/// # Errors
/// When the store fails; what is left then goes with the next call.
pub(crate) async fn sweep(server: &Server, tenant: &Tenant) -> domain::Result<()> {
    loop {
        let gone = files::gone(&mut tenant.app.snapshot()).await?;
        if gone.is_empty() {
            return Ok(());
        }
        for id in &gone {
            if let Err(error) = server.blobs.remove(&blob(tenant.app.id, id)).await {
                tracing::warn!(%error, "a file could not be removed; trying again later");
                return Ok(());
            }
        }
        let forgotten = tenant.app.write(async |tx| {
            gone.iter().for_each(|id| files::forget(tx, id));
            Ok(())
        });
        forgotten.await?;
    }
}

/// The routes that take forms, as they are matched: their bodies may be larger than others.
pub(crate) fn form_routes() -> impl Iterator<Item = (String, u64)> {
    chat::FORMS.iter().map(|path| (format!("/chat/{path}"), FORM_BYTES_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_last_part_of_a_path_of_any_system() {
        for (path, name) in [
            ("/home/amy/a b.txt", "a b.txt"),
            (r"C:\pics\duck.png", "duck.png"),
            ("", "file"),
            ("a/..", "file"),
            ("x\r\ny\".txt", "xy.txt"),
        ] {
            assert_eq!(base_name(path), name, "{path}");
        }
        assert_eq!(base_name(&"ü".repeat(300)).len(), 254);
        assert_eq!(escaped("a b/ü.txt"), "a%20b%2F%C3%BC.txt");
    }

    #[test]
    fn the_content_tells_the_type_before_the_name_does() {
        assert_eq!(mime_type("a.txt", b"\x89PNG\r\n\x1a\n...."), "image/png");
        assert_eq!(mime_type("a.jpg", b"no image at all"), "image/jpeg");
        assert_eq!(mime_type("a.unheard", b"text"), "application/octet-stream");
    }
}
