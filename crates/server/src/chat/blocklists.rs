//! `/blocklists` (chat §11.11).

use domain::chat::blocklists::{self, Blocklist, Change, Id};
use wire::chat::{
    blocklists::{Blocklist as WireBlocklist, Blocklists, OneBlocklist},
    dialect::{Dialect, Time},
    tasks::Started,
};

use super::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
};
use crate::reply::Reply;

/// The most lists of a page.
const PAGE_MAX: usize = 100;

/// `POST /blocklists`: makes a list.
pub(crate) async fn create(call: Call, mut sent: Fields) -> Result<Reply> {
    let name = sent.filled("name")?.ok_or_else(|| Error::field("name", "is a required field"))?;
    let id = (team(&call, &mut sent)?, name);
    let (change, now) = (change(&mut sent)?, call.now());
    if change.words.is_none() {
        return Err(Error::field("words", "is a required field"));
    }
    let made = call.app.write(async |tx| blocklists::create(tx, &id, &change, now).await).await?;
    call.answer(&OneBlocklist { blocklist: to_wire(call.dialect, &id, &made.0, &made.1) })
}

/// `PUT /blocklists/{name}`: changes what is given; words replace those before.
pub(crate) async fn update(call: Call, mut sent: Fields) -> Result<Reply> {
    let id = (team(&call, &mut sent)?, call.param("name").to_owned());
    let (change, now) = (change(&mut sent)?, call.now());
    let made = call.app.write(async |tx| blocklists::update(tx, &id, &change, now).await).await?;
    call.answer(&OneBlocklist { blocklist: to_wire(call.dialect, &id, &made.0, &made.1) })
}

/// `POST /blocklists/{name}/import`: adds what the list does not hold.
pub(crate) async fn import(call: Call, mut sent: Fields) -> Result<Reply> {
    let id = (team(&call, &mut sent)?, call.param("name").to_owned());
    let items = sent.texts("items")?.ok_or_else(|| Error::field("items", "is a required field"))?;
    // All of them go in at once, so that there is nothing to divide.
    sent.count("chunk_size", items.len(), usize::MAX)?;
    let (task, now) = (call.new_id(), call.now());
    call.app.write(async |tx| blocklists::import(tx, &id, &items, &task, now).await).await?;
    call.answer(&Started { task_id: &task })
}

/// `GET /blocklists/{name}`.
pub(crate) async fn get(call: Call, mut sent: Fields) -> Result<Reply> {
    let id = (team(&call, &mut sent)?, call.param("name").to_owned());
    let (list, words) = blocklists::load(&mut call.snapshot(), &id).await?;
    call.answer(&OneBlocklist { blocklist: to_wire(call.dialect, &id, &list, &words) })
}

/// `GET /blocklists`: a page of the lists, by their names.
pub(crate) async fn list(call: Call, _: Fields) -> Result<Reply> {
    let limit = call.query.number("limit", PAGE_MAX, 1..=PAGE_MAX).map_err(|error| Error::input(error.detail))?;
    let mut lists = blocklists::list(&mut call.snapshot(), call.query.get("team")).await?;
    lists.sort_by(|(a, ..), (b, ..)| a.1.cmp(&b.1));
    if let Some(cursor) = call.query.get("cursor") {
        lists.retain(|(id, ..)| id.1.as_str() > cursor);
    }
    let next_cursor = (lists.len() > limit).then(|| lists[limit - 1].0.1.clone());
    let page = lists.iter().take(limit).map(|(id, list, words)| to_wire(call.dialect, id, list, words));
    call.answer(&Blocklists { blocklists: page.collect(), next_cursor })
}

/// `DELETE /blocklists/{name}`: removes a list, also from the channel types that name it.
pub(crate) async fn remove(call: Call, mut sent: Fields) -> Result<Reply> {
    let id = (team(&call, &mut sent)?, call.param("name").to_owned());
    call.app.write(async |tx| blocklists::remove(tx, &id).await).await?;
    call.done()
}

/// The team in the body or the query; empty when none is named.
fn team(call: &Call, sent: &mut Fields) -> Result<String> {
    let team = sent.filled("team")?;
    Ok(team.or_else(|| call.query.get("team").map(str::to_owned)).unwrap_or_default())
}

fn change(sent: &mut Fields) -> Result<Change> {
    Ok(Change {
        kind: sent.filled("type")?,
        words: sent.texts("words")?,
        is_substring: sent.flag("is_substring_matching_enabled")?,
        is_leet: sent.flag("is_leet_check_enabled")?,
        is_plural: sent.flag("is_plural_check_enabled")?,
        is_folding: sent.flag("is_confusable_folding_enabled")?,
    })
}

fn to_wire<'a>(dialect: Dialect, id: &'a Id, list: &'a Blocklist, words: &'a [String]) -> WireBlocklist<'a> {
    WireBlocklist {
        name: &id.1,
        kind: &list.kind,
        words,
        team: &id.0,
        is_substring_matching_enabled: list.is_substring,
        is_leet_check_enabled: list.is_leet,
        is_plural_check_enabled: list.is_plural,
        is_confusable_folding_enabled: list.is_folding,
        created_at: Time { at: list.created_at, dialect },
        updated_at: Time { at: list.updated_at, dialect },
    }
}
