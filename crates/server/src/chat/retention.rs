//! `/retention_policy` (chat §11.14.14).

use std::borrow::Cow;

use domain::{
    chat::retention::{self, Policy, Run},
    filter::{self, Cursor, Field, Filter, Kind, Question, Schema, Sort, Value},
};
use ids::Timestamp;
use wire::chat::{
    dialect::Time,
    retention::{Config, OnePolicy, Policies, RetentionPolicy, RetentionRun, Runs, Stats},
};

use super::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
};
use crate::reply::Reply;

/// Runs of a page if nobody says, and at most.
const RUNS: usize = 10;
const RUNS_MAX: usize = 100;
/// What a filter of runs may name.
const SCHEMA: Schema =
    Schema { fields: &[Field::new("date", Kind::Text), Field::new("policy", Kind::Text)], has_custom: false };
/// The order if nobody says.
const SORT: &[&str] = &["-date"];

/// `GET /retention_policy`.
pub(crate) async fn list(call: Call, _: Fields) -> Result<Reply> {
    let known = retention::list(&mut call.snapshot()).await?;
    call.answer(&Policies { policies: known.iter().map(|(name, policy)| shown(&call, name, policy)).collect() })
}

/// `POST /retention_policy`: sets one.
pub(crate) async fn set(call: Call, mut sent: Fields) -> Result<Reply> {
    let name = policy(&mut sent)?;
    let age = sent.number("max_age_hours")?.ok_or_else(|| Error::field("max_age_hours", "is a required field"))?;
    let now = call.now();
    let set = call.app.write(async |tx| retention::set(tx, &name, age, now).await).await?;
    call.answer(&OnePolicy { policy: shown(&call, &name, &set) })
}

/// `POST /retention_policy/delete`: ends one.
pub(crate) async fn remove(call: Call, mut sent: Fields) -> Result<Reply> {
    let name = policy(&mut sent)?;
    call.app.write(async |tx| retention::remove(tx, &name).await).await?;
    call.done()
}

fn policy(sent: &mut Fields) -> Result<String> {
    sent.filled("policy")?.ok_or_else(|| Error::field("policy", "is a required field"))
}

fn shown<'a>(call: &Call, name: &'a str, policy: &Policy) -> RetentionPolicy<'a> {
    RetentionPolicy {
        app_pk: call.tenant.app.id.0,
        policy: name,
        enabled_at: Time { at: policy.enabled_at, dialect: call.dialect },
        config: Config { max_age_hours: policy.max_age_hours },
    }
}

/// A run as filters see it.
struct Listed {
    id: String,
    date: String,
    policy: String,
    run: Run,
}

impl filter::Row for Listed {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.id)
    }

    fn value(&self, field: &str) -> Value<'_> {
        match field {
            "date" => Value::text(&self.date),
            "policy" => Value::text(&self.policy),
            _ => Value::Null,
        }
    }
}

/// `POST /retention_policy/runs`: what came of them, the newest day first.
pub(crate) async fn runs(call: Call, mut sent: Fields) -> Result<Reply> {
    let text = |sent: &mut Fields, name: &str| sent.raw(name).map_or_else(String::new, |raw| raw.get().to_owned());
    let conditions = text(&mut sent, "filter_conditions");
    let (question, filter) = (Question::of(&[&conditions]), Filter::parse(&conditions, SCHEMA)?);
    let sort = Sort::parse(&text(&mut sent, "sort"))?.or(SORT);
    let limit = sent.count("limit", RUNS, RUNS_MAX)?;
    let cursor = match (sent.filled("next")?, sent.filled("prev")?) {
        (Some(_), Some(_)) => return Err(Error::input("next and prev exclude each other")),
        (Some(cursor), None) | (None, Some(cursor)) => Some(Cursor::parse(question.open(&cursor)?)?),
        (None, None) => None,
    };
    let known = retention::runs(&mut call.snapshot()).await?;
    let row = |(day, policy, run): (Timestamp, String, Run)| {
        let date = day.rfc3339_short().to_string()[..10].to_owned();
        Listed { id: format!("{date} {policy}"), date, policy, run }
    };
    let rows: Vec<Listed> = known.into_iter().map(row).filter(|row| filter.fits(row)).collect();
    let page = filter::page(rows, &sort, cursor.as_ref(), limit);
    let place = |cursor: Option<String>| cursor.map(|cursor| question.seal(&cursor));
    let runs = page.rows.iter().map(|row| RetentionRun {
        app_pk: call.tenant.app.id.0,
        policy: &row.policy,
        date: &row.date,
        stats: Stats { channels_deleted: row.run.channels, messages_deleted: row.run.messages },
    });
    call.answer(&Runs { runs: runs.collect(), next: place(page.next), prev: place(page.prev) })
}
