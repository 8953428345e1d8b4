//! `/moderation/review_queue`, `/moderation/submit_action`, `/moderation/logs` and `/moderation/action_logs` (v2 §6.5).

use std::collections::BTreeMap;

use domain::{
    Tx,
    chat::messages::{self, Message},
    filter::{self, Filter, Sort},
    moderation::{
        actions::{self, Action, Noted},
        bans::{self, Banned, Scope},
        flags::{self, Entity, Flagged},
        review::{self, Item, Queued},
    },
    users::Ban,
};
use ids::{MessageId, UserId, json::Object};
use wire::chat::moderation::{ActionLogs, OneReviewItem, ReviewItem, ReviewQueue};

use super::{Cast, expires, reason, refuse};
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
        messages::Query,
        to_wire::moderation as shape,
    },
    reply::Reply,
};

/// The most rows that one item shows of each kind.
const SHOWN_MAX: usize = 100;

/// `POST /moderation/review_queue`: what was reported, page by page.
pub(crate) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    refuse(sent.flag("lock_items")?.unwrap_or_default(), "lock_items")?;
    let only_stats = sent.flag("stats_only")?.unwrap_or_default();
    let query = Query::read(&mut sent, &["-created_at"])?;
    let filter = Filter::parse(&query.filter, review::SCHEMA)?;
    let mut found = review::query(&mut call.snapshot(), None, &filter, &query.sort).await?;
    let mut stats = BTreeMap::from([("pending", 0), ("reviewed", 0)]);
    for queued in &found {
        *stats.entry(queued.item.status()).or_default() += 1;
    }
    if only_stats {
        found.clear();
    }
    let page = filter::page(found, &query.sort, query.cursor.as_ref(), query.limit);
    let (cast, shown) = read(&call, page.rows).await?;
    let items = shown.iter().map(|shown| shown.item(&cast)).collect();
    call.answer(&ReviewQueue {
        items,
        action_config: BTreeMap::new(),
        stats,
        next: query.place(page.next),
        prev: query.place(page.prev),
    })
}

/// `GET /moderation/review_queue/{id}`.
pub(crate) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let id = call.param("id").to_owned();
    let item = review::load(&mut call.snapshot(), &id).await?;
    one(&call, id, item).await
}

async fn one(call: &Call, id: String, item: Item) -> Result<Reply> {
    let (cast, shown) = read(call, vec![Queued { id, item }]).await?;
    call.answer(&OneReviewItem { item: shown.first().map(|shown| shown.item(&cast)) })
}

/// An item with all that is shown with it.
struct Shown {
    queued: Queued,
    flags: Vec<(Flagged, Object)>,
    actions: Vec<Noted>,
    bans: Vec<Banned>,
}

impl Shown {
    fn item<'a>(&'a self, cast: &'a Cast) -> ReviewItem<'a> {
        ReviewItem {
            flags: self.flags.iter().map(|(flag, custom)| shape::moderation_flag(cast, flag, custom)).collect(),
            flags_count: self.flags.len(),
            actions: self.actions.iter().map(|noted| shape::action(cast, noted)).collect(),
            bans: self.bans.iter().map(|banned| shape::ban(cast, banned)).collect(),
            ..shape::review_item(cast, &self.queued)
        }
    }

    fn users(&self) -> impl Iterator<Item = &UserId> {
        let item = &self.queued.item;
        let actors = self.actions.iter().flat_map(|noted| [noted.action.user.as_ref(), noted.action.target.as_ref()]);
        let banning = self.bans.iter().flat_map(|banned| [Some(&banned.user), banned.ban.by.as_ref()]);
        let own = [item.creator.as_ref(), item.reviewed_by.as_ref()];
        let some = actors.chain(banning).chain(own).flatten();
        some.chain(self.flags.iter().map(|(flag, _)| &flag.by))
    }
}

async fn read(call: &Call, items: Vec<Queued>) -> Result<(Cast, Vec<Shown>)> {
    let mut tx = call.snapshot();
    let mut all = Vec::with_capacity(items.len());
    for queued in items {
        let mut flags = flags::of_entity(&mut tx, &queued.item.entity).await?;
        flags.truncate(SHOWN_MAX);
        let about = only("review_queue_item_id", &queued.id);
        let actions = actions::query(&mut tx, &Filter::parse(&about, actions::SCHEMA)?, &Sort::by(bans::SORT)).await?;
        let bans = match &queued.item.creator {
            Some(creator) => {
                let of_creator = only("user_id", creator.as_str());
                bans::query(&mut tx, &Filter::parse(&of_creator, bans::SCHEMA)?, &Sort::by(bans::SORT)).await?
            }
            None => Vec::new(),
        };
        let flags = flags.into_iter().map(|flag| (flag.flag.custom(), flag)).map(|(custom, flag)| (flag, custom));
        all.push(Shown { flags: flags.collect(), queued, actions, bans });
    }
    let mut cast = Cast::load(call, all.iter().flat_map(Shown::users).collect()).await?;
    cast.add_messages(call, all.iter().filter_map(|shown| shown.queued.item.entity.message()).collect()).await?;
    cast.add_channels(
        call,
        all.iter().flat_map(|shown| &shown.bans).filter_map(|banned| banned.channel.as_ref()).collect(),
    )
    .await?;
    Ok((cast, all))
}

/// A filter for one value of one field.
fn only(field: &str, value: &str) -> String {
    serde_json::json!({ field: value }).to_string()
}

/// `POST /moderation/submit_action`: does something about an item, which closes it.
pub(crate) async fn submit(call: Call, mut sent: Fields) -> Result<Reply> {
    let kind = sent.filled("action_type")?.ok_or_else(|| Error::field("action_type", "is a required field"))?;
    let id = sent.filled("item_id")?;
    let by = call.actor(&mut sent)?;
    let mut payload = match sent.object(&kind)? {
        Some(payload) => payload,
        None => Fields::parse("{}", call.dialect)?,
    };
    let entity = match (payload.filled("entity_type")?, payload.filled("entity_id")?) {
        (Some(kind), Some(id)) => Some(Entity::new(&kind, &id)?),
        _ => None,
    };
    let decision = payload.text("decision_reason")?;
    let words = decision.filter(|words| !words.is_empty()).unwrap_or(reason(&mut payload)?);
    let now = call.now();
    let (notes, messages) = ([call.new_id(), call.new_id()], entity.as_ref().and_then(Entity::message));
    let step = plan(&call, &kind, &mut payload)?;
    if id.is_none() && entity.is_none() && step.target().is_none() {
        return Err(Error::field("item_id", "is a required field"));
    }
    let action = Action { kind, user: by.clone(), reason: words, ..Action::new(now) };
    let body = async |tx: &mut Tx| {
        let item = match &id {
            Some(id) => Some(review::load(tx, id).await?),
            None => None,
        };
        let message = messages.clone().or_else(|| item.as_ref()?.entity.message());
        let creator = item.as_ref().and_then(|item| item.creator.clone());
        step.run(tx, creator, message, &action, &notes[0]).await?;
        match &id {
            Some(id) => review::close(tx, id, &action, &notes[1]).await.map(Some),
            None => Ok(None),
        }
    };
    let closed = call.tenant.app.write(body).await?;
    match (id, closed) {
        (Some(id), Some(item)) => one(&call, id, item).await,
        _ => call.answer(&OneReviewItem { item: None }),
    }
}

/// What an action does beside closing its item.
enum Step {
    /// Nothing: somebody looked at it.
    Note,
    /// Bans a user; its own, if absent.
    Ban { user: Option<UserId>, scope: Scope, is_shadow: bool, expires: Option<ids::Timestamp> },
    /// Ends a ban.
    Unban { user: Option<UserId>, scope: Scope },
    /// Deletes the message.
    DeleteMessage { is_hard: bool },
    /// Brings the message back.
    Restore,
}

fn plan(call: &Call, kind: &str, payload: &mut Fields) -> Result<Step> {
    let scope = |payload: &mut Fields, later| {
        let channel = payload.channel("channel_cid")?;
        Ok::<_, Error>(Scope { channel, has_later_channels: payload.flag(later)?.unwrap_or_default() })
    };
    match kind {
        "mark_reviewed" | "custom" => Ok(Step::Note),
        "ban" => {
            refuse(payload.flag("ip_ban")?.unwrap_or_default(), "ip_ban")?;
            refuse(payload.filled("delete_messages")?.is_some(), "delete_messages")?;
            Ok(Step::Ban {
                user: payload.user("target_user_id")?,
                scope: scope(payload, "ban_from_future_channels")?,
                is_shadow: payload.flag("shadow")?.unwrap_or_default(),
                expires: expires(payload, call.now())?,
            })
        }
        "unban" => Ok(Step::Unban {
            user: payload.user("target_user_id")?,
            scope: scope(payload, "remove_future_channels_ban")?,
        }),
        "delete_message" => Ok(Step::DeleteMessage { is_hard: payload.flag("hard_delete")?.unwrap_or_default() }),
        "restore" => Ok(Step::Restore),
        other => {
            refuse(true, &format!("the action {other}"))?;
            Ok(Step::Note)
        }
    }
}

impl Step {
    fn target(&self) -> Option<&UserId> {
        match self {
            Step::Ban { user, .. } | Step::Unban { user, .. } => user.as_ref(),
            Step::Note | Step::DeleteMessage { .. } | Step::Restore => None,
        }
    }

    async fn run(
        &self,
        tx: &mut Tx,
        creator: Option<UserId>,
        message: Option<MessageId>,
        action: &Action,
        note: &str,
    ) -> domain::Result<()> {
        let no = |what: &str| domain::Error::Unfit(format!("{}: the item has no {what}", action.kind));
        let (by, now) = (action.user.as_ref(), action.at);
        match self {
            Step::Note => Ok(()),
            Step::Ban { user, scope, is_shadow, expires } => {
                let user = user.clone().or(creator).ok_or_else(|| no("user"))?;
                let ban = Ban {
                    by: by.cloned(),
                    reason: action.reason.clone(),
                    expires: *expires,
                    is_shadow: *is_shadow,
                    created_at: now,
                };
                bans::add(tx, &user, scope, &ban, note).await
            }
            Step::Unban { user, scope } => {
                let user = user.clone().or(creator).ok_or_else(|| no("user"))?;
                bans::remove(tx, &user, scope, by, note, now).await
            }
            Step::DeleteMessage { is_hard } => {
                let message = message.ok_or_else(|| no("message"))?;
                delete(tx, &message, *is_hard, by, now).await.map(drop)
            }
            Step::Restore => {
                let message = message.ok_or_else(|| no("message"))?;
                let by = by.ok_or_else(|| domain::Error::Unfit("user_id is a required field".to_owned()))?;
                messages::undelete(tx, &message, by, now).await.map(drop)
            }
        }
    }
}

async fn delete(
    tx: &mut Tx,
    message: &MessageId,
    is_hard: bool,
    by: Option<&UserId>,
    now: ids::Timestamp,
) -> domain::Result<Message> {
    if is_hard {
        return Err(domain::Error::Unfit("hard_delete: delete the message itself with hard=true".to_owned()));
    }
    messages::delete(tx, None, message, by, now).await
}

/// `POST /moderation/logs`: what moderators did, page by page.
pub(crate) async fn logs(call: Call, mut sent: Fields) -> Result<Reply> {
    let query = Query::read(&mut sent, &["-created_at"])?;
    let filter = Filter::parse(&query.filter, actions::SCHEMA)?;
    let found = actions::query(&mut call.snapshot(), &filter, &query.sort).await?;
    let page = filter::page(found, &query.sort, query.cursor.as_ref(), query.limit);
    let named = page.rows.iter().flat_map(|noted| [noted.action.user.as_ref(), noted.action.target.as_ref()]);
    let cast = Cast::load(&call, named.flatten().collect()).await?;
    let logs = page.rows.iter().map(|noted| shape::action(&cast, noted)).collect();
    call.answer(&ActionLogs { logs, next: query.place(page.next), prev: query.place(page.prev) })
}

/// `POST /moderation/action_logs`: notes what was done elsewhere.
pub(crate) async fn note(call: Call, mut sent: Fields) -> Result<Reply> {
    let mut text = |name| sent.filled(name)?.ok_or_else(|| Error::field(name, "is a required field"));
    let (kind, entity_kind, entity_id) = (text("action_type")?, text("entity_type")?, text("entity_id")?);
    let creator =
        sent.user("entity_creator_id")?.ok_or_else(|| Error::field("entity_creator_id", "is a required field"))?;
    let action = Action {
        kind,
        user: sent.user("reporter_user_id")?,
        target: Some(creator),
        reason: reason(&mut sent)?,
        reporter: sent.filled("reporter_type")?.unwrap_or_else(|| "moderator".to_owned()),
        entity: Some(Entity::new(&entity_kind, &entity_id)?),
        custom: sent.object("custom")?.map(Fields::rest).unwrap_or_default().to_string(),
        ..Action::new(call.now())
    };
    let id = call.new_id();
    let body = async |tx: &mut Tx| {
        actions::record(tx, &id, &action);
        Ok(())
    };
    call.tenant.app.write(body).await?;
    call.done()
}
