//! Reading aggregated and notification feeds (feeds-v1 §4.8, §5.1).

use std::fmt::Write;

use bytes::Bytes;
use domain::{
    App,
    feeds::{
        activities::{self, Reference},
        folds::{self, Noted, Page, Score},
        groups::Kind,
        ranking::Method,
        timelines::{Part, Row},
        views::{Basis, Mark},
    },
};
use ids::ActivityId;

use super::{extra::Extra, fragments::Fragments, pages::Rendered, ranked, records::Records, timelines};
use crate::{
    error::{Error, Result},
    from_wire,
    gate::Call,
    reply, to_wire,
};

/// The most groups that one call marks.
const MARKS_MAX: usize = 1000;

/// Answers a read of a feed whose group is of `kind`; by a ranking method, if one is asked for.
pub(super) async fn answer(
    call: &Call,
    path: &str,
    is_enriched: bool,
    kind: Kind,
    method: Option<&Method>,
    part: &Part,
) -> Result<reply::Page> {
    let (app, feed) = (&call.tenant.app, call.feed());
    let (read, seen) = match kind {
        Kind::Notification => (noted(call, "mark_read")?, noted(call, "mark_seen")?),
        Kind::Flat | Kind::Aggregated => (Noted::Nothing, Noted::Nothing),
    };
    let notes_nothing = read == Noted::Nothing && seen == Noted::Nothing;
    if !notes_nothing {
        call.check_own(feed)?;
    }
    let (page, scores) = match method {
        None => (folds::read(app, feed, part).await?, None),
        Some(method) => {
            let (moment, with_variables) = ranked::moment(call, part)?;
            let (page, scores) = folds::read_ranked(app, feed, method, &moment, part.limit, part.offset).await?;
            (page, Some((scores, with_variables)))
        }
    };
    let shape = Shape { page: &page, scores, kind };
    let (extra, discarded) = (Extra::of(call)?, timelines::discarded(&call.query));
    let is_plain = !is_enriched && !extra.is_any() && discarded.is_empty();
    let mut body = r#"{"results":["#.to_owned();
    let mut activities = Basis::new(page.basis.as_of(), Vec::<Mark>::new());
    if is_plain {
        activities = from_fragments(call, &shape, &mut body).await?;
    } else {
        from_records(&shape, Records::new(call, is_enriched, extra), &discarded, &mut body).await?;
    }
    let last = page.groups.last().filter(|_| page.more).map(|group| group.id);
    let next = match &shape.scores {
        Some(_) if page.more => timelines::by_offset(path, call, part),
        Some(_) => String::new(),
        None => timelines::next(path, call, part, last),
    };
    timelines::close(&mut body, &next);
    if kind == Kind::Notification {
        write!(body, r#","unread":{},"unseen":{}"#, page.unread, page.unseen).expect("writing to memory does not fail");
    }
    let body = Bytes::from(body);
    if !notes_nothing {
        app.write(async |tx| folds::note(tx, feed, &page, &read, &seen).await).await?;
    } else if is_plain && shape.scores.is_none() {
        let rendered = Rendered { timeline: page.basis.clone(), activities, body: body.clone() };
        call.server.pages.keep(app, call.target(), rendered);
    }
    Ok(reply::Page(body))
}

/// A page of groups and how it is shown.
struct Shape<'p> {
    page: &'p Page,
    /// The score of each group, and whether what it was made of is shown; absent if they are read by time.
    scores: Option<(Vec<Score>, bool)>,
    kind: Kind,
}

/// Which groups are to be marked.
fn noted(call: &Call, name: &str) -> Result<Noted> {
    let words = call.query.list(name);
    from_wire::check_count(name, words.len(), MARKS_MAX)?;
    match words.as_slice() {
        [] => Ok(Noted::Nothing),
        [word] if word.eq_ignore_ascii_case("true") || *word == "1" => Ok(Noted::All),
        [word] if word.eq_ignore_ascii_case("false") || *word == "0" => Ok(Noted::Nothing),
        ["current"] => Ok(Noted::Current),
        ids => {
            let id = |id: &&str| {
                ActivityId::parse(id).map_err(|_| Error::field(name, "must be true, current, or ids of groups"))
            };
            Ok(Noted::Groups(ids.iter().map(id).collect::<Result<_>>()?))
        }
    }
}

/// The groups with kept fragments joined; and what the fragments were made from.
async fn from_fragments(call: &Call, shape: &Shape<'_>, body: &mut String) -> Result<Basis> {
    let (app, page): (&App, _) = (&call.tenant.app, shape.page);
    let rows: Vec<&Row> = page.groups.iter().flat_map(|group| &group.activities).collect();
    let ids: Vec<ActivityId> = rows.iter().map(|row| row.id).collect();
    let fragments = call.server.fragments.get_many(app, &ids).await?;
    let basis = Fragments::basis(app, &ids, &fragments);
    let mut fragments = fragments.iter();
    for (at, group) in page.groups.iter().enumerate() {
        shape.open(body, at);
        for (row, fragment) in group.activities.iter().zip(fragments.by_ref()) {
            let Some(fragment) = fragment else { continue };
            if !body.ends_with('[') {
                body.push(',');
            }
            to_wire::with_origin(body, &fragment.json, row.origin.as_ref());
        }
        body.push_str("]}");
    }
    Ok(basis)
}

/// The groups for which each activity is looked at, without activities of the `discarded` actors, and without groups
/// that have no other to show.
async fn from_records(shape: &Shape<'_>, mut records: Records, discarded: &[&str], body: &mut String) -> Result<()> {
    for (at, group) in shape.page.groups.iter().enumerate() {
        let mut shown = Vec::new();
        for row in &group.activities {
            let found = activities::get(records.tx(), &Reference::Id(row.id)).await?;
            let Some((id, activity)) = found else { continue };
            if discarded.contains(&activity.actor.as_str()) {
                continue;
            }
            let (fragment, mut json) = (records.fragment(id, &activity).await?, String::new());
            to_wire::with_origin(&mut json, &fragment, row.origin.as_ref());
            shown.push(json);
        }
        if !shown.is_empty() || discarded.is_empty() {
            shape.open(body, at);
            body.push_str(&shown.join(","));
            body.push_str("]}");
        }
    }
    Ok(())
}

impl Shape<'_> {
    /// Begins the `at`th group, up to its activities.
    fn open(&self, body: &mut String, at: usize) {
        let group = &self.page.groups[at];
        body.push_str(if body.ends_with('[') { "{" } else { ",{" });
        to_wire::member(body, "id", &group.id.to_string());
        to_wire::member(body, "group", &group.name);
        to_wire::member(body, "verb", &group.verb);
        let (created, updated) = (group.created_at.rfc3339(), group.updated_at.rfc3339());
        let (activities, actors) = (group.activity_count, group.actor_count);
        write!(body, r#""activity_count":{activities},"actor_count":{actors},"#)
            .expect("writing to memory does not fail");
        write!(body, r#""created_at":"{created}","updated_at":"{updated}""#).expect("writing to memory does not fail");
        if self.kind == Kind::Notification {
            write!(body, r#","is_read":{},"is_seen":{}"#, group.is_read, group.is_seen)
                .expect("writing to memory does not fail");
        }
        if let Some((scores, with_variables)) = &self.scores {
            let score = &scores[at];
            ranked::write_score(body, score.score, with_variables.then_some(&score.variables));
        }
        body.push_str(r#","activities":["#);
    }
}
