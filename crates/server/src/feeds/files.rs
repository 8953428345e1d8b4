//! `files/`, `images/` (feeds-v1 §5.13).

use axum::body::Body;
use domain::{
    files::{self as domain_files, File},
    settings::{self, uploads::Upload},
};
use ids::Timestamp;
use images::{Refused, Shape, Wrong};
use wire::{error::Code, feeds::files::Uploaded};

use crate::{
    error::{Error, Result},
    files::{self, Received},
    from_wire::missing,
    gate::Call,
    pictures,
    reply::{Reply, json_object},
};

/// The most bytes of a file where the app says nothing.
const BYTES_MAX: u64 = 20 << 20;
/// What content is called that tells no type.
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// The routes that take forms.
pub(crate) const FORMS: [&str; 2] = ["files", "images"];

/// `POST files/`: uploads a file.
pub(crate) async fn add(call: Call, body: Body) -> Result<Reply> {
    upload(call, body, Upload::File).await
}

/// `POST images/`: uploads an image, which its content must tell.
pub(crate) async fn add_image(call: Call, body: Body) -> Result<Reply> {
    upload(call, body, Upload::Image).await
}

async fn upload(call: Call, body: Body, kind: Upload) -> Result<Reply> {
    let uploads = settings::load(&mut call.tenant.app.snapshot()).await?.uploads(kind).or_bytes(BYTES_MAX);
    let (content_type, bytes_max) = (call.content_type(), uploads.bytes_max());
    let received = files::receive(&call.server, &call.tenant, content_type, body, bytes_max).await?;
    let now = call.now();
    if let Err(error) = note(&call, &received, kind, now).await {
        files::discard(&call.server, &call.tenant, &received.id).await;
        return Err(error);
    }
    Ok(Reply { status: 201, body: json_object(&Uploaded { file: link(&call, &received.id, &received.name, now) }) })
}

async fn note(call: &Call, received: &Received, kind: Upload, now: Timestamp) -> Result<()> {
    let is_image = kind == Upload::Image;
    if is_image && !received.told_type.is_some_and(|kind| kind.starts_with("image/")) {
        return Err(unsupported(received.told_type.unwrap_or(UNKNOWN_TYPE)));
    }
    let file = received.file(call.user().cloned(), None, is_image, now);
    file.check(&mut call.tenant.app.snapshot(), BYTES_MAX).await.map_err(|error| match error {
        domain::Error::TooBig(reason) => Error::new(Code::TooLarge, reason),
        other => other.into(),
    })?;
    let noted = call.tenant.app.write(async |tx| {
        if let Some(owner) = &file.owner {
            // Whoever has something here can be erased.
            domain::users::ensure(tx, owner, now).await?;
        }
        domain_files::add(tx, &received.id, &file);
        Ok(())
    });
    Ok(noted.await?)
}

fn unsupported(kind: &str) -> Error {
    Error::input(format!("File type {kind} is not supported"))
}

fn link(call: &Call, id: &str, name: &str, now: Timestamp) -> String {
    let base = call.server.public_url.as_deref().map(|url| url.trim_end_matches('/').to_owned());
    files::link(&call.tenant, &base.unwrap_or_else(|| call.base()), id, name, now)
}

/// The file that the query names.
fn named(call: &Call) -> Result<String> {
    let url = call.query.get("url").ok_or_else(|| missing("url"))?;
    files::linked(&call.tenant, url).ok_or_else(gone)
}

fn gone() -> Error {
    Error::new(Code::DoesNotExist, "there is no such file")
}

/// `DELETE files/?url=`, `DELETE images/?url=`: deletes what was uploaded, and what was made of it.
pub(crate) async fn remove(call: Call) -> Result<Reply> {
    let id = named(&call)?;
    let removed = call.tenant.app.write(async |tx| {
        let file = domain_files::load_own(tx, &id, call.user()).await?;
        domain_files::remove(tx, &id, &file).await.map(drop)
    });
    removed.await?;
    files::sweep_now(&call.server, &call.tenant).await;
    Ok(Reply::empty(200))
}

/// `GET images/?url=`: the image in another shape.
pub(crate) async fn process(call: Call) -> Result<Reply> {
    let shape = files::shape(&call.query).map_err(|Wrong { field, rule }| Error::field(field, rule))?;
    let id = named(&call)?;
    let file: File = domain_files::load_own(&mut call.tenant.app.snapshot(), &id, call.user()).await?;
    let shape: Shape = shape.ok_or_else(|| Error::field("w", "w, h or both are required"))?;
    files::reshaped(&call.server, &call.tenant, &id, shape).await.map_err(|error| refused(error, &file))?;
    let file = format!("{}&{shape}", link(&call, &id, &file.name, call.now()));
    Ok(Reply::ok(&Uploaded { file }))
}

fn refused(error: pictures::Error, file: &File) -> Error {
    match error {
        pictures::Error::Refused(Refused::Unknown) => unsupported(&file.mime_type),
        pictures::Error::Refused(refused) => Error::input(refused.to_string()),
        pictures::Error::Gone => gone(),
        pictures::Error::Busy => Error { status: 503, ..Error::new(Code::Internal, error.to_string()) },
        pictures::Error::Stored(error) => error.into(),
        pictures::Error::Failed(error) => {
            tracing::error!(%error, "a picture could not be processed");
            Error::new(Code::Internal, "the server failed; its log says why")
        }
    }
}
