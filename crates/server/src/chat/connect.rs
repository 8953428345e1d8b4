//! `GET /connect`: the WebSocket (chat §9).
//!
//! Whatever is wrong with the call is told in the first frame, because browsers show scripts nothing else.

use std::sync::Arc;

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
    to_wire,
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

async fn admit(server: &Arc<Server>, parts: &Parts) -> Result<Session> {
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let dialect = parts.extensions.get::<Dialect>().copied().unwrap_or(Dialect::Classic);
    let now = Timestamp::from_micros(server.clock.now_micros());
    let tenant = gate::tenant(server, &query, &parts.headers)?;
    let mut sent = Fields::parse(query.get("json").unwrap_or_default(), dialect)
        .map_err(|error| Error::field("json", &error.reason))?;
    let token = sent.filled("user_token")?;
    let caller = gate::caller(server, &tenant, CONNECT, &query, &parts.headers, token.as_deref()).await?;
    let rate = server.rates.check(tenant.app.id.0, CONNECT.name, Platform::of(&parts.headers), now.micros());
    if !rate.allowed {
        return Err(Error::new(Code::RateLimited, "Too many connections; try again in a minute"));
    }
    let (id, user) = match caller {
        Caller::Server => return Err(Error::new(Code::NotAllowed, "a connection needs a user's token")),
        Caller::Anonymous => (fields::user(ANONYMOUS)?, anonymous(now)),
        Caller::User(id, _) => {
            let user = enter(&tenant, &id, &mut sent, now).await?;
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
async fn enter(tenant: &Tenant, id: &UserId, sent: &mut Fields, now: Timestamp) -> Result<User> {
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
