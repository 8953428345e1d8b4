//! Collections: `/collections` (feeds-v3 §3.7).

use domain::{
    users,
    v3::{
        activities::REFS_MAX,
        collections::{self, Draft, Named, Ref},
    },
};
use ids::{UserId, json::Object};
use wire::v3::collections::Collections;

use super::{
    read::{self, Actor, Query},
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

/// `POST /collections`.
pub(super) async fn create(call: Call, mut sent: Fields) -> Result<Reply> {
    let actor = Actor::find(&call, &mut sent)?;
    let drafts = drafts(&call, &mut sent, actor.as_ref())?;
    let now = call.moment();
    let run = call.tenant.app.write(async |tx| {
        ensure_owners(tx, actor.as_ref(), &drafts, now).await?;
        collections::create(tx, &drafts, now).await
    });
    let created = run.await?;
    some(&call, created)
}

/// `PUT /collections`.
pub(super) async fn upsert(call: Call, mut sent: Fields) -> Result<Reply> {
    let actor = Actor::find(&call, &mut sent)?;
    let drafts = drafts(&call, &mut sent, actor.as_ref())?;
    let (now, by) = (call.moment(), call.user());
    let run = call.tenant.app.write(async |tx| {
        ensure_owners(tx, actor.as_ref(), &drafts, now).await?;
        collections::upsert(tx, &drafts, by, now).await
    });
    let upserted = run.await?;
    some(&call, upserted)
}

/// `PATCH /collections`.
pub(super) async fn update(call: Call, mut sent: Fields) -> Result<Reply> {
    let (actor, mut changes) = (Actor::find(&call, &mut sent)?, Vec::new());
    for mut item in read::batch(&mut sent, "collections")? {
        let (name, id) = (item.filled("name")?.unwrap_or_default(), item.filled("id")?.unwrap_or_default());
        changes.push((Ref::new(&name, &id)?, own_fields(&mut item)?));
    }
    let (now, by) = (call.moment(), call.user());
    let run = call.tenant.app.write(async |tx| {
        ensure_owners(tx, actor.as_ref(), &[], now).await?;
        collections::update(tx, &changes, by, now).await
    });
    let updated = run.await?;
    some(&call, updated)
}

/// `GET /collections`: entries by reference, or those of a user.
pub(super) async fn list(call: Call, _: Fields) -> Result<Reply> {
    let named = call.query.get("user_id").filter(|id| !id.is_empty()).map(crate::chat::fields::user).transpose()?;
    let owner = call.user().cloned().or(named);
    let refs = refs(&call)?;
    let mut tx = call.snapshot();
    let mut found = match (&owner, refs.is_empty()) {
        (_, false) => collections::get_many(&mut tx, &refs).await?,
        (Some(owner), true) => collections::of_user(&mut tx, owner.as_str(), collections::BATCH_MAX).await?,
        (None, true) => return Err(Error::field("collection_refs", "or user_id must be given")),
    };
    found.retain(|named| owner.is_none() || named.collection.user == owner);
    some(&call, found)
}

/// `DELETE /collections`.
pub(super) async fn delete(call: Call, _: Fields) -> Result<Reply> {
    let (refs, by) = (refs(&call)?, call.user());
    if refs.is_empty() {
        return Err(Error::field("collection_refs", "must hold at least one reference"));
    }
    call.tenant.app.write(async |tx| collections::delete(tx, &refs, by).await).await?;
    call.done()
}

/// `POST /collections/query`.
pub(super) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    // Whoever acts finds its own; the app's own server, for nobody, finds all.
    let owner = Actor::find(&call, &mut sent)?.map(|actor| actor.id);
    let asked = Query::read(&mut sent, collections::SCHEMA)?;
    let (question, asked) = (asked.question, asked.by_default(collections::SORT));
    let page = collections::query(&mut call.snapshot(), owner.as_ref(), &asked).await?;
    answer(&call, &page.rows, read::pager(question, &page))
}

fn drafts(call: &Call, sent: &mut Fields, actor: Option<&Actor>) -> Result<Vec<Draft>> {
    described(call, read::batch(sent, "collections")?, actor)
}

/// The entries in an activity's body, which are made or changed with it.
pub(super) fn inline(call: &Call, sent: &mut Fields, actor: &Actor) -> Result<Vec<Draft>> {
    let items = sent.objects("collections")?.unwrap_or_default();
    match items.len() <= REFS_MAX {
        true => described(call, items, Some(actor)),
        false => Err(Error::field("collections", &format!("must hold at most {REFS_MAX}"))),
    }
}

fn described(call: &Call, items: Vec<Fields>, actor: Option<&Actor>) -> Result<Vec<Draft>> {
    let mut drafts = Vec::new();
    for mut item in items {
        let name = item.filled("name")?.ok_or_else(|| Error::field("collections", "must have a name"))?;
        let id = item.filled("id")?.unwrap_or_else(|| call.new_id());
        let named = item.user("user_id")?.filter(|_| call.is_server());
        let user = named.or_else(|| actor.map(|actor| actor.id.clone()));
        drafts.push(Draft { of: Ref::new(&name, &id)?, custom: own_fields(&mut item)?, user });
    }
    Ok(drafts)
}

fn own_fields(item: &mut Fields) -> Result<Object> {
    Ok(read::object(item, "custom")?.unwrap_or_default())
}

/// Owners who are not there yet are made.
pub(super) async fn ensure_owners(
    tx: &mut domain::Tx,
    actor: Option<&Actor>,
    drafts: &[Draft],
    now: ids::Timestamp,
) -> domain::Result<()> {
    if let Some(actor) = actor {
        actor.store(tx, now).await?;
    }
    let mut owners: Vec<&UserId> = drafts.iter().filter_map(|draft| draft.user.as_ref()).collect();
    owners.sort_unstable();
    owners.dedup();
    for owner in owners {
        users::ensure(tx, owner, now).await?;
    }
    Ok(())
}

fn refs(call: &Call) -> Result<Vec<Ref>> {
    let texts = call.query.list("collection_refs").into_iter().filter(|text| !text.is_empty());
    let mut refs = Vec::new();
    for text in texts {
        let of = Ref::parse(text)?;
        if !refs.contains(&of) {
            refs.push(of);
        }
    }
    match refs.len() > collections::BATCH_MAX {
        true => Err(Error::field("collection_refs", &format!("must hold at most {}", collections::BATCH_MAX))),
        false => Ok(refs),
    }
}

fn some(call: &Call, all: Vec<Named>) -> Result<Reply> {
    answer(call, &all, wire::v3::Pager::default())
}

fn answer(call: &Call, all: &[Named], pager: wire::v3::Pager) -> Result<Reply> {
    let nobody = domain::users::People::default();
    let pen = Pen { people: &nobody, now: call.now() };
    call.answer(&Collections { collections: all.iter().map(|named| pen.collection(named)).collect(), pager })
}
