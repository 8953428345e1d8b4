//! The endpoint that is most of the traffic, reading a feed, on the short way around the router.

use std::{borrow::Cow, sync::Arc};

use axum::{body::Body, extract::Request};
use http::Method;

use crate::{
    Server,
    feeds::timelines,
    front::{Fast, FastAnswer},
    gate::{self, Params},
    router::READ_FEED,
};

const ROUTE: &str = "/api/v1.0/feed/{group}/{id}";

/// Reading a feed.
pub(crate) struct ReadFeed(pub(crate) Arc<Server>);

impl Fast for ReadFeed {
    fn endpoints(&self) -> Vec<(Method, &'static str)> {
        vec![(Method::GET, ROUTE)]
    }

    fn choose(&self, method: &Method, path: &str) -> Option<usize> {
        (method == Method::GET && group_and_id(path).is_some()).then_some(0)
    }

    fn answer(&self, _: usize, request: Request<Body>) -> FastAnswer {
        let (group, id) = group_and_id(request.uri().path()).expect("the endpoint was chosen for its path");
        let part = |name, value: &str| (Cow::Borrowed(name), value.to_owned());
        let params = Params(vec![part("group", group), part("id", id)]);
        let server = self.0.clone();
        Box::pin(async { Ok(gate::answer(server, READ_FEED, Ok(params), request, timelines::read).await) })
    }
}

/// The parts of the path of a feed; `None` for any other path, and for one that needs decoding.
fn group_and_id(path: &str) -> Option<(&str, &str)> {
    let feed = path.strip_prefix("/api/v1.0/feed/")?;
    let (group, id) = feed.strip_suffix('/').unwrap_or(feed).split_once('/')?;
    let is_plain = |part: &str| !part.is_empty() && !part.bytes().any(|byte| byte == b'/' || byte == b'%');
    (is_plain(group) && is_plain(id)).then_some((group, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_path_of_a_feed_is_taken() {
        assert_eq!(group_and_id("/api/v1.0/feed/user/amy/"), Some(("user", "amy")));
        assert_eq!(group_and_id("/api/v1.0/feed/user/amy"), Some(("user", "amy")));
        for path in [
            "/api/v1.0/feed/user/amy/follows/",
            "/api/v1.0/feed/user//",
            "/api/v1.0/feed/user",
            "/api/v1.0/feed//amy/",
            "/api/v1.0/feed/user/am%79/",
            "/api/v1.0/enrich/feed/user/amy/",
        ] {
            assert_eq!(group_and_id(path), None, "{path}");
        }
    }
}
