//! What happens before and after every handler of the API: whose call it is, whether it may be made, how often, and how
//! the answer is finished.
//!
//! Order of checks (feeds-v1 §3): API key, token, scope, rate; the handler then checks policy, body and the rest.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{FromRequestParts, RawPathParams, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::feeds::{activities::Moment, groups::Group, policy};
use http::{HeaderMap, header, request::Parts};
use ids::{FeedId, Timestamp, UserId};
use wire::error::Code;

use crate::{
    Server,
    apps::Tenant,
    auth::{self, Action, Caller, Resource, Token},
    error::{Error, Result},
    front::{Platform, Started, Verdict},
    query::Query,
    reply, seal,
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
}

/// Which feed a scope must cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Covers {
    /// The feed in the path.
    Feed,
    /// Every feed of the app.
    App,
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

/// A call that may be made: who makes it, of which app, with what.
#[derive(Clone)]
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
    pub(crate) query: Arc<Query>,
    /// The decoded parts of the path.
    params: Arc<[(String, String)]>,
    feed: Option<FeedId>,
}

impl Call {
    /// The feed in the path.
    pub(crate) fn feed(&self) -> &FeedId {
        self.feed.as_ref().expect("the route has a group and an id in its path")
    }

    /// The part of the path called `name`.
    pub(crate) fn param(&self, name: &str) -> &str {
        let part = self.params.iter().find(|(known, _)| known == name);
        part.map(|(_, value)| value.as_str()).expect("the route has this part in its path")
    }

    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.server.clock.now_micros())
    }

    /// The time, and a random number that tells apart what happens at it.
    pub(crate) fn moment(&self) -> Moment {
        Moment { now: self.now(), seed: u64::from_le_bytes(seal::random()) }
    }

    /// The user whose token it is; none for the app's own server.
    pub(crate) fn user(&self) -> Option<&UserId> {
        match &self.caller {
            Caller::User(user) => Some(user),
            Caller::Server(_) => None,
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

impl<S: Sync> FromRequestParts<S> for Call {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> std::result::Result<Self, Self::Rejection> {
        Ok(parts.extensions.remove::<Call>().expect("every route of the API stands behind the gate"))
    }
}

/// The gate as axum's middleware; see the module.
pub(crate) async fn pass(
    State((server, access)): State<(Arc<Server>, Access)>,
    request: Request,
    next: Next,
) -> Response {
    let started = request.extensions().get::<Started>().map_or_else(Instant::now, |started| started.0);
    let (mut parts, body) = request.into_parts();
    let mut verdict = None;
    let response = match admit(server, access, &mut parts, &mut verdict).await {
        Ok(call) => {
            parts.extensions.insert(call);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(error) => error.into_response(),
    };
    let mut response = reply::finish(response, started);
    if let Some(verdict) = verdict {
        verdict.write_headers(response.headers_mut());
    }
    response
}

async fn admit(server: Arc<Server>, access: Access, parts: &mut Parts, verdict: &mut Option<Verdict>) -> Result<Call> {
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let tenant = tenant(&server, &query, &parts.headers)?;
    let caller = token(&server, &tenant, &parts.headers)?.caller.clone();
    let params = path(parts).await?;
    let feed = match access.covers {
        Covers::Feed => Some(feed(&params)?),
        Covers::App | Covers::Asked => None,
    };
    check_scope(&caller, access, feed.as_ref())?;
    let rate = limit(&server, &tenant, access, &parts.headers);
    let is_allowed = rate.allowed;
    *verdict = Some(rate);
    if !is_allowed {
        return Err(Error::new(
            Code::RateLimit,
            format!("too many requests for `{}`; see X-RateLimit-Reset", access.rate),
        ));
    }
    Ok(Call { server, tenant, caller, access, query: Arc::new(query), params: params.into(), feed })
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

fn token(server: &Server, tenant: &Arc<Tenant>, headers: &HeaderMap) -> Result<Arc<Token>> {
    let kind = headers.get("stream-auth-type").map_or("jwt", |value| value.to_str().unwrap_or_default());
    if !kind.eq_ignore_ascii_case("jwt") {
        return Err(auth::refused("Stream-Auth-Type must be jwt"));
    }
    let text = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let text = text.ok_or_else(|| auth::refused("the Authorization header is missing; send a token in it"))?.trim();
    let text = text.strip_prefix("Bearer ").map_or(text, str::trim);
    let token = tenant.verify(text)?;
    token.check(server.clock.now_seconds())?;
    Ok(token)
}

async fn path(parts: &mut Parts) -> Result<Vec<(String, String)>> {
    let params = RawPathParams::from_request_parts(parts, &()).await;
    let params = params.map_err(|_| Error::input("the path is not valid UTF-8"))?;
    Ok(params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn feed(params: &[(String, String)]) -> Result<FeedId> {
    let part = |name| params.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
    FeedId::new(part("group"), part("id")).map_err(|error| Error::input(error.to_string()))
}

fn check_scope(caller: &Caller, access: Access, feed: Option<&FeedId>) -> Result<()> {
    match (caller, access.users) {
        (Caller::Server(_), _) if access.covers == Covers::Asked => Ok(()),
        (Caller::Server(scope), _) if scope.allows(access.resource, access.action, feed) => Ok(()),
        (Caller::Server(_), _) => Err(auth::out_of_scope()),
        (Caller::User(_), Users::ByPolicy) => Ok(()),
        (Caller::User(_), Users::Refused) => Err(auth::against_policy()),
    }
}

fn limit(server: &Server, tenant: &Tenant, access: Access, headers: &HeaderMap) -> Verdict {
    server.rates.check(tenant.app.id.0, access.rate, Platform::of(headers), server.clock.now_micros())
}
