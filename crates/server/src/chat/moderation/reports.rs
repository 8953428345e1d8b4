//! `/moderation/reports`: all flags of a message together, and what came of them (chat §11.8).

use domain::{
    Tx,
    moderation::{
        flags::{self, MESSAGE},
        review::{self, Queued},
    },
};
use wire::chat::moderation::{FlagReports, OneFlagReport};

use super::{Cast, Listing, check_app};
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
        to_wire::moderation as shape,
    },
    reply::Reply,
};

/// `POST /moderation/reports`: reports of messages.
pub(crate) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    check_app(&call, "read-flag-reports")?;
    let listing = Listing::take(&mut sent, review::SCHEMA, review::SORT)?;
    let found = review::query(&mut call.snapshot(), Some(MESSAGE), &listing.filter, &listing.sort).await?;
    let found = listing.page(found);
    let (cast, counts) = read(&call, &found).await?;
    let reports = found.iter().zip(counts).map(|(queued, count)| shape::flag_report(&cast, queued, count));
    call.answer(&FlagReports { flag_reports: reports.collect() })
}

/// `PATCH /moderation/reports/{id}`: notes what came of a report.
pub(crate) async fn update(call: Call, mut sent: Fields) -> Result<Reply> {
    check_app(&call, "update-flag-report")?;
    let id = call.param("id").to_owned();
    let result = sent.filled("review_result")?.ok_or_else(|| Error::field("review_result", "is a required field"))?;
    let details = sent.object("review_details")?.map(Fields::rest).unwrap_or_default();
    let by = call.some_actor(&mut sent)?;
    let (note, now) = (call.new_id(), call.now());
    let body = async |tx: &mut Tx| review::report(tx, &id, Some(&by), (&result, &details), &note, now).await;
    let item = call.app.write(body).await?;
    let queued = Queued { id, item };
    let (cast, counts) = read(&call, std::slice::from_ref(&queued)).await?;
    call.answer(&OneFlagReport { flag_report: shape::flag_report(&cast, &queued, counts[0]) })
}

async fn read(call: &Call, found: &[Queued]) -> Result<(Cast, Vec<usize>)> {
    let mut cast =
        Cast::load(call, found.iter().filter_map(|queued| queued.item.reviewed_by.as_ref()).collect()).await?;
    cast.add_messages(call, found.iter().filter_map(|queued| queued.item.entity.message()).collect()).await?;
    let (mut tx, mut counts) = (call.snapshot(), Vec::with_capacity(found.len()));
    for queued in found {
        counts.push(flags::of_entity(&mut tx, &queued.item.entity).await?.len());
    }
    Ok((cast, counts))
}
