//! Live locations (chat §6.15, §11.6; v2 §7.6).

use domain::{
    Tx,
    chat::{
        locations::{self, Location, Update},
        messages::{self, Message, Shown},
    },
    users::People,
};
use ids::{MessageId, Timestamp, UserId};
use wire::chat::locations::{Location as WireLocation, Locations};

use super::{
    channels::state::Loaded,
    error::{Error, Result},
    fields::Fields,
    gate::Call,
    messages::place,
    to_wire::{
        channels::{self, Pen},
        messages::Frame,
    },
};
use crate::reply::Reply;

/// A message that tells a location, with its channel.
struct Told {
    channel: Option<Loaded>,
    shown: Shown,
}

/// `GET /users/live_locations`: those of a user that are not over.
pub(crate) async fn list(call: Call, _: Fields) -> Result<Reply> {
    let user = call.some_actor(&mut call.query_fields()?)?;
    let (mut tx, mut people, mut told) = (call.snapshot(), People::default(), Vec::new());
    for (id, message) in locations::of_user(&mut tx, &user, call.now()).await? {
        told.push(tell(&call, &mut tx, &user, (id, message), &mut people).await?);
    }
    let locations = told.iter().filter_map(|told| shown(&call, &people, told)).collect();
    call.answer(&Locations { active_live_locations: locations })
}

/// `PUT /users/live_locations`: tells one anew, or ends it.
pub(crate) async fn update(call: Call, mut sent: Fields) -> Result<Reply> {
    let user = call.some_actor(&mut sent)?;
    let id = sent.message("message_id")?.ok_or_else(|| Error::field("message_id", "is a required field"))?;
    let update = Update {
        latitude: degrees(&mut sent, "latitude")?,
        longitude: degrees(&mut sent, "longitude")?,
        device: sent.filled("created_by_device_id")?,
        end_at: sent.time("end_at")?,
    };
    let (caller, now) = (call.user().cloned(), call.moment());
    let run = call.app.write(async |tx| locations::update(tx, caller.as_ref(), &user, &id, &update, now).await);
    let message = run.await?;
    let mut people = People::default();
    let told = tell(&call, &mut call.snapshot(), &user, (id, message), &mut people).await?;
    call.answer(&shown(&call, &people, &told))
}

/// The location in a message that is sent.
///
/// # Errors
/// 4 when a member is missing or not what the contract says.
pub(super) fn read(mut sent: Fields, now: Timestamp) -> Result<Location> {
    let required = |name: &str| Error::field(&format!("shared_location.{name}"), "is a required field");
    Ok(Location {
        latitude: degrees(&mut sent, "latitude")?.ok_or_else(|| required("latitude"))?,
        longitude: degrees(&mut sent, "longitude")?.ok_or_else(|| required("longitude"))?,
        device: sent.text("created_by_device_id")?.unwrap_or_default(),
        end_at: sent.time("end_at")?,
        updated_at: now,
    })
}

fn degrees(sent: &mut Fields, name: &str) -> Result<Option<f64>> {
    let wrong = || Error::field(name, "must be a number");
    let Some(raw) = sent.raw(name) else { return Ok(None) };
    serde_json::from_str(raw.get()).map(Some).map_err(|_| wrong())
}

/// Loads what is shown with a location.
async fn tell(
    call: &Call,
    tx: &mut Tx,
    user: &UserId,
    message: (MessageId, Message),
    people: &mut People,
) -> Result<Told> {
    let channel = place(call, tx, &message.1.channel, people).await?;
    let shown = messages::gather(tx, vec![message], Some(user), people).await?.remove(0);
    Ok(Told { channel, shown })
}

fn shown<'a>(call: &Call, people: &'a People, told: &'a Told) -> Option<WireLocation<'a>> {
    let frame = Frame { dialect: call.dialect, people, now: call.now(), shows_deleted: false };
    let pen = Pen { dialect: call.dialect, people, now: call.now() };
    Some(WireLocation {
        channel: told.channel.as_ref().map(|loaded| Box::new(channels::channel(pen, loaded))),
        message: Some(Box::new(frame.message(&told.shown))),
        ..frame.location(told.shown.id.as_str(), &told.shown.message)?
    })
}
