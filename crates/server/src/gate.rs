//! What happens before and after every handler of the API: whose call it is, whether it may be made, how often, and how
//! the answer is finished.
//!
//! Order of checks (feeds-v1 §3): API key, token, scope, rate; the handler then checks policy, body and the rest.

use std::{sync::Arc, time::Instant};

use axum::{body::Body, extract::Request, response::Response};
use bytes::Bytes;
use domain::feeds::{activities::Moment, groups::Group, policy};
use futures_util::future::BoxFuture;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Uri, header, request::Parts, uri::PathAndQuery};
use http_body_util::BodyExt;
use ids::{FeedId, Timestamp, UserId};
use wire::error::Code;

use crate::{
    Server,
    apps::Tenant,
    auth::{self, Action, Caller, Resource},
    error::{Error, Result},
    front::{Platform, Started, Verdict},
    query::Query,
    reply::{Answer, Reply},
    seal,
};

/// What a route asks of its callers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Access {
    /// What it is about.
    pub(crate) resource: Resource,
    /// What it does.
    pub(crate) action: Action,
    /// Which feed a scope must cover.
    pub(crate) covers: Covers,
    /// Whether user tokens may try; the handler then asks the policy.
    pub(crate) users: Users,
    /// Under which name it is counted against the rate limits (§10).
    pub(crate) rate: &'static str,
    /// Where its token stands.
    pub(crate) token: Carried,
}

/// Where a call carries its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carried {
    /// In the header `Authorization`.
    InHeader,
    /// In the parameter `authorization`: a browser that follows a link has no header to say it in.
    InQuery,
}

/// Which feed a scope must cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Covers {
    /// The feed in the path.
    Feed,
    /// Every feed of the app.
    App,
    /// Any feed: the call is about none.
    Any,
    /// The handler asks, for the feed stands in the query.
    Asked,
}

/// What user tokens may do on a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Users {
    /// Nothing.
    Refused,
    /// What the handler allows by policy.
    ByPolicy,
}

/// The decoded parts of a path.
pub(crate) enum Params {
    /// By the names that its route gives them.
    Named(Vec<(String, String)>),
    /// The parts `group` and `id`.
    Feed(FeedId),
}

impl Params {
    /// The part called `name`.
    pub(crate) fn get(&self, name: &str) -> &str {
        let part = match self {
            Params::Named(parts) => parts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()),
            Params::Feed(feed) => [("group", feed.group()), ("id", feed.id())]
                .into_iter()
                .find_map(|(known, value)| (known == name).then_some(value)),
        };
        part.expect("the route has this part in its path")
    }

    /// Those of a feed's path.
    ///
    /// # Errors
    /// 400 when the feed cannot be called so.
    pub(crate) fn of_feed(group: &str, id: &str) -> Result<Self> {
        FeedId::new(group, id).map(Params::Feed).map_err(|error| Error::input(error.to_string()))
    }

    fn feed(&self) -> Result<FeedId> {
        match self {
            Params::Feed(feed) => Ok(feed.clone()),
            Params::Named(_) => Params::of_feed(self.get("group"), self.get("id"))?.feed(),
        }
    }
}

/// A call that may be made: who makes it, of which app, with what.
pub(crate) struct Call {
    /// The server.
    pub(crate) server: Arc<Server>,
    /// The app.
    pub(crate) tenant: Arc<Tenant>,
    /// Who calls.
    pub(crate) caller: Caller,
    /// What the route asks.
    pub(crate) access: Access,
    /// The parameters after `?`.
    pub(crate) query: Query,
    uri: Uri,
    headers: HeaderMap,
    params: Params,
    feed: Option<FeedId>,
}

impl Call {
    /// The feed in the path.
    pub(crate) fn feed(&self) -> &FeedId {
        self.feed.as_ref().expect("the route has a group and an id in its path")
    }

    /// The part of the path called `name`.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.get(name)
    }

    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.server.clock.now_micros())
    }

    /// The time, and a random number that tells apart what happens at it.
    pub(crate) fn moment(&self) -> Moment {
        Moment { now: self.now(), seed: u64::from_le_bytes(seal::random()) }
    }

    /// A new random id: a version 4 UUID.
    pub(crate) fn new_id(&self) -> String {
        seal::random_id().to_string()
    }

    /// The URL that the paths of the API follow, as the caller wrote it.
    pub(crate) fn base(&self) -> String {
        let host = self.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        // As whoever stands in front of the server was asked.
        let is_behind_tls = self.headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https");
        format!("{}://{host}", if is_behind_tls { "https" } else { "http" })
    }

    /// The path and the query as they were sent.
    pub(crate) fn target(&self) -> &str {
        self.uri.path_and_query().map_or("", PathAndQuery::as_str)
    }

    /// The type of the body.
    pub(crate) fn content_type(&self) -> Option<&HeaderValue> {
        self.headers.get(header::CONTENT_TYPE)
    }

    /// The user whose token it is; none for the app's own server.
    pub(crate) fn user(&self) -> Option<&UserId> {
        match &self.caller {
            Caller::User(user) => Some(user),
            Caller::Server(_) => None,
        }
    }

    /// Asks that a user's token is the user's `id`.
    ///
    /// # Errors
    /// 403 when it is another's.
    pub(crate) fn check_self(&self, id: &UserId) -> Result<()> {
        match self.user() {
            Some(user) if user != id => Err(auth::against_policy()),
            _ => Ok(()),
        }
    }

    /// Asks the policy for `feed`; server tokens have passed their scope and are not asked again.
    ///
    /// # Errors
    /// 403 when the policy does not allow it. A group that does not exist allows nothing to others, and its owner learns
    /// later that it is missing.
    pub(crate) fn check(&self, may: fn(&UserId, &FeedId, &Group) -> bool, feed: &FeedId) -> Result<()> {
        let Some(user) = self.user() else { return Ok(()) };
        let group = self.tenant.app.groups.get(feed.group());
        let is_allowed = group.map_or(policy::owns(user, feed), |group| may(user, feed, group));
        if is_allowed { Ok(()) } else { Err(auth::against_policy()) }
    }

    /// Asks that `feed` is the caller's own.
    ///
    /// # Errors
    /// 403 when it is another's.
    pub(crate) fn check_own(&self, feed: &FeedId) -> Result<()> {
        self.check(|user, feed, _| policy::owns(user, feed), feed)
    }

    /// Asks that the scope covers `feed`, or that it is the caller's own.
    ///
    /// # Errors
    /// 403 otherwise.
    pub(crate) fn check_covers(&self, feed: &FeedId) -> Result<()> {
        match &self.caller {
            Caller::Server(scope) if scope.allows(self.access.resource, self.access.action, Some(feed)) => Ok(()),
            Caller::Server(_) => Err(auth::out_of_scope()),
            Caller::User(_) => self.check_own(feed),
        }
    }
}

/// A handler of the API: an `async fn` of the call, or of the call and what was sent with it.
pub(crate) trait Handler<Args>: Clone + Send + Sync + 'static {
    /// What it answers with.
    type Answer: Answer;

    /// Answers a call that was let in.
    fn answer(self, call: Call, body: Body) -> impl Future<Output = Result<Self::Answer>> + Send;

    /// The handler as all are alike: what surrounds it is then compiled once, not for each of many.
    fn erased(self) -> Erased {
        Arc::new(move |call, body, started| {
            let handler = self.clone();
            Box::pin(async move { handler.answer(call, body).await.map(|answer| answer.finish(started)) })
        })
    }
}

/// Answers a call that was let in, and was taken up at that instant.
pub(crate) type Erased = Arc<dyn Fn(Call, Body, Instant) -> BoxFuture<'static, Result<Response>> + Send + Sync>;

impl<F, R, A> Handler<(Call,)> for F
where
    F: Fn(Call) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<A>> + Send,
    A: Answer,
{
    type Answer = A;

    fn answer(self, call: Call, _: Body) -> impl Future<Output = Result<A>> + Send {
        self(call)
    }
}

impl<F, R, A> Handler<(Call, Bytes)> for F
where
    F: Fn(Call, Bytes) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<A>> + Send,
    A: Answer,
{
    type Answer = A;

    async fn answer(self, call: Call, body: Body) -> Result<A> {
        self(call, read(body).await?).await
    }
}

impl<F, R, A> Handler<(Call, Body)> for F
where
    F: Fn(Call, Body) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<A>> + Send,
    A: Answer,
{
    type Answer = A;

    fn answer(self, call: Call, body: Body) -> impl Future<Output = Result<A>> + Send {
        self(call, body)
    }
}

/// The bytes of a body; the front has set their limit, and says itself what is wrong with a body.
pub(crate) async fn read(body: Body) -> Result<Bytes> {
    let body = body.collect().await.map_err(|_| Error::input("the body could not be read"))?;
    Ok(body.to_bytes())
}

/// Lets a request in that was taken up at `started`, or not, and answers it.
pub(crate) fn answer(
    server: Arc<Server>,
    access: Access,
    params: Result<Params>,
    request: Request,
    started: Instant,
    handler: Erased,
) -> impl Future<Output = Response> + Send + use<> {
    let (parts, body) = request.into_parts();
    // Whether it is let in is found out at once: a future that had to remember the request until then would be large.
    let (admitted, rate) = admit(server, access, params, parts);
    let answering = admitted.map(|call| handler(call, body, started));
    async move {
        let outcome = match answering {
            Ok(answer) => answer.await,
            Err(error) => Err(error),
        };
        let mut response = outcome.unwrap_or_else(|error| Reply::from(error).finish(started));
        rate.write_headers(response.headers_mut());
        response
    }
}

/// When the front took a request up.
pub(crate) fn started(extensions: &Extensions) -> Instant {
    extensions.get::<Started>().map_or_else(Instant::now, |started| started.0)
}

/// The call, if it may be made, and in any case how its caller stands with the rate limits: only what is let in counts.
fn admit(server: Arc<Server>, access: Access, params: Result<Params>, parts: Parts) -> (Result<Call>, Verdict) {
    let Parts { uri, headers, .. } = parts;
    let (now, platform) = (server.clock.now_micros(), Platform::of(&headers));
    let query = Query::parse(uri.query().unwrap_or_default());
    let mut app = None;
    let caller = tenant(&server, &query, &headers).and_then(|tenant| {
        app = Some(tenant.app.id.0);
        let token = tenant.verify(credentials(access.token, &query, &headers)?)?;
        token.check(now.div_euclid(1_000_000))?;
        let caller = token.caller.clone();
        let params = params?;
        let feed = match access.covers {
            Covers::Feed => Some(params.feed()?),
            Covers::App | Covers::Any | Covers::Asked => None,
        };
        check_scope(&caller, access, feed.as_ref())?;
        Ok((tenant, caller, params, feed))
    });
    match caller {
        // An unknown app has used nothing.
        Err(error) => (Err(error), server.rates.look(app.unwrap_or(0), access.rate, platform, now)),
        Ok((tenant, caller, params, feed)) => {
            let rate = server.rates.check(tenant.app.id.0, access.rate, platform, now);
            let is_allowed = rate.allowed;
            let call = Call { server, tenant, caller, access, query, uri, headers, params, feed };
            if is_allowed { (Ok(call), rate) } else { (Err(too_many(access)), rate) }
        }
    }
}

fn too_many(access: Access) -> Error {
    Error::new(Code::RateLimit, format!("too many requests for `{}`; see X-RateLimit-Reset", access.rate))
}

fn tenant(server: &Server, query: &Query, headers: &HeaderMap) -> Result<Arc<Tenant>> {
    let key = query.get("api_key").or_else(|| headers.get("x-api-key")?.to_str().ok());
    let key = key.ok_or_else(|| Error::new(Code::ApiKey, "api_key is missing; send it as a query parameter"))?;
    let tenant = server.apps.by_key(key).ok_or_else(|| Error::new(Code::ApiKey, "api_key not found"))?;
    if tenant.is_suspended {
        return Err(Error::new(Code::SiteSuspended, "this app is suspended"));
    }
    Ok(tenant)
}

/// The text of the token, from where the call carries it.
fn credentials<'r>(carried: Carried, query: &'r Query, headers: &'r HeaderMap) -> Result<&'r str> {
    let header = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let (kind, kind_name, text, name) = match carried {
        Carried::InHeader => {
            let kind = header(HeaderName::from_static("stream-auth-type"));
            (kind, "Stream-Auth-Type", header(header::AUTHORIZATION), "Authorization header")
        }
        Carried::InQuery => {
            (query.get("auth_type"), "auth_type", query.get("authorization"), "authorization parameter")
        }
    };
    if !kind.unwrap_or("jwt").eq_ignore_ascii_case("jwt") {
        return Err(auth::refused(format!("{kind_name} must be jwt")));
    }
    let text = text.ok_or_else(|| auth::refused(format!("the {name} is missing; send a token in it")))?.trim();
    Ok(text.strip_prefix("Bearer ").map_or(text, str::trim))
}

fn check_scope(caller: &Caller, access: Access, feed: Option<&FeedId>) -> Result<()> {
    let Caller::Server(scope) = caller else {
        return match access.users {
            Users::ByPolicy => Ok(()),
            Users::Refused => Err(auth::against_policy()),
        };
    };
    let is_allowed = match access.covers {
        Covers::Asked => true,
        Covers::Any => scope.allows_somewhere(access.resource, access.action),
        Covers::Feed | Covers::App => scope.allows(access.resource, access.action, feed),
    };
    if is_allowed { Ok(()) } else { Err(auth::out_of_scope()) }
}
