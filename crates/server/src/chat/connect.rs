//! `GET /connect`: the WebSocket (chat §9).
//!
//! Whatever is wrong with the call is told in the first frame, because browsers show scripts nothing else.

use std::{net::IpAddr, sync::Arc};

use axum::{extract::Request, response::Response};
use domain::users::{self, People, Person, Profile, User, own};
use http::request::Parts;
use ids::{Timestamp, UserId};
use serde_json::value::{RawValue, to_raw_value};
use wire::chat::{dialect::Dialect, error::Code};

use super::{
    error::{Error, Result},
    fields::{self, Fields},
    gate::{self, ANONYMOUS, Caller, Callers, Operation},
    origin, to_wire,
    users::profile,
};
use crate::{
    Server,
    apps::Tenant,
    front::Platform,
    query::Query,
    realtime::{self, Full, Handshake, Identity, Session},
    seal,
};

/// The name by which errors and rate limits go, and who may call.
const CONNECT: Operation = Operation { name: "Connect", callers: Callers::Readers };

/// Opens a connection, or opens it to say why not.
pub(crate) async fn connect(server: Arc<Server>, request: Request) -> Response {
    let started = crate::gate::started(request.extensions());
    let (mut parts, _) = request.into_parts();
    let handshake = match Handshake::read(&mut parts) {
        Ok(handshake) => handshake,
        Err(lack) => return no_socket(lack).reply(CONNECT.name).finish(started),
    };
    match waiting_for(&server, &parts) {
        Ok(Some(opening)) => return handshake.open(move |socket| first_frame(socket, server, opening)),
        Ok(None) => {}
        Err(error) => {
            let frame = error.frame(CONNECT.name);
            return handshake.open(move |socket| realtime::refuse(socket, frame));
        }
    }
    match admit(&server, &parts).await {
        Ok(session) => handshake.open(move |socket| realtime::run(socket, session)),
        Err(error) => {
            let frame = error.frame(CONNECT.name);
            handshake.open(move |socket| realtime::refuse(socket, frame))
        }
    }
}

fn no_socket(lack: &str) -> Error {
    Error::input(format!("this endpoint speaks WebSocket: {lack}"))
}

/// What is known of a connection before anybody says whose it is.
struct Opening {
    tenant: Arc<Tenant>,
    dialect: Dialect,
    platform: Platform,
    address: Option<IpAddr>,
}

impl Opening {
    fn read(server: &Server, query: &Query, parts: &Parts) -> Result<Self> {
        Ok(Opening {
            tenant: gate::tenant(server, query, &parts.headers)?,
            dialect: parts.extensions.get::<Dialect>().copied().unwrap_or(Dialect::Classic),
            platform: Platform::of(&parts.headers),
            address: origin::address(&parts.headers, &parts.extensions),
        })
    }
}

/// The connection, if its first frame says whose it is: clients of the v2 dialect may send nothing with the call (chat §9.1).
///
/// # Errors
/// 2 and 99 for an app that is none.
fn waiting_for(server: &Server, parts: &Parts) -> Result<Option<Opening>> {
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let opening = Opening::read(server, &query, parts)?;
    let is_anonymous = query.get("stream-auth-type").is_some_and(|kind| kind.eq_ignore_ascii_case("anonymous"));
    let says_whose = ["json", "authorization"].iter().any(|name| query.get(name).is_some());
    let has_token = parts.headers.contains_key(http::header::AUTHORIZATION);
    let waits = opening.dialect == Dialect::V2 && !is_anonymous && !says_whose && !has_token;
    Ok(waits.then_some(opening))
}

/// Waits for the first frame, and goes on as it says.
async fn first_frame(mut socket: realtime::Socket, server: Arc<Server>, opening: Opening) {
    // In a box, so that the task of the connection is not as large as this moment of it.
    let admitted = Box::pin(async {
        let text = realtime::first_text(&mut socket).await?;
        Some(admit_by_frame(&server, opening, &text).await)
    });
    match admitted.await {
        Some(Ok(session)) => realtime::run(socket, session).await,
        Some(Err(error)) => realtime::refuse(socket, error.frame(CONNECT.name)).await,
        None => {}
    }
}

/// `{"token":"…","user_details":{…},"products":["chat"]}`.
async fn admit_by_frame(server: &Arc<Server>, opening: Opening, text: &str) -> Result<Session> {
    let mut sent = Fields::parse(text, opening.dialect)?;
    let token = sent.filled("token")?;
    let token = token.ok_or_else(|| Error::new(Code::Authentication, "the first frame must hold a token"))?;
    let caller = gate::authenticated(server, &opening.tenant, &token).await?;
    enter_as(server, opening, caller, sent).await
}

async fn admit(server: &Arc<Server>, parts: &Parts) -> Result<Session> {
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let opening = Opening::read(server, &query, parts)?;
    let mut sent = Fields::parse(query.get("json").unwrap_or_default(), opening.dialect)
        .map_err(|error| Error::field("json", &error.reason))?;
    let token = sent.filled("user_token")?;
    let caller = gate::caller(server, &opening.tenant, CONNECT, &query, &parts.headers, token.as_deref()).await?;
    enter_as(server, opening, caller, sent).await
}

async fn enter_as(server: &Arc<Server>, opening: Opening, caller: Caller, mut sent: Fields) -> Result<Session> {
    let Opening { tenant, dialect, platform, address } = opening;
    let now = Timestamp::from_micros(server.clock.now_micros());
    let user = match &caller {
        Caller::User(user, _) => Some(user.as_str()),
        Caller::Server | Caller::Anonymous => None,
    };
    let rate = server.rates.check_chat((tenant.app.id.0, CONNECT.name, platform), user, now.micros());
    if !rate.allowed {
        return Err(Error::new(Code::RateLimited, "Too many requests: connect again later"));
    }
    let (id, user) = match caller {
        Caller::Server => return Err(Error::new(Code::NotAllowed, "a connection needs a user's token")),
        Caller::Anonymous => (fields::user(ANONYMOUS)?, anonymous(now)),
        Caller::User(id, _) => {
            let user = enter(&tenant, &id, &mut sent, address, now).await?;
            (id, user)
        }
    };
    let is_anonymous = id.as_str() == ANONYMOUS;
    let connection = seal::random_id();
    let me = me(&tenant, dialect, &id, user, now).await?;
    let hello = realtime::hello(dialect, connection, now, &me);
    let identity = Identity { app: tenant.app.id, user: id, is_anonymous, dialect };
    Session::join(server, connection, identity, &hello).map_err(|full| match full {
        Full::User => Error::new(Code::RateLimited, "this user has too many connections"),
        Full::Closing => Error::new(Code::Internal, "the server stops; connect again"),
    })
}

fn anonymous(now: Timestamp) -> User {
    User { role: "anonymous".to_owned(), ..User::new(now) }
}

/// Makes the user, or changes what the details say, and notes that it is here.
async fn enter(
    tenant: &Tenant,
    id: &UserId,
    sent: &mut Fields,
    address: Option<IpAddr>,
    now: Timestamp,
) -> Result<User> {
    let named = sent.user("user_id")?;
    let details = sent.object("user_details")?;
    let profile = match details {
        Some(details) => details_of(id, details)?,
        None => Profile::default(),
    };
    if named.is_some_and(|named| named != *id) {
        return Err(other_user());
    }
    let entered = tenant.app.write(async |tx| {
        let mut user = users::get_or_new(tx, id, now).await?;
        if changes(&user, &profile) {
            user = users::upsert(tx, id, &profile, now).await?;
        }
        user.last_active = Some(now);
        user.address = address.map(|address| address.to_string()).unwrap_or_default();
        users::put(tx, id, &user);
        Ok(user)
    });
    Ok(entered.await?)
}

/// What the details say of the user; role and teams are not the user's to set.
fn details_of(id: &UserId, mut details: Fields) -> Result<Profile> {
    details.skip(&["role", "teams", "teams_role"]);
    if !details.has("id") {
        return Err(Error::field("user_details", "must have an id"));
    }
    let (named, profile) = profile(details)?;
    if named == *id { Ok(profile) } else { Err(other_user()) }
}

fn other_user() -> Error {
    Error::new(Code::Authentication, "user_id and user_details.id must be the user of the token")
}

/// Whether `profile` says anything new.
fn changes(user: &User, profile: &Profile) -> bool {
    let Profile { role: _, name, image, language, teams: _, teams_role: _, is_invisible, privacy, custom } = profile;
    let own = user.custom();
    let is_own_field =
        |(field, value): (&str, &RawValue)| own.get(field).is_some_and(|known| known.get() == value.get());
    name.as_ref().is_some_and(|name| user.name.as_ref() != Some(name))
        || image.as_ref().is_some_and(|image| user.image.as_ref() != Some(image))
        || language.as_ref().is_some_and(|language| user.language != *language)
        || is_invisible.is_some_and(|is_invisible| user.is_invisible != is_invisible)
        || privacy.is_some_and(|privacy| user.privacy != Some(privacy))
        || !custom.iter().all(is_own_field)
}

/// The user as it sees itself.
async fn me(tenant: &Tenant, dialect: Dialect, id: &UserId, user: User, now: Timestamp) -> Result<Box<RawValue>> {
    let mut tx = tenant.app.snapshot();
    let own = own::load(&mut tx, id, now).await?;
    let people = People::load(&mut tx, own.named().chain([id])).await?;
    let person = Person { is_online: true, ..Person::from(user) };
    let me = to_wire::users::own(dialect, &people, (id, &person), &own, now);
    Ok(to_raw_value(&me).expect("wire types are JSON"))
}
