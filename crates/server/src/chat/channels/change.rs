//! Changing a channel and who belongs to it (chat §11.3).

use domain::{
    chat::{
        channels::{self, Change, Details},
        members::{Newcomer, Terms},
        messages::{self, Draft, Kind, Message},
    },
    custom::Edit,
    users::People,
};
use ids::{ChannelId, MessageId, UserId, json::Object};
use wire::chat::channels::Changed;

use super::{
    fields::{self, MEMBERS_MAX},
    path,
    spot::Spot,
    state::{self, View},
    wanted::Wanted,
};
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
        messages::{bare_path, draft},
        to_wire::{
            channels::{self as to_wire, Pen},
            messages::Frame,
        },
    },
    reply::Reply,
};

/// `POST /channels/{type}/{id}`: replaces the channel's data, and moves members, in one call.
pub(crate) async fn update(call: Call, mut sent: Fields) -> Result<Reply> {
    let id = path(&call)?;
    let actor = call.actor(&mut sent)?;
    let note = note(&call, &mut sent, actor.as_ref())?;
    let mut change = change(&call, &mut sent)?;
    let spot = Spot::load(&call, &id).await?;
    channels::may_update(call.who(), spot.place(), &change)?;
    spot.check_enabled(call.who())?;
    if let Some(details) = change.details.as_mut().filter(|_| !call.is_server()) {
        keep_settings(details, &spot);
    }
    let (now, then, by) = (call.now(), call.moment(), actor.as_ref());
    let said = call.app.write(async |tx| {
        channels::update(tx, &id, &change, by, now).await?;
        match &note {
            Some((message, draft)) => Ok(Some(messages::send(tx, None, &id, message, draft, then).await?)),
            None => Ok(None),
        }
    });
    let said = note.as_ref().map(|(id, _)| id.clone()).zip(said.await?);
    changed(&call, &id, actor.as_ref(), said, true).await
}

/// A user who says nothing of a setting leaves it as it is.
fn keep_settings(details: &mut Details, spot: &Spot) {
    details.is_frozen.get_or_insert(spot.channel.is_frozen);
    details.is_disabled.get_or_insert(spot.channel.is_disabled);
    details.cooldown_seconds.get_or_insert(spot.channel.cooldown_seconds);
}

fn change(call: &Call, sent: &mut Fields) -> Result<Change> {
    let (mut details, mut invites) = (None, fields::newcomers(sent, "invites")?);
    if let Some(data) = sent.object("data")? {
        let data = fields::data(data)?;
        details = Some(data.details);
        invites.extend(data.invites);
    }
    let hides = sent.flag("hide_history")?.unwrap_or(false).then(|| call.now());
    let terms = Terms { hides_before: sent.time("hide_history_before")?.or(hides), makes_users: call.is_server() };
    let cooldown_seconds = sent.number("cooldown")?.map(fields::cooldown).transpose()?;
    let answer = match (sent.flag("accept_invite")?, sent.flag("reject_invite")?) {
        (Some(true), Some(true)) => return Err(Error::input("accept_invite and reject_invite exclude each other")),
        (Some(true), _) => Some(true),
        (_, Some(true)) => Some(false),
        _ => None,
    };
    Ok(Change {
        details,
        settings: Details { cooldown_seconds, ..Details::default() },
        add_filter_tags: sent.texts("add_filter_tags")?.unwrap_or_default(),
        remove_filter_tags: sent.texts("remove_filter_tags")?.unwrap_or_default(),
        add_members: fields::newcomers(sent, "add_members")?,
        terms,
        remove_members: users(sent, "remove_members")?,
        add_moderators: users(sent, "add_moderators")?,
        demote_moderators: users(sent, "demote_moderators")?,
        assign_roles: roles(sent)?,
        invites,
        answer,
    })
}

fn users(sent: &mut Fields, name: &str) -> Result<Vec<UserId>> {
    let users = sent.users(name)?.unwrap_or_default();
    match users.len() <= MEMBERS_MAX {
        true => Ok(users),
        false => Err(Error::field(name, &format!("must hold at most {MEMBERS_MAX} members"))),
    }
}

fn roles(sent: &mut Fields) -> Result<Vec<Newcomer>> {
    let roles = fields::newcomers(sent, "assign_roles")?;
    match roles.iter().all(|given| given.channel_role.is_some()) {
        true => Ok(roles),
        false => Err(Error::field("assign_roles", "must name a channel_role for each member")),
    }
}

/// The system message in a body, which tells of the change; by `actor`, if it does not say.
fn note(call: &Call, sent: &mut Fields, actor: Option<&UserId>) -> Result<Option<(MessageId, Draft)>> {
    if !sent.has("message") {
        return Ok(None);
    }
    let (id, draft) = draft::read(call, sent)?;
    let user = draft.user.clone().or_else(|| actor.cloned());
    if user.is_none() {
        return Err(Error::field("message.user_id", "is a required field"));
    }
    let id = id.unwrap_or_else(|| MessageId::parse(&call.new_id()).expect("a UUID is a message id"));
    Ok(Some((id, Draft { user, kind: Kind::System, ..draft })))
}

/// `PATCH /channels/{type}/{id}`: changes the fields that are given.
pub(crate) async fn patch(call: Call, mut sent: Fields) -> Result<Reply> {
    let id = path(&call)?;
    let actor = call.actor(&mut sent)?;
    let (settings, edit) = edits(&mut sent)?;
    let spot = Spot::load(&call, &id).await?;
    spot.check(&call, "update-channel")?;
    channels::may_set(call.who(), spot.place(), &settings)?;
    let (now, by) = (call.now(), actor.as_ref());
    call.app.write(async |tx| channels::patch(tx, &id, &settings, &edit, by, now).await).await?;
    changed(&call, &id, actor.as_ref(), None, true).await
}

fn edits(sent: &mut Fields) -> Result<(Details, Edit)> {
    let dialect = sent.dialect();
    let (mut settings, mut edit) = (Details::default(), Edit::default());
    if let Some(set) = sent.object("set")? {
        settings = fields::data(set)?.details;
        for (path, value) in std::mem::take(&mut settings.custom).iter() {
            edit.set.set(bare_path(path, dialect), value.to_owned());
        }
    }
    for path in sent.texts("unset")?.unwrap_or_default() {
        match path.as_str() {
            "frozen" => settings.is_frozen = Some(false),
            "disabled" => settings.is_disabled = Some(false),
            "cooldown" => settings.cooldown_seconds = Some(0),
            "team" => settings.team = Some(String::new()),
            "auto_translation_enabled" => settings.is_auto_translated = Some(false),
            "auto_translation_language" => settings.auto_translation_language = Some(String::new()),
            "filter_tags" => settings.filter_tags = Some(Vec::new()),
            "config_overrides" => settings.config_overrides = Some(Object::default()),
            path => edit.unset.push(bare_path(path, dialect).to_owned()),
        }
    }
    Ok((settings, edit))
}

/// `DELETE /channels/{type}/{id}`: nobody finds it any more; with `hard_delete`, nothing is left of it.
pub(crate) async fn delete(call: Call, _: Fields) -> Result<Reply> {
    let id = path(&call)?;
    let is_hard = call.query.flag("hard_delete").map_err(|error| Error::input(error.detail))?;
    Spot::load(&call, &id).await?.check(&call, "delete-channel")?;
    let view = View::of(&call, call.user());
    let mut loaded = state::load(&mut call.snapshot(), &id, view).await?;
    let (now, task, by) = (call.now(), call.new_id(), call.user());
    let deleted = call.app.write(async |tx| {
        domain::erasure::channels::mark(tx, &id, is_hard, by, now).await?;
        if is_hard {
            plan_removal(tx, &task, &id, now);
        }
        Ok(())
    });
    deleted.await?;
    loaded.channel.deleted_at = Some(now);
    answer(&call, loaded, None, false).await
}

/// Plans that what was said so far is removed; of a channel that was deleted, everything.
fn plan_removal(tx: &mut domain::Tx, task: &str, id: &ChannelId, now: ids::Timestamp) {
    let channels = vec![(id.clone(), true)];
    domain::tasks::plan(tx, task, domain::tasks::Kind::DeleteChannels { channels, is_hard: true }, now);
}

/// `POST /channels/{type}/{id}/truncate`: hides what was said so far; with `hard_delete`, removes it.
pub(crate) async fn truncate(call: Call, mut sent: Fields) -> Result<Reply> {
    let id = path(&call)?;
    let actor = call.actor(&mut sent)?;
    let note = note(&call, &mut sent, actor.as_ref())?;
    if note.as_ref().is_some_and(|(_, draft)| !draft.visible_to.is_empty()) {
        return Err(Error::field("message.restricted_visibility", "cannot be given when a channel is truncated"));
    }
    let given = sent.time("truncated_at")?;
    let (is_hard, members) = (sent.flag("hard_delete")?.unwrap_or(false), users(&mut sent, "member_ids")?);
    Spot::load(&call, &id).await?.check(&call, "truncate-channel")?;
    let (now, task, by) = (call.moment(), call.new_id(), actor.as_ref());
    let (then, until) = (call.moment(), given.map_or(now, |given| given.min(now)));
    let said = call.app.write(async |tx| {
        match members.is_empty() {
            true => drop(channels::truncate(tx, &id, until, by, now).await?),
            false => channels::truncate_for(tx, &id, &members, until, now).await?,
        }
        if is_hard && given.is_none() && members.is_empty() {
            plan_removal(tx, &task, &id, now);
        }
        match &note {
            Some((message, draft)) => Ok(Some(messages::send(tx, None, &id, message, draft, then).await?)),
            None => Ok(None),
        }
    });
    let said = note.as_ref().map(|(id, _)| id.clone()).zip(said.await?);
    changed(&call, &id, actor.as_ref(), said, false).await
}

/// `POST /channels/{type}/{id}/hide`: the acting user does not see the channel until something is said.
pub(crate) async fn hide(call: Call, mut sent: Fields) -> Result<Reply> {
    let (id, user, now) = (path(&call)?, call.some_actor(&mut sent)?, call.now());
    let clears = sent.flag("clear_history")?.unwrap_or(false);
    Spot::load(&call, &id).await?.check(&call, "read-channel")?;
    call.app.write(async |tx| channels::hide(tx, &id, &user, clears, now).await).await?;
    call.done()
}

/// `POST /channels/{type}/{id}/show`: takes that back.
pub(crate) async fn show(call: Call, mut sent: Fields) -> Result<Reply> {
    let (id, user, now) = (path(&call)?, call.some_actor(&mut sent)?, call.now());
    Spot::load(&call, &id).await?.check(&call, "read-channel")?;
    call.app.write(async |tx| channels::show(tx, &id, &user, now).await).await?;
    call.done()
}

/// The answer with the channel as it is now, with its members if they are wanted.
async fn changed(
    call: &Call,
    id: &ChannelId,
    viewer: Option<&UserId>,
    said: Option<(MessageId, Message)>,
    with_members: bool,
) -> Result<Reply> {
    let loaded = state::load(&mut call.snapshot(), id, View::of(call, viewer)).await?;
    answer(call, loaded, said, with_members).await
}

async fn answer(
    call: &Call,
    mut loaded: state::Loaded,
    said: Option<(MessageId, Message)>,
    with_members: bool,
) -> Result<Reply> {
    let (mut tx, mut people) = (call.snapshot(), People::default());
    if with_members {
        state::list_members(&mut tx, &mut loaded, Wanted::nothing().members).await?;
    }
    let shown = messages::gather(&mut tx, said.into_iter().collect(), call.user(), &mut people).await?;
    state::meet(call, &mut tx, std::slice::from_ref(&loaded), &mut people).await?;
    let pen = Pen { dialect: call.dialect, people: &people, now: call.now() };
    let frame = Frame { dialect: call.dialect, people: &people, now: call.now(), shows_deleted: false };
    call.answer(&Changed {
        channel: to_wire::channel(pen, &loaded),
        members: with_members.then(|| to_wire::members(pen, &loaded)),
        message: shown.first().map(|shown| frame.message(shown)),
    })
}
