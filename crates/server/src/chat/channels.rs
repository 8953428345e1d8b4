//! `/channels` (chat §11.3).

mod fields;
pub(crate) mod state;

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::chat::{
    channels::{self, Draft},
    members,
    permissions::{self, Place},
    types,
};
use ids::{ChannelId, UserId};

use self::state::Wanted;
use super::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
    to_wire::channels::{self as to_wire, Pen},
};
use crate::reply::Reply;

/// The most that a page of members, messages or watchers of one channel can ask for.
const PAGE_MAX: i64 = 300;
/// The most that such a page can skip.
const OFFSET_MAX: i64 = 10_000;

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
    let wanted = wanted(&mut sent)?;
    let data = sent.object("data")?.map(fields::data).transpose()?.unwrap_or_default();
    let actor = call.actor(&mut sent)?;
    let id = id(&call, &data)?;
    if channels::get(&mut call.snapshot(), &id).await?.is_none() {
        let created_by = call.user().cloned().or(data.created_by).or_else(|| actor.clone());
        let fields::Data { details, members, invites, .. } = data;
        let makes_users = call.is_server();
        create(&call, &id, &Draft { created_by, details, members, invites, hides_for_creator, makes_users }).await?;
    }
    answer_state(&call, &id, actor.as_ref(), &wanted).await
}

async fn create(call: &Call, id: &ChannelId, draft: &Draft) -> Result<()> {
    let now = call.now();
    let kind = types::load(&mut call.snapshot(), id.kind()).await?;
    permissions::check(call.who(), Place { kind: &kind, channel: None, member: None }, "create-channel", None)?;
    call.tenant.app.write(async |tx| channels::get_or_create(tx, id, draft, now).await).await?;
    Ok(())
}

/// `GET /channels/{type}/{id}`: the channel, if there is one.
pub(crate) async fn get(call: Call, mut sent: Fields) -> Result<Reply> {
    let id = path(&call)?;
    let state = call.query.flag("state").map_err(|error| Error::input(error.detail))?;
    let limit = call.query.number("members_limit", members::LIST_MAX, 0..=members::LIST_MAX);
    let wanted = Wanted { state, members: limit.map_err(|error| Error::input(error.detail))?, members_offset: 0 };
    let actor = call.actor(&mut sent)?;
    answer_state(&call, &id, actor.as_ref(), &wanted).await
}

/// How much of the state a body asks for; all of it, if it does not say.
fn wanted(sent: &mut Fields) -> Result<Wanted> {
    let state = sent.flag("state")?.unwrap_or(true);
    let (mut limit, mut offset) = (members::LIST_MAX as i64, 0);
    if let Some(mut page) = sent.object("members")? {
        limit = page.number("limit")?.filter(|limit| *limit > 0).unwrap_or(limit);
        offset = page.number("offset")?.unwrap_or(0);
    }
    if !(0..=PAGE_MAX).contains(&limit) || !(0..=OFFSET_MAX).contains(&offset) {
        return Err(Error::field(
            "members",
            &format!("takes a limit up to {PAGE_MAX} and an offset up to {OFFSET_MAX}"),
        ));
    }
    let count = |number: i64| usize::try_from(number).expect("the range was checked");
    Ok(Wanted { state, members: count(limit), members_offset: count(offset) })
}

async fn answer_state(call: &Call, id: &ChannelId, viewer: Option<&UserId>, wanted: &Wanted) -> Result<Reply> {
    let mut tx = call.snapshot();
    let loaded = state::load(&mut tx, id, call.who(), viewer, wanted, call.now()).await?;
    let people = state::people(&mut tx, std::slice::from_ref(&loaded)).await?;
    let pen = Pen { dialect: call.dialect, people: &people, now: call.now() };
    call.answer(&to_wire::state(pen, &loaded))
}

/// The channel that the path names.
pub(crate) fn path(call: &Call) -> Result<ChannelId> {
    ChannelId::new(call.param("type"), call.param("id")).map_err(|error| Error::field("id", &error.to_string()))
}

/// The id of the channel whose members make its identity.
fn distinct<'m>(kind: &str, members: impl Iterator<Item = &'m UserId>) -> Result<ChannelId> {
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
