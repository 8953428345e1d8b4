//! `GET feed/{group}/{id}/` and `GET enrich/feed/{group}/{id}/` (feeds-v1 §5.1).

use bytes::Bytes;
use domain::feeds::{
    activities::{self, Reference},
    groups::{Group, Kind},
    policy,
    timelines::{self, LIMIT_MAX, OFFSET_MAX, Page, Part},
    views::Basis,
};
use ids::ActivityId;

use super::{
    extra::Extra,
    fragments::Fragments,
    groups,
    pages::{Kept, Rendered},
    ranked,
    records::Records,
};
use crate::{
    error::{Error, Result},
    from_wire,
    gate::Call,
    query::Query,
    reply, to_wire,
};

/// Rows of a page when nothing is asked.
const LIMIT: usize = 25;
/// What a page has beside its activities and what was asked: its own members, and where the next one is.
const PAGE_BYTES: usize = 100;

/// Reads a feed, references as they stand.
pub(crate) async fn read(call: Call) -> Result<reply::Page> {
    answer(&call, "feed", false).await
}

/// Reads a feed, references replaced.
pub(crate) async fn read_enriched(call: Call) -> Result<reply::Page> {
    answer(&call, "enrich/feed", true).await
}

async fn answer(call: &Call, path: &str, is_enriched: bool) -> Result<reply::Page> {
    let (app, feed) = (&call.tenant.app, call.feed());
    call.check(policy::may_read, feed)?;
    let group = app.group(feed.group())?;
    let was_kept = match call.server.pages.get(app, call.target()) {
        Kept::Page(page) => return Ok(reply::Page(page.body.clone())),
        Kept::Old => true,
        Kept::Nothing => false,
    };
    // Boxed: the page that is read most often shall not carry the room of making one about.
    Box::pin(made(call, path, is_enriched, group, was_kept)).await
}

/// The page, made anew; `was_kept` says that it was kept and has become old.
async fn made(call: &Call, path: &str, is_enriched: bool, group: &Group, was_kept: bool) -> Result<reply::Page> {
    let (app, feed, query) = (&call.tenant.app, call.feed(), &call.query);
    let part = part(query)?;
    ranked::external(query)?;
    let method = group.ranking(query.get("ranking"))?;
    // Boxed, as is what reads records: most pages are flat and made of what is kept.
    if group.kind != Kind::Flat {
        return Box::pin(groups::answer(call, path, is_enriched, group.kind, method.as_ref(), &part)).await;
    }
    if let Some(method) = method {
        return Box::pin(ranked::answer(call, path, is_enriched, &method, &part)).await;
    }
    let page = timelines::read(app, feed, &part).await?;
    let extra = Extra::of(call)?;
    let discarded = discarded(query);
    // Who reads less often than the feed changes would only fill the cache.
    let is_restless = was_kept && !page.has_settled;
    let (mut body, activities) = if is_enriched || extra.is_any() || !discarded.is_empty() {
        (Box::pin(from_records(&page, Records::new(call, is_enriched, extra), &discarded)).await?, None)
    } else {
        from_fragments(call, &page, !is_restless).await?
    };
    let last = page.rows.last().filter(|_| page.more).map(|row| row.id);
    close(&mut body, &next(path, call, &part, last));
    let body = Bytes::from(body);
    if let (Some(timeline), Some(activities)) = (page.basis, activities) {
        call.server.pages.keep(app, call.target(), Rendered { timeline, activities, body: body.clone() });
    }
    Ok(reply::Page(body))
}

/// Ends the list of results and adds `next`.
pub(super) fn close(body: &mut String, next: &str) {
    // A URL of ours needs no escaping.
    body.extend([r#"],"next":""#, next, "\""]);
}

/// The actors whose activities are left out: a list, separated by commas or by `discard_actors_sep`.
pub(super) fn discarded(query: &Query) -> Vec<&str> {
    match (query.get("discard_actors"), query.get("discard_actors_sep")) {
        (Some(actors), Some(separator)) => actors.split(separator).map(str::trim).collect(),
        _ => query.list("discard_actors"),
    }
}

/// The part of the feed that the query asks for (§4.5).
///
/// # Errors
/// 400 for a parameter that does not parse.
pub(super) fn part(query: &Query) -> Result<Part> {
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

/// The plain page: kept fragments joined, nothing parsed; and, for one that is to be kept, what they were made from.
async fn from_fragments(call: &Call, page: &Page, is_to_be_kept: bool) -> Result<(String, Option<Basis>)> {
    let app = &call.tenant.app;
    let ids: Vec<ActivityId> = page.rows.iter().map(|row| row.id).collect();
    let fragments = call.server.fragments.get_many(app, &ids).await?;
    let present = page.rows.iter().zip(&fragments).filter_map(|(row, fragment)| Some((row, fragment.as_ref()?)));
    let bytes = present.clone().map(|(row, fragment)| fragment.json.len() + to_wire::origin_bytes(row.origin.as_ref()));
    let asked = call.target().len();
    // The page is kept as it is written: room that is not used is room that the cache does not have.
    let mut body = String::with_capacity(bytes.sum::<usize>() + page.rows.len() + asked + PAGE_BYTES);
    body.push_str(r#"{"results":["#);
    for (at, (row, fragment)) in present.enumerate() {
        if at > 0 {
            body.push(',');
        }
        to_wire::with_origin(&mut body, &fragment.json, row.origin.as_ref());
    }
    Ok((body, is_to_be_kept.then(|| Fragments::basis(app, &ids, &fragments))))
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
const PAGING: [&str; 6] = ["limit", "offset", "id_lt", "id_lte", "mark_read", "mark_seen"];

/// Where the page after `last` is: `path` of the same feed with a query, empty when there is none (§4.5).
pub(super) fn next(path: &str, call: &Call, part: &Part, last: Option<ActivityId>) -> String {
    let Some(last) = last else { return String::new() };
    // Who pages by offset goes on so.
    if part.offset > 0 {
        return by_offset(path, call, part);
    }
    page_url(path, call, part, ("id_lt", last.to_string()))
}

/// Where the page is that comes after the one of `part`, by the number of rows.
pub(super) fn by_offset(path: &str, call: &Call, part: &Part) -> String {
    page_url(path, call, part, ("offset", (part.offset + part.limit).to_string()))
}

fn page_url(path: &str, call: &Call, part: &Part, (name, place): (&str, String)) -> String {
    let (feed, asked) = (call.feed(), call.target().len());
    let mut url = String::with_capacity(asked + PAGE_BYTES);
    url.extend(["/api/v1.0/", path, "/", feed.group(), "/", feed.id(), "/?"]);
    let start = url.len();
    let mut url = form_urlencoded::Serializer::for_suffix(url, start);
    // By offset, the bounds that were given stay.
    let is_kept = |known: &str| !PAGING.contains(&known) || (name == "offset" && known.starts_with("id_"));
    url.extend_pairs(call.query.iter().filter(|(name, _)| is_kept(name)));
    if !call.query.has("api_key") {
        url.append_pair("api_key", &call.tenant.key);
    }
    url.append_pair(name, &place);
    url.append_pair("limit", &part.limit.to_string());
    url.finish()
}
