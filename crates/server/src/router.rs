//! Every route, on one screen, with what it asks of its callers (feeds-v1 §2.3).

use std::sync::Arc;

use axum::{
    Router,
    extract::{RawPathParams, Request, rejection::RawPathParamsRejection},
    response::Response,
    routing::{MethodFilter, MethodRouter, on},
};
use wire::error::Code;

use crate::{
    Server, admin,
    auth::{Action, Resource},
    chat,
    error::Error,
    exports,
    feeds::{
        activities, analytics, audit_logs, collections, faye, files as feed_files, follows, og, privacy, reactions,
        targets, timelines, users,
    },
    files,
    front::Platform,
    gate::{self, Access, Carried, Covers, Erased, Handler, Params, Users},
    imports,
    reply::Reply,
};

use Action::{Delete, Read, Write};
use Covers::{Any, App, Asked, Feed};
use Resource::{
    Activities, Analytics, Collections, DataPrivacy, FeedTargets, Files, Follower, Moderation, Personalization,
    Reactions, RedirectAndTrack,
};
use Users::{ByPolicy, Refused};

/// Where realtime is served.
pub(crate) const FAYE: [&str; 2] = ["/faye", "/faye/"];

/// What reading a feed asks.
pub(crate) const READ_FEED: Access = ask(Resource::Feed, Read, Feed, ByPolicy, "read_feed");
/// What posting to a feed asks.
pub(crate) const ADD_ACTIVITIES: Access = ask(Resource::Feed, Write, Feed, ByPolicy, "add_activities");
/// What following asks.
pub(crate) const FOLLOW: Access = ask(Follower, Write, Feed, ByPolicy, "follow");
/// What reacting asks.
pub(crate) const ADD_REACTION: Access = ask(Reactions, Write, App, ByPolicy, "reactions");

/// A route of feeds, or of the administrator, as the tables here declare it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub method: &'static str,
    /// The path below `/api/v1.0/` or `/admin/`, or a whole one that begins with a slash; its parameters in braces.
    pub path: &'static str,
}

/// The routes of feeds, as their table declares them.
pub(crate) fn of_feeds(server: &Arc<Server>) -> Vec<Route> {
    feeds(server).declared
}

/// The administrator's routes, as their table declares them.
pub(crate) fn of_the_administrator(server: &Arc<Server>) -> Vec<Route> {
    administrator(server).declared
}

/// The table of feeds. Who may call what stands in `tests/feeds/access.txt`, too.
fn feeds(server: &Arc<Server>) -> Api<'_> {
    Api { server, router: Router::new(), declared: Vec::new() }
        // path                                            asks (resource, action, feed, user tokens, rate)                          handler
        .route("feed/{group}/{id}", READ_FEED, timelines::read)
        .route("enrich/feed/{group}/{id}", READ_FEED, timelines::read_enriched)
        .route("feed/{group}/{id}", ADD_ACTIVITIES, activities::add)
        .route(
            "feed/{group}/{id}/{activity}",
            ask(Resource::Feed, Delete, Feed, ByPolicy, "remove_activity"),
            activities::remove,
        )
        .route("feed/add_to_many", ask(Resource::Feed, Write, App, Refused, "add_to_many"), activities::add_to_many)
        .route("feed/{group}/{id}/follows", ask(Follower, Read, Feed, ByPolicy, "following"), follows::following)
        .route("feed/{group}/{id}/following", ask(Follower, Read, Feed, ByPolicy, "following"), follows::following)
        .route("feed/{group}/{id}/followers", ask(Follower, Read, Feed, ByPolicy, "followers"), follows::followers)
        .route("feed/{group}/{id}/follows", FOLLOW, follows::add)
        .route("feed/{group}/{id}/following", FOLLOW, follows::add)
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
        // What users make of activities.
        .route("reaction", ADD_REACTION, reactions::add)
        .route("reaction/get_many", ask(Reactions, Read, App, ByPolicy, "reactions"), reactions::get_many)
        .route("reaction/{id}", ask(Reactions, Read, App, ByPolicy, "reactions"), reactions::get)
        .put("reaction/{id}", ask(Reactions, Write, App, ByPolicy, "reactions"), reactions::update)
        .route("reaction/{id}", ask(Reactions, Delete, App, ByPolicy, "reactions"), reactions::remove)
        .put("reaction/{id}/restore", ask(Reactions, Write, App, ByPolicy, "reactions"), reactions::restore)
        .route("reaction/{id}/{value}", ask(Reactions, Read, App, ByPolicy, "reactions"), reactions::list)
        .route("reaction/{id}/{value}/{kind}", ask(Reactions, Read, App, ByPolicy, "reactions"), reactions::list_kind)
        .route("collections", ask(Collections, Write, App, Refused, "collections_batch"), collections::upsert)
        .route("collections", ask(Collections, Read, App, Refused, "collections_batch"), collections::select)
        .route("collections", ask(Collections, Delete, App, Refused, "collections_batch"), collections::remove_many)
        .route("collections/meta", ask(Collections, Write, App, Refused, "collections_batch"), collections::upsert)
        .route("collections/meta", ask(Collections, Read, App, Refused, "collections_batch"), collections::select)
        .route(
            "collections/meta",
            ask(Collections, Delete, App, Refused, "collections_batch"),
            collections::remove_many,
        )
        .route(
            "collections/{collection}",
            ask(Collections, Write, App, ByPolicy, "collection_object"),
            collections::add,
        )
        .route(
            "collections/{collection}/{id}",
            ask(Collections, Read, App, ByPolicy, "collection_object"),
            collections::get,
        )
        .put(
            "collections/{collection}/{id}",
            ask(Collections, Write, App, ByPolicy, "collection_object"),
            collections::update,
        )
        .route(
            "collections/{collection}/{id}",
            ask(Collections, Delete, App, ByPolicy, "collection_object"),
            collections::remove,
        )
        .route("user", ask(Resource::Users, Write, App, ByPolicy, "users"), users::create)
        .route("user/{id}", ask(Resource::Users, Read, App, ByPolicy, "users"), users::get)
        .put("user/{id}", ask(Resource::Users, Write, App, ByPolicy, "users"), users::update)
        .route("user/{id}", ask(Resource::Users, Delete, App, ByPolicy, "users"), users::remove)
        .route("users", ask(Resource::Users, Write, App, Refused, "users"), users::create_many)
        .route("users", ask(Resource::Users, Read, App, Refused, "users"), users::get_many)
        .route("users", ask(Resource::Users, Delete, App, Refused, "users"), users::remove_many)
        .route("files", ask(Files, Write, App, ByPolicy, "files"), feed_files::add)
        .route("files", ask(Files, Delete, App, ByPolicy, "files"), feed_files::remove)
        .route("images", ask(Files, Write, App, ByPolicy, "files"), feed_files::add_image)
        .route("images", ask(Files, Read, App, ByPolicy, "files"), feed_files::process)
        .route("images", ask(Files, Delete, App, ByPolicy, "files"), feed_files::remove)
        // Whatever a scope is over will do.
        .route("og", ask(Files, Read, Asked, ByPolicy, "og"), og::get)
        .route("audit_logs", ask(Resource::AuditLogs, Read, App, Refused, "audit_logs"), audit_logs::list)
        .route(
            "data_privacy/delete_activities",
            ask(DataPrivacy, Write, App, Refused, "data_privacy"),
            privacy::delete_activities,
        )
        .route(
            "data_privacy/delete_reactions",
            ask(DataPrivacy, Write, App, Refused, "data_privacy"),
            privacy::delete_reactions,
        )
        .route(
            "data_privacy/export_ids/{user_id}",
            ask(DataPrivacy, Read, App, Refused, "data_privacy"),
            privacy::export_ids,
        )
        .route("moderation/flag", ask(Moderation, Write, App, Refused, "moderation"), privacy::flag)
        .route("moderation/status", ask(Moderation, Read, App, Refused, "moderation"), privacy::status)
        .route("moderation/status/batch", ask(Moderation, Write, App, Refused, "moderation"), privacy::statuses)
        .route("moderation/user/cache/{id}", ask(Moderation, Delete, App, Refused, "moderation"), privacy::drop_cache)
        .route("personalization/feed", ask(Personalization, Read, App, ByPolicy, "read_feed"), privacy::personalized)
        .route(
            "enrich/personalization/feed",
            ask(Personalization, Read, App, ByPolicy, "read_feed"),
            privacy::personalized,
        )
        .route("/analytics/v1.0/engagement", ask(Analytics, Write, Any, ByPolicy, "analytics"), analytics::engage)
        .route("/analytics/v1.0/impression", ask(Analytics, Write, Any, ByPolicy, "analytics"), analytics::impress)
        // With a user's own token one could make links in this server's name.
        .route(
            "/analytics/redirect",
            Access { token: Carried::InQuery, ..ask(RedirectAndTrack, Read, Any, Refused, "analytics") },
            analytics::redirect,
        )
}

/// The administrator's table.
fn administrator(server: &Arc<Server>) -> Admin<'_> {
    Admin { server, router: Router::new(), declared: Vec::new() }
        .route("apps", MethodFilter::GET, admin::list)
        .route("apps", MethodFilter::POST, admin::create)
        .route("apps/{app}/rotate", MethodFilter::POST, admin::rotate)
        .route("apps/{app}/revoke", MethodFilter::POST, admin::revoke)
        .route("apps/{app}/feed_groups", MethodFilter::GET, admin::feed_groups::list)
        .route("apps/{app}/feed_groups/{name}", MethodFilter::PUT, admin::feed_groups::put)
        .route("apps/{app}/feed_groups/{name}", MethodFilter::DELETE, admin::feed_groups::remove)
        .route("apps/{app}/feed_webhooks", MethodFilter::GET, admin::feed_webhooks::list)
        .route("apps/{app}/feed_webhooks/{id}", MethodFilter::PUT, admin::feed_webhooks::put)
        .route("apps/{app}/feed_webhooks/{id}", MethodFilter::DELETE, admin::feed_webhooks::remove)
        .route("tokens", MethodFilter::POST, admin::token)
}

/// All routes of the server.
pub(crate) fn routes(server: &Arc<Server>) -> Router {
    let (for_paths, for_methods) = (server.clone(), server.clone());
    let (for_files, for_exports, for_imports) = (server.clone(), server.clone(), server.clone());
    let file = async move |request: Request| files::download(for_files, request).await;
    let faye = Router::new().route(FAYE[0], bayeux(server)).route(FAYE[1], bayeux(server));
    let download = async move |request: Request| exports::download(for_exports, request).await;
    let upload = async move |request: Request| imports::upload(for_imports, request).await;
    feeds(server)
        .router
        .merge(faye)
        .merge(administrator(server).router)
        .route(files::ROUTE, on(MethodFilter::GET, file))
        .route(&format!("{}{{*file}}", exports::PREFIX), on(MethodFilter::GET, download))
        .route(imports::ROUTE, on(MethodFilter::PUT, upload))
        .merge(chat::router::routes(server))
        .fallback(async move |request| refused(&for_paths, &request, unknown_path))
        .method_not_allowed_fallback(async move |request| refused(&for_methods, &request, wrong_method))
}

/// Realtime: its messages bring their own tokens (§9).
fn bayeux(server: &Arc<Server>) -> MethodRouter {
    let server = server.clone();
    on(MethodFilter::GET.or(MethodFilter::POST), async move |request: Request| faye::answer(server, request).await)
}

/// What a route asks.
const fn ask(resource: Resource, action: Action, covers: Covers, users: Users, rate: &'static str) -> Access {
    Access { resource, action, covers, users, rate, token: Carried::InHeader }
}

/// The routes under `/api/v1.0/` and beside it, each behind the gate and with and without a slash at its end.
struct Api<'s> {
    server: &'s Arc<Server>,
    router: Router,
    declared: Vec<Route>,
}

impl Api<'_> {
    fn route<Args>(self, path: &'static str, access: Access, handler: impl Handler<Args>) -> Self {
        self.on(method(access.action), path, access, handler.erased())
    }

    /// A route that writes by PUT.
    fn put<Args>(self, path: &'static str, access: Access, handler: impl Handler<Args>) -> Self {
        self.on(MethodFilter::PUT, path, access, handler.erased())
    }

    fn on(mut self, by: MethodFilter, path: &'static str, access: Access, handler: Erased) -> Self {
        let server = self.server.clone();
        self.declared.push(Route { method: named(&by), path });
        let answer = async move |params: RawParams, request: Request| {
            let started = gate::started(request.extensions());
            gate::answer(server, access, decoded(params), request, started, handler).await
        };
        let method = on(by, answer);
        let whole = if path.starts_with('/') { path.to_owned() } else { format!("/api/v1.0/{path}") };
        let router = self.router.route(&whole, method.clone());
        Api { router: router.route(&format!("{whole}/"), method), ..self }
    }
}

/// The routes under `/admin/`, for the administrator alone.
struct Admin<'s> {
    server: &'s Arc<Server>,
    router: Router,
    declared: Vec<Route>,
}

impl Admin<'_> {
    fn route(mut self, path: &'static str, method: MethodFilter, handler: impl admin::Handler) -> Self {
        let server = self.server.clone();
        self.declared.push(Route { method: named(&method), path });
        let answer = async move |params: RawParams, request: Request| {
            admin::answer(server, decoded(params), request, handler).await
        };
        Admin { router: self.router.route(&format!("/admin/{path}"), on(method, answer)), ..self }
    }
}

/// The parts of a path as axum finds them.
pub(crate) type RawParams = Result<RawPathParams, RawPathParamsRejection>;

/// The parts of a path, decoded.
pub(crate) fn decoded(params: RawParams) -> Result<Params, Error> {
    let params = params.map_err(|_| Error::input("the path is not valid UTF-8"))?;
    Ok(Params::Named(params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()))
}

/// The method that a route with this action answers to, unless it is PUT; GET answers HEAD too.
fn method(action: Action) -> MethodFilter {
    match action {
        Action::Read => MethodFilter::GET,
        Action::Write => MethodFilter::POST,
        Action::Delete => MethodFilter::DELETE,
    }
}

/// The name of a method.
fn named(method: &MethodFilter) -> &'static str {
    let names = [
        (MethodFilter::DELETE, "DELETE"),
        (MethodFilter::GET, "GET"),
        (MethodFilter::POST, "POST"),
        (MethodFilter::PUT, "PUT"),
    ];
    names.into_iter().find(|(known, _)| known == method).map_or("", |(_, name)| name)
}

fn unknown_path(request: &Request) -> Reply {
    let words = "Not Found: there is no such path in this version of Millpond";
    match chat::is_chat(request) {
        true => chat::Error::new(wire::chat::error::Code::DoesNotExist, words).reply("Request"),
        false => Error::new(Code::DoesNotExist, words).into(),
    }
}

fn wrong_method(request: &Request) -> Reply {
    let words = "this path does not take this method";
    match chat::is_chat(request) {
        true => chat::Error::new(wire::chat::error::Code::WrongMethod, words).reply("Request"),
        false => Error { status: 405, ..Error::new(Code::NotAllowed, words) }.into(),
    }
}

/// The answer to what no route takes. No app's limits count it, and it tells of limits as every answer does (§10).
fn refused(server: &Server, request: &Request, answer: fn(&Request) -> Reply) -> Response {
    let rate = server.rates.look(0, "unknown", Platform::of(request.headers()), server.clock.now_micros());
    let mut response = answer(request).finish(gate::started(request.extensions()));
    rate.write_headers(response.headers_mut());
    response
}
