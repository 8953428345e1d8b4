//! `collections/{collection}/`, `collections/{collection}/{id}/`, `collections/` (feeds-v1 §5.11).

use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;
use domain::feeds::collections::{self, Name};
use ids::{UserId, json::Object};
use serde_json::value::RawValue;
use wire::feeds::collections::{Found, Item, Selected, Upserted};

use crate::{
    error::{Error, Result},
    from_wire::{self, Members, missing},
    gate::Call,
    reply::{Reply, json_object},
    to_wire,
};

/// The most items of one call.
const ITEMS_MAX: usize = 1000;

fn stored(item: &Item) -> Reply {
    Reply { status: 201, body: json_object(item) }
}

/// The data in a body: an object that says something.
fn data(members: &Members) -> Result<String> {
    match members.object("data")? {
        Some(data) if !data.is_empty() => Ok(data.to_string()),
        _ => Err(Error::field("data", "must be an object that is not empty")),
    }
}

fn name(call: &Call) -> Result<Name> {
    Ok(Name::new(call.param("collection"), call.param("id"))?)
}

/// `POST collections/{collection}/`.
pub(crate) async fn add(call: Call, body: Bytes) -> Result<Reply> {
    let members = Members::read(&body)?;
    let id = members.text("id", collections::NAME_BYTES_MAX)?.unwrap_or_else(|| call.new_id());
    let (name, data) = (Name::new(call.param("collection"), &id)?, data(&members)?);
    let named = members.user("user_id")?;
    let user = call.user().cloned().or(named);
    let now = call.now();
    let item = call.tenant.app.write(async |tx| collections::add(tx, &name, &data, user.as_ref(), now).await).await?;
    Ok(stored(&to_wire::item(&name, &item)))
}

/// `GET collections/{collection}/{id}/`.
pub(crate) async fn get(call: Call) -> Result<Reply> {
    let name = name(&call)?;
    let item = collections::load(&mut call.tenant.app.snapshot(), &name).await?;
    Ok(Reply::ok(&to_wire::item(&name, &item)))
}

/// `PUT collections/{collection}/{id}/`.
pub(crate) async fn update(call: Call, body: Bytes) -> Result<Reply> {
    let (name, members) = (name(&call)?, Members::read(&body)?);
    if members.value("id").is_some() {
        return Err(Error::field("id", "cannot be changed"));
    }
    let (data, now) = (data(&members)?, call.now());
    let item = call.tenant.app.write(async |tx| collections::update(tx, &name, &data, call.user(), now).await);
    Ok(stored(&to_wire::item(&name, &item.await?)))
}

/// `DELETE collections/{collection}/{id}/`.
pub(crate) async fn remove(call: Call) -> Result<Reply> {
    let name = name(&call)?;
    call.tenant.app.write(async |tx| collections::remove(tx, &name, call.user()).await).await?;
    Ok(Reply::empty(200))
}

/// One item of an upsert.
struct Upsert {
    name: Name,
    data: String,
    user: Option<UserId>,
}

/// `POST collections/`: adds or replaces many items; the answer tells what was sent.
pub(crate) async fn upsert(call: Call, body: Bytes) -> Result<Reply> {
    let sent = Members::read(&body)?.object("data")?.ok_or_else(|| missing("data"))?;
    let (mut upserts, mut names, mut echo) = (Vec::new(), HashSet::new(), BTreeMap::new());
    for (collection, items) in sent.iter() {
        let items: Vec<Box<RawValue>> = serde_json::from_str(items.get())
            .map_err(|_| Error::field("data", "must be lists of items, by the names of their collections"))?;
        from_wire::check_count("data", upserts.len() + items.len(), ITEMS_MAX)?;
        for item in &items {
            let upsert = read(collection, item)?;
            if !names.insert(upsert.name.clone()) {
                return Err(Error::field("data", format!("`{}` stands in the list twice", upsert.name)));
            }
            upserts.push(upsert);
        }
        echo.insert(collection.to_owned(), items);
    }
    let now = call.now();
    let done = call.tenant.app.write_each(&upserts, async |tx, one| {
        collections::upsert(tx, &one.name, &one.data, one.user.as_ref(), now).await
    });
    done.await?;
    Ok(Reply { status: 201, body: json_object(&Upserted { data: echo }) })
}

/// An item as it was sent: with its data inside, or flat, and then all of it is data (§5.11).
fn read(collection: &str, item: &RawValue) -> Result<Upsert> {
    let object: Object = from_wire::body(item.get().as_bytes())?;
    let members = Members::new(object);
    let id = match members.value("id") {
        Some(serde_json::Value::Number(number)) => number.to_string(),
        _ => members.text("id", collections::NAME_BYTES_MAX)?.ok_or_else(|| missing("id"))?,
    };
    let name = Name::new(collection, &id)?;
    let is_nested = members.object_itself().iter().all(|(name, _)| ["id", "data", "user_id"].contains(&name));
    let inner = if is_nested { members.object("data").ok().flatten() } else { None };
    let data = inner.unwrap_or_else(|| members.object_itself().clone()).to_string();
    let user = if is_nested { members.user("user_id")? } else { None };
    Ok(Upsert { name, data, user })
}

/// `GET collections/`: many items by `collection:id`; those that are not there are left out.
pub(crate) async fn select(call: Call) -> Result<Reply> {
    let names = call.query.list("foreign_ids");
    from_wire::check_count("foreign_ids", names.len(), ITEMS_MAX)?;
    if names.is_empty() {
        return Err(missing("foreign_ids"));
    }
    let names: Vec<Name> = names.into_iter().map(Name::parse).collect::<std::result::Result<_, _>>()?;
    let (mut tx, mut data) = (call.tenant.app.snapshot(), Vec::new());
    for name in &names {
        data.extend(collections::get(&mut tx, name).await?.map(|item| to_wire::item(name, &item)));
    }
    Ok(Reply::ok(&Selected { response: Found { data } }))
}

/// `DELETE collections/`: removes many items of one collection.
pub(crate) async fn remove_many(call: Call) -> Result<Reply> {
    let collection = call.query.get("collection_name").ok_or_else(|| missing("collection_name"))?;
    let ids = call.query.list("ids");
    from_wire::check_count("ids", ids.len(), ITEMS_MAX)?;
    if ids.is_empty() {
        return Err(missing("ids"));
    }
    let names: Vec<Name> =
        ids.into_iter().map(|id| Name::new(collection, id)).collect::<std::result::Result<_, _>>()?;
    let done = call.tenant.app.write_each(&names, async |tx, name| {
        collections::delete(tx, name);
        Ok(())
    });
    done.await?;
    Ok(Reply::empty(200))
}
