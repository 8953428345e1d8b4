//! `/moderation/appeal` and `/moderation/appeals` (v2 §6.6).

use domain::{
    Tx,
    filter::{self, Filter},
    moderation::{
        appeals::{self, Plea, Submitted},
        flags::Entity,
    },
};
use ids::UserId;
use wire::chat::moderation::{Appeal, AppealError, AppealResult, Appealed, Appeals, BulkDecided, OneAppeal};

use super::{
    Cast, Desk,
    decide::{self, Asked},
};
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
        messages::Query,
    },
    reply::Reply,
};

/// The most appeals of one bulk action.
const BULK_MAX: usize = 100;
/// What can be done about many appeals at once.
const BULK_ACTIONS: [&str; 5] = ["unban", "restore", "unblock", "mark_reviewed", "reject_appeal"];

/// `POST /moderation/appeal`: appeals against what was decided about something.
pub(crate) async fn add(call: Call, mut sent: Fields) -> Result<Reply> {
    let mut text = |name| sent.filled(name)?.ok_or_else(|| Error::field(name, "is a required field"));
    let entity = Entity::new(&text("entity_type")?, &text("entity_id")?)?;
    let plea = Plea {
        entity,
        reason: text("appeal_reason")?,
        item: sent.filled("review_queue_item_id")?,
        attachments: sent.texts("attachments")?.unwrap_or_default(),
    };
    let user = call.some_actor(&mut sent)?;
    let (id, now) = (call.new_id(), call.now());
    call.app.write(async |tx: &mut Tx| appeals::add(tx, &id, &user, &plea, now).await).await?;
    call.answer(&Appealed { appeal_id: &id })
}

/// `GET /moderation/appeal/{id}`: for users, one of their own.
pub(crate) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let (cast, submitted) = look(&call, call.param("id")).await?;
    if call.user().is_some_and(|user| *user != submitted.appeal.user) {
        return Err(domain::Error::Absent(format!("appeal '{}' does not exist", submitted.id)).into());
    }
    call.answer(&OneAppeal { item: shown(&cast, &submitted) })
}

/// The appeal `id`, and who is shown with it.
pub(super) async fn look(desk: impl Into<Desk<'_>>, id: &str) -> domain::Result<(Cast, Submitted)> {
    let desk = desk.into();
    let appeal = appeals::load(&mut desk.snapshot(), id).await?;
    let cast = Cast::load(desk, vec![&appeal.user]).await?;
    Ok((cast, Submitted { id: id.to_owned(), appeal }))
}

/// An appeal, as it is shown.
pub(super) fn shown<'a>(cast: &'a Cast, submitted: &'a Submitted) -> Appeal<'a> {
    let Submitted { id, appeal } = submitted;
    Appeal {
        id,
        appeal_reason: &appeal.reason,
        status: appeal.status.name(),
        entity_type: &appeal.entity.kind,
        entity_id: &appeal.entity.id,
        review_queue_item_id: appeal.item.as_deref(),
        decision_reason: Some(appeal.decision.as_str()).filter(|why| !why.is_empty()),
        attachments: &appeal.attachments,
        user: cast.user(Some(&appeal.user)),
        created_at: cast.time(appeal.created_at),
        updated_at: cast.time(appeal.updated_at),
    }
}

/// `POST /moderation/appeals`: appeals, page by page; for users, their own.
pub(crate) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    let query = Query::read(&mut sent, &["-created_at"])?;
    let filter = Filter::parse(&query.filter, appeals::SCHEMA)?;
    let found = appeals::query(&mut call.snapshot(), call.user(), &filter, &query.sort).await?;
    let page = filter::page(found, &query.sort, query.cursor.as_ref(), query.limit);
    let users: Vec<&UserId> = page.rows.iter().map(|submitted| &submitted.appeal.user).collect();
    let cast = Cast::load(&call, users).await?;
    let items = page.rows.iter().map(|submitted| shown(&cast, submitted)).collect();
    call.answer(&Appeals { items, next: query.place(page.next), prev: query.place(page.prev) })
}

/// `POST /moderation/appeals/bulk_action`: decides many appeals; what fails for one holds up no other.
pub(crate) async fn bulk(call: Call, mut sent: Fields) -> Result<Reply> {
    let kind = sent.filled("action_type")?.ok_or_else(|| Error::field("action_type", "is a required field"))?;
    if !BULK_ACTIONS.contains(&kind.as_str()) {
        return Err(Error::field("action_type", &format!("must be one of [{}]", BULK_ACTIONS.join(" "))));
    }
    let ids = sent.texts("appeal_ids")?.unwrap_or_default();
    if ids.is_empty() || ids.len() > BULK_MAX {
        return Err(Error::field("appeal_ids", &format!("must hold 1 to {BULK_MAX} ids")));
    }
    let by = call.actor(&mut sent)?;
    let payload = sent.raw(&kind).map_or_else(|| "{}".to_owned(), |raw| raw.get().to_owned());
    let payload = if payload == "null" { "{}".to_owned() } else { payload };
    // What is wrong with the action itself is wrong with every appeal.
    decide::ask(&call, kind.clone(), by.clone(), Fields::parse(&payload, call.dialect)?)?;
    let (mut done, mut errors) = (Vec::new(), Vec::new());
    for id in &ids {
        let asked = decide::ask(&call, kind.clone(), by.clone(), Fields::parse(&payload, call.dialect)?)?;
        match decide::run(&call, &Asked { appeal: Some(id.clone()), ..asked }).await {
            Ok(_) => done.push(look(&call, id).await?),
            Err(error) => errors.push(AppealError { appeal_id: id, error: error.reason }),
        }
    }
    let results = done
        .iter()
        .map(|(cast, submitted)| AppealResult { appeal_id: &submitted.id, appeal_item: shown(cast, submitted) });
    call.answer(&BulkDecided { results: results.collect(), errors })
}
