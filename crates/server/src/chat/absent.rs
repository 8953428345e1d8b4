//! What this version cannot do, and says so; and lists of it, which are empty because there can be nothing in them.

use serde_json::json;

use super::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
};
use crate::reply::Reply;

/// The most teams of a page.
const TEAMS_MAX: i64 = 30;

/// A call that is not built.
pub(crate) async fn answer(call: Call, _: Fields) -> Result<Reply> {
    Err(Error::not_available(call.operation.name))
}

/// `POST /stats/team_usage`: an app whose teams are not kept apart has none to tell of (chat §11.12).
pub(crate) async fn team_usage(call: Call, mut sent: Fields) -> Result<Reply> {
    if let Some(month) = sent.filled("month")? {
        day(&format!("{month}-01")).ok_or_else(|| Error::field("month", "must be YYYY-MM"))?;
    }
    let mut date = |name| match sent.filled(name)? {
        Some(text) => day(&text).map(|_| Some(text)).ok_or_else(|| Error::field(name, "must be YYYY-MM-DD")),
        None => Ok(None),
    };
    let (start, end) = (date("start_date")?, date("end_date")?);
    // Such dates are in the order of their texts.
    if let (Some(start), Some(end)) = (start, end)
        && end < start
    {
        return Err(Error::field("end_date", "must not be before start_date"));
    }
    if sent.number("limit")?.is_some_and(|limit| !(0..=TEAMS_MAX).contains(&limit)) {
        return Err(Error::field("limit", &format!("must be at most {TEAMS_MAX}")));
    }
    match call.tenant.app.settings.rules().has_teams {
        true => answer(call, sent).await,
        false => call.answer(&json!({ "teams": [] })),
    }
}

/// A date as this call takes it.
fn day(text: &str) -> Option<ids::Timestamp> {
    (text.len() == "2026-01-01".len()).then(|| ids::Timestamp::parse(&format!("{text}T00:00:00Z")).ok()).flatten()
}
