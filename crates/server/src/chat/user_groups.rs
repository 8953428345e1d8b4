//! `/usergroups` (v2 §7.2).

use domain::chat::user_groups::{self, Change, UserGroup, WithMembers};
use ids::UserId;
use serde_json::Value;
use wire::chat::{
    dialect::Time,
    user_groups::{Member, OneUserGroup, UserGroup as WireGroup, UserGroups},
};

use super::{
    error::{Error, Result},
    fields::{self, Fields},
    gate::Call,
    to_wire::user_groups::user_group,
};
use crate::{reply::Reply, seal};

/// The most groups of a page.
const PAGE_MAX: usize = 100;
/// Groups of a page when nobody says.
const PAGE_DEFAULT: usize = 30;
/// The most members of one call.
const MEMBERS_MAX: usize = 100;

/// `POST /usergroups`: makes a group.
pub(crate) async fn create(call: Call, mut sent: Fields) -> Result<Reply> {
    let id = sent.filled("id")?.unwrap_or_else(|| new_id(&call));
    let (change, now) = (change(&mut sent)?, call.now());
    if change.name.is_none() {
        return Err(Error::field("name", "is a required field"));
    }
    let users = members(&mut sent)?.unwrap_or_default();
    let made = call.app.write(async |tx| user_groups::create(tx, &id, &change, &users, now).await).await?;
    one(&call, &id, &made)
}

/// `GET /usergroups/{id}`.
pub(crate) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let group = user_groups::load(&mut call.snapshot(), call.param("id"), call.query.get("team_id")).await?;
    one(&call, call.param("id"), &group)
}

/// `PUT /usergroups/{id}`: changes the texts that are given.
pub(crate) async fn update(call: Call, mut sent: Fields) -> Result<Reply> {
    let (id, change, now) = (call.param("id"), change(&mut sent)?, call.now());
    let group = call.app.write(async |tx| user_groups::update(tx, id, &change, now).await).await?;
    one(&call, id, &group)
}

/// `DELETE /usergroups/{id}`.
pub(crate) async fn remove(call: Call, _: Fields) -> Result<Reply> {
    let (id, team, now) = (call.param("id"), call.query.get("team_id"), call.now());
    call.app.write(async |tx| user_groups::remove(tx, id, team, now).await).await?;
    call.done()
}

/// `POST /usergroups/{id}/members`: adds members, all or none.
pub(crate) async fn add_members(call: Call, mut sent: Fields) -> Result<Reply> {
    let (id, now, team) = (call.param("id"), call.now(), sent.filled("team_id")?);
    let users = members(&mut sent)?.ok_or_else(|| Error::field("member_ids", "is a required field"))?;
    let is_admin = sent.flag("as_admin")?.unwrap_or(false);
    let add = async |tx: &mut domain::Tx| user_groups::add(tx, id, team.as_deref(), &users, is_admin, now).await;
    let group = call.app.write(add).await?;
    one(&call, id, &group)
}

/// `POST /usergroups/{id}/members/delete`: takes members out; who is not in it does not matter.
pub(crate) async fn remove_members(call: Call, mut sent: Fields) -> Result<Reply> {
    let (id, now, team) = (call.param("id"), call.now(), sent.filled("team_id")?);
    let users = members(&mut sent)?.ok_or_else(|| Error::field("member_ids", "is a required field"))?;
    let take_out = async |tx: &mut domain::Tx| user_groups::take_out(tx, id, team.as_deref(), &users, now).await;
    let group = call.app.write(take_out).await?;
    one(&call, id, &group)
}

/// `GET /usergroups`: a page of the groups, the oldest first.
pub(crate) async fn list(call: Call, _: Fields) -> Result<Reply> {
    let mut groups = user_groups::list(&mut call.snapshot(), call.query.get("team_id")).await?;
    groups.sort_by(|(a, one), (b, other)| (one.created_at, a).cmp(&(other.created_at, b)));
    let since = match call.query.get("created_at_gt") {
        Some(text) => fields::time(&Value::from(text.trim_matches('"')), call.dialect)
            .map_err(|rule| Error::field("created_at_gt", &rule))?,
        None => None,
    };
    let after = call.query.get("id_gt");
    groups.retain(|(id, group)| match (since, after) {
        (Some(since), Some(after)) => (group.created_at, id.as_str()) > (since, after),
        (Some(since), None) => group.created_at > since,
        (None, Some(after)) => id.as_str() > after,
        (None, None) => true,
    });
    page(&call, &groups)
}

/// `GET /usergroups/search`: groups whose names begin so, by name.
pub(crate) async fn search(call: Call, _: Fields) -> Result<Reply> {
    let query = call.query.get("query").ok_or_else(|| Error::field("query", "is a required field"))?.to_lowercase();
    let mut groups = user_groups::list(&mut call.snapshot(), call.query.get("team_id")).await?;
    groups.retain(|(_, group)| group.name.to_lowercase().starts_with(&query));
    groups.sort_by(|(a, one), (b, other)| (&one.name, a).cmp(&(&other.name, b)));
    let after = call.query.get("name_gt").map(|name| (name, call.query.get("id_gt").unwrap_or_default()));
    groups.retain(|(id, group)| after.is_none_or(|after| (group.name.as_str(), id.as_str()) > after));
    page(&call, &groups)
}

fn page(call: &Call, groups: &[(String, UserGroup)]) -> Result<Reply> {
    let limit = call.query.number("limit", PAGE_DEFAULT, 1..=PAGE_MAX).map_err(|error| Error::input(error.detail))?;
    let shown = groups.iter().take(limit).map(|(id, group)| user_group(call.dialect, id, group));
    call.answer(&UserGroups { user_groups: shown.collect() })
}

fn one(call: &Call, id: &str, (group, members): &WithMembers) -> Result<Reply> {
    let members = members.iter().map(|(user, member)| Member {
        app_pk: call.tenant.app.id.0,
        group_id: id,
        user_id: user,
        is_admin: member.is_admin,
        created_at: Time { at: member.created_at, dialect: call.dialect },
    });
    let shown = user_group(call.dialect, id, group);
    call.answer(&OneUserGroup { user_group: WireGroup { members: Some(members.collect()), ..shown } })
}

fn change(sent: &mut Fields) -> Result<Change> {
    Ok(Change { name: sent.filled("name")?, description: sent.text("description")?, team: sent.filled("team_id")? })
}

/// A version 7 UUID.
fn new_id(call: &Call) -> String {
    let millis = u64::try_from(call.now().micros() / 1000).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &seal::random()).into_uuid().to_string()
}

fn members(sent: &mut Fields) -> Result<Option<Vec<UserId>>> {
    match sent.users("member_ids")? {
        Some(users) if users.len() > MEMBERS_MAX => {
            Err(Error::field("member_ids", &format!("must hold at most {MEMBERS_MAX} users")))
        }
        users => Ok(users),
    }
}
