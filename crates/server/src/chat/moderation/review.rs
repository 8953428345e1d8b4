//! `/moderation/review_queue`, `/moderation/logs` and `/moderation/action_logs` (v2 §6.5).

use std::collections::BTreeMap;

use domain::{
    Tx,
    filter::{self, Filter, Sort},
    moderation::{
        self,
        actions::{self, Action, Noted},
        appeals::Submitted,
        bans::{self, Banned},
        flags::{self, Entity, Flagged},
        review::{self, Lock, Queued},
    },
};
use ids::{UserId, json::Object};
use wire::chat::moderation::{ActionLogs, EntityCreator, OneReviewItem, ReviewItem, ReviewQueue};

use super::{Cast, Desk, appeals, reason, settings};
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

/// For how many seconds a moderator has items alone, if nobody says.
const LOCK_SECONDS: usize = 600;
/// The longest such time.
const LOCK_SECONDS_MAX: usize = 24 * 60 * 60;

/// `POST /moderation/review_queue`: what was reported, page by page. With `lock_items`, what another moderator locked is left
/// out, and what is answered is locked for the one who asks.
pub(crate) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    let locking = locking(&call, &mut sent)?;
    let hides_defaults = sent.flag("exclude_default_action_config")?.unwrap_or_default();
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
    let mut limit = query.limit;
    if let Some((lock, count)) = &locking {
        let is_others = |held: &Lock| held.by != lock.by && held.until > call.now();
        found.retain(|queued| !queued.item.lock.as_ref().is_some_and(is_others));
        limit = limit.min(*count);
    }
    let mut page = filter::page(found, &query.sort, query.cursor.as_ref(), limit);
    if let Some((lock, _)) = &locking {
        let ids: Vec<String> = page.rows.iter().map(|queued| queued.id.clone()).collect();
        call.app.write(async |tx| review::lock(tx, &ids, lock).await).await?;
        page.rows.iter_mut().for_each(|queued| queued.item.lock = Some(lock.clone()));
    }
    let (cast, shown) = read(Desk::from(&call), page.rows).await?;
    let items = shown.iter().map(|shown| shown.item(&cast)).collect();
    let action_config = settings::actions(&call, (None, None)).await?;
    let default_action_config = (!hides_defaults).then(BTreeMap::new);
    call.answer(&ReviewQueue {
        items,
        action_config,
        default_action_config,
        stats,
        next: query.place(page.next),
        prev: query.place(page.prev),
    })
}

/// For whom items are locked, until when, and how many.
fn locking(call: &Call, sent: &mut Fields) -> Result<Option<(Lock, usize)>> {
    let count = sent.count("lock_count", usize::MAX, usize::MAX)?;
    let seconds = sent.count("lock_duration", LOCK_SECONDS, LOCK_SECONDS_MAX)?;
    let by = call.actor(sent)?;
    if !sent.flag("lock_items")?.unwrap_or_default() {
        return Ok(None);
    }
    let by = by.ok_or_else(|| Error::field("user_id", "is required with lock_items"))?;
    let micros = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000);
    Ok(Some((Lock { by, until: call.now().plus_micros(micros) }, count)))
}

/// `GET /moderation/review_queue/{id}`.
pub(crate) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let id = call.param("id").to_owned();
    let (cast, shown) = one_item(&call, &id).await?;
    call.answer(&OneReviewItem { item: shown.item(&cast) })
}

/// The item `id` with all that is shown with it.
///
/// # Errors
/// 16 when there is no such item.
pub(super) async fn one_item(desk: impl Into<Desk<'_>>, id: &str) -> domain::Result<(Cast, Shown)> {
    let desk = desk.into();
    let item = review::load(&mut desk.snapshot(), id).await?;
    let (cast, mut shown) = read(desk, vec![Queued { id: id.to_owned(), item }]).await?;
    Ok((cast, shown.remove(0)))
}

/// An item with all that is shown with it.
pub(super) struct Shown {
    pub(super) queued: Queued,
    flags: Vec<(Flagged, Object)>,
    actions: Vec<Noted>,
    bans: Vec<Banned>,
    appeal: Option<Submitted>,
    /// How often what is the creator's was reported, and how often it was deleted by a moderator.
    record: (usize, usize),
}

impl Shown {
    /// The item as it is answered.
    pub(super) fn item<'a>(&'a self, cast: &'a Cast) -> ReviewItem<'a> {
        ReviewItem {
            entity_creator: cast.user(self.queued.item.creator.as_ref()).map(|user| EntityCreator {
                user,
                ban_count: self.bans.len(),
                flagged_count: self.record.0,
                deleted_content_count: self.record.1,
            }),
            appeal: self.appeal.as_ref().map(|submitted| appeals::shown(cast, submitted)),
            flags: self.flags.iter().map(|(flag, custom)| shape::moderation_flag(cast, flag, custom)).collect(),
            flags_count: self.flags.len(),
            actions: self.actions.iter().map(|noted| shape::action(cast, noted)).collect(),
            bans: self.bans.iter().map(|banned| shape::ban_info(cast, banned)).collect(),
            ..shape::review_item(cast, &self.queued)
        }
    }

    fn users(&self) -> impl Iterator<Item = &UserId> {
        let item = &self.queued.item;
        let actors = self.actions.iter().flat_map(|noted| [noted.action.user.as_ref(), noted.action.target.as_ref()]);
        let banning = self.bans.iter().flat_map(|banned| [Some(&banned.user), banned.ban.by.as_ref()]);
        let own = [
            item.creator.as_ref(),
            item.reviewed_by.as_ref(),
            item.lock.as_ref().map(|lock| &lock.by),
            self.appeal.as_ref().map(|submitted| &submitted.appeal.user),
        ];
        let some = actors.chain(banning).chain(own).flatten();
        some.chain(self.flags.iter().filter_map(|(flag, _)| flag.by.as_ref()))
    }
}

async fn read(desk: Desk<'_>, items: Vec<Queued>) -> domain::Result<(Cast, Vec<Shown>)> {
    let mut tx = desk.snapshot();
    let mut all = Vec::with_capacity(items.len());
    let done = match items.is_empty() {
        true => Vec::new(),
        false => actions::query(&mut tx, &Filter::parse("{}", actions::SCHEMA)?, &Sort::by(bans::SORT)).await?,
    };
    for queued in items {
        let mut flags = flags::of_entity(&mut tx, &queued.item.entity).await?;
        flags.truncate(SHOWN_MAX);
        let about = done.iter().filter(|noted| noted.action.item.as_deref() == Some(&queued.id));
        let actions = about.take(SHOWN_MAX).cloned().collect();
        let bans = match &queued.item.creator {
            Some(creator) => {
                let of_creator = only("user_id", creator.as_str());
                bans::query(&mut tx, &Filter::parse(&of_creator, bans::SCHEMA)?, &Sort::by(bans::SORT)).await?
            }
            None => Vec::new(),
        };
        let flags = flags.into_iter().map(|flag| (flag.flag.custom(), flag)).map(|(custom, flag)| (flag, custom));
        let appeal = match &queued.item.appeal {
            // An appeal that was erased is not there.
            Some(id) => moderation::appeals::load(&mut tx, id).await.ok().map(|appeal| (id.clone(), appeal)),
            None => None,
        };
        let appeal = appeal.map(|(id, appeal)| Submitted { id, appeal });
        let record = match &queued.item.creator {
            Some(creator) => {
                let is_deletion = |noted: &&Noted| {
                    noted.action.target.as_ref() == Some(creator) && noted.action.kind.starts_with("delete_")
                };
                (moderation::flags::against(&mut tx, creator).await?.len(), done.iter().filter(is_deletion).count())
            }
            None => (0, 0),
        };
        all.push(Shown { flags: flags.collect(), queued, actions, bans, appeal, record });
    }
    let mut cast = Cast::load(desk, all.iter().flat_map(Shown::users).collect()).await?;
    cast.add_messages(desk, all.iter().filter_map(|shown| shown.queued.item.entity.message()).collect()).await?;
    cast.add_of_feeds(desk, all.iter().map(|shown| &shown.queued.item.entity)).await?;
    cast.add_channels(
        desk,
        all.iter().flat_map(|shown| &shown.bans).filter_map(|banned| banned.channel.as_ref()).collect(),
    )
    .await?;
    Ok((cast, all))
}

/// A filter for one value of one field.
fn only(field: &str, value: &str) -> String {
    serde_json::json!({ field: value }).to_string()
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
    call.app.write(body).await?;
    call.done()
}
