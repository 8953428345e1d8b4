//! Uploading files, and deleting them (chat §11.10, v2 §7.5).

use axum::body::Body;
use domain::{
    files::{self as domain_files, File},
    settings::uploads::BYTES_MAX,
};
use http::header;
use ids::{ChannelId, UserId};
use images::{Shape, Wrong};
use serde_json::value::RawValue;
use wire::chat::{
    error::Code,
    files::{ImageSize, Uploaded},
};

use super::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
    messages::channel,
};
use crate::{files, reply::Reply};

/// The longest side of what is shown of a picture before it is opened, in pixels.
const THUMBNAIL_SIDE: u32 = 320;
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
    let content_type = call.headers.get(header::CONTENT_TYPE);
    let received = files::receive(&call.server, &call.tenant, content_type, body, BYTES_MAX).await?;
    let id = received.id.clone();
    let checked = sizes(received.upload_sizes.as_deref().filter(|_| is_image));
    let kept = match checked.and_then(|sizes| Ok((sizes, owner(&call, received.user.as_deref())?))) {
        Ok((sizes, owner)) => note(&call, &id, received.file(owner, channel, is_image, now)).await.map(|()| sizes),
        Err(error) => Err(error),
    };
    let upload_sizes = match kept {
        Ok(sizes) => sizes,
        Err(error) => {
            files::discard(&call.server, &call.tenant, &id).await;
            return Err(error);
        }
    };
    let url = files::link(&call.tenant, &files::base(&call.server, &call.headers), &id, &received.name, now);
    let thumb_url = received.is_picture.then(|| format!("{url}&{}", Shape::thumbnail(THUMBNAIL_SIDE)));
    call.answer(&Uploaded { file: &url, thumb_url: thumb_url.as_deref(), upload_sizes })
}

/// The sizes in which an image is wanted, as they were sent: each is made when it is first asked for.
fn sizes(sent: Option<&str>) -> Result<Option<Box<RawValue>>> {
    let wrong = |rule: &str| Error::field("upload_sizes", rule);
    let Some(sent) = sent.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let list: Vec<ImageSize> = serde_json::from_str(sent)
        .map_err(|_| wrong("must be a list of objects with width, height, resize and crop"))?;
    for size in &list {
        let text = |side: Option<u32>| side.map(|side| side.to_string());
        let (width, height) = (text(size.width), text(size.height));
        Shape::parse(width.as_deref(), height.as_deref(), size.resize.as_deref(), size.crop.as_deref())
            .map_err(|Wrong { field, rule }| wrong(&format!("has a size whose {field} {rule}")))?;
    }
    serde_json::from_str(sent).map(Some).map_err(|_| wrong("must be a list"))
}

async fn note(call: &Call, id: &str, file: File) -> Result<()> {
    file.check_name()?;
    file.check(&mut call.snapshot(), BYTES_MAX).await?;
    let noted = call.app.write(async |tx| {
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
    let removed = call.app.write(async |tx| {
        let Some(file) = domain_files::get(tx, &id).await? else { return Ok(()) };
        domain_files::check_delete(tx, caller.as_ref(), &file, now).await?;
        domain_files::remove(tx, &id, &file).await.map(drop)
    });
    removed.await?;
    files::sweep_now(&call.server, &call.tenant).await;
    call.done()
}
