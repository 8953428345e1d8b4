//! What the first link of a message leads to, shown with the message (chat §12.12).
//!
//! Who looks it up does so after the message was sent: the message changes when the answer is there.

use ids::{MessageId, Timestamp, json::Object};

use super::{Kind, Message, Scene, get, put_changed};
use crate::{
    Result, Tx,
    previews::{first_link, is_wanted},
};

/// The link that is to be looked up for `message`, if its channel wants that.
///
/// # Errors
/// When the store fails, or there is no such channel any more.
pub async fn link(tx: &mut Tx, message: &Message, now: Timestamp) -> Result<Option<String>> {
    let Some(link) = first_link(&message.text) else { return Ok(None) };
    if !matches!(message.kind, Kind::Regular | Kind::Reply) || message.pending.is_some() {
        return Ok(None);
    }
    let scene = Scene::load(tx, &message.channel, None, now).await?;
    Ok(scene.config.url_enrichment.then(|| link.to_owned()))
}

/// Hangs what was found at `link` on the message, if it still says that link and has no such attachment.
///
/// # Errors
/// When the store fails.
pub async fn add_preview(tx: &mut Tx, id: &MessageId, link: &str, preview: &Object, now: Timestamp) -> Result<()> {
    let Some(mut message) = get(tx, id).await? else { return Ok(()) };
    if message.deleted_at.is_some() || !is_wanted(&message.text, &message.attachments, link) {
        return Ok(());
    }
    message.attachments.push(preview.to_string());
    put_changed(tx, id, &mut message, now);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::pond::{Pond, message};

    #[tokio::test]
    async fn a_preview_is_added_once_while_the_message_says_the_link() {
        let pond = Pond::new().await;
        let sent = pond.say("amy", "m", "look: https://a.b").await;
        let wanted = link(&mut pond.app.snapshot(), &sent, pond.tick()).await.unwrap();
        assert_eq!(wanted.as_deref(), Some("https://a.b"));
        let preview = Object::parse(r#"{"og_scrape_url":"https://a.b","title":"A"}"#).unwrap();
        for _ in 0..2 {
            let now = pond.tick();
            pond.write(async |tx| add_preview(tx, &message("m"), "https://a.b", &preview, now).await).await;
        }
        assert_eq!(pond.get("m").await.unwrap().attachments, [preview.to_string()]);
        assert_eq!(pond.told().await, ["message.new", "message.updated"]);
        pond.set_type(|config| config.url_enrichment = false).await;
        assert_eq!(link(&mut pond.app.snapshot(), &sent, pond.tick()).await.unwrap(), None);
    }
}
