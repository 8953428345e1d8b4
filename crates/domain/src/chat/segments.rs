//! Segments: lists of users, or of channels, by which an app tells whom it means (chat §11.13, §11.14.16).

use std::borrow::Cow;

use ids::Timestamp;
use minicbor::{Decode, Encode};
use store::Limit;

use crate::{
    Error, Result, Tx,
    filter::{Cursor, Field, Filter, Kind as FieldKind, Page, Row, Schema, Sort, Value, page},
    keyspace::{SEGMENT, SEGMENT_TARGET},
    rows,
};

/// The most segments of an app.
const SEGMENTS_MAX: usize = 1000;
/// The most targets of a segment.
const TARGETS_MAX: usize = 10_000;
/// The most targets that one call names.
pub const TARGETS_OF_CALL_MAX: usize = 500;
/// The longest id, of a segment or of a target, in bytes.
const ID_BYTES_MAX: usize = 255;
/// The longest name, in characters.
const NAME_CHARS_MAX: usize = 128;
/// The longest description, in characters.
const DESCRIPTION_CHARS_MAX: usize = 256;
/// The most bytes of a filter.
const FILTER_BYTES_MAX: usize = 16 * 1024;

/// What a segment holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Kind {
    /// Users, by their ids.
    #[n(0)]
    User,
    /// Channels, by their cids.
    #[n(1)]
    Channel,
}

impl Kind {
    /// The kind that the API calls `name`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "user" => Some(Kind::User),
            "channel" => Some(Kind::Channel),
            _ => None,
        }
    }

    /// What the API calls it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::User => "user",
            Kind::Channel => "channel",
        }
    }
}

/// A segment.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Segment {
    /// What it holds.
    #[n(0)]
    pub kind: Kind,
    /// What people call it.
    #[n(1)]
    pub name: String,
    /// What it is for.
    #[n(2)]
    pub description: String,
    /// Who else belongs to it: a JSON object, as it was sent.
    #[n(3)]
    pub filter: String,
    /// Whether every user belongs to it.
    #[n(4)]
    pub has_all_users: bool,
    /// Whether every channel of whoever writes to it belongs to it.
    #[n(5)]
    pub has_all_sender_channels: bool,
    /// Since when there is it.
    #[n(6)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[n(7)]
    pub updated_at: Timestamp,
}

/// That something belongs to a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Target {
    /// Since when.
    #[n(0)]
    pub created_at: Timestamp,
}

/// What is said of a segment; what is absent stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// See [`Segment::name`].
    pub name: Option<String>,
    /// See [`Segment::description`].
    pub description: Option<String>,
    /// See [`Segment::filter`].
    pub filter: Option<String>,
}

/// A segment with its id, and how many targets it has.
#[derive(Clone, PartialEq, Debug)]
pub struct Measured {
    /// Its id.
    pub id: String,
    /// The segment.
    pub segment: Segment,
    /// How many targets there are.
    pub size: usize,
}

impl Row for Measured {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.id)
    }

    fn value(&self, field: &str) -> Value<'_> {
        match field {
            "id" => Value::text(&self.id),
            "name" => Value::text(&self.segment.name),
            "type" => Value::text(self.segment.kind.name()),
            "created_at" => Value::Time(self.segment.created_at),
            "updated_at" => Value::Time(self.segment.updated_at),
            _ => Value::Null,
        }
    }
}

/// What a filter of segments may name.
pub const SCHEMA: Schema = Schema {
    fields: &[
        Field::new("id", FieldKind::Text),
        Field::new("name", FieldKind::Text),
        Field::new("type", FieldKind::Text),
        Field::new("created_at", FieldKind::Time),
        Field::new("updated_at", FieldKind::Time),
    ],
    has_custom: false,
};

/// A target as lists of them tell it.
#[derive(Clone, PartialEq, Debug)]
pub struct Listed {
    /// What belongs to the segment.
    pub id: String,
    /// How.
    pub target: Target,
}

impl Row for Listed {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.id)
    }

    fn value(&self, field: &str) -> Value<'_> {
        match field {
            "target_id" => Value::text(&self.id),
            "created_at" => Value::Time(self.target.created_at),
            _ => Value::Null,
        }
    }
}

/// What a filter of targets may name.
pub const TARGET_SCHEMA: Schema = Schema {
    fields: &[Field::new("target_id", FieldKind::Text), Field::new("created_at", FieldKind::Time)],
    has_custom: false,
};

/// The segment `id`.
///
/// # Errors
/// [`Error::Absent`] when there is none.
pub async fn load(tx: &mut Tx, id: &str) -> Result<Measured> {
    let tenant = tx.tenant();
    let segment = SEGMENT.get(tx, tenant, &id.to_owned()).await?;
    let segment = segment.ok_or_else(|| Error::Absent(format!("segment with id '{id}' does not exist")))?;
    Ok(Measured { id: id.to_owned(), size: targets(tx, id).await?.len(), segment })
}

/// What belongs to the segment `id`.
pub(super) async fn targets(tx: &mut Tx, id: &str) -> Result<Vec<Listed>> {
    let range = SEGMENT_TARGET.prefix(tx.tenant(), &id.to_owned());
    let rows = rows::list(tx, &SEGMENT_TARGET, range, TARGETS_MAX).await?;
    Ok(rows.into_iter().map(|((_, id), target)| Listed { id, target }).collect())
}

/// Makes the segment `id`.
///
/// # Errors
/// [`Error::Unfit`] when there is one, when there are too many, or a text is too long.
pub async fn create(tx: &mut Tx, id: &str, segment: Segment) -> Result<Measured> {
    let tenant = tx.tenant();
    if id.is_empty() || id.len() > ID_BYTES_MAX {
        return Err(Error::Unfit(format!("id must have 1 to {ID_BYTES_MAX} bytes")));
    }
    if SEGMENT.exists(tx, tenant, &id.to_owned()).await? {
        return Err(Error::Unfit(format!("segment with id '{id}' already exists")));
    }
    let known = SEGMENT.scan(tx, tenant, SEGMENT.range(tenant), store::Direction::Forward, Limit::rows(SEGMENTS_MAX));
    if known.await?.rows.len() >= SEGMENTS_MAX {
        return Err(Error::Unfit(format!("an app has at most {SEGMENTS_MAX} segments")));
    }
    put(tx, id, &segment)?;
    Ok(Measured { id: id.to_owned(), segment, size: 0 })
}

/// Changes the segment `id`.
///
/// # Errors
/// [`Error::Absent`] when there is none, [`Error::Unfit`] when a text is too long.
pub async fn update(tx: &mut Tx, id: &str, change: &Change, now: Timestamp) -> Result<Measured> {
    let mut measured = load(tx, id).await?;
    let segment = &mut measured.segment;
    let change = change.clone();
    segment.name = change.name.unwrap_or(std::mem::take(&mut segment.name));
    segment.description = change.description.unwrap_or(std::mem::take(&mut segment.description));
    segment.filter = change.filter.unwrap_or(std::mem::take(&mut segment.filter));
    segment.updated_at = now;
    put(tx, id, segment)?;
    Ok(measured)
}

fn put(tx: &mut Tx, id: &str, segment: &Segment) -> Result<()> {
    if segment.name.chars().count() > NAME_CHARS_MAX {
        return Err(Error::Unfit(format!("name has at most {NAME_CHARS_MAX} characters")));
    }
    if segment.description.chars().count() > DESCRIPTION_CHARS_MAX {
        return Err(Error::Unfit(format!("description has at most {DESCRIPTION_CHARS_MAX} characters")));
    }
    if segment.filter.len() > FILTER_BYTES_MAX {
        return Err(Error::Unfit(format!("filter has at most {FILTER_BYTES_MAX} bytes")));
    }
    let tenant = tx.tenant();
    SEGMENT.put(tx, tenant, &id.to_owned(), segment);
    Ok(())
}

/// Removes the segment `id`, and what belongs to it.
///
/// # Errors
/// [`Error::Absent`] when there is none.
pub async fn remove(tx: &mut Tx, id: &str) -> Result<()> {
    load(tx, id).await?;
    let tenant = tx.tenant();
    tx.delete_range(SEGMENT_TARGET.prefix(tenant, &id.to_owned()));
    SEGMENT.delete(tx, tenant, &id.to_owned());
    Ok(())
}

/// Adds targets to the segment `id`; what belongs to it already stays as it is.
///
/// # Errors
/// [`Error::Absent`] when there is no such segment, [`Error::Unfit`] when there are too many.
pub async fn add_targets(tx: &mut Tx, id: &str, ids: &[String], now: Timestamp) -> Result<()> {
    let measured = load(tx, id).await?;
    let tenant = tx.tenant();
    let keys: Vec<_> = ids.iter().map(|target| (id.to_owned(), target.clone())).collect();
    let known = SEGMENT_TARGET.get_many(tx, tenant, &keys).await?;
    let new: Vec<_> = keys.iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(key, _)| key).collect();
    if measured.size + new.len() > TARGETS_MAX {
        return Err(Error::Unfit(format!("a segment has at most {TARGETS_MAX} targets")));
    }
    if ids.iter().any(|id| id.is_empty() || id.len() > ID_BYTES_MAX) {
        return Err(Error::Unfit(format!("target_ids must hold ids of 1 to {ID_BYTES_MAX} bytes")));
    }
    for key in new {
        SEGMENT_TARGET.put(tx, tenant, key, &Target { created_at: now });
    }
    SEGMENT.put(tx, tenant, &id.to_owned(), &Segment { updated_at: now, ..measured.segment });
    Ok(())
}

/// Takes targets out of the segment `id`; what does not belong to it does not matter.
///
/// # Errors
/// [`Error::Absent`] when there is no such segment.
pub async fn remove_targets(tx: &mut Tx, id: &str, ids: &[String], now: Timestamp) -> Result<()> {
    let measured = load(tx, id).await?;
    let tenant = tx.tenant();
    for target in ids {
        SEGMENT_TARGET.delete(tx, tenant, &(id.to_owned(), target.clone()));
    }
    SEGMENT.put(tx, tenant, &id.to_owned(), &Segment { updated_at: now, ..measured.segment });
    Ok(())
}

/// Whether `target` belongs to the segment `id`.
///
/// # Errors
/// [`Error::Absent`] when there is no such segment.
pub async fn has_target(tx: &mut Tx, id: &str, target: &str) -> Result<bool> {
    load(tx, id).await?;
    let tenant = tx.tenant();
    Ok(SEGMENT_TARGET.exists(tx, tenant, &(id.to_owned(), target.to_owned())).await?)
}

/// A page of the segments that `filter` wants.
///
/// # Errors
/// When the store fails.
pub async fn query(
    tx: &mut Tx,
    filter: &Filter,
    sort: &Sort,
    cursor: Option<&Cursor>,
    limit: usize,
) -> Result<Page<Measured>> {
    let range = SEGMENT.range(tx.tenant());
    let known = rows::list(tx, &SEGMENT, range, SEGMENTS_MAX).await?;
    let found = known.into_iter().map(|(id, segment)| Measured { id, segment, size: 0 });
    let mut page = page(found.filter(|measured| filter.fits(measured)).collect(), sort, cursor, limit);
    for measured in &mut page.rows {
        measured.size = targets(tx, &measured.id).await?.len();
    }
    Ok(page)
}

/// A page of what belongs to the segment `id` that `filter` wants.
///
/// # Errors
/// [`Error::Absent`] when there is no such segment.
pub async fn query_targets(
    tx: &mut Tx,
    id: &str,
    filter: &Filter,
    sort: &Sort,
    cursor: Option<&Cursor>,
    limit: usize,
) -> Result<Page<Listed>> {
    load(tx, id).await?;
    let found = targets(tx, id).await?.into_iter().filter(|listed| filter.fits(listed));
    Ok(page(found.collect(), sort, cursor, limit))
}
