//! In which channels is searched.

use std::borrow::Cow;

use ids::{ChannelId, Timestamp, UserId, json::Object};

use crate::{
    Error, Result, Tx,
    chat::{
        channels::{self, Channel},
        members,
        messages::Scene,
    },
    filter::{self, Field, Filter, Kind, Row, Schema, Value},
    keyspace::{CHANNEL, Chat, MEMBERSHIP},
    rows,
};

/// What the filter of channels names.
pub const CHANNELS: Schema = Schema {
    fields: &[
        Field::new("cid", Kind::Text),
        Field::new("id", Kind::Text),
        Field::new("type", Kind::Text),
        Field::new("members", Kind::List),
        Field::new("frozen", Kind::Bool),
        Field::new("disabled", Kind::Bool),
        Field::new("team", Kind::Text),
        Field::new("created_by_id", Kind::Text),
        Field::new("created_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
    ],
    has_custom: true,
};
/// The most channels that one search looks into (chat §4.2).
const SEARCHED_MAX: usize = 500;
/// The most channels that are compared with the filter.
const LOOKED_AT_MAX: usize = 10_000;

/// A channel to search in.
pub(super) struct Place {
    pub(super) id: ChannelId,
    /// Messages up to this moment are hidden from who searches.
    pub(super) hidden_until: Option<Timestamp>,
}

struct Candidate {
    id: ChannelId,
    channel: Channel,
    custom: Object,
    members: Vec<UserId>,
}

impl Row for Candidate {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.id.as_str())
    }

    fn value(&self, field: &str) -> Value<'_> {
        let channel = &self.channel;
        match field {
            "cid" => Value::text(self.id.as_str()),
            "id" => Value::text(self.id.id()),
            "type" => Value::text(self.id.kind()),
            "members" => Value::List(self.members.iter().map(|user| Value::text(user.as_str())).collect()),
            "frozen" => Value::Bool(channel.is_frozen),
            "disabled" => Value::Bool(channel.is_disabled),
            "team" => Value::text(&channel.team),
            "created_by_id" => Value::maybe_text(channel.created_by.as_ref().map(UserId::as_str)),
            "created_at" => Value::Time(channel.created_at),
            "updated_at" => Value::Time(channel.updated_at),
            _ => filter::custom(&self.custom, field),
        }
    }
}

/// The channels that fit `filter`, that `caller` may read and that can be searched.
pub(super) async fn find(tx: &mut Tx, caller: Option<&UserId>, filter: &Filter, now: Timestamp) -> Result<Vec<Place>> {
    let mut found = Vec::new();
    let ids = candidates(tx, filter).await?;
    let is_only = ids.len() == 1;
    for id in ids {
        let Some(channel) = channels::get(tx, &id).await? else { continue };
        let members: Vec<UserId> = match filter.mentions("members") {
            true => members::all(tx, &id, LOOKED_AT_MAX).await?.into_iter().map(|(user, _)| user).collect(),
            false => Vec::new(),
        };
        let candidate = Candidate { custom: channel.custom(), id, channel, members };
        if !filter.fits(&candidate) {
            continue;
        }
        let Candidate { id, channel, .. } = candidate;
        let scene = Scene::load(tx, &id, caller, now).await?;
        if scene.check_reading().is_err() {
            continue;
        }
        match scene.check_feature("search", scene.config.search) {
            Err(error) if is_only => return Err(error),
            Err(_) => continue,
            Ok(()) => {}
        }
        let of_member = scene.member.as_ref().and_then(|member| member.hides_before);
        found.push(Place { hidden_until: channel.truncated_at.max(of_member), id });
        if found.len() >= SEARCHED_MAX {
            break;
        }
    }
    Ok(found)
}

/// Channels that may fit: those that the filter names, or those of a member whom it names, or all.
async fn candidates(tx: &mut Tx, filter: &Filter) -> Result<Vec<ChannelId>> {
    let tenant = tx.tenant();
    if let Some(cids) = filter.only("cid") {
        let ids = cids.into_iter().map(ChannelId::parse);
        return ids.map(|id| id.map_err(|error| Error::Unfit(format!("filter_conditions.cid: {error}")))).collect();
    }
    if let Some(users) = filter.only("members") {
        let mut ids = Vec::new();
        for user in users {
            let range = MEMBERSHIP.prefix(tenant, &(user.to_owned(),));
            let rows = rows::list(tx, &MEMBERSHIP, range, LOOKED_AT_MAX).await?;
            ids.extend(rows.into_iter().map(|((_, Chat(id)), ())| id));
        }
        ids.sort();
        ids.dedup();
        return Ok(ids);
    }
    let rows = rows::list(tx, &CHANNEL, CHANNEL.range(tenant), LOOKED_AT_MAX).await?;
    Ok(rows.into_iter().map(|(Chat(id), _)| id).collect())
}
