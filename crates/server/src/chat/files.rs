//! Uploading files, and deleting them (chat §11.10, v2 §7.5).

use axum::body::Body;
use domain::files::{self as domain_files, File};
use ids::{ChannelId, UserId};
use serde_json::value::RawValue;
use wire::chat::{error::Code, files::Uploaded};

use super::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
    messages::channel,
};
use crate::{files, reply::Reply};

/// The routes that take forms.
pub(crate) const FORMS: [&str; 4] =
    ["channels/{type}/{id}/file", "channels/{type}/{id}/image", "uploads/file", "uploads/image"];

/// `POST /channels/{type}/{id}/file`: uploads a file to a channel.
pub(crate) async fn upload_to_channel(call: Call, body: Body) -> Result<Reply> {
    let channel = channel(&call)?;
    upload(call, body, Some(channel), false).await
}

/// `POST /channels/{type}/{id}/image`: uploads an image to a channel.
pub(crate) async fn upload_image_to_channel(call: Call, body: Body) -> Result<Reply> {
    let channel = channel(&call)?;
    upload(call, body, Some(channel), true).await
}

/// `POST /uploads/file`: uploads a file.
pub(crate) async fn upload_file(call: Call, body: Body) -> Result<Reply> {
    upload(call, body, None, false).await
}

/// `POST /uploads/image`: uploads an image.
pub(crate) async fn upload_image(call: Call, body: Body) -> Result<Reply> {
    upload(call, body, None, true).await
}

async fn upload(call: Call, body: Body, channel: Option<ChannelId>, is_image: bool) -> Result<Reply> {
    let now = call.now();
    if let Some(channel) = &channel {
        domain_files::check_upload(&mut call.snapshot(), call.user(), channel, now).await?;
    }
    let received = files::receive(&call.server, &call.tenant, &call.headers, body).await?;
    let id = received.id.clone();
    let kept = match owner(&call, received.user.as_deref()) {
        Ok(owner) => note(&call, &id, received.file(owner, channel, is_image, now)).await,
        Err(error) => Err(error),
    };
    if let Err(error) = kept {
        files::discard(&call.server, &call.tenant, &id).await;
        return Err(error);
    }
    let url = files::link(&call.server, &call.tenant, &call.headers, &id, &received.name, now);
    let sizes = received.upload_sizes.as_deref().filter(|_| is_image);
    let upload_sizes = sizes.and_then(|sizes| serde_json::from_str::<Box<RawValue>>(sizes).ok());
    call.answer(&Uploaded { file: &url, upload_sizes })
}

async fn note(call: &Call, id: &str, file: File) -> Result<()> {
    file.check(&mut call.snapshot()).await?;
    let noted = call.tenant.app.write(async |tx| {
        if let Some(owner) = &file.owner {
            domain::users::ensure(tx, owner, file.created_at).await?;
        }
        domain_files::add(tx, id, &file);
        Ok(())
    });
    Ok(noted.await?)
}

/// Whose file it is: the token's user, or whom the app's own server names.
fn owner(call: &Call, named: Option<&str>) -> Result<Option<UserId>> {
    let wrong = || Error::field("user", "must be an object with an id");
    let named = match named.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => Fields::parse(text, call.dialect).map_err(|_| wrong())?.user("id")?,
        None => None,
    };
    match (call.user(), named) {
        (Some(own), Some(named)) if *own != named => {
            Err(Error::new(Code::NotAllowed, "a user's token acts for that user alone"))
        }
        (Some(own), _) => Ok(Some(own.clone())),
        (None, named) => Ok(named),
    }
}

/// `DELETE …/file?url=` and `DELETE …/image?url=`: deletes the file that the URL leads to; whether it is there does not
/// matter.
pub(crate) async fn delete(call: Call, _: Fields) -> Result<Reply> {
    let url = call.query.get("url").ok_or_else(|| Error::field("url", "is a required field"))?;
    let Some(id) = files::linked(&call.tenant, url) else { return call.done() };
    let (caller, now) = (call.user().cloned(), call.now());
    let removed = call.tenant.app.write(async |tx| {
        let Some(file) = domain_files::get(tx, &id).await? else { return Ok(()) };
        domain_files::check_delete(tx, caller.as_ref(), &file, now).await?;
        domain_files::remove(tx, &id, &file);
        Ok(())
    });
    removed.await?;
    files::sweep(&call.server, &call.tenant).await?;
    call.done()
}
