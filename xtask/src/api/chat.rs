//! What the tests ask of chat.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::{Api, Result};

/// A message as it is read back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Said {
    pub(crate) id: String,
    pub(crate) created_at: String,
}

impl Said {
    /// When it was said, as a text that sorts as the times do: the fraction has no zeros at its end, so `Z` must not count.
    pub(crate) fn moment(&self) -> &str {
        self.created_at.trim_end_matches('Z')
    }
}

#[derive(Deserialize)]
struct Answer {
    message: Said,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    messages: Vec<Said>,
}

impl Api {
    /// Makes the channel `messaging:{id}`, if there is none.
    pub(crate) async fn open_channel(&self, id: &str) -> Result<()> {
        let body = json!({ "data": { "created_by_id": "skipper" } });
        let opened: Result<Page> = self.send(Method::POST, &self.channel(id, "query"), Some(&body)).await;
        opened.map(drop)
    }

    /// Makes `users` members of the channel.
    pub(crate) async fn add_members(&self, channel: &str, users: &[&str]) -> Result<()> {
        let path = format!("/channels/messaging/{channel}?api_key={}", self.key);
        let added: Result<Page> = self.send(Method::POST, &path, Some(&json!({ "add_members": users }))).await;
        added.map(drop)
    }

    /// Lets the socket `connection` of the client's user hear what happens in the channel.
    pub(crate) async fn watch_channel(&self, channel: &str, connection: &str) -> Result<()> {
        let path = format!("{}&connection_id={connection}", self.channel(channel, "query"));
        let watched: Result<Page> =
            self.send(Method::POST, &path, Some(&json!({ "watch": true, "state": false }))).await;
        watched.map(drop)
    }

    /// Lets `user` say `message` in the channel.
    pub(crate) async fn say(&self, channel: &str, user: &str, message: &str) -> Result<Said> {
        let body = json!({ "message": { "id": message, "text": message, "user_id": user } });
        let answer: Answer = self.send(Method::POST, &self.channel(channel, "message"), Some(&body)).await?;
        Ok(answer.message)
    }

    /// Every message of the channel, the oldest first.
    pub(crate) async fn whole_channel(&self, id: &str) -> Result<Vec<Said>> {
        const LIMIT: usize = 300;
        let mut said: Vec<Said> = Vec::new();
        loop {
            let mut part = json!({ "limit": LIMIT });
            if let Some(first) = said.first() {
                part["id_lt"] = json!(first.id);
            }
            let body = json!({ "state": true, "messages": part });
            let mut page: Page = self.send(Method::POST, &self.channel(id, "query"), Some(&body)).await?;
            let is_last = page.messages.len() < LIMIT;
            page.messages.append(&mut said);
            said = page.messages;
            if is_last {
                return Ok(said);
            }
        }
    }

    fn channel(&self, id: &str, what: &str) -> String {
        format!("/channels/messaging/{id}/{what}?api_key={}", self.key)
    }
}
