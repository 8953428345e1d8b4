//! What a page says of itself (chat §11.10, §12.12).

use std::sync::Arc;

use domain::chat::messages::{self, Message};
use ids::{MessageId, Timestamp, json::Object};
use serde_json::{Value, json};

use super::{
    attachments,
    error::{Error, Result},
    fields::Fields,
    gate::Call,
};
use crate::{
    Server,
    apps::Tenant,
    og::{self, Media, Page},
    reply::Reply,
};

/// `GET /og?url=`: what the page says of itself, as an attachment.
pub(crate) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let url = call.query.get("url").ok_or_else(|| Error::field("url", "is a required field"))?;
    let found = look(&call.server, url).await.map_err(|reason| Error::field("url", &reason))?;
    let shown = attachments::shown(&[found.to_string()], call.dialect);
    let shown: Value = shown.first().and_then(|shown| serde_json::from_str(shown.get()).ok()).unwrap_or_default();
    call.answer(&shown)
}

/// Looks up the first link of a message that was sent, without anybody waiting for it.
pub(crate) fn enrich(server: Arc<Server>, tenant: Arc<Tenant>, id: MessageId, message: Message, now: Timestamp) {
    if !message.text.contains("://") {
        return;
    }
    tokio::spawn(async move {
        if let Err(error) = add(&server, &tenant, &id, &message, now).await {
            tracing::warn!(%error, app = tenant.app.id.0, "a preview could not be added");
        }
    });
}

async fn add(
    server: &Server,
    tenant: &Tenant,
    id: &MessageId,
    message: &Message,
    now: Timestamp,
) -> domain::Result<()> {
    let Some(link) = messages::link(&mut tenant.app.snapshot(), message, now).await? else { return Ok(()) };
    let Ok(preview) = look(server, &link).await else { return Ok(()) };
    let now = server.moments.next(Timestamp::from_micros(server.clock.now_micros()));
    tenant.app.write(async |tx| messages::add_preview(tx, id, &link, &preview, now).await).await
}

/// What the page at `url` says of itself, as an attachment in the classic shape.
///
/// # Errors
/// Why nothing is known of it, in words.
pub(crate) async fn look(server: &Server, url: &str) -> std::result::Result<Object, String> {
    let mut preview = attachment(&og::look(&server.outbound, url).await?);
    for name in ["og_scrape_url", "title_link"] {
        preview[name] = url.into();
    }
    Object::parse(&preview.to_string()).map_err(|error| error.to_string())
}

fn attachment(page: &Page) -> Value {
    let first = |list: &[Media]| list.first().map(|media| media.secure_url.as_ref().unwrap_or(&media.url).clone());
    let (image, video) = (first(&page.images), first(&page.videos));
    let mut preview = json!({ "type": if video.is_some() { "video" } else { "image" } });
    let fields = [
        ("title", page.title.clone()),
        ("text", page.description.clone()),
        ("author_name", page.site_name.clone()),
        ("thumb_url", image.clone()),
        ("image_url", image),
        ("asset_url", video.or_else(|| first(&page.audios))),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            preview[name] = value.into();
        }
    }
    preview
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_shows_the_title_the_text_and_the_picture_of_a_page() {
        let html = br#"<title>Ducks</title><meta name=description content="All of them">
            <meta property=og:image content="/duck.png"><meta property=og:site_name content=Pond>"#;
        assert_eq!(
            attachment(&og::read(html, "", "https://a.b/")),
            json!({ "type": "image", "title": "Ducks", "text": "All of them", "author_name": "Pond",
                "image_url": "https://a.b/duck.png", "thumb_url": "https://a.b/duck.png" })
        );
        let film = og::read(b"<meta property=og:video content=http://a.b/f>", "", "https://a.b/");
        assert_eq!(attachment(&film), json!({ "type": "video", "asset_url": "http://a.b/f" }));
    }
}
