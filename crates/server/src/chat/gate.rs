//! What happens before and after every handler of the chat API: whose call it is, whether it may be made, how often, and
//! how the answer is finished (chat §2.2, §3, §4.1).

use std::{
    sync::{Arc, LazyLock},
    time::Instant,
};

use axum::{body::Body, extract::Request, response::Response};
use domain::{
    App, Tx,
    chat::permissions::Who,
    users::{self, People, User},
};
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, header, request::Parts};
use ids::{Timestamp, UserId};
use serde::Serialize;
use wire::chat::{dialect::Dialect, error::Code};

use super::{
    Token,
    error::{Error, Result},
    fields::{self, Fields},
    origin,
};
use crate::{
    Server,
    apps::Tenant,
    front::{Platform, Verdict},
    gate::{self, Params},
    query::Query,
    reply::{Reply, json_object},
    seal,
    spool::Spooled,
};

/// The user of connections without a token.
pub(crate) const ANONYMOUS: &str = "!anon";

/// A user who never wrote anything.
static UNKNOWN: LazyLock<User> = LazyLock::new(|| User::new(Timestamp::from_micros(0)));

/// A call of the API, as its documentation names it, and who may make it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    /// The name, by which errors and rate limits go.
    pub(crate) name: &'static str,
    /// Who may call.
    pub(crate) callers: Callers,
}

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Callers {
    /// The app's own server.
    Server,
    /// A user.
    Users,
    /// Both.
    Both,
    /// Both, and who has no token but reads what is open to all.
    Readers,
    /// Everybody who knows the API key.
    Anyone,
}

/// Whose call it is.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    /// The app's own server.
    Server,
    /// A user, with the stored profile; none yet for one who never wrote anything.
    User(UserId, Option<Box<User>>),
    /// Somebody without a token.
    Anonymous,
}

/// A call that may be made: who makes it, of which app, with what.
pub(crate) struct Call {
    /// The server.
    pub(crate) server: Arc<Server>,
    /// The app.
    pub(crate) tenant: Arc<Tenant>,
    /// What the domain works on, which knows how the call came.
    pub(crate) app: App,
    /// Who calls.
    pub(crate) caller: Caller,
    /// How the answer is written.
    pub(crate) dialect: Dialect,
    /// What is called.
    pub(crate) operation: Operation,
    /// The parameters after `?`.
    pub(crate) query: Query,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// When it was let in, and counted.
    admitted_micros: i64,
    method: Method,
    params: Params,
}

impl Call {
    /// When it was let in, and counted, in microseconds.
    pub(crate) fn admitted_micros(&self) -> i64 {
        self.admitted_micros
    }

    /// The part of the path called `name`.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.get(name)
    }

    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.server.clock.now_micros())
    }

    /// The time, but later than any moment before: what is written now comes after what was written then.
    pub(crate) fn moment(&self) -> Timestamp {
        self.server.moments.next(self.now())
    }

    /// A new random id: a version 4 UUID.
    pub(crate) fn new_id(&self) -> String {
        seal::random_id().to_string()
    }

    /// The token's user; none for the app's own server.
    pub(crate) fn user(&self) -> Option<&UserId> {
        match &self.caller {
            Caller::User(user, _) => Some(user),
            Caller::Server | Caller::Anonymous => None,
        }
    }

    /// The user whose connections the caller's are: `!anon` for one without a token.
    pub(crate) fn viewer(&self) -> UserId {
        let anonymous = || UserId::parse(ANONYMOUS).expect("the name is in the source");
        self.user().cloned().unwrap_or_else(anonymous)
    }

    /// Who asks for permission.
    pub(crate) fn who(&self) -> Who<'_> {
        match &self.caller {
            Caller::Server => Who::Server,
            Caller::User(id, Some(user)) => Who::User(id, user),
            Caller::User(id, None) => Who::User(id, &UNKNOWN),
            Caller::Anonymous => Who::Anonymous,
        }
    }

    /// Whether the app's own server calls, which no permission holds back.
    pub(crate) fn is_server(&self) -> bool {
        matches!(self.caller, Caller::Server)
    }

    /// The acting user: the token's, or whom the app's own server names in `user_id` or `user`, in the body or the query
    /// (chat §2.3).
    ///
    /// # Errors
    /// 17 when a user's token names another user.
    pub(crate) fn actor(&self, fields: &mut Fields) -> Result<Option<UserId>> {
        let mut named = fields.user("user_id")?;
        if let Some(mut user) = fields.object("user")? {
            named = named.or(user.user("id")?);
        }
        if named.is_none() {
            named = self.query.get("user_id").map(fields::user).transpose()?;
        }
        match (self.user(), named) {
            (None, named) => Ok(named),
            (Some(own), Some(named)) if *own != named => {
                Err(Error::new(Code::NotAllowed, "a user's token acts for that user alone"))
            }
            (Some(own), _) => Ok(Some(own.clone())),
        }
    }

    /// As [`Call::actor`], where there must be one.
    ///
    /// # Errors
    /// 4 when there is none.
    pub(crate) fn some_actor(&self, fields: &mut Fields) -> Result<UserId> {
        let rule = "either user or user_id must be provided when using server side auth.";
        self.actor(fields)?.ok_or_else(|| Error::input(rule))
    }

    /// Whether the query parameter `name` is on; an empty one is off.
    ///
    /// # Errors
    /// 4 when it is not a truth value.
    pub(crate) fn flag(&self, name: &str) -> Result<bool> {
        self.query.flag(name).map_err(|_| Error::field(name, "must be true or false"))
    }

    /// The object in the query parameter `payload`; empty when there is none.
    ///
    /// # Errors
    /// 4 when it is not a JSON object.
    pub(crate) fn payload(&self) -> Result<Fields> {
        Fields::parse(self.query.get("payload").unwrap_or_default(), self.dialect)
    }

    /// The parameters of the query, as an object of texts.
    ///
    /// # Errors
    /// 4 when they are too many.
    pub(crate) fn query_fields(&self) -> Result<Fields> {
        let members = self.query.iter().map(|(name, value)| (name.to_owned(), serde_json::Value::from(value)));
        let object: serde_json::Map<_, _> = members.collect();
        Fields::parse(&serde_json::Value::Object(object).to_string(), self.dialect)
    }

    /// Notes who of `people` is connected.
    pub(crate) fn note_online(&self, people: &mut People) {
        for (id, person) in people.iter_mut() {
            person.is_online = self.server.hub.is_online(self.tenant.app.id, id);
        }
    }

    /// A transaction that only reads.
    pub(crate) fn snapshot(&self) -> Tx {
        self.tenant.app.snapshot()
    }

    /// The answer with this object: 200 to GET and DELETE, else 201.
    pub(crate) fn answer(&self, object: &impl Serialize) -> Result<Reply> {
        Ok(Reply { status: self.success(), body: json_object(object) })
    }

    /// The answer without content but its duration.
    pub(crate) fn done(&self) -> Result<Reply> {
        Ok(Reply::empty(self.success()))
    }

    fn success(&self) -> u16 {
        if [Method::GET, Method::HEAD, Method::DELETE].contains(&self.method) { 200 } else { 201 }
    }
}

/// An answer that lacks only its `duration`.
pub(crate) enum Answer {
    /// In memory.
    Reply(Reply),
    /// In part on disk.
    Spooled(Spooled),
}

impl Answer {
    fn finish(self, started: Instant) -> Response {
        match self {
            Answer::Reply(reply) => reply.finish(started),
            Answer::Spooled(spooled) => spooled.finish(started),
        }
    }
}

/// A handler: an `async fn` of the call and the object sent with it, of the call and its body, or of the call alone.
pub(crate) trait Handler<Args>: Clone + Send + Sync + 'static {
    /// The handler as all are alike: what surrounds it is then compiled once, not for each of hundreds.
    fn erased(self) -> Erased;
}

/// Answers a call that was let in.
pub(crate) type Erased = Arc<dyn Fn(Call, Body) -> BoxFuture<'static, Result<Answer>> + Send + Sync>;

impl<F, R> Handler<(Call, Fields)> for F
where
    F: Fn(Call, Fields) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<Reply>> + Send,
{
    fn erased(self) -> Erased {
        Arc::new(move |call, body| {
            let handler = self.clone();
            Box::pin(async move {
                let fields = read(body, call.dialect).await?;
                handler(call, fields).await.map(Answer::Reply)
            })
        })
    }
}

impl<F, R> Handler<(Call, Body)> for F
where
    F: Fn(Call, Body) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<Reply>> + Send,
{
    fn erased(self) -> Erased {
        Arc::new(move |call, body| {
            let handler = self.clone();
            Box::pin(async move { handler(call, body).await.map(Answer::Reply) })
        })
    }
}

impl<F, R> Handler<(Call,)> for F
where
    F: Fn(Call) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<Spooled>> + Send,
{
    fn erased(self) -> Erased {
        Arc::new(move |call, _| {
            let handler = self.clone();
            Box::pin(async move { handler(call).await.map(Answer::Spooled) })
        })
    }
}

/// The object that was sent.
///
/// # Errors
/// 4 when it is none. What is wrong with a body that cannot be read, the front says.
async fn read(body: Body, dialect: Dialect) -> Result<Fields> {
    let bytes = gate::read(body).await.map_err(|error| Error::input(error.detail))?;
    Fields::body(&bytes, dialect)
}

/// Lets a request in, or not, and answers it.
pub(crate) async fn answer(
    server: Arc<Server>,
    operation: Operation,
    params: std::result::Result<Params, crate::error::Error>,
    request: Request,
    handler: Erased,
) -> Response {
    let (parts, body) = request.into_parts();
    let started = gate::started(&parts.extensions);
    let (admitted, rate) = admit(server, operation, params, parts).await;
    let outcome = match admitted {
        Ok(call) => handler(call, body).await,
        Err(error) => Err(error),
    };
    let mut response = outcome.unwrap_or_else(|error| Answer::Reply(error.reply(operation.name))).finish(started);
    rate.write_headers(response.headers_mut());
    response
}

/// The call, if it may be made, and in any case how its caller stands with the rate limits: only what is let in counts.
async fn admit(
    server: Arc<Server>,
    operation: Operation,
    params: std::result::Result<Params, crate::error::Error>,
    parts: Parts,
) -> (Result<Call>, Verdict) {
    let (now, platform) = (server.clock.now_micros(), Platform::of(&parts.headers));
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let mut app = 0;
    let known = async {
        let tenant = tenant(&server, &query, &parts.headers)?;
        app = tenant.app.id.0;
        let caller = caller(&server, &tenant, operation, &query, &parts.headers, None).await?;
        let params = params.map_err(|error| Error::input(error.detail))?;
        Ok((tenant, caller, params))
    };
    match known.await {
        Err(error) => {
            let rate = server.rates.look(app, operation.name, platform, now);
            (Err(error), rate)
        }
        Ok((tenant, caller, params)) => {
            let user = match &caller {
                Caller::User(user, _) => Some(user.as_str()),
                Caller::Server | Caller::Anonymous => None,
            };
            let rate = server.rates.check_chat((app, operation.name, platform), user, now);
            if !rate.allowed {
                return (Err(Error::new(Code::RateLimited, "Too many requests; see X-RateLimit-Reset")), rate);
            }
            let dialect = parts.extensions.get::<Dialect>().copied().unwrap_or(Dialect::Classic);
            let Parts { method, headers, extensions, .. } = parts;
            let origin = || Arc::new(origin::of(&caller, &headers, &extensions));
            let address = match caller {
                Caller::User(..) => origin::address(&headers, &extensions),
                Caller::Server | Caller::Anonymous => None,
            };
            let app = App { origin: tenant.app.settings.has_hooks().then(origin), address, ..tenant.app.clone() };
            let call = Call {
                server,
                tenant,
                app,
                caller,
                dialect,
                operation,
                query,
                headers,
                admitted_micros: now,
                method,
                params,
            };
            (Ok(call), rate)
        }
    }
}

/// Whose app is called.
///
/// # Errors
/// 2 for a key that is missing or unknown, 99 for a suspended app.
pub(super) fn tenant(server: &Server, query: &Query, headers: &HeaderMap) -> Result<Arc<Tenant>> {
    let key = query.get("api_key").or_else(|| headers.get("x-api-key")?.to_str().ok());
    let key = key.ok_or_else(|| Error::new(Code::AccessKey, "api_key is missing; send it as a query parameter"))?;
    let tenant = server.apps.by_key(key).ok_or_else(|| Error::new(Code::AccessKey, "api_key not found"))?;
    match tenant.is_suspended {
        true => Err(Error::new(Code::AppSuspended, "this app is suspended")),
        false => Ok(tenant),
    }
}

/// Who calls, and whether such a caller may call `operation`; `spare` is the token where there is no other.
///
/// # Errors
/// 5, 17, 40–43 for a caller who may not.
pub(super) async fn caller(
    server: &Server,
    tenant: &Tenant,
    operation: Operation,
    query: &Query,
    headers: &HeaderMap,
    spare: Option<&str>,
) -> Result<Caller> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let kind = header("stream-auth-type").or_else(|| query.get("stream-auth-type"));
    let text = header(header::AUTHORIZATION.as_str()).or_else(|| query.get("authorization")).or(spare);
    let text = text.map(|text| without_bearer(text.trim())).filter(|text| !text.is_empty());
    let caller = match (kind.map(str::to_ascii_lowercase).as_deref(), text) {
        (Some("anonymous"), None) => Caller::Anonymous,
        (None, None) if operation.callers == Callers::Anyone => Caller::Anonymous,
        (Some("jwt") | None, None) => {
            return Err(Error::new(Code::Authentication, "the Authorization header is missing; send a token in it"));
        }
        (Some("jwt" | "anonymous") | None, Some(text)) => authenticated(server, tenant, text).await?,
        (Some(_), _) => return Err(Error::new(Code::Authentication, "stream-auth-type must be jwt or anonymous")),
    };
    let is_allowed = match (&caller, operation.callers) {
        (_, Callers::Anyone) => true,
        (Caller::Server, callers) => callers != Callers::Users,
        (Caller::User(..), callers) => callers != Callers::Server,
        (Caller::Anonymous, callers) => callers == Callers::Readers,
    };
    match is_allowed {
        true => Ok(caller),
        false => Err(Error::new(Code::NotAllowed, not_allowed(&caller))),
    }
}

fn not_allowed(caller: &Caller) -> &'static str {
    match caller {
        Caller::Server => "this endpoint is for users' tokens",
        Caller::User(..) => "this endpoint is for server-side calls; use a server token",
        Caller::Anonymous => "this endpoint is not for anonymous users",
    }
}

/// `Bearer ` is no part of a token, and some send it.
fn without_bearer(text: &str) -> &str {
    let scheme = "bearer ";
    match text.get(..scheme.len()) {
        Some(start) if start.eq_ignore_ascii_case(scheme) => text[scheme.len()..].trim_start(),
        _ => text,
    }
}

/// Whom a token speaks for (chat §2.2).
///
/// # Errors
/// 5, 40–43 for a token that is not taken; 17 for a deactivated user.
pub(crate) async fn authenticated(server: &Server, tenant: &Tenant, text: &str) -> Result<Caller> {
    let settings = &tenant.app.settings;
    let token = match tenant.verify_for_chat(text) {
        Err(_) if settings.disable_auth_checks => Arc::new(Token::unverified(text)?),
        verified => verified?,
    };
    token.check(server.clock.now_seconds())?;
    let Some(id) = token.user.clone() else { return Ok(Caller::Server) };
    token.check_revoked(settings.revoke_tokens_issued_before)?;
    let user = users::get(&mut tenant.app.snapshot(), &id).await?;
    if let Some(user) = &user {
        token.check_revoked(user.revoke_tokens_issued_before)?;
        if user.deleted_at.is_some() {
            return Err(Error::new(Code::Authentication, "the token's user was deleted"));
        }
        if user.deactivated_at.is_some() {
            return Err(Error::new(Code::NotAllowed, "the token's user is deactivated"));
        }
    }
    Ok(Caller::User(id, user.map(Box::new)))
}
