//! `/moderation/…` and the lists of bans (chat §11.8; v2 §6): a file for each resource.

pub(crate) mod appeals;
pub(crate) mod bans;
mod cast;
pub(crate) mod checks;
pub(crate) mod configs;
pub(crate) mod decide;
pub(crate) mod flags;
pub(crate) mod mutes;
pub(crate) mod report;
pub(crate) mod reports;
pub(crate) mod review;
pub(crate) mod settings;
mod told;

pub(super) use cast::Cast;
pub(crate) use cast::Desk;
pub(crate) use told::told;

use domain::{
    Tx,
    chat::{messages::Scene, permissions},
    filter::{Filter, Schema, Sort},
    users::{self, User},
};
use ids::{ChannelId, Timestamp};
use wire::chat::error::Code;

use super::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
};
use crate::reply::Reply;

/// How many rows a list has if nobody says.
const LIMIT: usize = 100;
/// The most rows of a list.
const LIMIT_MAX: usize = 300;
/// The most rows that can be skipped.
const OFFSET_MAX: usize = 10_000;
/// The longest time of a ban or a mute, in minutes: a hundred years.
const MINUTES_MAX: i64 = 100 * 366 * 24 * 60;
/// The longest reason, in bytes.
const REASON_BYTES_MAX: usize = 1024;

/// Checks a permission outside of channels.
pub(super) fn check_app(call: &Call, permission: &str) -> Result<()> {
    Ok(permissions::check_app(call.who(), &call.tenant.app.settings, permission, None)?)
}

/// Checks a permission in `channel`, which must be there.
async fn check_channel(call: &Call, channel: &ChannelId, permission: &str) -> Result<()> {
    let scene = Scene::load(&mut call.snapshot(), channel, call.user(), call.now()).await?;
    Ok(scene.check(permission, None)?)
}

/// Refuses what is asked for and not built.
fn refuse(is_asked: bool, what: &str) -> Result<()> {
    match is_asked {
        true => Err(Error::new(Code::NotAvailable, format!("{what} is not available in this version of Millpond"))),
        false => Ok(()),
    }
}

/// `POST /moderation/bypass`: lets moderation look away from a user, or no longer.
pub(crate) async fn bypass(call: Call, mut sent: Fields) -> Result<Reply> {
    let id = sent.user("target_user_id")?.ok_or_else(|| Error::field("target_user_id", "is a required field"))?;
    let is_on = sent.flag("enabled")?.ok_or_else(|| Error::field("enabled", "is a required field"))?;
    let body = async |tx: &mut Tx| {
        let user = users::load(tx, &id).await?;
        users::put(tx, &id, &User { bypasses_moderation: is_on, ..user });
        Ok(())
    };
    call.app.write(body).await?;
    call.done()
}

/// Takes `timeout`, in minutes: until when something holds; for good, if it is absent or 0.
fn expires(sent: &mut Fields, now: Timestamp) -> Result<Option<Timestamp>> {
    match sent.number("timeout")?.filter(|minutes| *minutes != 0) {
        None => Ok(None),
        Some(minutes @ 1..=MINUTES_MAX) => Ok(Some(now.plus_micros(minutes * 60_000_000))),
        Some(_) => Err(Error::field("timeout", &format!("must be 0 to {MINUTES_MAX} minutes"))),
    }
}

/// Takes `reason`.
fn reason(sent: &mut Fields) -> Result<String> {
    let reason = sent.text("reason")?.unwrap_or_default();
    match reason.len() <= REASON_BYTES_MAX {
        true => Ok(reason),
        false => Err(Error::field("reason", &format!("has at most {REASON_BYTES_MAX} bytes"))),
    }
}

/// Which rows of a list are wanted.
struct Listing {
    filter: Filter,
    sort: Sort,
    limit: usize,
    offset: usize,
}

impl Listing {
    /// Takes `filter_conditions`, `sort`, `limit` and `offset`.
    fn take(sent: &mut Fields, schema: Schema, sort: &[&str]) -> Result<Self> {
        let raw = |sent: &mut Fields, name| sent.raw(name).map(|raw| raw.get().to_owned()).unwrap_or_default();
        Ok(Listing {
            filter: Filter::parse(&raw(sent, "filter_conditions"), schema)?,
            sort: Sort::parse(&raw(sent, "sort"))?.or(sort),
            limit: sent.count("limit", LIMIT, LIMIT_MAX)?,
            offset: sent.count("offset", 0, OFFSET_MAX)?,
        })
    }

    /// The rows of the page.
    fn page<R>(&self, rows: Vec<R>) -> Vec<R> {
        rows.into_iter().skip(self.offset).take(self.limit).collect()
    }
}
