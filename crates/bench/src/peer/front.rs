//! "The same front on Redis": a timeline as a list of activity ids, activities as JSON strings, joined to the same page.
//!
//! It is what an application would write at its best: a connection to Redis for each client connection, two commands a
//! page, no parsing of the activities.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use bytes::{Bytes, BytesMut};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response, StatusCode};
use tokio::sync::Mutex;

use super::auth::Auth;
use super::serve::{Answer, serve};
use crate::redis::{Commands, Link};

/// The group whose feeds are served.
const GROUP: &str = "timeline";
/// The path before the feed's id.
const PATH: &str = "/api/v1.0/feed/timeline/";

/// What all connections share.
struct Front {
    auth: Auth,
    redis: SocketAddr,
    /// The `next` of a page, cut at its places: before the feed, between feed and id, behind the id.
    next: [String; 3],
}

/// Listens, and answers pages.
pub(super) async fn run(listen: SocketAddr, redis: SocketAddr, secret: &str, next: &str) -> Result<()> {
    let front = Arc::new(Front { auth: Auth::new(secret), redis, next: cut(next)? });
    serve(listen, move || {
        let front = Arc::clone(&front);
        let link = Arc::new(Mutex::new(None));
        move |request| {
            let (front, link) = (Arc::clone(&front), Arc::clone(&link));
            async move { Ok::<_, Infallible>(answer(&front, &link, &request).await) }
        }
    })
    .await
}

fn cut(next: &str) -> Result<[String; 3]> {
    let (before, rest) = next.split_once("{feed}").context("`next` has no {feed}")?;
    let (between, behind) = rest.split_once("{id}").context("`next` has no {id} behind its {feed}")?;
    Ok([before.to_owned(), between.to_owned(), behind.to_owned()])
}

async fn answer(front: &Front, link: &Mutex<Option<Link>>, request: &Request<Incoming>) -> Answer {
    let since = Instant::now();
    let Some(feed) = request.uri().path().strip_prefix(PATH).map(|rest| rest.trim_end_matches('/')) else {
        return response(StatusCode::NOT_FOUND, Bytes::from_static(b"{}"));
    };
    let token = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !front.auth.allows_read(token, GROUP, feed) {
        return response(StatusCode::FORBIDDEN, Bytes::from_static(b"{}"));
    }
    match page(front, &mut *link.lock().await, feed, since).await {
        Ok(body) => response(StatusCode::OK, body),
        Err(error) => response(StatusCode::INTERNAL_SERVER_ERROR, Bytes::from(format!("{error:#}"))),
    }
}

async fn page(front: &Front, link: &mut Option<Link>, feed: &str, since: Instant) -> Result<Bytes> {
    let link = match link {
        Some(link) => link,
        None => link.insert(Link::open(front.redis).await?),
    };
    let list = [b"t:", feed.as_bytes()].concat();
    let ids = link.command(&[b"LRANGE", &list, b"0", b"24"]).await?.into_parts()?;
    ensure!(!ids.is_empty(), "an empty timeline");
    let activities = read_activities(link, &ids).await?;
    let last = ids.last().map(|id| String::from_utf8_lossy(id)).unwrap_or_default();
    Ok(join(&activities, &front.next, feed, &last, since))
}

async fn read_activities(link: &mut Link, ids: &[Bytes]) -> Result<Vec<Bytes>> {
    let mut commands = Commands::default();
    commands.open(ids.len() + 1);
    commands.part(b"MGET");
    for id in ids {
        commands.part(&[b"a:", &id[..]].concat());
    }
    link.run(&commands).await?.pop().context("no reply")?.into_parts()
}

fn join(activities: &[Bytes], next: &[String; 3], feed: &str, last: &str, since: Instant) -> Bytes {
    let length: usize = activities.iter().map(|activity| activity.len() + 1).sum();
    let mut body = BytesMut::with_capacity(length + 512);
    body.extend_from_slice(b"{\"results\":[");
    for (index, activity) in activities.iter().enumerate() {
        if index > 0 {
            body.extend_from_slice(b",");
        }
        body.extend_from_slice(activity);
    }
    let [before, between, behind] = next;
    for part in ["],\"next\":\"", before, feed, between, last, behind, "\",\"duration\":\""] {
        body.extend_from_slice(part.as_bytes());
    }
    body.extend_from_slice(format!("{:.2}ms\"}}", since.elapsed().as_secs_f64() * 1e3).as_bytes());
    body.freeze()
}

fn response(status: StatusCode, body: Bytes) -> Answer {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_joined_from_its_parts() {
        let activities = [Bytes::from_static(b"{\"id\":\"2\"}"), Bytes::from_static(b"{\"id\":\"1\"}")];
        let next = cut("/feed/{feed}/?id_lt={id}&limit=25").unwrap();
        let body = join(&activities, &next, "amy", "1", Instant::now());
        let text = std::str::from_utf8(&body).unwrap();
        let expected = r#"{"results":[{"id":"2"},{"id":"1"}],"next":"/feed/amy/?id_lt=1&limit=25","duration":""#;
        assert!(text.starts_with(expected), "{text}");
        assert!(serde_json::from_str::<serde_json::Value>(text).is_ok());
    }

    #[test]
    fn a_next_without_its_places_is_refused() {
        assert!(cut("/feed/{feed}/").is_err());
        assert!(cut("/feed/amy/?id_lt={id}").is_err());
    }
}
