//! Drafts: `POST`, `GET` and `DELETE /channels/{type}/{id}/draft`, `POST /drafts/query` (chat §6.15, §11.6).

use serde::Serialize;
use serde_json::value::RawValue;

use super::{channels::Channel, dialect::Time, messages::Message, users::User};

/// What a user has begun to write.
#[derive(Serialize, Debug)]
pub struct Draft<'a> {
    /// Where.
    pub channel_cid: &'a str,
    /// When it was last written on.
    pub created_at: Time,
    /// What.
    pub message: DraftMessage<'a>,
    /// What it would reply to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<&'a str>,
    /// The channel, where the answer is about drafts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Box<Channel<'a>>>,
    /// What it would reply to, as an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_message: Option<Box<Message<'a>>>,
    /// What it quotes, as an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quoted_message: Option<Box<Message<'a>>>,
}

/// What a draft would say. Its own fields stand together in both dialects.
#[derive(Serialize, Debug)]
pub struct DraftMessage<'a> {
    /// The id that the message may have one day.
    pub id: &'a str,
    /// The text.
    pub text: &'a str,
    /// The text as HTML, where the application gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<&'a str>,
    /// The markup of the application's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mml: Option<&'a str>,
    /// `regular` or `system`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What it would reply to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<&'a str>,
    /// What it would quote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quoted_message_id: Option<&'a str>,
    /// Which poll it would show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll_id: Option<&'a str>,
    /// Whether a reply would show in the channel, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show_in_channel: Option<bool>,
    /// Whether it would count for nobody as unread.
    pub silent: bool,
    /// What would hang on it.
    pub attachments: Vec<Box<RawValue>>,
    /// Whom it would name.
    pub mentioned_users: Vec<User<'a>>,
    /// The application's own fields.
    pub custom: Box<RawValue>,
}

/// An answer with one draft.
#[derive(Serialize, Debug)]
pub struct OneDraft<'a> {
    /// The draft.
    pub draft: Draft<'a>,
}

/// An answer with some drafts.
#[derive(Serialize, Debug)]
pub struct Drafts<'a> {
    /// The drafts.
    pub drafts: Vec<Draft<'a>>,
    /// What asks for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What asks for the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
}
