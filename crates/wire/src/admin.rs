//! `/admin/…`: what the command line asks of a running server about its apps.

use serde::{Deserialize, Serialize};

pub mod feed_groups;
pub mod feed_webhooks;

/// An app, with its secret: only the server's own administrator sees it.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// The app's number.
    pub id: u32,
    /// What people call it.
    pub name: String,
    /// The API key.
    pub key: String,
    /// The secret that signs tokens.
    pub secret: String,
    /// Whether calls are refused.
    pub is_suspended: bool,
    /// RFC 3339.
    pub created_at: String,
}

/// The answer of `GET /admin/apps`.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
pub struct Apps {
    /// By number.
    pub apps: Vec<App>,
}

/// The body of `POST /admin/apps`; what is absent is made up.
#[derive(Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
pub struct CreateApp {
    /// The app's number.
    pub id: Option<u32>,
    /// What people call it.
    pub name: Option<String>,
    /// The API key.
    pub key: Option<String>,
    /// The secret.
    pub secret: Option<String>,
    /// Whether it gets the feed groups that the official clients' own suites presume.
    #[serde(default)]
    pub is_for_sdk_suites: bool,
}

/// The body of `POST /admin/tokens`.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
pub struct CreateToken {
    /// The app's number, or its API key.
    pub app: String,
    /// The user that the token speaks for; absent for a server token.
    pub user: Option<String>,
    /// Seconds until it expires; absent for a token that does not.
    pub expires_in: Option<u64>,
}

/// The answer of `POST /admin/tokens`.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The token.
    pub token: String,
}
