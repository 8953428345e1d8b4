//! Pinned activities of feeds (feeds-v3 §3.3).

use std::borrow::Cow;

use ids::{ActivityId, FeedId, Fid, Timestamp, UserId};
use minicbor::{Decode, Encode};

use super::{
    activities::{self, Activity, By},
    events::{self, Event},
    feeds::{self, Count, Feed},
    owned, permit,
};
use crate::{
    Error, Result, Tx,
    feeds::activities as engine,
    filter::{Cursor, Field, Filter, Kind, Page, Row, Schema, Sort, Value, page},
    keyspace::{Feed as Stream, Id, V3_COUNT, V3_PIN},
    rows,
};

/// The most pins of a feed.
pub const PINS_MAX: usize = 100;
/// The order if nobody says: that of pinning.
pub const SORT: &[&str] = &["created_at"];

/// What a filter of pins may name.
pub const SCHEMA: Schema = Schema {
    fields: &[
        Field::new("activity_id", Kind::Text),
        Field::new("user_id", Kind::Text),
        Field::new("created_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
    ],
    has_custom: false,
};

/// That an activity is pinned.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Pin {
    /// Who pinned it; nobody, if that user is gone.
    #[n(0)]
    pub by: Option<UserId>,
    /// Since when.
    #[n(1)]
    pub created_at: Timestamp,
    /// When it was pinned again.
    #[n(2)]
    pub updated_at: Timestamp,
}

/// A pinned activity.
#[derive(Clone, Debug)]
pub struct Pinned {
    /// Which.
    pub id: ActivityId,
    /// What is stored.
    pub activity: Activity,
    /// That it is pinned.
    pub pin: Pin,
}

impl Row for Pinned {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.activity.id)
    }

    fn value(&self, field: &str) -> Value<'_> {
        match field {
            "activity_id" => Value::text(&self.activity.id),
            "user_id" => Value::maybe_text(self.pin.by.as_ref().map(UserId::as_str)),
            "created_at" => Value::Time(self.pin.created_at),
            "updated_at" => Value::Time(self.pin.updated_at),
            _ => Value::Null,
        }
    }
}

/// What stands in the index of what `by` made: the feed's stream, and the activity.
fn note(stream: &FeedId, activity: ActivityId) -> String {
    format!("pin {stream} {activity}")
}

/// The pin of which the index of what a user made tells in the row `text`, if it tells of one that is there: the feed's
/// stream, the activity, and the pin.
///
/// # Errors
/// When the store fails.
pub async fn noted(tx: &mut Tx, text: &str) -> Result<Option<(FeedId, ActivityId, Pin)>> {
    let Some((stream, activity)) = text.strip_prefix("pin ").and_then(|rest| rest.split_once(' ')) else {
        return Ok(None);
    };
    let (group, id) = stream.split_once(':').unwrap_or_default();
    let (Ok(stream), Ok(activity)) = (FeedId::restore(group, id), ActivityId::parse(activity)) else { return Ok(None) };
    let tenant = tx.tenant();
    let pin = V3_PIN.get(tx, tenant, &(Stream(stream.clone()), Id(activity))).await?;
    Ok(pin.map(|pin| (stream, activity, pin)))
}

/// Forgets who pinned what stays pinned, where the index of what a user made tells of a pin.
pub(super) async fn disown(tx: &mut Tx, text: &str) -> Result<()> {
    if let Some((stream, activity, pin)) = noted(tx, text).await? {
        let tenant = tx.tenant();
        V3_PIN.put(tx, tenant, &(Stream(stream), Id(activity)), &Pin { by: None, ..pin });
    }
    Ok(())
}

async fn load(tx: &mut Tx, by: By<'_>, fid: &Fid, id: &str) -> Result<(Feed, ActivityId, Activity)> {
    let feed = feeds::load(tx, fid).await?;
    permit::may(tx, fid, &feed, by, "pin-activity").await?;
    let (inner, activity) = activities::load(tx, id).await?;
    Ok((feed, inner, activity))
}

/// Pins the activity `id` in the feed `fid`, for `user`; pinning again changes when.
///
/// # Errors
/// [`Error::Absent`] when the feed or the activity is not there; [`Error::Unfit`] when the feed does not hold it, or has too
/// many pins; [`Error::NotAllowed`] when `by` does not own the feed.
pub async fn add(tx: &mut Tx, by: By<'_>, fid: &Fid, id: &str, user: &UserId, now: Timestamp) -> Result<Pinned> {
    let (feed, inner, activity) = load(tx, by, fid, id).await?;
    if !engine::holds(tx, &feed.stream, inner).await? {
        return Err(Error::Unfit(format!("feed '{fid}' does not hold activity '{id}'")));
    }
    let (tenant, key) = (tx.tenant(), (Stream(feed.stream.clone()), Id(inner)));
    let known = V3_PIN.get(tx, tenant, &key).await?;
    let pin = match &known {
        Some(known) => {
            unnote(tx, known, &feed.stream, inner);
            Pin { by: Some(user.clone()), updated_at: now, ..known.clone() }
        }
        None => {
            if list(tx, &feed.stream).await?.len() >= PINS_MAX {
                return Err(Error::Unfit(format!("feed '{fid}' has {PINS_MAX} pinned activities; unpin one first")));
            }
            V3_COUNT.add(tx, tenant, &(key.0.clone(), Count::Pins.code()), 1);
            Pin { by: Some(user.clone()), created_at: now, updated_at: now }
        }
    };
    V3_PIN.put(tx, tenant, &key, &pin);
    owned::put(tx, user, owned::Kind::Note, &note(&feed.stream, inner));
    tell(tx, "feeds.activity.pinned", fid, (inner, &activity, &pin), user, now);
    Ok(Pinned { id: inner, activity, pin })
}

/// Unpins the activity `id` of the feed `fid`.
///
/// # Errors
/// [`Error::Absent`] when it is not pinned; [`Error::NotAllowed`] when `by` does not own the feed.
pub async fn remove(tx: &mut Tx, by: By<'_>, fid: &Fid, id: &str, user: &UserId, now: Timestamp) -> Result<Pinned> {
    let (feed, inner, activity) = load(tx, by, fid, id).await?;
    let pin = forget(tx, &feed.stream, inner).await?;
    let pin = pin.ok_or_else(|| Error::Absent(format!("pin of activity '{id}' in feed '{fid}' not found")))?;
    tell(tx, "feeds.activity.unpinned", fid, (inner, &activity, &pin), user, now);
    Ok(Pinned { id: inner, activity, pin })
}

/// Removes the row of a pin, if there is one.
///
/// # Errors
/// When the store fails.
pub async fn forget(tx: &mut Tx, stream: &FeedId, inner: ActivityId) -> Result<Option<Pin>> {
    let (tenant, key) = (tx.tenant(), (Stream(stream.clone()), Id(inner)));
    let Some(pin) = V3_PIN.get(tx, tenant, &key).await? else { return Ok(None) };
    V3_PIN.delete(tx, tenant, &key);
    V3_COUNT.add(tx, tenant, &(key.0, Count::Pins.code()), -1);
    unnote(tx, &pin, stream, inner);
    Ok(Some(pin))
}

fn unnote(tx: &mut Tx, pin: &Pin, stream: &FeedId, inner: ActivityId) {
    if let Some(by) = &pin.by {
        owned::remove(tx, by, owned::Kind::Note, &note(stream, inner));
    }
}

fn tell(
    tx: &mut Tx,
    kind: &str,
    fid: &Fid,
    (inner, activity, pin): (ActivityId, &Activity, &Pin),
    user: &UserId,
    now: Timestamp,
) {
    let mut event = Event::of_activity(kind, fid, (inner, activity), now).by(Some(user));
    event.subject.pinned_at = Some(pin.created_at);
    events::record(tx, event);
}

/// The pins of the feed with this stream that the filter wants.
///
/// # Errors
/// When the store fails.
pub async fn query(
    tx: &mut Tx,
    stream: &FeedId,
    (filter, sort): (&Filter, &Sort),
    cursor: Option<&Cursor>,
    limit: usize,
) -> Result<Page<Pinned>> {
    let pins = list(tx, stream).await?.into_iter().filter(|pin| filter.fits(pin)).collect();
    Ok(page(pins, &sort.clone().or(SORT), cursor, limit))
}

/// What is pinned in the feed with this stream, in the order of pinning.
///
/// # Errors
/// When the store fails.
pub async fn list(tx: &mut Tx, stream: &FeedId) -> Result<Vec<Pinned>> {
    let tenant = tx.tenant();
    let range = V3_PIN.prefix(tenant, &Stream(stream.clone()));
    let pins = rows::list(tx, &V3_PIN, range, PINS_MAX).await?;
    let ids: Vec<ActivityId> = pins.iter().map(|((_, Id(id)), _)| *id).collect();
    let stored = activities::get_many(tx, &ids).await?;
    let pinned = ids.into_iter().zip(stored).zip(pins).filter_map(|((id, activity), (_, pin))| {
        let activity = activity.filter(|activity| activity.deleted_at.is_none())?;
        Some(Pinned { id, activity, pin })
    });
    let mut pinned: Vec<Pinned> = pinned.collect();
    pinned.sort_by_key(|pinned| (pinned.pin.created_at, pinned.id));
    Ok(pinned)
}
