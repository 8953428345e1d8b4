//! `/segments` (chat §11.13, §11.14.16).

use domain::{
    chat::segments::{self, Change, Kind, Measured, SCHEMA, Segment, TARGET_SCHEMA, TARGETS_OF_CALL_MAX},
    filter::Filter,
};
use wire::chat::{
    dialect::{Dialect, Time},
    error::Code,
    segments::{OneSegment, Segment as WireSegment, Segments, Target, Targets},
};

use super::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
    messages::Query,
};
use crate::reply::Reply;

/// `POST /segments`: makes a segment.
pub(crate) async fn create(call: Call, sent: Fields) -> Result<Reply> {
    let mut sent = unwrapped(sent)?;
    let kind = sent.filled("type")?.ok_or_else(|| Error::field("type", "is a required field"))?;
    let kind = Kind::named(&kind).ok_or_else(|| Error::field("type", "must be one of [user channel]"))?;
    let id = sent.filled("id")?.unwrap_or_else(|| call.new_id());
    let (change, now) = (change(&mut sent)?, call.now());
    let segment = Segment {
        kind,
        name: change.name.unwrap_or_default(),
        description: change.description.unwrap_or_default(),
        filter: change.filter.unwrap_or_else(|| "{}".to_owned()),
        has_all_users: sent.flag("all_users")?.unwrap_or_default(),
        has_all_sender_channels: sent.flag("all_sender_channels")?.unwrap_or_default(),
        created_at: now,
        updated_at: now,
    };
    let made = call.app.write(async |tx| segments::create(tx, &id, segment.clone()).await).await?;
    one(&call, &made)
}

/// `GET /segments/{id}`.
pub(crate) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let segment = segments::load(&mut call.snapshot(), call.param("id")).await?;
    one(&call, &segment)
}

/// `PUT /segments/{id}`: changes what is given.
pub(crate) async fn update(call: Call, sent: Fields) -> Result<Reply> {
    let (id, change, now) = (call.param("id"), change(&mut unwrapped(sent)?)?, call.now());
    let segment = call.app.write(async |tx| segments::update(tx, id, &change, now).await).await?;
    one(&call, &segment)
}

/// `DELETE /segments/{id}`.
pub(crate) async fn remove(call: Call, _: Fields) -> Result<Reply> {
    call.app.write(async |tx| segments::remove(tx, call.param("id")).await).await?;
    call.done()
}

/// `POST /segments/query`.
pub(crate) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    let asked = Query::read(&mut sent, &["-created_at"])?;
    let filter = Filter::parse(&asked.filter, SCHEMA)?;
    let mut tx = call.snapshot();
    let page = segments::query(&mut tx, &filter, &asked.sort, asked.cursor.as_ref(), asked.limit).await?;
    let segments = page.rows.iter().map(|segment| to_wire(call.dialect, segment)).collect();
    call.answer(&Segments { segments, next: asked.place(page.next), prev: asked.place(page.prev) })
}

/// `POST /segments/{id}/addtargets`.
pub(crate) async fn add_targets(call: Call, mut sent: Fields) -> Result<Reply> {
    let (id, ids, now) = (call.param("id"), target_ids(&mut sent)?, call.now());
    call.app.write(async |tx| segments::add_targets(tx, id, &ids, now).await).await?;
    call.done()
}

/// `POST /segments/{id}/deletetargets`.
pub(crate) async fn remove_targets(call: Call, mut sent: Fields) -> Result<Reply> {
    let (id, ids, now) = (call.param("id"), target_ids(&mut sent)?, call.now());
    call.app.write(async |tx| segments::remove_targets(tx, id, &ids, now).await).await?;
    call.done()
}

/// `GET /segments/{id}/target/{target}`: nothing but whether it belongs to the segment.
pub(crate) async fn has_target(call: Call, _: Fields) -> Result<Reply> {
    let (id, target) = (call.param("id"), call.param("target"));
    match segments::has_target(&mut call.snapshot(), id, target).await? {
        true => call.done(),
        false => {
            let reason = format!("target '{target}' does not exist in segment '{id}'");
            Err(Error::new(Code::DoesNotExist, reason))
        }
    }
}

/// `POST /segments/{id}/targets/query`; one client calls the members `Filter` and `Sort`.
pub(crate) async fn query_targets(call: Call, mut sent: Fields) -> Result<Reply> {
    for (name, plain) in [("Filter", "filter"), ("Sort", "sort")] {
        if let Some(value) = sent.raw(name) {
            sent.put(plain, &value);
        }
    }
    let id = call.param("id");
    let asked = Query::read(&mut sent, &["-created_at"])?;
    let filter = Filter::parse(&asked.filter, TARGET_SCHEMA)?;
    let mut tx = call.snapshot();
    let page = segments::query_targets(&mut tx, id, &filter, &asked.sort, asked.cursor.as_ref(), asked.limit).await?;
    let targets = page.rows.iter().map(|listed| Target {
        app_pk: call.tenant.app.id.0,
        segment_id: id,
        target_id: &listed.id,
        created_at: Time { at: listed.target.created_at, dialect: call.dialect },
    });
    call.answer(&Targets { targets: targets.collect(), next: asked.place(page.next), prev: asked.place(page.prev) })
}

/// What is said of a segment; an older client wraps it.
fn unwrapped(mut sent: Fields) -> Result<Fields> {
    Ok(sent.object("segment")?.unwrap_or(sent))
}

fn change(sent: &mut Fields) -> Result<Change> {
    Ok(Change {
        name: sent.text("name")?,
        description: sent.text("description")?,
        filter: sent.object("filter")?.map(|filter| filter.rest().to_string()),
    })
}

fn target_ids(sent: &mut Fields) -> Result<Vec<String>> {
    let ids = sent.texts("target_ids")?.unwrap_or_default();
    match (1..=TARGETS_OF_CALL_MAX).contains(&ids.len()) {
        true => Ok(ids),
        false => Err(Error::field("target_ids", &format!("must hold 1 to {TARGETS_OF_CALL_MAX} ids"))),
    }
}

fn one(call: &Call, segment: &Measured) -> Result<Reply> {
    call.answer(&OneSegment { segment: to_wire(call.dialect, segment) })
}

pub(super) fn to_wire(dialect: Dialect, Measured { id, segment, size }: &Measured) -> WireSegment<'_> {
    let time = |at| Time { at, dialect };
    WireSegment {
        id,
        kind: segment.kind.name(),
        name: &segment.name,
        description: &segment.description,
        filter: serde_json::from_str(&segment.filter).expect("it was parsed before it was stored"),
        all_users: segment.has_all_users,
        all_sender_channels: segment.has_all_sender_channels,
        size: *size,
        created_at: time(segment.created_at),
        updated_at: time(segment.updated_at),
        deleted_at: None,
    }
}
