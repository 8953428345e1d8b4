//! `/membership_levels` (feeds-v3 §3.9).

use domain::v3::levels::{self, Change, Known};
use wire::v3::members::{Levels, OneLevel};

use super::{
    read::{self, Query},
    show::Pen,
};
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
    },
    reply::Reply,
};

/// `POST /membership_levels`.
pub(super) async fn add(call: Call, mut sent: Fields) -> Result<Reply> {
    let id = sent.filled("id")?.ok_or_else(|| Error::field("id", "is a required field"))?;
    let change = change(&mut sent)?;
    if change.name.is_none() {
        return Err(Error::field("name", "is a required field"));
    }
    let now = call.moment();
    let known = call.tenant.app.write(async |tx| levels::add(tx, &id, &change, now).await).await?;
    one(&call, &known)
}

/// `PATCH /membership_levels/{id}`.
pub(super) async fn update(call: Call, mut sent: Fields) -> Result<Reply> {
    let (id, change, now) = (call.param("id"), change(&mut sent)?, call.moment());
    let known = call.tenant.app.write(async |tx| levels::update(tx, id, &change, now).await).await?;
    one(&call, &known)
}

/// `DELETE /membership_levels/{id}`.
pub(super) async fn remove(call: Call, _: Fields) -> Result<Reply> {
    let id = call.param("id");
    call.tenant.app.write(async |tx| levels::remove(tx, id).await).await?;
    call.done()
}

/// `POST /membership_levels/query`.
pub(super) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    let asked = Query::read(&mut sent, levels::SCHEMA)?;
    let (question, asked) = (asked.question, asked.by_default(levels::SORT));
    let page = levels::query(&mut call.snapshot(), &asked).await?;
    let people = domain::users::People::default();
    let pen = Pen { people: &people, now: call.now() };
    let membership_levels = page.rows.iter().map(|known| pen.level(known)).collect();
    call.answer(&Levels { membership_levels, pager: read::pager(question, &page) })
}

fn change(sent: &mut Fields) -> Result<Change> {
    Ok(Change {
        name: sent.filled("name")?,
        description: sent.text("description")?,
        priority: sent.number("priority")?,
        tags: sent.texts("tags")?,
        custom: read::object(sent, "custom")?,
    })
}

fn one(call: &Call, known: &Known) -> Result<Reply> {
    let people = domain::users::People::default();
    let pen = Pen { people: &people, now: call.now() };
    call.answer(&OneLevel { membership_level: pen.level(known) })
}
