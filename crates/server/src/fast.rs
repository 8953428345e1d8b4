//! The endpoints that are most of the traffic, on the short way around the router: reading a feed, posting to it,
//! following, reacting.

use std::{sync::Arc, time::Instant};

use axum::{body::Body, extract::Request};
use futures_util::FutureExt;
use http::Method;

use crate::{
    Server,
    feeds::{activities, follows, reactions, timelines},
    front::{Fast, FastAnswer},
    gate::{self, Access, Erased, Handler, Params},
    router::{ADD_ACTIVITIES, ADD_REACTION, FOLLOW, READ_FEED},
};

/// The frequent endpoints.
pub(crate) struct Frequent {
    server: Arc<Server>,
    /// As many as [`Endpoint::ALL`], in that order.
    handlers: [(Access, Erased); Endpoint::ALL.len()],
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Endpoint {
    ReadFeed,
    AddActivities,
    Follow,
    AddReaction,
}

impl Endpoint {
    const ALL: [Endpoint; 4] = [Endpoint::ReadFeed, Endpoint::AddActivities, Endpoint::Follow, Endpoint::AddReaction];

    /// What it asks of its callers, and who answers: as the router has it.
    fn handler(self) -> (Access, Erased) {
        match self {
            Endpoint::ReadFeed => (READ_FEED, timelines::read.erased()),
            Endpoint::AddActivities => (ADD_ACTIVITIES, activities::add.erased()),
            Endpoint::Follow => (FOLLOW, follows::add.erased()),
            Endpoint::AddReaction => (ADD_REACTION, reactions::add.erased()),
        }
    }

    fn route(self) -> (Method, &'static str) {
        match self {
            Endpoint::ReadFeed => (Method::GET, "/api/v1.0/feed/{group}/{id}"),
            Endpoint::AddActivities => (Method::POST, "/api/v1.0/feed/{group}/{id}"),
            Endpoint::Follow => (Method::POST, "/api/v1.0/feed/{group}/{id}/follows"),
            Endpoint::AddReaction => (Method::POST, "/api/v1.0/reaction"),
        }
    }

    /// The endpoint that takes this request, with the feed in its path; `None` for any other, and for a path that needs
    /// decoding.
    fn of<'p>(method: &Method, path: &'p str) -> Option<(Self, Option<(&'p str, &'p str)>)> {
        let path = path.strip_prefix("/api/v1.0/")?;
        let path = path.strip_suffix('/').unwrap_or(path);
        if path == "reaction" {
            return (method == Method::POST).then_some((Endpoint::AddReaction, None));
        }
        let feed = path.strip_prefix("feed/")?;
        let (endpoint, feed) = match feed.strip_suffix("/follows") {
            Some(feed) if method == Method::POST => (Endpoint::Follow, feed),
            None if method == Method::POST => (Endpoint::AddActivities, feed),
            None if method == Method::GET => (Endpoint::ReadFeed, feed),
            _ => return None,
        };
        Some((endpoint, Some(group_and_id(feed)?)))
    }
}

impl Fast for Frequent {
    fn endpoints(&self) -> Vec<(Method, &'static str)> {
        Endpoint::ALL.map(Endpoint::route).into()
    }

    fn choose(&self, method: &Method, path: &str) -> Option<usize> {
        let (endpoint, _) = Endpoint::of(method, path)?;
        Endpoint::ALL.iter().position(|known| *known == endpoint)
    }

    fn answer(&self, endpoint: usize, request: Request<Body>, started: Instant) -> FastAnswer {
        let (_, feed) =
            Endpoint::of(request.method(), request.uri().path()).expect("the endpoint was chosen for this request");
        let params = feed.map_or(Ok(Params::Named(Vec::new())), |(group, id)| Params::of_feed(group, id));
        let (server, (access, handler)) = (self.server.clone(), self.handlers[endpoint].clone());
        // Through the gate that the router has, too.
        Box::pin(gate::answer(server, access, params, request, started, handler).map(Ok))
    }
}

impl Frequent {
    /// The frequent endpoints of this server.
    pub(crate) fn new(server: Arc<Server>) -> Self {
        Frequent { server, handlers: Endpoint::ALL.map(Endpoint::handler) }
    }
}

/// The two parts of a feed's name, if they need no decoding.
fn group_and_id(feed: &str) -> Option<(&str, &str)> {
    let (group, id) = feed.split_once('/')?;
    let is_plain = |part: &str| !part.is_empty() && !part.bytes().any(|byte| byte == b'/' || byte == b'%');
    (is_plain(group) && is_plain(id)).then_some((group, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_path_of_a_feed_is_read_and_posted_to() {
        for (method, endpoint) in [(Method::GET, Endpoint::ReadFeed), (Method::POST, Endpoint::AddActivities)] {
            let taken = Some((endpoint, Some(("user", "amy"))));
            assert_eq!(Endpoint::of(&method, "/api/v1.0/feed/user/amy/"), taken);
            assert_eq!(Endpoint::of(&method, "/api/v1.0/feed/user/amy"), taken);
            for path in [
                "/api/v1.0/feed/user/amy/following/",
                "/api/v1.0/feed/user//",
                "/api/v1.0/feed/user",
                "/api/v1.0/feed/add_to_many/",
                "/api/v1.0/feed//amy/",
                "/api/v1.0/feed/user/am%79/",
                "/api/v1.0/enrich/feed/user/amy/",
            ] {
                assert_eq!(Endpoint::of(&method, path), None, "{path}");
            }
        }
        assert_eq!(Endpoint::of(&Method::DELETE, "/api/v1.0/feed/user/amy/"), None);
    }

    #[test]
    fn following_and_reacting_are_taken_when_they_are_posted() {
        let follow = Some((Endpoint::Follow, Some(("user", "amy"))));
        assert_eq!(Endpoint::of(&Method::POST, "/api/v1.0/feed/user/amy/follows/"), follow);
        assert_eq!(Endpoint::of(&Method::GET, "/api/v1.0/feed/user/amy/follows/"), None);
        assert_eq!(Endpoint::of(&Method::POST, "/api/v1.0/feed/user/amy/follows/b/"), None);
        assert_eq!(Endpoint::of(&Method::POST, "/api/v1.0/reaction/"), Some((Endpoint::AddReaction, None)));
        assert_eq!(Endpoint::of(&Method::PUT, "/api/v1.0/reaction/"), None);
        assert_eq!(Endpoint::of(&Method::POST, "/api/v1.0/reaction/one/"), None);
    }
}
