//! Members: finding them, and how a member sees a channel (chat §11.3).

use domain::{
    Tx,
    chat::members::{self, LIST_MAX, Member, OFFSET_MAX, Patch, Query, SCHEMA},
    filter::{Filter, Sort},
    users::People,
};
use ids::{ChannelId, UserId};
use wire::chat::{
    error::Code,
    members::{ChangedMember, Members},
};

use super::{
    channels::{self, Spot, number, state::Listed},
    error::{Error, Result},
    fields::{self, Fields},
    gate::Call,
    messages::bare_path,
    to_wire::channels::{self as to_wire, Pen},
};
use crate::reply::Reply;

/// `GET /members?payload=`.
pub(crate) async fn query(call: Call, _: Fields) -> Result<Reply> {
    let mut sent = call.payload()?;
    let id = channel(&mut sent)?;
    let query = read(&mut sent)?;
    let spot = Spot::load(&call, &id).await?;
    spot.check(&call, "read-channel")?;
    spot.check(&call, "read-channel-members")?;
    let (mut tx, now) = (call.snapshot(), call.now());
    let found = members::query(&mut tx, &id, &query, now).await?;
    let listed: Vec<Listed> = found.into_iter().map(|(user, member)| Listed::new(user, member)).collect();
    let people = people(&call, &mut tx, &listed).await?;
    let pen = Pen { dialect: call.dialect, people: &people, now };
    let shown = listed.iter().map(|listed| to_wire::member(pen, &spot.channel, listed));
    call.answer(&Members { members: shown.collect() })
}

async fn people(call: &Call, tx: &mut Tx, listed: &[Listed]) -> Result<People> {
    let mut people = People::load(tx, listed.iter().map(|listed| &listed.user)).await?;
    for (id, person) in people.iter_mut() {
        person.is_online = call.server.hub.is_online(call.tenant.app.id, id);
    }
    Ok(people)
}

/// Which channel: by type and id, or by the members that make its identity.
fn channel(sent: &mut Fields) -> Result<ChannelId> {
    let kind = sent.filled("type")?.ok_or_else(|| Error::field("type", "is a required field"))?;
    let members = sent.users("members")?.unwrap_or_default();
    match sent.filled("id")? {
        Some(id) => ChannelId::new(&kind, &id).map_err(|error| Error::field("id", &error.to_string())),
        None => channels::distinct(&kind, members.iter()),
    }
}

fn read(sent: &mut Fields) -> Result<Query> {
    let text = |sent: &mut Fields, name: &str| sent.raw(name).map_or_else(String::new, |raw| raw.get().to_owned());
    let mut id = |name: &str, with: bool| Ok::<_, Error>(sent.filled(name)?.map(|id| (id, with)));
    let after_id = id("user_id_gt", false)?.or(id("user_id_gte", true)?);
    let before_id = id("user_id_lt", false)?.or(id("user_id_lte", true)?);
    let mut time = |name: &str, with: bool| Ok::<_, Error>(sent.time(name)?.map(|at| (at, with)));
    let after = time("created_at_after", false)?.or(time("created_at_after_or_equal", true)?);
    let before = time("created_at_before", false)?.or(time("created_at_before_or_equal", true)?);
    Ok(Query {
        filter: Filter::parse(&text(sent, "filter_conditions"), SCHEMA)?,
        sort: Sort::parse(&text(sent, "sort"))?,
        limit: number(sent, "limit", LIST_MAX, LIST_MAX)?,
        offset: number(sent, "offset", 0, OFFSET_MAX)?,
        after_id,
        before_id,
        after,
        before,
    })
}

/// `PATCH /channels/{type}/{id}/member/{user_id}`.
pub(crate) async fn patch(call: Call, sent: Fields) -> Result<Reply> {
    let user = fields::user(call.param("user_id"))?;
    patch_of(call, sent, user).await
}

/// `PATCH /channels/{type}/{id}/member`: the acting user's membership.
pub(crate) async fn patch_own(call: Call, mut sent: Fields) -> Result<Reply> {
    let user = call.some_actor(&mut sent)?;
    patch_of(call, sent, user).await
}

async fn patch_of(call: Call, mut sent: Fields, user: UserId) -> Result<Reply> {
    let id = channels::path(&call)?;
    let change = change(&mut sent)?;
    let spot = Spot::load(&call, &id).await?;
    check(&call, &spot, &user, &change)?;
    let now = call.now();
    let member = call.app.write(async |tx| members::patch(tx, &id, &user, &change, now).await).await?;
    answer(&call, &spot, user, member).await
}

async fn answer(call: &Call, spot: &Spot, user: UserId, member: Member) -> Result<Reply> {
    let (mut tx, listed, now) = (call.snapshot(), Listed::new(user, member), call.now());
    let people = people(call, &mut tx, std::slice::from_ref(&listed)).await?;
    let pen = Pen { dialect: call.dialect, people: &people, now };
    call.answer(&ChangedMember { channel_member: to_wire::member(pen, &spot.channel, &listed) })
}

/// A user changes itself as a member, but for its role.
fn check(call: &Call, spot: &Spot, user: &UserId, change: &Patch) -> Result<()> {
    spot.check(call, "read-channel")?;
    let Some(own) = call.user() else { return Ok(()) };
    match own == user && change.channel_role.is_none() {
        true => Ok(()),
        false => {
            Err(Error::new(Code::NotAllowed, "a user's token changes that user's own membership, and not its role"))
        }
    }
}

fn change(sent: &mut Fields) -> Result<Patch> {
    let (dialect, mut patch) = (sent.dialect(), Patch::default());
    if let Some(mut set) = sent.object("set")? {
        patch.is_pinned = set.flag("pinned")?;
        patch.is_archived = set.flag("archived")?;
        patch.channel_role = set.filled("channel_role")?;
        set.skip(channels::MEMBER_READ_ONLY);
        for (path, value) in set.custom()?.iter() {
            patch.edit.set.set(bare_path(path, dialect), value.to_owned());
        }
    }
    for path in sent.texts("unset")?.unwrap_or_default() {
        match path.as_str() {
            "pinned" | "pinned_at" => patch.is_pinned = Some(false),
            "archived" | "archived_at" => patch.is_archived = Some(false),
            "channel_role" => patch.channel_role = Some(members::ROLE.to_owned()),
            path => patch.edit.unset.push(bare_path(path, dialect).to_owned()),
        }
    }
    Ok(patch)
}
