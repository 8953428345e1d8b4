//! Finding messages: `GET /search` (chat §11.4).

use serde::Serialize;

use super::{channels::Channel, messages::Message};

/// What `GET /search` answers.
#[derive(Serialize, Debug)]
pub struct Found<'a> {
    /// The messages, the best first.
    pub results: Vec<Hit<'a>>,
    /// What asks for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What asks for the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
}

/// A message that was found.
#[derive(Serialize, Debug)]
pub struct Hit<'a> {
    /// The message.
    pub message: InChannel<'a>,
}

/// A message with its channel.
#[derive(Serialize, Debug)]
pub struct InChannel<'a> {
    /// The message.
    #[serde(flatten)]
    pub message: Message<'a>,
    /// Where it was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel<'a>>,
}
