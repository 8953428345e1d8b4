//! `GET feed/{group}/{id}/` and `GET enrich/feed/{group}/{id}/` (feeds-v1 §5.1).

use domain::feeds::{
    activities::{self, Reference},
    groups::Kind,
    policy,
    timelines::{self, LIMIT_MAX, OFFSET_MAX, Page, Part},
    views::{Basis, Mark},
};
use http::uri::PathAndQuery;
use ids::{ActivityId, json::Object};
use wire::error::Code;

use super::{extra::Extra, pages::Rendered, records::Records};
use crate::{
    error::{Error, Result},
    from_wire,
    gate::Call,
    query::Query,
    reply::Reply,
    to_wire,
};

/// Rows of a page when nothing is asked.
const LIMIT: usize = 25;

/// Reads a feed, references as they stand.
pub(crate) async fn read(call: Call) -> Result<Reply> {
    answer(&call, "feed", false).await
}

/// Reads a feed, references replaced.
pub(crate) async fn read_enriched(call: Call) -> Result<Reply> {
    answer(&call, "enrich/feed", true).await
}

async fn answer(call: &Call, path: &str, is_enriched: bool) -> Result<Reply> {
    let (app, feed, query) = (&call.tenant.app, call.feed(), &call.query);
    call.check(policy::may_read, feed)?;
    let part = part(query)?;
    check_ranking(query)?;
    match app.group(feed.group())?.kind {
        Kind::Flat => {}
        Kind::Aggregated => return Err(domain::Error::NotReadable("aggregated").into()),
        Kind::Notification => return Err(domain::Error::NotReadable("notification").into()),
    }
    let target = call.target.as_ref().map_or("", PathAndQuery::as_str);
    if let Some(page) = call.server.pages.get(app, target) {
        return Ok(Reply { status: 200, body: copied(&page.body) });
    }
    let page = timelines::read(app, feed, &part).await?;
    let extra = Extra::of(call)?;
    let discarded = query.list("discard_actors");
    let (mut body, activities) = if is_enriched || extra.is_any() || !discarded.is_empty() {
        (from_records(&page, Records::new(call, is_enriched, extra), &discarded).await?, None)
    } else {
        let (body, activities) = from_fragments(call, &page).await?;
        (body, Some(activities))
    };
    body.push_str(r#"],"next":"#);
    let next = next(&format!("/api/v1.0/{path}/{}/{}/", feed.group(), feed.id()), call, &part, &page);
    body.push_str(&serde_json::to_string(&next).expect("a text is JSON"));
    if let (Some(timeline), Some(activities)) = (page.basis, activities) {
        call.server.pages.keep(app, target, Rendered { timeline, activities, body: body.as_str().into() });
    }
    Ok(Reply { status: 200, body })
}

/// `body` with room for what [`Reply::finish`] adds.
fn copied(body: &str) -> String {
    let mut copy = String::with_capacity(body.len() + 64);
    copy.push_str(body);
    copy
}

/// The part of the feed that the query asks for (§4.5).
fn part(query: &Query) -> Result<Part> {
    let limit = query.number("limit", LIMIT, 0..=LIMIT_MAX)?;
    let offset = query.number("offset", 0, 0..=usize::MAX)?;
    if offset > OFFSET_MAX {
        return Err(Error::field("offset", format!("must be at most {OFFSET_MAX}; page by id_lt instead")));
    }
    let below = bound(query, "id_lt", "id_lte")?;
    let above = bound(query, "id_gt", "id_gte")?;
    let (below, with_below) = below.unwrap_or((ActivityId::MAX, true));
    let (above, with_above) = above.unwrap_or((ActivityId::MIN, true));
    Ok(Part { limit, offset, below, with_below, above, with_above })
}

/// The id of one of two parameters, and whether it belongs to the page itself.
fn bound(query: &Query, without: &str, with: &str) -> Result<Option<(ActivityId, bool)>> {
    match (query.get(without), query.get(with)) {
        (None, None) => Ok(None),
        (Some(id), None) => Ok(Some((from_wire::activity_id(without, id)?, false))),
        (None, Some(id)) => Ok(Some((from_wire::activity_id(with, id)?, true))),
        (Some(_), Some(_)) => Err(Error::input(format!("{without} and {with} cannot be combined"))),
    }
}

/// Ranking methods are not configured in this version; what must parse in any case is checked (§6).
fn check_ranking(query: &Query) -> Result<()> {
    if let Some(name) = query.get("ranking") {
        return Err(Error::new(Code::MissingRanking, format!("there is no ranking method `{name}`")));
    }
    let is_list = query.has("rankingVars[]") || query.has("ranking_vars[]");
    let vars = query.get("rankingVars").or_else(|| query.get("ranking_vars"));
    if is_list || vars.is_some_and(|vars| Object::parse(vars).is_err()) {
        return Err(Error::field("ranking_vars", "must be a JSON object"));
    }
    Ok(())
}

/// The plain page: kept fragments joined, nothing parsed; and what they were made from.
async fn from_fragments(call: &Call, page: &Page) -> Result<(String, Basis)> {
    let app = &call.tenant.app;
    let ids: Vec<ActivityId> = page.rows.iter().map(|row| row.id).collect();
    let fragments = call.server.fragments.get_many(app, &ids).await?;
    let as_of = fragments.iter().flatten().map(|fragment| fragment.as_of).min().unwrap_or_default();
    let marks: Vec<Mark> = ids.iter().map(|id| Mark::activity(app.id, *id)).collect();
    let bytes: usize = fragments.iter().flatten().map(|fragment| fragment.json.len() + 48).sum();
    let mut body = String::with_capacity(bytes + 256);
    body.push_str(r#"{"results":["#);
    let present = page.rows.iter().zip(&fragments).filter_map(|(row, fragment)| Some((row, fragment.as_ref()?)));
    for (at, (row, fragment)) in present.enumerate() {
        if at > 0 {
            body.push(',');
        }
        to_wire::with_origin(&mut body, &fragment.json, row.origin.as_ref());
    }
    Ok((body, Basis::new(as_of, marks)))
}

/// The page for which each activity is looked at.
async fn from_records(page: &Page, mut records: Records, discarded: &[&str]) -> Result<String> {
    let mut body = r#"{"results":["#.to_owned();
    for row in &page.rows {
        let found = activities::get(records.tx(), &Reference::Id(row.id)).await?;
        let Some((id, activity)) = found else { continue };
        if discarded.contains(&activity.actor.as_str()) {
            continue;
        }
        let fragment = records.fragment(id, &activity).await?;
        if !body.ends_with('[') {
            body.push(',');
        }
        to_wire::with_origin(&mut body, &fragment, row.origin.as_ref());
    }
    Ok(body)
}

/// Parameters that `next` sets anew.
const PAGING: [&str; 4] = ["limit", "offset", "id_lt", "id_lte"];

/// Where the next page is: a path with a query, empty when this page is the last (§4.5).
fn next(path: &str, call: &Call, part: &Part, page: &Page) -> String {
    let Some(last) = page.rows.last().filter(|_| page.more) else { return String::new() };
    let mut url = form_urlencoded::Serializer::for_suffix(format!("{path}?"), path.len() + 1);
    // Who pages by offset goes on so; the bounds that were given stay.
    let pages_by_offset = part.offset > 0;
    let is_kept = |name: &str| !PAGING.contains(&name) || (pages_by_offset && name.starts_with("id_"));
    url.extend_pairs(call.query.iter().filter(|(name, _)| is_kept(name)));
    if !call.query.has("api_key") {
        url.append_pair("api_key", &call.tenant.key);
    }
    if pages_by_offset {
        url.append_pair("offset", &(part.offset + part.limit).to_string());
    } else {
        url.append_pair("id_lt", &last.id.to_string());
    }
    url.append_pair("limit", &part.limit.to_string());
    url.finish()
}
