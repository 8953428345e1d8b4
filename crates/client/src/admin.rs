//! The administration of a running server, for whoever may read its data directory.
//!
//! A running server holds the lock of its directory, and writes there how it is reached ([`File`]), readable by its
//! owner only: who may read the data may administer the server, and nobody else.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{Method, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::admin::{
    App, Apps, CreateApp, CreateToken, Token,
    feed_groups::{FeedGroup, FeedGroups},
    feed_webhooks::{FeedWebhook, FeedWebhooks},
};

/// The name of the file in the data directory.
pub const FILE_NAME: &str = "admin.json";
const DEADLINE: Duration = Duration::from_secs(30);

/// How a running server is reached: the content of `admin.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// The base URL, such as `http://127.0.0.1:8800`.
    pub url: String,
    /// What the server wants to see as `Authorization: Bearer …`.
    pub token: String,
}

/// Why a running server did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No server has written how it is reached.
    #[error("{} cannot be read ({source}); is the server still starting, or owned by another user?", path.display())]
    NoFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not what a server writes.
    #[error("{} is damaged ({source}); start the server again, which writes it anew", path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The file has no URL where one should be.
    #[error("`{url}` in {FILE_NAME} is no URL; start the server again, which writes it anew")]
    NoUrl {
        /// What is there instead.
        url: String,
    },
    /// The server does not answer, or not in a way that can be understood.
    #[error("the server at {url} does not answer ({source}); is it running?")]
    Unreachable {
        /// Its base URL.
        url: String,
        /// What went wrong.
        source: reqwest::Error,
    },
    /// The server refused.
    #[error("{detail} (status {status})")]
    Refused {
        /// The HTTP status.
        status: StatusCode,
        /// What the server said.
        detail: String,
    },
}

/// A running server, as its administrator talks to it.
#[derive(Debug, Clone)]
pub struct Admin {
    file: File,
    base: Url,
    http: reqwest::Client,
}

impl Admin {
    /// The server that runs on `data_dir`.
    ///
    /// # Errors
    /// [`Error::NoFile`] and [`Error::BadFile`].
    pub fn of_data_dir(data_dir: &Path) -> Result<Self, Error> {
        let path = data_dir.join(FILE_NAME);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(source) => return Err(Error::NoFile { path, source }),
        };
        let file = serde_json::from_slice(&text).map_err(|source| Error::BadFile { path, source })?;
        Self::new(file)
    }

    /// The server that `file` tells of.
    ///
    /// # Errors
    /// [`Error::NoUrl`]; [`Error::Unreachable`] when no client can be made, as without entropy.
    pub fn new(file: File) -> Result<Self, Error> {
        // It talks to this machine's own server: a proxy between them would only see the token.
        let http = reqwest::Client::builder().timeout(DEADLINE).no_proxy().build();
        let Ok(base) = Url::parse(&file.url) else { return Err(Error::NoUrl { url: file.url }) };
        match http {
            Ok(http) => Ok(Self { file, base, http }),
            Err(source) => Err(Error::Unreachable { url: file.url, source }),
        }
    }

    /// All apps.
    ///
    /// # Errors
    /// [`Error::Unreachable`] and [`Error::Refused`], as for every call.
    pub async fn apps(&self) -> Result<Vec<App>, Error> {
        self.call::<(), Apps>(Method::GET, &["admin", "apps"], None).await.map(|answer| answer.apps)
    }

    /// Makes an app.
    ///
    /// # Errors
    /// [`Error::Unreachable`] and [`Error::Refused`].
    pub async fn create_app(&self, app: &CreateApp) -> Result<App, Error> {
        self.call(Method::POST, &["admin", "apps"], Some(app)).await
    }

    /// Gives `app`, a number or an API key, another secret.
    ///
    /// # Errors
    /// [`Error::Unreachable`] and [`Error::Refused`].
    pub async fn rotate_app(&self, app: &str) -> Result<App, Error> {
        self.call::<(), App>(Method::POST, &["admin", "apps", app, "rotate"], None).await
    }

    /// Refuses every call of `app`, a number or an API key, from now on.
    ///
    /// # Errors
    /// [`Error::Unreachable`] and [`Error::Refused`].
    pub async fn revoke_app(&self, app: &str) -> Result<App, Error> {
        self.call::<(), App>(Method::POST, &["admin", "apps", app, "revoke"], None).await
    }

    /// Makes a token.
    ///
    /// # Errors
    /// [`Error::Unreachable`] and [`Error::Refused`].
    pub async fn create_token(&self, token: &CreateToken) -> Result<Token, Error> {
        self.call(Method::POST, &["admin", "tokens"], Some(token)).await
    }

    /// The feed groups of `app`, a number or an API key.
    ///
    /// # Errors
    /// [`Error::Unreachable`] and [`Error::Refused`].
    pub async fn feed_groups(&self, app: &str) -> Result<FeedGroups, Error> {
        self.call::<(), _>(Method::GET, &["admin", "apps", app, "feed_groups"], None).await
    }

    /// Makes a feed group of `app`, or replaces its settings; answers it as it is then.
    ///
    /// # Errors
    /// [`Error::Unreachable`] and [`Error::Refused`].
    pub async fn put_feed_group(&self, app: &str, group: &FeedGroup) -> Result<Value, Error> {
        self.call(Method::PUT, &["admin", "apps", app, "feed_groups", &group.name], Some(group)).await
    }

    /// Takes a feed group of `app` away.
    ///
    /// # Errors
    /// [`Error::Unreachable`] and [`Error::Refused`].
    pub async fn remove_feed_group(&self, app: &str, name: &str) -> Result<(), Error> {
        self.call::<(), Value>(Method::DELETE, &["admin", "apps", app, "feed_groups", name], None).await.map(drop)
    }

    /// Who is told of what changes in the feeds of `app`, a number or an API key.
    ///
    /// # Errors
    /// [`Error::Unreachable`] and [`Error::Refused`].
    pub async fn feed_webhooks(&self, app: &str) -> Result<FeedWebhooks, Error> {
        self.call::<(), _>(Method::GET, &["admin", "apps", app, "feed_webhooks"], None).await
    }

    /// Makes a feed webhook of `app`, or replaces what it is; answers it as it is then.
    ///
    /// # Errors
    /// [`Error::Unreachable`] and [`Error::Refused`].
    pub async fn put_feed_webhook(&self, app: &str, webhook: &FeedWebhook) -> Result<Value, Error> {
        self.call(Method::PUT, &["admin", "apps", app, "feed_webhooks", &webhook.id], Some(webhook)).await
    }

    /// Takes a feed webhook of `app` away.
    ///
    /// # Errors
    /// [`Error::Unreachable`] and [`Error::Refused`].
    pub async fn remove_feed_webhook(&self, app: &str, id: &str) -> Result<(), Error> {
        self.call::<(), Value>(Method::DELETE, &["admin", "apps", app, "feed_webhooks", id], None).await.map(drop)
    }

    async fn call<B: Serialize, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&B>,
    ) -> Result<T, Error> {
        let unreachable = |source| Error::Unreachable { url: self.file.url.clone(), source };
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let mut request = self.http.request(method, url).bearer_auth(&self.file.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        if status.is_success() {
            return response.json().await.map_err(unreachable);
        }
        let text = response.text().await.map_err(unreachable)?;
        Err(Error::Refused { status, detail: detail(&text) })
    }
}

/// What an error body says, or all of it if it is not in the API's shape.
fn detail(text: &str) -> String {
    let body: Option<Value> = serde_json::from_str(text).ok();
    let detail = body.as_ref().and_then(|body| body["detail"].as_str());
    detail.unwrap_or(text).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    /// A server that gives one answer, and returns what it was asked.
    fn answering(status: &'static str, body: &'static str) -> (Admin, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut head = vec![0; 4096];
            let length = socket.read(&mut head).unwrap();
            let length_line = format!("content-length: {}", body.len());
            write!(socket, "HTTP/1.1 {status}\r\n{length_line}\r\nconnection: close\r\n\r\n{body}").unwrap();
            String::from_utf8_lossy(&head[..length]).to_lowercase()
        });
        (Admin::new(File { url, token: "mill-token".into() }).unwrap(), asked)
    }

    #[tokio::test]
    async fn calls_carry_the_token() {
        let (admin, asked) = answering("200 OK", r#"{"apps":[]}"#);
        assert_eq!(admin.apps().await.unwrap(), []);
        let asked = asked.join().unwrap();
        assert!(asked.starts_with("get /admin/apps http/1.1\r\n"), "{asked}");
        assert!(asked.contains("authorization: bearer mill-token\r\n"), "{asked}");
    }

    #[tokio::test]
    async fn a_refusal_says_what_the_server_said() {
        let (admin, _asked) = answering("404 Not Found", r#"{"detail":"there is no app 7"}"#);
        assert_eq!(admin.rotate_app("7").await.unwrap_err().to_string(), "there is no app 7 (status 404 Not Found)");
    }

    #[tokio::test]
    async fn a_server_that_is_gone_is_named() {
        let admin = Admin::new(File { url: "http://127.0.0.1:1".into(), token: String::new() }).unwrap();
        assert!(admin.apps().await.unwrap_err().to_string().starts_with("the server at http://127.0.0.1:1 does not"));
    }

    #[test]
    fn the_file_of_a_data_directory_is_found_or_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = Admin::of_data_dir(dir.path()).unwrap_err();
        assert!(error.to_string().contains(FILE_NAME), "{error}");
        let file = File { url: "http://127.0.0.1:1".into(), token: "t".into() };
        std::fs::write(dir.path().join(FILE_NAME), serde_json::to_vec(&file).unwrap()).unwrap();
        assert_eq!(Admin::of_data_dir(dir.path()).unwrap().file, file);
    }
}
