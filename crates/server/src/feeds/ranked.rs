//! Reading a feed by the scores of a ranking method (feeds-v1 §5.1, §6).

use std::{collections::BTreeMap, fmt::Write};

use domain::feeds::{
    ranking::{self, External, Method, Moment},
    timelines::Part,
};
use ids::ActivityId;

use super::{extra::Extra, records::Records, timelines};
use crate::{
    error::{Error, Result},
    gate::Call,
    query::Query,
    reply::Page,
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

/// When and with what a ranked read makes its scores; whether it tells of what.
///
/// # Errors
/// 400 when the part is asked for by ids, or a parameter does not parse.
pub(super) fn moment(call: &Call, part: &Part) -> Result<(Moment, bool)> {
    if part.below != ActivityId::MAX || part.above != ActivityId::MIN {
        return Err(Error::input("a ranked feed is paged by limit and offset, not by ids"));
    }
    let with_variables = call.query.flag("withScoreVars")? || call.query.flag("with_score_vars")?;
    let seed = call.moment();
    Ok((Moment { now: seed.now, seed: seed.seed, external: external(&call.query)? }, with_variables))
}

/// Writes a score after the member before it, and if they are asked for, the variables that it was made of.
pub(super) fn write_score(body: &mut String, score: f64, variables: Option<&BTreeMap<String, f64>>) {
    write!(body, r#","score":{}"#, serde_json::Value::from(score)).expect("writing to memory does not fail");
    if let Some(variables) = variables {
        let variables = serde_json::to_string(variables).expect("numbers are JSON");
        write!(body, r#","score_vars":{variables}"#).expect("writing to memory does not fail");
    }
}

/// Answers a read of a flat feed by `method`.
pub(super) async fn answer(call: &Call, path: &str, is_enriched: bool, method: &Method, part: &Part) -> Result<Page> {
    let (app, feed) = (&call.tenant.app, call.feed());
    let (moment, with_variables) = moment(call, part)?;
    let (ranked, more) = ranking::read(app, feed, method, &moment, part.limit, part.offset).await?;
    let mut records = Records::new(call, is_enriched, Extra::of(call)?);
    let discarded = timelines::discarded(&call.query);
    let mut body = r#"{"results":["#.to_owned();
    for one in ranked.iter().filter(|one| !discarded.contains(&one.activity.actor.as_str())) {
        let mut fragment = records.fragment(one.row.id, &one.activity).await?;
        write_score(&mut fragment, one.score, with_variables.then_some(&one.variables));
        if !body.ends_with('[') {
            body.push(',');
        }
        to_wire::with_origin(&mut body, &fragment, one.row.origin.as_ref());
    }
    let next = if more { timelines::by_offset(path, call, part) } else { String::new() };
    timelines::close(&mut body, &next);
    Ok(Page(body.into()))
}
