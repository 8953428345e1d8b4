//! What a page says of itself (chat §11.10, §12.12).

use std::{sync::Arc, time::Duration};

use domain::chat::messages::{self, Message};
use ids::{MessageId, Timestamp, json::Object};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{
    attachments,
    error::{Error, Result},
    fields::Fields,
    gate::Call,
};
use crate::{Server, apps::Tenant, reply::Reply};

/// How long a page may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How much of a page is read: what it says of itself stands at its beginning.
const PAGE_BYTES_MAX: usize = 512 << 10;
/// The longest text of a preview, in characters.
const TEXT_MAX: usize = 1000;
/// How many pages are looked at at once; who would be one more gets no preview.
static LOOKING: Semaphore = Semaphore::const_new(32);

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
    let Ok(permit) = LOOKING.try_acquire() else { return };
    tokio::spawn(async move {
        let _permit = permit;
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
async fn look(server: &Server, url: &str) -> std::result::Result<Object, String> {
    let page = server.outbound.get(url, PAGE_BYTES_MAX, TIMEOUT).await.map_err(|error| error.to_string())?;
    if !page.answer.is_success() {
        return Err(format!("the page answered {}", page.answer.status));
    }
    let preview = match page.kind.split(';').next().map(str::trim) {
        Some(kind) if kind.starts_with("image/") => json!({ "type": "image", "image_url": url, "thumb_url": url }),
        Some("text/html" | "application/xhtml+xml" | "") | None => of_html(&String::from_utf8_lossy(&page.body)),
        Some(_) => return Err("the page is no HTML".to_owned()),
    };
    let mut preview = Object::parse(&preview.to_string()).unwrap_or_default();
    for name in ["og_scrape_url", "title_link"] {
        let value = serde_json::value::to_raw_value(url).map_err(|error| error.to_string())?;
        preview.set(name, value);
    }
    Ok(preview)
}

/// What the head of an HTML page says.
fn of_html(html: &str) -> Value {
    let lower = html.to_ascii_lowercase();
    let mut said: Vec<(String, String)> = Vec::new();
    let mut rest = 0;
    while let Some(start) = lower[rest..].find("<meta") {
        let start = rest + start + "<meta".len();
        let end = lower[start..].find('>').map_or(lower.len(), |end| start + end);
        let tag = &html[start..end];
        let name = attribute(tag, "property").or_else(|| attribute(tag, "name"));
        if let (Some(name), Some(content)) = (name, attribute(tag, "content")) {
            said.push((name.to_ascii_lowercase(), content));
        }
        rest = end;
    }
    let of = |names: &[&str]| {
        let find = |name: &&str| said.iter().find(|(known, _)| known == name).map(|(_, content)| content.clone());
        names.iter().find_map(find).filter(|text| !text.is_empty())
    };
    let image = of(&["og:image", "og:image:url", "twitter:image"]).filter(|url| is_web(url));
    let video = of(&["og:video", "og:video:url"]).filter(|url| is_web(url));
    let mut preview = json!({ "type": if video.is_some() { "video" } else { "image" } });
    let fields = [
        ("title", of(&["og:title", "twitter:title"]).or_else(|| title(html, &lower))),
        ("text", of(&["og:description", "twitter:description", "description"])),
        ("author_name", of(&["og:site_name"])),
        ("thumb_url", image.clone()),
        ("image_url", image),
        ("asset_url", video),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            preview[name] = Value::from(value.chars().take(TEXT_MAX).collect::<String>());
        }
    }
    preview
}

fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

fn title(html: &str, lower: &str) -> Option<String> {
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    Some(plain(html[start..end].trim()))
}

/// The value of an attribute in a tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let lower = tag.to_ascii_lowercase();
    let mut from = 0;
    loop {
        let at = from + lower[from..].find(name)?;
        let is_start = lower[..at].ends_with(|c: char| c.is_ascii_whitespace());
        let rest = tag[at + name.len()..].trim_start();
        if let (true, Some(value)) = (is_start, rest.strip_prefix('=')) {
            let value = value.trim_start();
            let quote = value.chars().next().filter(|c| ['"', '\''].contains(c));
            let text = match quote {
                Some(quote) => value[1..].split(quote).next(),
                None => value.split_ascii_whitespace().next(),
            };
            return text.map(plain);
        }
        from = at + name.len();
    }
}

/// The text that HTML stands for.
fn plain(html: &str) -> String {
    let named = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&apos;", "'"), ("&nbsp;", " ")];
    let text = named.iter().fold(html.to_owned(), |text, (name, letter)| text.replace(name, letter));
    text.replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_its_title_its_text_and_its_picture() {
        let html = r#"<html><head><TITLE>Old &amp; plain</TITLE>
            <meta property="og:title" content="Ducks &lt;3"><meta content='All of "them"' name=description>
            <meta property="og:image" content="https://a.b/duck.png"/><meta property="og:site_name" content="Pond">"#;
        assert_eq!(
            of_html(html),
            json!({ "type": "image", "title": "Ducks <3", "text": "All of \"them\"", "author_name": "Pond",
                "image_url": "https://a.b/duck.png", "thumb_url": "https://a.b/duck.png" })
        );
        assert_eq!(of_html("<title>Old &amp; plain</title>"), json!({ "type": "image", "title": "Old & plain" }));
        let odd = r#"<meta property="og:image" content="javascript:x"><meta <meta content="#;
        assert_eq!(of_html(odd), json!({ "type": "image" }));
    }
}
