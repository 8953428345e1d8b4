//! Uploaded files: taken out of multipart forms, kept beside the store, and handed out by signed links (chat §11.10,
//! feeds-v1 §5.13).
//!
//! Nothing here trusts what a caller says of a file.

mod download;
mod form;

use domain::{files, settings::uploads::BYTES_MAX};
use http::{HeaderMap, HeaderName, header};
use ids::{AppId, Timestamp};

pub(crate) use download::{download, reshaped, shape};
pub(crate) use form::{Received, receive};

use crate::{Server, apps::Tenant, chat, feeds, seal, workers::Failed};

/// Where the files are found.
pub(crate) const ROUTE: &str = "/files/{app}/{id}/{name}";
/// The largest form: a file, and what stands around it.
pub(crate) const FORM_BYTES_MAX: u64 = BYTES_MAX + (1 << 20);
/// How long a link is good (chat §11.10).
const LINK_SECONDS: i64 = 14 * 24 * 3600;

/// Where the bytes of a file are.
fn blob(app: AppId, id: &str) -> String {
    format!("uploads/{}/{id}", app.0)
}

fn new_id() -> String {
    seal::random_id().to_string()
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

/// A link to the file, for who reaches this server at `base`.
pub(crate) fn link(tenant: &Tenant, base: &str, id: &str, name: &str, now: Timestamp) -> String {
    let expires = now.micros() / 1_000_000 + LINK_SECONDS;
    let signature = tenant.sign_link(&signed(id, expires));
    let (app, name) = (tenant.app.id.0, escaped(name));
    format!("{base}/files/{app}/{id}/{name}?Expires={expires}&Signature={signature}")
}

fn signed(id: &str, expires: i64) -> String {
    format!("file\n{id}\n{expires}")
}

/// How who asked with `headers` reaches this server.
pub(crate) fn base(server: &Server, headers: &HeaderMap) -> String {
    let header = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(url) = &server.public_url {
        return url.trim_end_matches('/').to_owned();
    }
    let scheme = header(HeaderName::from_static("x-forwarded-proto")).filter(|scheme| *scheme == "https");
    format!("{}://{}", scheme.unwrap_or("http"), header(header::HOST).unwrap_or("localhost"))
}

/// A text as a part of a path.
pub(crate) fn escaped(text: &str) -> String {
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

/// Removes the bytes of files that are gone.
///
/// # Errors
/// When the store or the disk fails; what is left then goes with the next call.
pub(crate) async fn sweep(server: &Server, tenant: &Tenant) -> std::result::Result<(), Failed> {
    loop {
        let gone = files::gone(&mut tenant.app.snapshot()).await?;
        if gone.is_empty() {
            return Ok(());
        }
        for id in &gone {
            server.blobs.remove(&blob(tenant.app.id, id)).await?;
        }
        let forgotten = tenant.app.write(async |tx| {
            gone.iter().for_each(|id| files::forget(tx, id));
            Ok(())
        });
        forgotten.await?;
    }
}

/// The same for a caller who has done their part: the files are gone for everybody, and what the disk does not let go of now
/// goes later.
pub(crate) async fn sweep_now(server: &Server, tenant: &Tenant) {
    if let Err(error) = sweep(server, tenant).await {
        tracing::warn!(%error, "files could not be removed; trying again later");
    }
}

/// The routes that take forms, as they are matched: their bodies may be larger than others.
pub(crate) fn form_routes() -> impl Iterator<Item = (String, u64)> {
    let of_chat = chat::FORMS.iter().map(|path| format!("/chat/{path}"));
    let of_feeds = feeds::files::FORMS.iter().flat_map(|path| ["", "/"].map(|end| format!("/api/v1.0/{path}{end}")));
    of_chat.chain(of_feeds).map(|path| (path, FORM_BYTES_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_stand_in_a_path() {
        assert_eq!(escaped("a b/ü.txt"), "a%20b%2F%C3%BC.txt");
    }
}
