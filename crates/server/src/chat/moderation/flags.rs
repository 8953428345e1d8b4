//! `/moderation/flag`, `/moderation/unflag` and the lists of flags (chat §11.8; v2 §6.2).

use domain::{
    Tx,
    chat::messages,
    filter::{self, Filter},
    moderation::flags::{self, Entity, Flagged as Stored, MESSAGE, Report, USER},
};
use ids::{ChannelId, UserId, json::Object};
use wire::chat::moderation::{FlagCount, Flagged, Flags};

use super::{Cast, Listing, check_app, check_channel, reason};
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

/// `POST /moderation/flag`: reports a message, a user, or a thing of the application's own.
pub(crate) async fn add(call: Call, mut sent: Fields) -> Result<Reply> {
    let entity = entity(&mut sent)?;
    check(&call, &entity).await?;
    let by = call.some_actor(&mut sent)?;
    let object = |sent: &mut Fields, name| Ok::<_, Error>(sent.object(name)?.map(Fields::rest).unwrap_or_default());
    let report = Report {
        reason: reason(&mut sent)?,
        creator: sent.user("entity_creator_id")?,
        custom: object(&mut sent, "custom")?,
        payload: object(&mut sent, "moderation_payload")?,
    };
    let (item, now) = (call.new_id(), call.now());
    let body = async |tx: &mut Tx| flags::add(tx, &by, &entity, &report, &item, now).await;
    let flagged = call.app.write(body).await?;
    answer(&call, &flagged).await
}

/// `POST /moderation/unflag`: takes a report back.
pub(crate) async fn remove(call: Call, mut sent: Fields) -> Result<Reply> {
    let (entity, now) = (entity(&mut sent)?, call.now());
    let by = call.some_actor(&mut sent)?;
    let removed = call.app.write(async |tx: &mut Tx| flags::remove(tx, &by, &entity, now).await).await?;
    let absent = || domain::Error::Absent(format!("user '{by}' has not flagged '{}'", entity.id));
    answer(&call, &removed.ok_or_else(absent)?).await
}

/// What is reported: in the words of either dialect.
fn entity(sent: &mut Fields) -> Result<Entity> {
    let (message, user) = (sent.filled("target_message_id")?, sent.filled("target_user_id")?);
    let (kind, id) = (sent.filled("entity_type")?, sent.filled("entity_id")?);
    match (message, user, kind, id) {
        (Some(message), ..) => Ok(Entity::new(MESSAGE, &message)?),
        (None, Some(user), ..) => Ok(Entity::new(USER, &user)?),
        (None, None, Some(kind), Some(id)) => Ok(Entity::new(&kind, &id)?),
        (None, None, Some(_), None) => Err(Error::field("entity_id", "is a required field")),
        _ => Err(Error::field("target_message_id", "or target_user_id, or entity_type and entity_id, must be given")),
    }
}

async fn check(call: &Call, entity: &Entity) -> Result<()> {
    if call.is_server() {
        return Ok(());
    }
    match entity.message() {
        Some(id) => {
            let message = messages::load(&mut call.snapshot(), &id).await?;
            check_channel(call, &message.channel, "flag-message").await
        }
        None => check_app(call, "flag-user"),
    }
}

async fn answer(call: &Call, flagged: &Stored) -> Result<Reply> {
    let mut cast = Cast::load(call, flagged.by.iter().chain(&flagged.flag.creator).collect()).await?;
    cast.add_messages(call, flagged.entity.message().into_iter().collect()).await?;
    let custom = flagged.flag.custom();
    let flag = call.dialect.classic_only(shape::flag(&cast, flagged, &custom));
    call.answer(&Flagged { item_id: &flagged.flag.item, flag })
}

/// `GET /moderation/flags/message`: flags of messages.
pub(crate) async fn of_messages(call: Call, _: Fields) -> Result<Reply> {
    let mut payload = call.payload()?;
    let listing = Listing::take(&mut payload, flags::SCHEMA, flags::SORT)?;
    check_reading(&call, &listing.filter).await?;
    let found = flags::query(&mut call.snapshot(), Some(MESSAGE), &listing.filter, &listing.sort).await?;
    let found = listing.page(found);
    let mut cast = Cast::load(&call, found.iter().filter_map(|flag| flag.flag.creator.as_ref()).collect()).await?;
    cast.add_messages(&call, found.iter().filter_map(|flag| flag.entity.message()).collect()).await?;
    let customs: Vec<Object> = found.iter().map(|flag| flag.flag.custom()).collect();
    let shown = found.iter().zip(&customs).map(|(flag, custom)| shape::message_flag(&cast, flag, custom));
    call.answer(&Flags { flags: shown.collect(), next: None, prev: None })
}

/// Users may ask about channels where they may read flags.
async fn check_reading(call: &Call, filter: &Filter) -> Result<()> {
    match filter.only("channel_cid") {
        _ if call.is_server() => Ok(()),
        Some(cids) => {
            for cid in cids {
                let channel = ChannelId::parse(cid).map_err(|error| Error::field("channel_cid", &error.to_string()))?;
                check_channel(call, &channel, "read-message-flags").await?;
            }
            Ok(())
        }
        None => check_app(call, "read-message-flags"),
    }
}

/// `POST /moderation/flags`: flags of whatever, page by page.
pub(crate) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    let query = Query::read(&mut sent, &["-created_at"])?;
    let filter = Filter::parse(&query.filter, flags::SCHEMA)?;
    let found = flags::query(&mut call.snapshot(), None, &filter, &query.sort).await?;
    let page = filter::page(found, &query.sort, query.cursor.as_ref(), query.limit);
    let cast = Cast::load(&call, page.rows.iter().filter_map(|flag| flag.by.as_ref()).collect()).await?;
    let customs: Vec<Object> = page.rows.iter().map(|flag| flag.flag.custom()).collect();
    let shown = page.rows.iter().zip(&customs).map(|(flag, custom)| shape::moderation_flag(&cast, flag, custom));
    call.answer(&Flags { flags: shown.collect(), next: query.place(page.next), prev: query.place(page.prev) })
}

/// `POST /moderation/flag_count`: how often what is a user's was reported.
pub(crate) async fn count(call: Call, mut sent: Fields) -> Result<Reply> {
    let creator: UserId =
        sent.user("entity_creator_id")?.ok_or_else(|| Error::field("entity_creator_id", "is a required field"))?;
    let kind = sent.filled("entity_type")?.map(|kind| Entity::new(&kind, "")).transpose()?.map(|entity| entity.kind);
    let against = flags::against(&mut call.snapshot(), &creator).await?;
    let fits = |flag: &&Stored| kind.as_ref().is_none_or(|kind| flag.entity.kind == *kind);
    call.answer(&FlagCount { count: against.iter().filter(fits).count() })
}
