//! Reading a feed by the scores of a ranking method (feeds-v1 §5.1, §6).

use std::fmt::Write;

use domain::feeds::{
    groups::Kind,
    ranking::{self, External, Method, Moment},
    timelines::Part,
};
use ids::ActivityId;
use wire::error::Code;

use super::{extra::Extra, records::Records, timelines};
use crate::{
    error::{Error, Result},
    gate::Call,
    query::Query,
    reply::Reply,
    to_wire,
};

/// The variables that the query hands in; they must parse, whether or not the read is ranked.
///
/// # Errors
/// 400 when they are not a JSON object.
pub(super) fn external(query: &Query) -> Result<External> {
    let wrong = || Error::field("ranking_vars", "must be a JSON object");
    if query.has("rankingVars[]") || query.has("ranking_vars[]") {
        return Err(wrong());
    }
    match query.get("rankingVars").or_else(|| query.get("ranking_vars")) {
        Some(variables) => External::parse(variables).map_err(|_| wrong()),
        None => Ok(External::default()),
    }
}

/// Answers a read of a flat feed by `method`.
pub(super) async fn answer(
    call: &Call,
    path: &str,
    is_enriched: bool,
    kind: Kind,
    method: &Method,
    part: &Part,
) -> Result<Reply> {
    let (app, feed, query) = (&call.tenant.app, call.feed(), &call.query);
    if kind != Kind::Flat {
        return Err(Error::new(
            Code::NotAvailable,
            "ranking aggregated and notification feeds is not available in this version of Millpond",
        ));
    }
    if part.below != ActivityId::MAX || part.above != ActivityId::MIN {
        return Err(Error::input("a ranked feed is paged by limit and offset, not by ids"));
    }
    let with_variables = query.flag("withScoreVars")? || query.flag("with_score_vars")?;
    let seed = call.moment();
    let moment = Moment { now: seed.now, seed: seed.seed, external: external(query)? };
    let (ranked, more) = ranking::read(app, feed, method, &moment, part.limit, part.offset).await?;
    let mut records = Records::new(call, is_enriched, Extra::of(call)?);
    let discarded = query.list("discard_actors");
    let mut body = r#"{"results":["#.to_owned();
    for one in ranked.iter().filter(|one| !discarded.contains(&one.activity.actor.as_str())) {
        let mut fragment = records.fragment(one.row.id, &one.activity).await?;
        write!(fragment, r#","score":{}"#, serde_json::Value::from(one.score))
            .expect("writing to memory does not fail");
        if with_variables {
            let variables = serde_json::to_string(&one.variables).expect("numbers are JSON");
            write!(fragment, r#","score_vars":{variables}"#).expect("writing to memory does not fail");
        }
        if !body.ends_with('[') {
            body.push(',');
        }
        to_wire::with_origin(&mut body, &fragment, one.row.origin.as_ref());
    }
    let next = match more {
        true => timelines::by_offset(&format!("/api/v1.0/{path}/{}/{}/", feed.group(), feed.id()), call, part),
        false => String::new(),
    };
    write!(body, r#"],"next":{}"#, serde_json::to_string(&next).expect("a text is JSON"))
        .expect("writing to memory does not fail");
    Ok(Reply { status: 200, body })
}
