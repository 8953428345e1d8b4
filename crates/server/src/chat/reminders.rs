//! Reminders of messages (chat §6.15, §11.6, §11.14.5).

use domain::{
    Tx,
    chat::{
        messages::{self, Shown},
        reminders::{self, Found, REMINDERS},
    },
    filter::Filter,
    users::People,
};
use wire::chat::{
    dialect::Dialect,
    reminders::{OneReminder, Reminder, Reminders, Saved},
};

use super::{
    channels::state::Loaded,
    error::Result,
    fields::Fields,
    gate::Call,
    messages::{Query, message_id, place},
    to_wire::{
        channels::{self, Pen},
        messages::Frame,
    },
};
use crate::reply::Reply;

/// How far in a reader can page by number.
const OFFSET_MAX: usize = 1000;

/// A reminder with the objects around it.
struct Told {
    found: Found,
    channel: Option<Loaded>,
    message: Option<Shown>,
}

/// `POST /messages/{id}/reminders`: saves a message for later.
pub(crate) async fn create(call: Call, mut sent: Fields) -> Result<Reply> {
    let (id, user) = (message_id(&call)?, call.some_actor(&mut sent)?);
    let remind_at = sent.time("remind_at")?;
    let (caller, now) = (call.user().cloned(), call.moment());
    let run = call.app.write(async |tx| reminders::create(tx, caller.as_ref(), &user, &id, remind_at, now).await);
    let found = run.await?;
    let mut people = People::default();
    let told = tell(&call, &mut call.snapshot(), found, &mut people).await?;
    let reminder = shown(&call, &people, &told);
    match call.dialect {
        Dialect::Classic => call.answer(&OneReminder { reminder }),
        Dialect::V2 => call.answer(&Saved { top: &reminder, reminder: &reminder }),
    }
}

/// `PATCH /messages/{id}/reminders`: sets the moment anew; without one, nobody is reminded any more.
pub(crate) async fn update(call: Call, mut sent: Fields) -> Result<Reply> {
    let (id, user) = (message_id(&call)?, call.some_actor(&mut sent)?);
    let remind_at = sent.time("remind_at")?;
    let now = call.moment();
    let found = call.app.write(async |tx| reminders::update(tx, &user, &id, remind_at, now).await).await?;
    let mut people = People::default();
    let told = tell(&call, &mut call.snapshot(), found, &mut people).await?;
    call.answer(&OneReminder { reminder: shown(&call, &people, &told) })
}

/// `DELETE /messages/{id}/reminders`: removes it.
pub(crate) async fn delete(call: Call, _: Fields) -> Result<Reply> {
    let (id, user) = (message_id(&call)?, call.some_actor(&mut call.query_fields()?)?);
    let now = call.moment();
    call.app.write(async |tx| reminders::delete(tx, &user, &id, now).await).await?;
    call.done()
}

/// `POST /reminders/query`: a page of somebody's reminders.
pub(crate) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    let user = call.some_actor(&mut sent)?;
    let offset = sent.count("offset", 0, OFFSET_MAX)?;
    let asked = Query::read(&mut sent, &["remind_at"])?;
    let filter = Filter::parse(&asked.filter, REMINDERS)?;
    let mut tx = call.snapshot();
    let (what, part) = ((&filter, &asked.sort), (asked.cursor.as_ref(), offset, asked.limit));
    let page = reminders::query(&mut tx, call.user(), &user, what, part, call.now()).await?;
    let (mut people, mut told) = (People::default(), Vec::with_capacity(page.rows.len()));
    for found in page.rows {
        told.push(tell(&call, &mut tx, found, &mut people).await?);
    }
    let reminders = told.iter().map(|told| shown(&call, &people, told)).collect();
    call.answer(&Reminders { reminders, next: asked.place(page.next), prev: asked.place(page.prev) })
}

/// Loads what is shown with a reminder.
async fn tell(call: &Call, tx: &mut Tx, found: Found, people: &mut People) -> Result<Told> {
    let channel = place(call, tx, &found.reminder.channel, people).await?;
    people.add(tx, [&found.user]).await?;
    let message = messages::get(tx, &found.message).await?;
    let message = match message.filter(|message| messages::is_visible(message, &found.user)) {
        Some(message) => messages::gather(tx, vec![(found.message.clone(), message)], None, people).await?.pop(),
        None => None,
    };
    Ok(Told { found, channel, message })
}

fn shown<'a>(call: &Call, people: &'a People, told: &'a Told) -> Reminder<'a> {
    let frame = Frame { dialect: call.dialect, people, now: call.now(), shows_deleted: false };
    let pen = Pen { dialect: call.dialect, people, now: call.now() };
    let Found { user, message, reminder } = &told.found;
    Reminder {
        channel: told.channel.as_ref().map(|loaded| Box::new(channels::channel(pen, loaded))),
        message: told.message.as_ref().map(|shown| Box::new(frame.message(shown))),
        ..frame.reminder(user, message.as_str(), reminder)
    }
}
