//! The tokens that requests carry: HS256 over the app's secret.

use anyhow::Result;
use jsonwebtoken::{EncodingKey, Header};
use serde::{Deserialize, Serialize};

/// The claims of a scope token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scope {
    pub(crate) resource: String,
    pub(crate) action: String,
    pub(crate) feed_id: String,
}

impl Scope {
    /// What a server may do: everything.
    pub(crate) fn everything() -> Self {
        Self { resource: "*".to_owned(), action: "*".to_owned(), feed_id: "*".to_owned() }
    }

    /// Reading one feed.
    pub(crate) fn reading(group: &str, id: &str) -> Self {
        Self { resource: "feed".to_owned(), action: "read".to_owned(), feed_id: format!("{group}{id}") }
    }

    /// The token, signed with `secret`.
    pub(crate) fn sign(&self, secret: &str) -> Result<String> {
        let key = EncodingKey::from_secret(secret.as_bytes());
        Ok(jsonwebtoken::encode(&Header::default(), self, &key)?)
    }
}

/// The claims of an app's own server, for the chat API and what it shares with feeds.
#[derive(Serialize)]
struct Server {
    server: bool,
}

/// The token of an app's own server, signed with `secret`.
pub(crate) fn sign_server(secret: &str) -> Result<String> {
    let key = EncodingKey::from_secret(secret.as_bytes());
    Ok(jsonwebtoken::encode(&Header::default(), &Server { server: true }, &key)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_verifies_with_its_secret_only() {
        let scope = Scope::reading("timeline", "amy");
        let token = scope.sign("secret").unwrap();
        assert!(crate::peer::auth::Auth::new("secret").allows_read(&token, "timeline", "amy"));
        assert!(!crate::peer::auth::Auth::new("other").allows_read(&token, "timeline", "amy"));
        assert!(!crate::peer::auth::Auth::new("secret").allows_read(&token, "timeline", "bob"));
    }

    #[test]
    fn the_published_vector_is_reproduced() {
        let header = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9";
        let token = Scope::everything().sign("secret").unwrap();
        let published = format!(
            "{header}.eyJyZXNvdXJjZSI6IioiLCJhY3Rpb24iOiIqIiwiZmVlZF9pZCI6IioifQ.JLzxiezjRTarkHDNdi9R_HGJF1JbMQh2tFU8UFvonEk"
        );
        assert_eq!(token, published);
    }
}
