//! `/users` (chat §11.7, v2 §2).

pub(crate) mod standing;

use std::collections::{BTreeMap, HashSet};

use domain::{
    Tx,
    chat::permissions::{self, Who},
    filter::{Filter, Sort},
    users::{
        self, People, Privacy, Profile,
        own::Own,
        patch::{Clearable, Patch as UserPatch},
        query::{Bounds, Query},
    },
};
use ids::{UserId, json::Object};
use wire::chat::{
    dialect::Dialect,
    error::Code,
    users::{Upserted, Users},
};

use super::{
    error::{Error, Result},
    fields::{self, Fields},
    gate::Call,
    patch::Patch,
    to_wire,
    watching::Watching,
};
use crate::reply::Reply;

/// The most users of one call.
const USERS_MAX: usize = 100;
/// Members that the server sets, and that clients echo.
const READ_ONLY: &[&str] = &[
    "avg_response_time",
    "ban_expires",
    "banned",
    "blocked_user_ids",
    "bypass_moderation",
    "channel_mutes",
    "created_at",
    "deactivated_at",
    "deleted_at",
    "devices",
    "last_active",
    "latest_hidden_channels",
    "mutes",
    "online",
    "push_notifications",
    "push_preferences",
    "revoke_tokens_issued_before",
    "shadow_banned",
    "total_unread_count",
    "total_unread_count_by_team",
    "unread_channels",
    "unread_count",
    "unread_threads",
    "updated_at",
];

/// Members that only the app's own server sets.
const TRUSTED: &str = "a user's token changes that user alone, and neither its role nor its teams";

/// `POST /users`: makes users, or changes the fields that are given.
pub(crate) async fn upsert(call: Call, mut sent: Fields) -> Result<Reply> {
    let profiles = profiles(&mut sent)?;
    for (id, profile) in &profiles {
        check_own(&call, id, profile)?;
    }
    let now = call.now();
    let upserted =
        call.app.write_each(&profiles, async |tx, (id, profile)| users::upsert(tx, id, profile, now).await).await?;
    let people: People = profiles.into_iter().map(|(id, _)| id).zip(upserted).collect();
    upserted_users(&call, people).await
}

/// `PATCH /users`: changes single fields of users.
pub(crate) async fn patch(call: Call, mut sent: Fields) -> Result<Reply> {
    let sent = sent.objects("users")?.unwrap_or_default();
    if sent.is_empty() || sent.len() > USERS_MAX {
        return Err(Error::field("users", &format!("must hold 1 to {USERS_MAX} users")));
    }
    let patches: Vec<(UserId, UserPatch)> = sent.into_iter().map(user_patch).collect::<Result<_>>()?;
    for (id, patch) in &patches {
        check_own(&call, id, &patch.set)?;
        let is_trusted = [Clearable::Teams, Clearable::TeamsRole].iter().any(|field| patch.cleared.contains(field));
        if !call.is_server() && (is_trusted || patch.revoke_tokens_issued_before.is_some()) {
            return Err(Error::new(Code::NotAllowed, TRUSTED));
        }
    }
    let now = call.now();
    let body = async |tx: &mut Tx, (id, patch): &(UserId, UserPatch)| users::patch::patch(tx, id, patch, now).await;
    let patched = call.app.write_each(&patches, body).await?;
    let people: People = patches.into_iter().map(|(id, _)| id).zip(patched).collect();
    upserted_users(&call, people).await
}

/// The answer to changes of users.
async fn upserted_users(call: &Call, mut people: People) -> Result<Reply> {
    let ids: Vec<UserId> = people.iter().map(|(id, _)| id.clone()).collect();
    let own = match call.dialect {
        Dialect::V2 => own_of(call, &mut people, &ids).await?,
        // This dialect shows here what everybody sees.
        Dialect::Classic => BTreeMap::new(),
    };
    let full = |id| {
        let shown = people.get(id)?;
        let full = to_wire::users::full(call.dialect, &people, shown, own.get(id), call.now());
        Some((id.to_string(), full))
    };
    let users = ids.iter().filter_map(full).collect();
    call.answer(&Upserted { users, membership_deletion_task_id: "" })
}

/// What the caller may see of `ids` beside their profiles; loads whom they mute.
async fn own_of(call: &Call, people: &mut People, ids: &[UserId]) -> Result<BTreeMap<UserId, Own>> {
    let mut tx = call.snapshot();
    let mut all = BTreeMap::new();
    // It takes a look at every channel of each user, and of many the classic dialect shows nothing of it (chat §6.1, §18).
    let is_counted = ids.len() == 1 || !call.is_server() || call.dialect == Dialect::V2;
    for id in ids.iter().filter(|id| call.is_server() || call.user() == Some(*id)) {
        let own = match is_counted {
            true => users::own::load(&mut tx, id, call.now()).await?,
            false => users::own::load_uncounted(&mut tx, id, call.now()).await?,
        };
        people.add(&mut tx, own.named()).await?;
        all.insert(id.clone(), own);
    }
    Ok(all)
}

fn check_own(call: &Call, id: &UserId, profile: &Profile) -> Result<()> {
    let Some(own) = call.user() else { return Ok(()) };
    let is_trusted = profile.role.is_some() || profile.teams.is_some() || profile.teams_role.is_some();
    if id != own || is_trusted { Err(Error::new(Code::NotAllowed, TRUSTED)) } else { Ok(()) }
}

/// `GET /users`: finds users.
pub(crate) async fn query(call: Call, _: Fields) -> Result<Reply> {
    let mut payload = payload(&call)?;
    let following = Watching::read(&call, &mut payload)?;
    let query = asked(&call, payload)?;
    check_search(&call)?;
    let now = call.now();
    let found = users::query::query(&mut call.snapshot(), &query, now).await?;
    let ids: Vec<UserId> = found.iter().map(|(id, _)| id.clone()).collect();
    let mut people: People = found.into_iter().collect();
    let own = own_of(&call, &mut people, &ids).await?;
    call.note_online(&mut people);
    following.follow(&call, &ids);
    let full = |id| Some(to_wire::users::full(call.dialect, &people, people.get(id)?, own.get(id), now));
    call.answer(&Users { users: ids.iter().filter_map(full).collect() })
}

/// Whether the caller may look for users (chat §8.2, §11.1).
fn check_search(call: &Call) -> Result<()> {
    let settings = &call.tenant.app.settings;
    permissions::check_app(call.who(), settings, "search-user", None)?;
    match call.who() {
        Who::User(_, user) if settings.texts("user_search_disallowed_roles").contains(&user.role) => {
            Err(Error::new(Code::NotAllowed, format!("users with the role '{}' may not look for users", user.role)))
        }
        _ => Ok(()),
    }
}

/// The query parameter `payload`, which there must be.
fn payload(call: &Call) -> Result<Fields> {
    match call.query.get("payload") {
        Some(_) => call.payload(),
        None => Err(Error::field("payload", "is a required parameter: a JSON object with filter_conditions")),
    }
}

fn asked(call: &Call, mut payload: Fields) -> Result<Query> {
    let raw = |payload: &mut Fields, name| payload.raw(name).map(|raw| raw.get().to_owned()).unwrap_or_default();
    let raw_sort = raw(&mut payload, "sort");
    let filter = Filter::parse(&raw(&mut payload, "filter_conditions"), users::query::SCHEMA)?;
    // Where teams are kept apart, users see their own, unless they ask for some (chat §8.6).
    let teams = match call.who() {
        Who::User(_, user) if call.tenant.app.settings.rules().has_teams && !filter.mentions("teams") => {
            Some(user.teams.clone())
        }
        _ => None,
    };
    let mut bound = |names: [&str; 2]| {
        let inside = payload.filled(names[0])?.map(|id| (id, true));
        Ok::<_, Error>(inside.or(payload.filled(names[1])?.map(|id| (id, false))))
    };
    let ids = Bounds { from: bound(["id_gte", "id_gt"])?, until: bound(["id_lte", "id_lt"])? };
    let online = match filter.mentions("online") || raw_sort.contains("\"online\"") {
        true => call.server.hub.online_users(call.tenant.app.id).into_iter().collect(),
        false => HashSet::new(),
    };
    Ok(Query {
        filter,
        online,
        sort: Sort::parse(&raw_sort)?,
        limit: payload.count("limit", users::query::LIMIT, users::query::LIMIT_MAX)?,
        offset: payload.count("offset", 0, users::query::OFFSET_MAX)?,
        includes_deactivated: payload.flag("include_deactivated_users")?.unwrap_or_default(),
        ids,
        teams,
    })
}

fn profiles(sent: &mut Fields) -> Result<Vec<(UserId, Profile)>> {
    let users = sent.object("users")?.ok_or_else(|| Error::field("users", "is a required field"))?;
    let dialect = users.dialect();
    let mut profiles = BTreeMap::new();
    for (key, value) in users.rest().iter() {
        let (id, profile) = profile(Fields::parse(value.get(), dialect)?)?;
        if id.as_str() != key {
            return Err(Error::field("users", &format!("the user under '{key}' has the id '{id}'")));
        }
        profiles.insert(id, profile);
    }
    if profiles.is_empty() || profiles.len() > USERS_MAX {
        return Err(Error::field("users", &format!("must hold 1 to {USERS_MAX} users")));
    }
    Ok(profiles.into_iter().collect())
}

/// A user as clients send it.
///
/// # Errors
/// 4 when a member is not what the contract says, 22 when the own fields are too big.
pub(crate) fn profile(mut sent: Fields) -> Result<(UserId, Profile)> {
    let id = sent.filled("id")?.ok_or_else(|| Error::field("id", "is a required field"))?;
    let id = fields::user(&id)?;
    sent.skip(READ_ONLY);
    let known = known(&mut sent)?;
    Ok((id, Profile { custom: sent.custom()?, ..known }))
}

/// Takes the built-in members of a user.
fn known(sent: &mut Fields) -> Result<Profile> {
    let teams_role = sent.object("teams_role")?.map(roles).transpose()?;
    let privacy = sent.object("privacy_settings")?.map(privacy).transpose()?;
    Ok(Profile {
        role: sent.filled("role")?,
        name: sent.text("name")?,
        image: sent.text("image")?,
        language: sent.text("language")?,
        teams: sent.texts("teams")?,
        teams_role,
        is_invisible: sent.flag("invisible")?,
        privacy,
        custom: Object::default(),
    })
}

/// One of the users of `PATCH /users`.
fn user_patch(mut sent: Fields) -> Result<(UserId, UserPatch)> {
    let id = sent.user("id")?.ok_or_else(|| Error::field("id", "is a required field"))?;
    let mut patch = Patch::take(&mut sent)?;
    let is_revoked = patch.clears("revoke_tokens_issued_before");
    let revoked = patch.set.time("revoke_tokens_issued_before")?.map(Some);
    if patch.clears("role") {
        return Err(Error::field("role", "cannot be unset"));
    }
    let clearable = [
        ("name", Clearable::Name),
        ("image", Clearable::Image),
        ("language", Clearable::Language),
        ("teams", Clearable::Teams),
        ("teams_role", Clearable::TeamsRole),
        ("invisible", Clearable::Invisible),
        ("privacy_settings", Clearable::Privacy),
    ];
    let cleared = clearable.into_iter().filter(|(name, _)| patch.clears(name)).map(|(_, field)| field).collect();
    patch.skip(READ_ONLY);
    patch.skip(&["id"]);
    let set = known(&mut patch.set)?;
    let revoke_tokens_issued_before = if is_revoked { Some(None) } else { revoked };
    Ok((id, UserPatch { set, revoke_tokens_issued_before, cleared, custom: patch.edit() }))
}

fn roles(teams: Fields) -> Result<Vec<(String, String)>> {
    let read = |(team, role): (&str, &serde_json::value::RawValue)| {
        let role = serde_json::from_str(role.get()).map_err(|_| Error::field("teams_role", "must hold strings"))?;
        Ok((team.to_owned(), role))
    };
    teams.rest().iter().map(read).collect()
}

fn privacy(mut sent: Fields) -> Result<Privacy> {
    let mut switch = |name| match sent.object(name)? {
        Some(mut switch) => switch.flag("enabled"),
        None => Ok(None),
    };
    Ok(Privacy {
        typing_indicators: switch("typing_indicators")?,
        read_receipts: switch("read_receipts")?,
        delivery_receipts: switch("delivery_receipts")?,
    })
}
