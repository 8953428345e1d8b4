//! Every route, on one screen, with what it asks of its callers (feeds-v1 §2.3).

use std::sync::Arc;

use axum::{
    Router,
    handler::Handler,
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter, get, on, post},
};
use wire::error::Code;

use crate::{
    Server, admin,
    auth::{Action, Resource},
    error::Error,
    feeds::{activities, follows, targets, timelines},
    gate::{self, Access, Covers, Users},
    reply,
};

use Action::{Delete, Read, Write};
use Covers::{App, Asked, Feed};
use Resource::{Activities, FeedTargets, Follower};
use Users::{ByPolicy, Refused};

/// All routes of the server.
pub(crate) fn routes(server: &Arc<Server>) -> Router {
    let feeds = Api { server, router: Router::new() }
        // path                                            asks (resource, action, feed, user tokens, rate)                          handler
        .route("feed/{group}/{id}", ask(Resource::Feed, Read, Feed, ByPolicy, "read_feed"), timelines::read)
        .route(
            "enrich/feed/{group}/{id}",
            ask(Resource::Feed, Read, Feed, ByPolicy, "read_feed"),
            timelines::read_enriched,
        )
        .route("feed/{group}/{id}", ask(Resource::Feed, Write, Feed, ByPolicy, "add_activities"), activities::add)
        .route(
            "feed/{group}/{id}/{activity}",
            ask(Resource::Feed, Delete, Feed, ByPolicy, "remove_activity"),
            activities::remove,
        )
        .route("feed/add_to_many", ask(Resource::Feed, Write, App, Refused, "add_to_many"), activities::add_to_many)
        .route("feed/{group}/{id}/follows", ask(Follower, Read, Feed, ByPolicy, "following"), follows::following)
        .route("feed/{group}/{id}/following", ask(Follower, Read, Feed, ByPolicy, "following"), follows::following)
        .route("feed/{group}/{id}/followers", ask(Follower, Read, Feed, ByPolicy, "followers"), follows::followers)
        .route("feed/{group}/{id}/follows", ask(Follower, Write, Feed, ByPolicy, "follow"), follows::add)
        .route("feed/{group}/{id}/following", ask(Follower, Write, Feed, ByPolicy, "follow"), follows::add)
        .route("feed/{group}/{id}/follows/{target}", ask(Follower, Delete, Feed, ByPolicy, "unfollow"), follows::remove)
        .route(
            "feed/{group}/{id}/following/{target}",
            ask(Follower, Delete, Feed, ByPolicy, "unfollow"),
            follows::remove,
        )
        .route("follow_many", ask(Follower, Write, App, Refused, "follow_many"), follows::add_many)
        .route("unfollow_many", ask(Follower, Write, App, Refused, "unfollow_many"), follows::remove_many)
        .route("stats/follow", ask(Follower, Read, Asked, ByPolicy, "followers"), follows::stats)
        .route(
            "feed_targets/{group}/{id}/activity_to_targets",
            ask(FeedTargets, Write, Feed, Refused, "update_to_targets"),
            targets::update,
        )
        .route("activities", ask(Activities, Read, App, ByPolicy, "read_feed"), activities::get)
        .route("enrich/activities", ask(Activities, Read, App, ByPolicy, "read_feed"), activities::get_enriched)
        .route("activities", ask(Activities, Write, App, Refused, "update_activities"), activities::update)
        .route("activity", ask(Activities, Write, App, Refused, "update_activities"), activities::change)
        .router;
    let admin = Router::new()
        .route("/admin/apps", get(admin::list).post(admin::create))
        .route("/admin/apps/{app}/rotate", post(admin::rotate))
        .route("/admin/apps/{app}/revoke", post(admin::revoke))
        .route("/admin/tokens", post(admin::token))
        .route_layer(from_fn_with_state(server.clone(), admin::pass))
        .with_state(server.clone());
    feeds.merge(admin).fallback(unknown_path).method_not_allowed_fallback(wrong_method).layer(from_fn(finish))
}

/// What a route asks.
const fn ask(resource: Resource, action: Action, covers: Covers, users: Users, rate: &'static str) -> Access {
    Access { resource, action, covers, users, rate }
}

/// The routes under `/api/v1.0/`, each behind the gate and with and without a slash at its end.
struct Api<'s> {
    server: &'s Arc<Server>,
    router: Router,
}

impl Api<'_> {
    fn route<H, T>(self, path: &str, access: Access, handler: H) -> Self
    where
        H: Handler<T, ()>,
        T: 'static,
    {
        let gate = from_fn_with_state((self.server.clone(), access), gate::pass);
        let method: MethodRouter = on(method(access.action), handler).layer(gate);
        let router = self.router.route(&format!("/api/v1.0/{path}"), method.clone());
        Api { router: router.route(&format!("/api/v1.0/{path}/"), method), ..self }
    }
}

/// The method that a route with this action answers to; GET answers HEAD too.
fn method(action: Action) -> MethodFilter {
    match action {
        Action::Read => MethodFilter::GET,
        Action::Write => MethodFilter::POST,
        Action::Delete => MethodFilter::DELETE,
    }
}

async fn unknown_path() -> Error {
    Error::new(
        Code::DoesNotExist,
        "there is no such path; this version of Millpond serves flat feeds of the feeds API v1.0",
    )
}

async fn wrong_method() -> Error {
    Error { status: 405, ..Error::new(Code::NotAllowed, "this path does not take this method") }
}

/// Finishes what did not pass the gate.
async fn finish(request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    let started = std::time::Instant::now();
    reply::finish(next.run(request).await.into_response(), started)
}
