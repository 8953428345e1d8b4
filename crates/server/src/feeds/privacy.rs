//! `data_privacy/…` and `moderation/…` (feeds-v1 §5.15).

use bytes::Bytes;
use domain::{
    Tx,
    feeds::privacy,
    moderation::{
        flags::{self, Entity, Report, USER},
        review,
    },
    users,
};
use ids::{UserId, json::Object};
use serde_json::value::RawValue;
use wire::{
    error::Code,
    feeds::privacy::{
        DeleteActivities, Exported, ExportedIds, Flagged, ModerationStatus, ModerationStatuses, WantedStatus,
        WantedStatuses,
    },
};

use super::timelines;
use crate::{
    error::{Error, Result},
    from_wire::{self, Members, missing},
    gate::Call,
    reply::{Reply, json_object},
};

/// The most activities or reactions of one call.
const ITEMS_MAX: usize = 100;
/// The longest reason, in bytes.
const REASON_BYTES_MAX: usize = 1024;
/// The longest id of a reaction, in bytes.
const ID_BYTES_MAX: usize = 255;
/// What a moderator did who looked and did nothing.
const REVIEWED: &str = "mark_reviewed";
/// What is to be done with what nothing speaks against.
const KEPT: &str = "keep";

/// `POST data_privacy/delete_activities/`: removes activities for good, from the feeds that are named and all others.
pub(crate) async fn delete_activities(call: Call, body: Bytes) -> Result<Reply> {
    let DeleteActivities { activities } = from_wire::body(&body)?;
    from_wire::check_count("activities", activities.len(), ITEMS_MAX)?;
    let mut ids = Vec::new();
    for activity in &activities {
        ids.push(from_wire::activity_id("id", &activity.id)?);
        let named = activity.remove_from_feeds.iter().flatten().map(String::as_str);
        from_wire::feeds("remove_from_feeds", named)?;
    }
    for id in ids {
        privacy::remove_activity(&call.tenant.app, id, call.now()).await?;
    }
    Ok(Reply::empty(201))
}

/// `POST data_privacy/delete_reactions/`: removes reactions for good.
pub(crate) async fn delete_reactions(call: Call, body: Bytes) -> Result<Reply> {
    let members = Members::read(&body)?;
    if members.value("ids").is_none() {
        return Err(missing("ids"));
    }
    let ids = members.texts("ids")?;
    from_wire::check_count("ids", ids.len(), ITEMS_MAX)?;
    if ids.iter().any(|id| id.is_empty() || id.len() > ID_BYTES_MAX) {
        return Err(Error::field("ids", format!("must be texts of 1 to {ID_BYTES_MAX} bytes")));
    }
    let now = call.now();
    call.tenant.app.write_each(&ids, async |tx, id| privacy::remove_reaction(tx, id, now).await).await?;
    Ok(Reply::empty(201))
}

/// `GET data_privacy/export_ids/{user_id}`: the ids of what a user has.
pub(crate) async fn export_ids(call: Call) -> Result<Reply> {
    let user = UserId::parse(call.param("user_id")).map_err(|error| Error::field("user_id", error.to_string()))?;
    let ids = privacy::ids_of(&mut call.tenant.app.snapshot(), &user).await?;
    Ok(Reply::ok(&Exported {
        export: ExportedIds {
            user_id: user.to_string(),
            activity_count: ids.activities.len(),
            reaction_count: ids.reactions.len(),
            activity_ids: ids.activities.iter().map(ToString::to_string).collect(),
            reaction_ids: ids.reactions,
        },
    }))
}

/// `POST moderation/flag`: reports a user, on behalf of another or of the application itself.
pub(crate) async fn flag(call: Call, body: Bytes) -> Result<Reply> {
    let members = Members::read(&body)?;
    let kind = members.text("entity_type", REASON_BYTES_MAX)?.ok_or_else(|| missing("entity_type"))?;
    let target = members.user("entity_id")?.ok_or_else(|| missing("entity_id"))?;
    let entity = Entity::new(&kind, target.as_str())?;
    if entity.kind != USER {
        return Err(Error::field("entity_type", format!("must be {USER}")));
    }
    let by = members.user("user_id")?;
    let report = Report { reason: reason(&members)?, ..Report::default() };
    let (fresh, now) = (call.new_id(), call.now());
    let flagged = call.tenant.app.write(async |tx: &mut Tx| {
        // Feeds name users that nobody made; in the review queue they stand as users.
        users::ensure(tx, &target, now).await?;
        match &by {
            Some(by) => {
                users::ensure(tx, by, now).await?;
                Ok(flags::add(tx, by, &entity, &report, &fresh, now).await?.flag.item)
            }
            None => {
                let report = Report { payload: payload(&report.reason), ..report.clone() };
                flags::add_by_app(tx, &entity, &report, &fresh, now).await
            }
        }
    });
    let answer =
        Flagged { flag_id: flagged.await?, target_user_id: target.to_string(), created_at: now.rfc3339().to_string() };
    Ok(Reply { status: 201, body: json_object(&answer) })
}

fn reason(members: &Members) -> Result<String> {
    match members.value("reason") {
        None => Ok(String::new()),
        Some(serde_json::Value::String(text)) if text.len() <= REASON_BYTES_MAX => Ok(text),
        Some(_) => Err(Error::field("reason", format!("must be a text of at most {REASON_BYTES_MAX} bytes"))),
    }
}

/// What the application says, where there is no reporter to say it.
fn payload(reason: &str) -> Object {
    let mut payload = Object::default();
    if !reason.is_empty() {
        let text = serde_json::to_string(reason).expect("a text is JSON");
        payload.set("reason", RawValue::from_string(text).expect("it was just made"));
    }
    payload
}

/// `GET moderation/status/`: how the moderation of something stands, by what the review queue has of it.
pub(crate) async fn status(call: Call) -> Result<Reply> {
    let asked = |name: &str| call.query.get(name).filter(|text| !text.is_empty()).ok_or_else(|| missing(name));
    let entity = entity(asked("entity_type")?, asked("entity_id")?)?;
    Ok(Reply::ok(&standing(&mut call.tenant.app.snapshot(), entity).await?))
}

/// `POST moderation/status/batch/`: the same of many.
pub(crate) async fn statuses(call: Call, body: Bytes) -> Result<Reply> {
    let WantedStatuses { entities } = from_wire::body(&body)?;
    from_wire::check_count("entities", entities.len(), ITEMS_MAX)?;
    let mut tx = call.tenant.app.snapshot();
    let mut results = Vec::with_capacity(entities.len());
    for WantedStatus { entity_type, entity_id } in &entities {
        results.push(standing(&mut tx, entity(entity_type, entity_id)?).await?);
    }
    Ok(Reply { status: 201, body: json_object(&ModerationStatuses { results }) })
}

fn entity(kind: &str, id: &str) -> Result<Entity> {
    if kind.is_empty() || id.is_empty() {
        return Err(Error::field("entities", "need an entity_type and an entity_id each"));
    }
    Ok(Entity::new(kind, id)?)
}

async fn standing(tx: &mut Tx, entity: Entity) -> Result<ModerationStatus> {
    let item = review::of(tx, &entity).await?.map(|queued| queued.item);
    let is_pending = item.as_ref().is_some_and(|item| item.reviewed_at.is_none());
    let action = item.map(|item| item.action).filter(|action| !action.is_empty() && action != REVIEWED);
    Ok(ModerationStatus {
        entity_type: entity.kind,
        entity_id: entity.id,
        status: if is_pending { "pending" } else { "complete" },
        recommended_action: action.unwrap_or_else(|| KEPT.to_owned()),
    })
}

/// `DELETE moderation/user/cache/{id}/`: nothing is kept of users beside what is stored, so there is nothing to drop.
pub(crate) async fn drop_cache(call: Call) -> Result<Reply> {
    UserId::parse(call.param("id")).map_err(|error| Error::field("id", error.to_string()))?;
    Ok(Reply::empty(200))
}

/// `GET [enrich/]personalization/feed/`: nothing is recommended here, to nobody (feeds-v1 §5.16).
pub(crate) async fn personalized(call: Call) -> Result<Reply> {
    timelines::part(&call.query)?;
    if let Some(id) = call.query.get("user_id") {
        let user = UserId::parse(id).map_err(|error| Error::field("user_id", error.to_string()))?;
        call.check_self(&user)?;
    }
    match call.query.get("endpoint") {
        Some(name) => Err(Error::new(Code::DoesNotExist, format!("there is no personalization endpoint `{name}`"))),
        None => Ok(Reply::ok(&serde_json::json!({ "results": [], "next": "" }))),
    }
}
