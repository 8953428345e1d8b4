//! A small typed client of the API, for tests that need many requests or must know an unknown outcome.
//!
//! It has its own types on purpose: sharing them with the server would let both be wrong together.

pub(crate) mod chat;
pub(crate) mod tasks;

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jsonwebtoken::{EncodingKey, Header};
use serde::{Deserialize, Serialize};

/// How long one request may take.
const REQUEST_MAX: Duration = Duration::from_secs(30);

/// An app's credentials.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) id: String,
}

/// What can go wrong with a request; the difference matters to whoever counts acknowledged writes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The server answered, and not with success: nothing was written.
    #[error("{method} {path} was answered {status}: {body}")]
    Refused { method: Method, path: String, status: StatusCode, body: String },
    /// No whole answer came: the request may or may not have taken effect.
    #[error("{method} {path} got no answer: {reason}")]
    Unanswered { method: Method, path: String, reason: String },
    /// The answer was a success, but not of the promised shape.
    #[error("{method} {path} was answered with {body:?}: {reason}")]
    Misshapen { method: Method, path: String, reason: String, body: String },
    /// A request that could not even be built.
    #[error("cannot build the request: {0}")]
    Unsendable(String),
}

pub(crate) type Result<T> = std::result::Result<T, Error>;

/// The claims of a server-side token with every right.
#[derive(Serialize)]
struct ServerClaims {
    resource: &'static str,
    action: &'static str,
    feed_id: &'static str,
    /// What chat asks for.
    server: bool,
}

/// An activity to add. `repo` is custom data.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct NewActivity<'a> {
    pub(crate) actor: &'a str,
    pub(crate) verb: &'a str,
    pub(crate) object: &'a str,
    pub(crate) foreign_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(crate) to: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) repo: Option<&'a str>,
}

/// An activity as it is read back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Activity {
    pub(crate) id: String,
    pub(crate) foreign_id: String,
    pub(crate) time: String,
    pub(crate) actor: String,
    pub(crate) verb: String,
    pub(crate) object: String,
    #[serde(default)]
    pub(crate) origin: Option<String>,
    #[serde(default)]
    pub(crate) repo: Option<String>,
}

/// One page of a flat feed; `next` is empty on the last one.
#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    pub(crate) results: Vec<Activity>,
    pub(crate) next: String,
}

/// A follow to make or found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Follow {
    pub(crate) source: String,
    pub(crate) target: String,
}

#[derive(Debug, Deserialize)]
struct Relation {
    target_id: String,
}

#[derive(Debug, Deserialize)]
struct Relations {
    results: Vec<Relation>,
}

/// A success whose body says nothing more.
#[derive(Debug, Deserialize)]
struct Done {}

/// A client of one app on one server. Clones share their connections.
#[derive(Clone)]
pub(crate) struct Api {
    http: Client<HttpConnector, Full<Bytes>>,
    origin: String,
    key: String,
    token: String,
}

impl Api {
    /// A client that may do everything in `app` on the server at `origin`.
    pub(crate) fn new(origin: &str, app: &App) -> anyhow::Result<Self> {
        let claims = ServerClaims { resource: "*", action: "*", feed_id: "*", server: true };
        let key = EncodingKey::from_secret(app.secret.as_bytes());
        Ok(Self {
            http: Client::builder(TokioExecutor::new()).build_http(),
            origin: origin.trim_end_matches('/').to_owned(),
            key: app.key.clone(),
            token: jsonwebtoken::encode(&Header::default(), &claims, &key)?,
        })
    }

    /// A client with the token of a user.
    pub(crate) fn of_user(origin: &str, app: &App, token: String) -> anyhow::Result<Self> {
        Ok(Self { token, ..Self::new(origin, app)? })
    }

    /// Adds one activity to `feed` (`slug:id`).
    pub(crate) async fn add(&self, feed: &str, activity: &NewActivity<'_>) -> Result<Activity> {
        self.send(Method::POST, &self.path(&format!("feed/{}/", in_path(feed)), ""), Some(activity)).await
    }

    /// Makes many follows in one request.
    pub(crate) async fn follow_many(&self, follows: &[Follow]) -> Result<()> {
        let done: Result<Done> = self.send(Method::POST, &self.path("follow_many/", ""), Some(follows)).await;
        done.map(drop)
    }

    /// Lets `source` follow `target`.
    pub(crate) async fn follow(&self, source: &str, target: &str) -> Result<()> {
        let path = self.path(&format!("feed/{}/following/", in_path(source)), "");
        let done: Result<Done> = self.send(Method::POST, &path, Some(&serde_json::json!({ "target": target }))).await;
        done.map(drop)
    }

    /// Ends a follow; its copies go.
    pub(crate) async fn unfollow(&self, source: &str, target: &str) -> Result<()> {
        let path = self.path(&format!("feed/{}/following/{target}/", in_path(source)), "");
        let done: Result<Done> = self.send(Method::DELETE, &path, None::<&()>).await;
        done.map(drop)
    }

    /// All feeds that `source` follows, newest first.
    pub(crate) async fn following(&self, source: &str) -> Result<Vec<String>> {
        const LIMIT: usize = 100;
        let mut targets = Vec::new();
        loop {
            let query = format!("limit={LIMIT}&offset={}", targets.len());
            let path = self.path(&format!("feed/{}/following/", in_path(source)), &query);
            let page: Relations = self.send(Method::GET, &path, None::<&()>).await?;
            let is_last = page.results.len() < LIMIT;
            targets.extend(page.results.into_iter().map(|relation| relation.target_id));
            if is_last {
                return Ok(targets);
            }
        }
    }

    /// The first page of `feed`.
    pub(crate) async fn first_page(&self, feed: &str, limit: usize) -> Result<Page> {
        let path = self.path(&format!("feed/{}/", in_path(feed)), &format!("limit={limit}"));
        self.send(Method::GET, &path, None::<&()>).await
    }

    /// The page behind a `next` link.
    pub(crate) async fn next_page(&self, next: &str) -> Result<Page> {
        self.send(Method::GET, next, None::<&()>).await
    }

    /// Every activity of `feed`, newest first, by walking the `next` links; also the number of pages.
    pub(crate) async fn whole_feed(&self, feed: &str) -> Result<(Vec<Activity>, usize)> {
        let mut page = self.first_page(feed, 100).await?;
        let (mut activities, mut pages) = (Vec::new(), 1);
        loop {
            activities.append(&mut page.results);
            if page.next.is_empty() {
                return Ok((activities, pages));
            }
            page = self.next_page(&page.next).await?;
            pages += 1;
        }
    }

    fn path(&self, relative: &str, query: &str) -> String {
        let separator = if query.is_empty() { "" } else { "&" };
        format!("/api/v1.0/{relative}?api_key={}{separator}{query}", self.key)
    }

    async fn send<B, T>(&self, method: Method, path: &str, body: Option<&B>) -> Result<T>
    where
        B: Serialize + ?Sized,
        T: for<'a> Deserialize<'a>,
    {
        let request = self.request(&method, path, body)?;
        let unanswered = |reason: String| Error::Unanswered { method: method.clone(), path: path.to_owned(), reason };
        let answer = async {
            let response = self.http.request(request).await.map_err(|error| unanswered(chain(&error)))?;
            let status = response.status();
            let body = response.into_body().collect().await.map_err(|error| unanswered(chain(&error)))?;
            Ok((status, body.to_bytes()))
        };
        let timed = tokio::time::timeout(REQUEST_MAX, answer).await;
        let (status, body) = timed.map_err(|_| unanswered(format!("none within {REQUEST_MAX:?}")))??;
        if !status.is_success() {
            let body = String::from_utf8_lossy(&body).into_owned();
            return Err(Error::Refused { method, path: path.to_owned(), status, body });
        }
        serde_json::from_slice(&body).map_err(|error| Error::Misshapen {
            method,
            path: path.to_owned(),
            reason: error.to_string(),
            body: String::from_utf8_lossy(&body).chars().take(500).collect(),
        })
    }

    fn request<B: Serialize + ?Sized>(
        &self,
        method: &Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<Request<Full<Bytes>>> {
        let unsendable = |error: &dyn std::fmt::Display| Error::Unsendable(error.to_string());
        let body = match body {
            Some(body) => serde_json::to_vec(body).map_err(|error| unsendable(&error))?,
            None => Vec::new(),
        };
        Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.origin))
            .header(header::AUTHORIZATION, &self.token)
            .header("Stream-Auth-Type", "jwt")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| unsendable(&error))
    }
}

/// `slug:id` as it stands in a path.
fn in_path(feed: &str) -> String {
    feed.replacen(':', "/", 1)
}

/// An error with all of its causes: hyper's own first line says little.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
