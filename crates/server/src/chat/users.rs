//! `/users` (chat §11.7, v2 §2).

use std::collections::BTreeMap;

use domain::users::{self, People, Privacy, Profile};
use ids::UserId;
use wire::chat::{error::Code, users::Upserted};

use super::{
    error::{Error, Result},
    fields::{self, Fields},
    gate::Call,
    to_wire,
};
use crate::reply::Reply;

/// The most users of one call.
const USERS_MAX: usize = 100;
/// The most bytes of a user's own fields.
const CUSTOM_BYTES_MAX: usize = 5 * 1024;
/// Members that the server sets, and that clients echo.
const READ_ONLY: &[&str] = &[
    "avg_response_time",
    "ban_expires",
    "banned",
    "blocked_user_ids",
    "channel_mutes",
    "created_at",
    "deactivated_at",
    "deleted_at",
    "devices",
    "last_active",
    "latest_hidden_channels",
    "mutes",
    "online",
    "revoke_tokens_issued_before",
    "shadow_banned",
    "total_unread_count",
    "unread_channels",
    "unread_count",
    "unread_threads",
    "updated_at",
];

/// `POST /users`: makes users, or changes the fields that are given.
pub(crate) async fn upsert(call: Call, mut sent: Fields) -> Result<Reply> {
    let profiles = profiles(&mut sent)?;
    if let Some(own) = call.user()
        && profiles.iter().any(|(id, profile)| id != own || profile.role.is_some() || profile.teams.is_some())
    {
        return Err(Error::new(Code::NotAllowed, "a user's token changes that user alone, and not its role and teams"));
    }
    let now = call.now();
    let upserted = call
        .tenant
        .app
        .write_each(&profiles, async |tx, (id, profile)| users::upsert(tx, id, profile, now).await)
        .await?;
    let people: People = profiles.into_iter().map(|(id, _)| id).zip(upserted).collect();
    let shown = people.iter().map(|(id, person)| (id.to_string(), to_wire::users::user(call.dialect, id, person, now)));
    call.answer(&Upserted { users: shown.collect(), membership_deletion_task_id: "" })
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
    let teams_role = sent.object("teams_role")?.map(roles).transpose()?;
    let privacy = sent.object("privacy_settings")?.map(privacy).transpose()?;
    let profile = Profile {
        role: sent.filled("role")?,
        name: sent.text("name")?,
        image: sent.text("image")?,
        language: sent.text("language")?,
        teams: sent.texts("teams")?,
        teams_role,
        is_invisible: sent.flag("invisible")?,
        privacy,
        custom: sent.custom()?,
    };
    if profile.custom.to_string().len() > CUSTOM_BYTES_MAX {
        return Err(Error::new(
            Code::PayloadTooBig,
            format!("a user has at most {CUSTOM_BYTES_MAX} bytes of own fields"),
        ));
    }
    Ok((id, profile))
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
