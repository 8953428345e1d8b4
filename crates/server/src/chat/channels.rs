//! `/channels` (chat §11.3).

pub(crate) mod batch;
mod change;
pub(crate) mod fields;
pub(crate) mod grouped;
mod mute;
mod query;
mod spot;
pub(crate) mod state;
pub(crate) mod wanted;

pub(crate) use change::{delete, hide, patch, show, truncate, update};
pub(crate) use fields::MEMBER_READ_ONLY;
pub(crate) use mute::{mute, unmute};
pub(crate) use query::{number, query};
pub(crate) use spot::Spot;

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    chat::{
        channels::{self, Draft},
        members,
        permissions::{self, Place, Who},
        types,
    },
    users::People,
};
use ids::{ChannelId, UserId};
use wire::chat::error::Code;

use self::{
    state::{Loaded, View},
    wanted::{Slice, Wanted},
};
use super::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
    threads,
    to_wire::channels::{self as to_wire, Pen},
    watching::Watching,
};
use crate::reply::Reply;

/// `POST /channels/{type}/{id}/query`: the channel, made if there is none.
pub(crate) async fn get_or_create(call: Call, sent: Fields) -> Result<Reply> {
    let id = path(&call)?;
    get_or_create_as(call, sent, |_, _| Ok(id)).await
}

/// `POST /channels/{type}/query`: the channel of these members, made if there is none.
pub(crate) async fn get_or_create_distinct(call: Call, sent: Fields) -> Result<Reply> {
    get_or_create_as(call, sent, |call, data| {
        let members = data.members.iter().chain(&data.invites).map(|member| &member.user);
        distinct(call.param("type"), members)
    })
    .await
}

async fn get_or_create_as(
    call: Call,
    mut sent: Fields,
    id: impl FnOnce(&Call, &fields::Data) -> Result<ChannelId>,
) -> Result<Reply> {
    let hides_for_creator = sent.flag("hide_for_creator")?.unwrap_or(false);
    let (wanted, watching) = (Wanted::read(&mut sent)?, Watching::read(&call, &mut sent)?);
    let data = sent.object("data")?.map(fields::data).transpose()?.unwrap_or_default();
    let actor = call.actor(&mut sent)?;
    let id = id(&call, &data)?;
    if channels::get(&mut call.snapshot(), &id).await?.is_none() {
        let created_by = call.user().cloned().or(data.created_by).or_else(|| actor.clone());
        let fields::Data { details, members, invites, .. } = data;
        let makes_users = call.is_server();
        create(&call, &id, &Draft { created_by, details, members, invites, hides_for_creator, makes_users }).await?;
    }
    answer_state(&call, &id, actor.as_ref(), wanted, &watching).await
}

async fn create(call: &Call, id: &ChannelId, draft: &Draft) -> Result<()> {
    let now = call.now();
    let kind = types::load(&mut call.snapshot(), id.kind()).await?;
    permissions::check(call.who(), Place { kind: &kind, channel: None, member: None }, "create-channel", None)?;
    if let Some(deleted) = channels::get_deleted(&mut call.snapshot(), id).await? {
        let place = Place { kind: &kind, channel: Some(&deleted), member: None };
        permissions::check(call.who(), place, "recreate-channel", None)?;
    }
    if let Who::User(_, profile) = call.who()
        && kind.rules.has_teams
    {
        let team = draft.details.team.clone().unwrap_or_default();
        if !(profile.teams.contains(&team) || (team.is_empty() && profile.teams.is_empty())) {
            return Err(Error::new(Code::NotAllowed, "data.team must be a team of the user"));
        }
    }
    let app = &call.app;
    while app.write(async |tx| channels::clear(tx, id).await).await? {}
    app.write(async |tx| channels::get_or_create(tx, id, draft, now).await).await?;
    Ok(())
}

/// `GET /channels/{type}/{id}`: the channel, if there is one.
pub(crate) async fn get(call: Call, mut sent: Fields) -> Result<Reply> {
    let id = path(&call)?;
    let wanted = Wanted::query(&call)?;
    let watching = Watching::read(&call, &mut sent)?;
    let actor = call.actor(&mut sent)?;
    answer_state(&call, &id, actor.as_ref(), wanted, &watching).await
}

async fn answer_state(
    call: &Call,
    id: &ChannelId,
    viewer: Option<&UserId>,
    mut wanted: Wanted,
    watching: &Watching,
) -> Result<Reply> {
    let (mut tx, mut people, view) = (call.snapshot(), People::default(), View::of(call, viewer));
    let mut loaded = state::load(&mut tx, id, view).await?;
    loaded.check_readable(call.who())?;
    state::fill(&mut tx, &mut loaded, view, &wanted, &mut people).await?;
    if let Some(user) = viewer.filter(|_| wanted.state && wanted.unread_threads) {
        loaded.threads = threads::unread_in(call, &mut tx, id, user, &mut people).await?;
    }
    follow(call, watching, &mut wanted, std::slice::from_mut(&mut loaded));
    state::meet(call, &mut tx, std::slice::from_ref(&loaded), &mut people).await?;
    let pen = Pen { dialect: call.dialect, people: &people, now: call.now() };
    call.answer(&to_wire::state(pen, &loaded))
}

/// Watches the channels, if that was asked for, and notes who watches them.
fn follow(call: &Call, watching: &Watching, wanted: &mut Wanted, loaded: &mut [Loaded]) {
    let ids: Vec<ChannelId> = loaded.iter().map(|loaded| loaded.id.clone()).collect();
    watching.watch(call, &ids);
    let members: Vec<UserId> =
        loaded.iter().flat_map(|loaded| &loaded.members).map(|listed| listed.user.clone()).collect();
    watching.follow(call, &members);
    if watching.is_watching {
        wanted.watchers.get_or_insert(Slice { limit: members::LIST_MAX, offset: 0 });
    }
    for loaded in loaded {
        state::watched(call, loaded, wanted);
    }
}

/// The channel that the path names.
pub(crate) fn path(call: &Call) -> Result<ChannelId> {
    ChannelId::new(call.param("type"), call.param("id")).map_err(|error| Error::field("id", &error.to_string()))
}

/// The id of the channel whose members make its identity.
pub(crate) fn distinct<'m>(kind: &str, members: impl Iterator<Item = &'m UserId>) -> Result<ChannelId> {
    let mut members: Vec<&str> = members.map(UserId::as_str).collect();
    members.sort_unstable();
    members.dedup();
    if members.is_empty() {
        return Err(Error::field("data.members", "must hold members when the channel has no id"));
    }
    let hash = digest::digest(&digest::SHA256, members.join("\n").as_bytes());
    let id = format!("!members-{}", URL_SAFE_NO_PAD.encode(hash));
    ChannelId::new(kind, &id).map_err(|error| Error::field("type", &error.to_string()))
}
