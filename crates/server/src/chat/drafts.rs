//! Drafts (chat §6.15, §11.6, §11.14.5).

use domain::{
    Tx,
    chat::{
        drafts::{self, DRAFTS, Found, Spot},
        messages::{self, Shown},
    },
    filter::Filter,
    users::People,
};
use ids::{MessageId, UserId};
use wire::chat::drafts::{Draft as WireDraft, Drafts, OneDraft};

use super::{
    channels::state::Loaded,
    error::{Error, Result},
    fields::Fields,
    gate::Call,
    messages::{Query, READ_ONLY, channel, draft as message_draft, place},
    to_wire::{
        channels::{self, Pen},
        messages::Frame,
    },
};
use crate::reply::Reply;

/// A draft with the objects around it.
struct Told {
    found: Found,
    channel: Option<Loaded>,
    parent: Option<Shown>,
    quoted: Option<Shown>,
}

/// `POST /channels/{type}/{id}/draft`: keeps what somebody has written so far.
pub(crate) async fn put(call: Call, mut sent: Fields) -> Result<Reply> {
    let mut message = sent.object("message")?.ok_or_else(|| Error::field("message", "is a required field"))?;
    let id = message.message("id")?;
    let user = match call.actor(&mut message)? {
        Some(user) => user,
        None => call.some_actor(&mut sent)?,
    };
    let mut written = message_draft::content(&mut message, Some(user.clone()), call.now())?;
    written.html = written.html.filter(|_| call.is_server());
    written.custom = custom(message)?;
    let spot = Spot { channel: channel(&call)?, parent: written.parent.clone() };
    let id = id.unwrap_or_else(|| MessageId::parse(&call.new_id()).expect("a UUID is a message id"));
    let (caller, now) = (call.user().cloned(), call.moment());
    let run = call.app.write(async |tx| drafts::put(tx, caller.as_ref(), (&user, &spot), (&id, &written), now).await);
    let draft = run.await?;
    one(&call, &user, Found { spot, draft }).await
}

/// The application's own fields, which stand beside the others or in `custom`, whatever the dialect.
fn custom(mut message: Fields) -> Result<String> {
    message.skip(READ_ONLY);
    let nested = message.object("custom")?;
    let mut custom = message.rest();
    for (name, value) in nested.map(Fields::rest).unwrap_or_default().iter() {
        custom.set(name, value.to_owned());
    }
    Ok(custom.to_string())
}

/// `GET /channels/{type}/{id}/draft`: what somebody has begun to write.
pub(crate) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let (user, spot) = asked(&call)?;
    let draft = drafts::read(&mut call.snapshot(), call.user(), &user, &spot, call.now()).await?;
    one(&call, &user, Found { spot, draft }).await
}

/// `DELETE /channels/{type}/{id}/draft`: throws it away.
pub(crate) async fn delete(call: Call, _: Fields) -> Result<Reply> {
    let ((user, spot), now) = (asked(&call)?, call.moment());
    call.app.write(async |tx| drafts::delete(tx, &user, &spot, now).await).await?;
    call.done()
}

/// Whose draft the query names, and where it is.
fn asked(call: &Call) -> Result<(UserId, Spot)> {
    let mut query = call.query_fields()?;
    let parent = query.message("parent_id")?;
    Ok((call.some_actor(&mut query)?, Spot { channel: channel(call)?, parent }))
}

/// `POST /drafts/query`: a page of somebody's drafts.
pub(crate) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    let user = call.some_actor(&mut sent)?;
    let asked = Query::read(&mut sent, &["-created_at"])?;
    let filter = Filter::parse(&asked.filter, DRAFTS)?;
    let mut tx = call.snapshot();
    let (what, part) = ((&filter, &asked.sort), (asked.cursor.as_ref(), asked.limit));
    let page = drafts::query(&mut tx, call.user(), &user, what, part, call.now()).await?;
    let (mut people, mut told) = (People::default(), Vec::with_capacity(page.rows.len()));
    for found in page.rows {
        told.push(tell(&call, &mut tx, &user, found, &mut people).await?);
    }
    let drafts = told.iter().map(|told| shown(&call, &people, told)).collect();
    call.answer(&Drafts { drafts, next: asked.place(page.next), prev: asked.place(page.prev) })
}

async fn one(call: &Call, user: &UserId, found: Found) -> Result<Reply> {
    let mut people = People::default();
    let told = tell(call, &mut call.snapshot(), user, found, &mut people).await?;
    call.answer(&OneDraft { draft: shown(call, &people, &told) })
}

/// Loads what is shown with a draft of `user`.
async fn tell(call: &Call, tx: &mut Tx, user: &UserId, found: Found, people: &mut People) -> Result<Told> {
    let channel = place(call, tx, &found.spot.channel, people).await?;
    people.add(tx, &found.draft.mentioned).await?;
    let parent = message(tx, user, found.spot.parent.as_ref(), people).await?;
    let quoted = message(tx, user, found.draft.quoted.as_ref(), people).await?;
    Ok(Told { found, channel, parent, quoted })
}

/// The message `id`, if there is one that `user` sees.
async fn message(tx: &mut Tx, user: &UserId, id: Option<&MessageId>, people: &mut People) -> Result<Option<Shown>> {
    let Some(id) = id else { return Ok(None) };
    let Some(message) = messages::get(tx, id).await?.filter(|message| messages::is_visible(message, user)) else {
        return Ok(None);
    };
    Ok(messages::gather(tx, vec![(id.clone(), message)], Some(user), people).await?.pop())
}

fn shown<'a>(call: &Call, people: &'a People, told: &'a Told) -> WireDraft<'a> {
    let frame = Frame { dialect: call.dialect, people, now: call.now(), shows_deleted: false };
    let pen = Pen { dialect: call.dialect, people, now: call.now() };
    let message = |shown: &'a Option<Shown>| shown.as_ref().map(|shown| Box::new(frame.message(shown)));
    WireDraft {
        channel: told.channel.as_ref().map(|loaded| Box::new(channels::channel(pen, loaded))),
        parent_message: message(&told.parent),
        quoted_message: message(&told.quoted),
        ..frame.draft(&told.found.spot, &told.found.draft)
    }
}
