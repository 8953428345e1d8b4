//! `PUT /channels/batch`: changing many channels by a task (chat §11.3).

use std::collections::BTreeSet;

use domain::{
    chat::channels::batch::{self, Batch, CHANNELS_MAX, Operation, Reach, Seat},
    tasks::{self, Kind},
};
use ids::ChannelId;
use serde_json::Value;
use wire::chat::tasks::Started;

use super::fields::{self, MEMBERS_MAX};
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
    },
    reply::Reply,
};

/// The most types or filter tags of a filter.
const NAMES_MAX: usize = 50;

/// `PUT /channels/batch`.
pub(crate) async fn update(call: Call, mut sent: Fields) -> Result<Reply> {
    let operation = operation(&mut sent)?;
    let reach = reach(&mut sent)?;
    let seats = seats(&mut sent, operation)?;
    let data = match (operation, sent.object("data")?) {
        (Operation::UpdateData, Some(data)) => fields::batch_data(data)?,
        (Operation::UpdateData, None) => return Err(Error::field("data", "is a required field of updateData")),
        (_, Some(data)) if !data.is_empty() => return Err(Error::field("data", "is for updateData alone")),
        _ => batch::Data::default(),
    };
    let tags = tags(&mut sent, operation)?;
    let batch = Batch { operation, reach, seats, data, tags };
    batch.check()?;
    let (id, now) = (call.new_id(), call.now());
    let planned = call.app.write(async |tx| {
        batch::ensure_users(tx, &batch, now).await?;
        tasks::plan(tx, &id, Kind::UpdateChannels(Box::new(batch.clone())), now);
        Ok(())
    });
    planned.await?;
    call.answer(&Started { task_id: &id })
}

fn operation(sent: &mut Fields) -> Result<Operation> {
    let name = sent.filled("operation")?.ok_or_else(|| Error::field("operation", "is a required field"))?;
    let names = Operation::ALL.map(Operation::name).join(", ");
    let known = Operation::ALL.into_iter().find(|known| known.name() == name);
    known.ok_or_else(|| Error::field("operation", &format!("must be one of {names}")))
}

/// The channels that `filter` names: each condition an explicit `$eq` or `$in`.
fn reach(sent: &mut Fields) -> Result<Reach> {
    let mut filter = sent.object("filter")?.ok_or_else(|| Error::field("filter", "is a required field"))?;
    let channels = match condition(&mut filter, "cids", CHANNELS_MAX)? {
        Some(cids) => {
            let parse =
                |cid: &String| ChannelId::parse(cid).map_err(|error| Error::field("filter.cids", &error.to_string()));
            let channels: BTreeSet<ChannelId> = cids.iter().map(parse).collect::<Result<_>>()?;
            Some(channels.into_iter().collect())
        }
        None => None,
    };
    let kinds = condition(&mut filter, "types", NAMES_MAX)?;
    let tags = condition(&mut filter, "filter_tags", NAMES_MAX)?;
    if let Some((name, _)) = filter.rest().iter().next() {
        return Err(Error::field(&format!("filter.{name}"), "is none of cids, types and filter_tags"));
    }
    match channels.is_some() || kinds.is_some() {
        true => Ok(Reach {
            channels,
            kinds: kinds.map(|kinds| kinds.into_iter().collect()),
            tags: tags.map(|tags| tags.into_iter().collect()),
        }),
        false => Err(Error::field("filter", "must say cids or types")),
    }
}

fn condition(filter: &mut Fields, name: &str, most: usize) -> Result<Option<BTreeSet<String>>> {
    let field = format!("filter.{name}");
    let wrong = || Error::field(&field, "must be {\"$in\":[…]} or {\"$eq\":\"…\"}");
    let Some(raw) = filter.raw(name) else { return Ok(None) };
    let Ok(Value::Object(operators)) = serde_json::from_str(raw.get()) else { return Err(wrong()) };
    let mut operators = operators.into_iter();
    let texts = match (operators.next(), operators.next()) {
        (Some((operator, Value::String(text))), None) if operator == "$eq" => vec![text],
        (Some((operator, list)), None) if operator == "$in" => serde_json::from_value(list).map_err(|_| wrong())?,
        _ => return Err(wrong()),
    };
    let texts: BTreeSet<String> = texts.into_iter().collect();
    match texts.len() {
        0 => Err(Error::field(&field, "must not be empty")),
        count if count > most => Err(Error::field(&field, &format!("must hold at most {most}"))),
        _ => Ok(Some(texts)),
    }
}

/// The filter tags that come or go.
fn tags(sent: &mut Fields, operation: Operation) -> Result<Vec<String>> {
    let tags = sent.texts("filter_tags_update")?.unwrap_or_default();
    let rule = match (operation.is_of_tags(), tags.len()) {
        (true, 1..=NAMES_MAX) | (false, 0) => return Ok(tags),
        (true, 0) => "must name a tag",
        (true, _) => "names too many tags",
        (false, _) => "is for addFilterTags and removeFilterTags alone",
    };
    Err(Error::field("filter_tags_update", rule))
}

/// With whom it is done.
fn seats(sent: &mut Fields, operation: Operation) -> Result<Vec<Seat>> {
    let newcomers = fields::newcomers(sent, "members")?;
    let rule = match (operation, newcomers.len()) {
        (Operation::UpdateData | Operation::AddFilterTags | Operation::RemoveFilterTags, 0)
        | (Operation::AddMembers | Operation::AssignRoles, 1..=MEMBERS_MAX) => None,
        (Operation::UpdateData | Operation::AddFilterTags | Operation::RemoveFilterTags, _) => {
            Some("are not for what is done to channels alone")
        }
        (_, 0) => Some("must hold somebody"),
        _ if newcomers.iter().any(|newcomer| newcomer.channel_role.is_some()) => {
            Some("may have a channel_role for addMembers and assignRoles alone")
        }
        _ => None,
    };
    if let Some(rule) = rule {
        return Err(Error::field("members", rule));
    }
    if operation == Operation::AssignRoles && newcomers.iter().any(|newcomer| newcomer.channel_role.is_none()) {
        return Err(Error::field("members", "must name a channel_role for each member"));
    }
    if newcomers.iter().any(|newcomer| !newcomer.custom.is_empty()) {
        return Err(Error::field("members", "hold a user_id and perhaps a channel_role"));
    }
    Ok(newcomers
        .into_iter()
        .map(|newcomer| Seat { user: newcomer.user, channel_role: newcomer.channel_role })
        .collect())
}
