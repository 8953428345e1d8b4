//! Taking a file out of a form, and keeping its bytes (chat §11.10, feeds-v1 §5.13).

use axum::{
    body::Body,
    extract::{
        DefaultBodyLimit, FromRequest, Multipart, Request,
        multipart::{Field, MultipartError},
    },
};
use domain::files::{File, NAME_BYTES_MAX};
use http::{HeaderValue, header};
use ids::{ChannelId, Timestamp, UserId};

use super::{blob, forget, new_id};
use crate::{Server, apps::Tenant, blobs::Draft, chat, error};

/// The most bytes of a form's text fields.
const TEXT_BYTES_MAX: usize = 10 << 10;
/// The most fields of a form.
const FIELDS_MAX: usize = 20;
/// How much of a file is looked at to tell its type, and how large a picture is.
const HEAD_BYTES: usize = 256 << 10;
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

/// Why a form is not taken.
#[derive(Debug)]
pub(crate) enum Error {
    /// It cannot be read.
    Broken(String),
    /// It has no file.
    NoFile,
    /// Something in it is too big.
    TooBig(String),
    /// The file could not be written.
    Unwritten(std::io::Error),
}

impl From<Error> for chat::Error {
    fn from(error: Error) -> Self {
        use wire::chat::error::Code;
        match error {
            Error::Broken(reason) => Self::input(reason),
            Error::NoFile => Self::field("file", "is a required field"),
            Error::TooBig(reason) => Self::new(Code::PayloadTooBig, reason),
            Error::Unwritten(error) => {
                tracing::error!(%error, "an upload could not be written");
                Self::new(Code::Internal, "the server failed; its log says why")
            }
        }
    }
}

impl From<Error> for error::Error {
    fn from(error: Error) -> Self {
        use wire::error::Code;
        match error {
            Error::Broken(reason) => Self::input(reason),
            Error::NoFile => Self::field("file", "this field is required"),
            Error::TooBig(reason) => Self::new(Code::TooLarge, reason),
            Error::Unwritten(error) => {
                tracing::error!(%error, "an upload could not be written");
                Self::new(Code::Internal, "the server failed; its log says why")
            }
        }
    }
}

type Result<T> = std::result::Result<T, Error>;

/// What was taken out of a form.
pub(crate) struct Received {
    /// The id of the file, whose bytes are kept and whose row is to be written.
    pub(crate) id: String,
    /// Its name, without a path.
    pub(crate) name: String,
    /// Its type.
    pub(crate) mime_type: String,
    /// The type that its content tells, if it does.
    pub(crate) told_type: Option<&'static str>,
    /// Whether it is a picture that can be shown in other shapes.
    pub(crate) is_picture: bool,
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

/// Takes the file out of a form, whose `Content-Type` this is, and keeps its bytes.
///
/// # Errors
/// [`Error`]; then no bytes are kept.
pub(crate) async fn receive(
    server: &Server,
    tenant: &Tenant,
    content_type: Option<&HeaderValue>,
    body: Body,
    bytes_max: u64,
) -> Result<Received> {
    let mut request = Request::new(body);
    request.headers_mut().extend(content_type.map(|kind| (header::CONTENT_TYPE, kind.clone())));
    // The front has limited the body already, by the route; without this, axum would limit it to 2 MiB.
    DefaultBodyLimit::disable().apply(&mut request);
    let no_form = |_| Error::Broken("the body must be multipart/form-data with a field called file".to_owned());
    let mut form = Multipart::from_request(request, &()).await.map_err(no_form)?;
    let mut kept = None;
    let read = read(server, tenant, &mut form, bytes_max, &mut kept).await;
    match (read, kept) {
        (Ok((user, upload_sizes)), Some(kept)) => Ok(Received { user, upload_sizes, ..kept }),
        (Ok(_), None) => Err(Error::NoFile),
        (Err(error), kept) => {
            if let Some(kept) = kept {
                forget(server, &blob(tenant.app.id, &kept.id)).await;
            }
            Err(error)
        }
    }
}

/// The fields `user` and `upload_sizes`; the file goes to `kept` as soon as it is there.
async fn read(
    server: &Server,
    tenant: &Tenant,
    form: &mut Multipart,
    bytes_max: u64,
    kept: &mut Option<Received>,
) -> Result<(Option<String>, Option<String>)> {
    let (mut user, mut upload_sizes) = (None, None);
    for _ in 0..FIELDS_MAX {
        let Some(field) = form.next_field().await.map_err(|error| broken(&error))? else { break };
        match field.name() {
            Some("user") => user = Some(text(field).await?),
            Some("upload_sizes") => upload_sizes = Some(text(field).await?),
            Some("file") if kept.is_none() => *kept = Some(keep(server, tenant, field, bytes_max).await?),
            _ => drop(text(field).await?),
        }
    }
    Ok((user, upload_sizes))
}

fn broken(error: &MultipartError) -> Error {
    Error::Broken(format!("the form cannot be read: {error}"))
}

async fn text(mut field: Field<'_>) -> Result<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > TEXT_BYTES_MAX {
            return Err(Error::TooBig(format!("a field of a form may have {TEXT_BYTES_MAX} bytes")));
        }
    }
    String::from_utf8(bytes).map_err(|_| Error::Broken("the fields of a form must be UTF-8".to_owned()))
}

async fn keep(server: &Server, tenant: &Tenant, mut field: Field<'_>, bytes_max: u64) -> Result<Received> {
    let id = new_id();
    let blob = blob(tenant.app.id, &id);
    let name = base_name(field.file_name().unwrap_or_default());
    let mut draft = server.blobs.begin(&blob).await.map_err(Error::Unwritten)?;
    let written = write(&mut draft, &mut field, bytes_max).await;
    let (head, bytes) = match written {
        Ok(written) => written,
        Err(error) => {
            drop(draft);
            forget(server, &blob).await;
            return Err(error);
        }
    };
    draft.keep().await.map_err(Error::Unwritten)?;
    let told_type = infer::get(&head).map(|kind| kind.mime_type());
    let mime_type = told_type.unwrap_or_else(|| named_type(&name)).to_owned();
    let is_picture = images::measure(&head).is_ok();
    Ok(Received { id, name, mime_type, told_type, is_picture, bytes, user: None, upload_sizes: None })
}

async fn write(draft: &mut Draft, field: &mut Field<'_>, bytes_max: u64) -> Result<(Vec<u8>, u64)> {
    let (mut head, mut bytes) = (Vec::new(), 0);
    while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
        bytes += chunk.len() as u64;
        if bytes > bytes_max {
            return Err(Error::TooBig(format!("a file may have {bytes_max} bytes")));
        }
        if head.len() < HEAD_BYTES {
            head.extend_from_slice(&chunk[..chunk.len().min(HEAD_BYTES - head.len())]);
        }
        draft.append(&chunk).await.map_err(Error::Unwritten)?;
    }
    Ok((head, bytes))
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

/// The type of a file by its name.
fn named_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default();
    let by_name = BY_EXTENSION.iter().find(|(known, _)| *known == extension).map(|(_, kind)| *kind);
    by_name.unwrap_or("application/octet-stream")
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
    }

    #[test]
    fn a_name_tells_a_type_by_its_end() {
        assert_eq!(named_type("a.JPG"), "image/jpeg");
        assert_eq!(named_type("a.unheard"), "application/octet-stream");
    }
}
