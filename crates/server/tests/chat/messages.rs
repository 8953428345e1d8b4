//! Messages (§6.7, §11.4, §12).

mod change;
mod delete;
mod send;

use serde_json::{Value, json};

use crate::{pond::Client, sockets::lake::Lake};

/// Where most is said.
pub(crate) const ROOM: &str = "channels/messaging/room";

/// A room with the members amy and bob.
pub(crate) async fn room() -> Lake {
    let lake = Lake::new().await;
    for user in ["amy", "bob"] {
        lake.member("messaging:room", user).await;
    }
    lake
}

impl Client {
    /// Sends `message` to the room and answers it as it is shown.
    pub(crate) async fn say(&self, message: Value) -> Value {
        let sent = self.post(&format!("{ROOM}/message"), json!({ "message": message })).await.ok(201);
        sent["message"].clone()
    }

    /// Sends a text of this user with this id.
    pub(crate) async fn says(&self, user: &str, id: &str, text: &str) -> Value {
        self.say(json!({ "id": id, "text": text, "user_id": user })).await
    }
}

/// The ids of a list of messages, in one line.
pub(crate) fn ids(messages: &Value) -> String {
    let id = |message: &Value| message["id"].as_str().unwrap().to_owned();
    messages.as_array().unwrap().iter().map(id).collect::<Vec<_>>().join(" ")
}
