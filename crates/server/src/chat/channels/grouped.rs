//! `POST /channels/grouped`: several lists of channels at once (chat §11.3).
//!
//! What is in a group the contract does not say. Here each group is a predefined filter of the app, by its name.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    chat::{
        channels::{
            self, Asker, OFFSET_MAX, QUERY, QUERY_MAX, Query, SCHEMA,
            predefined::{self, Predefined, Values},
        },
        members,
        messages::Part,
    },
    filter::{Filter, Sort},
    users::People,
};
use ids::json::Object;
use wire::chat::channels::{Bucket, Grouped};

use super::{
    query::{MESSAGES, number},
    state::{self, Loaded, View},
    wanted::{Slice, Wanted},
};
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
        to_wire::channels::{self as to_wire, Pen},
    },
    reply::Reply,
};

/// The most groups of one call.
const GROUPS_MAX: usize = 10;
/// Up to how many channels with something to read are counted.
const UNREAD_MAX: usize = OFFSET_MAX;

/// A group that is asked for.
struct Asked {
    predefined: Predefined,
    limit: usize,
    offset: usize,
}

/// A group as it was found.
struct Found {
    channels: Vec<Loaded>,
    next: Option<usize>,
    prev: Option<usize>,
    unread: Option<usize>,
}

/// `POST /channels/grouped`.
pub(crate) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    let actor = call.actor(&mut sent)?;
    let asked = asked(&call, &mut sent, actor.as_ref())?;
    let view = View::of(&call, actor.as_ref());
    let (mut people, mut found) = (People::default(), Vec::new());
    for group in &asked {
        found.push(look(&call, group, view, &mut people).await?);
    }
    let mut tx = call.snapshot();
    for group in &found {
        state::meet(&call, &mut tx, &group.channels, &mut people).await?;
    }
    let pen = Pen { dialect: call.dialect, people: &people, now: call.now() };
    let is_only = asked.len() == 1;
    let bucket = |group: &'_ Found| -> (Option<String>, Option<String>) {
        let cursor = |offset: Option<usize>| offset.filter(|_| is_only).map(cursor);
        (cursor(group.next), cursor(group.prev))
    };
    let groups: BTreeMap<&str, Bucket<'_>> = asked
        .iter()
        .zip(&found)
        .map(|(asked, group)| {
            let (next, prev) = bucket(group);
            let channels = group.channels.iter().map(|loaded| to_wire::state(pen, loaded)).collect();
            (asked.predefined.name.as_str(), Bucket { channels, next, prev, unread_channels: group.unread })
        })
        .collect();
    call.answer(&Grouped { groups })
}

fn asked(call: &Call, sent: &mut Fields, actor: Option<&ids::UserId>) -> Result<Vec<Asked>> {
    let default = number(sent, "limit", QUERY, QUERY_MAX)?;
    let groups = sent.object("groups")?.map(Fields::rest).unwrap_or_default();
    if !(1..=GROUPS_MAX).contains(&groups.len()) {
        return Err(Error::field("groups", &format!("must hold 1 to {GROUPS_MAX} groups")));
    }
    let (is_only, nothing) = (groups.len() == 1, Object::default());
    let read = |(name, raw): (&str, &serde_json::value::RawValue)| {
        let mut group = Fields::parse(raw.get(), call.dialect)?;
        let (next, prev) = (group.filled("next")?, group.filled("prev")?);
        if (next.is_some() || prev.is_some()) && !is_only {
            return Err(Error::field("groups", "can have cursors only when there is one group"));
        }
        if next.is_some() && prev.is_some() {
            return Err(Error::field("groups", "cannot have both next and prev"));
        }
        let values = Values { filter: &nothing, sort: &nothing, actor };
        Ok(Asked {
            predefined: predefined::fill(&call.tenant.app.settings, name, values)?,
            limit: number(&mut group, "limit", default, QUERY_MAX)?,
            offset: next.or(prev).map_or(Ok(0), |text| offset(&text))?,
        })
    };
    groups.iter().map(read).collect()
}

async fn look(call: &Call, asked: &Asked, view: View<'_>, people: &mut People) -> Result<Found> {
    let (mut tx, Predefined { filter, sort, .. }) = (call.snapshot(), &asked.predefined);
    let query = Query {
        filter: Filter::parse(filter, SCHEMA)?,
        sort: Sort::parse(sort.as_deref().unwrap_or_default())?,
        // One more than is shown says whether there are more.
        limit: asked.limit + 1,
        offset: asked.offset,
    };
    let asker = Asker { who: call.who(), viewer: view.viewer, now: view.now };
    let mut ids = channels::query(&mut tx, &query, asker).await?;
    let has_more = ids.len() > asked.limit;
    ids.truncate(asked.limit);
    let wanted = Wanted {
        state: true,
        messages: Part::newest(MESSAGES),
        members: Slice { limit: members::LIST_MAX, offset: 0 },
        watchers: None,
        unread_threads: false,
        member_custom: Vec::new(),
    };
    let mut found = Vec::with_capacity(ids.len());
    for id in &ids {
        let mut loaded = state::load(&mut tx, id, view).await?;
        state::fill(&mut tx, &mut loaded, view, &wanted, people).await?;
        found.push(loaded);
    }
    let unread = match view.viewer {
        Some(_) => {
            let filter = format!(r#"{{"$and":[{filter},{{"has_unread":true}}]}}"#);
            let filter = Filter::parse(&filter, SCHEMA)?;
            let query = Query { filter, sort: Sort::default(), limit: UNREAD_MAX, offset: 0 };
            Some(channels::query(&mut tx, &query, asker).await?.len())
        }
        None => None,
    };
    let next = (asked.offset + asked.limit).min(OFFSET_MAX);
    Ok(Found {
        channels: found,
        next: has_more.then_some(next),
        prev: (asked.offset > 0).then(|| asked.offset.saturating_sub(asked.limit)),
        unread,
    })
}

fn cursor(offset: usize) -> String {
    URL_SAFE_NO_PAD.encode(offset.to_string())
}

fn offset(cursor: &str) -> Result<usize> {
    let text = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let offset = text.and_then(|text| text.parse().ok()).filter(|offset| *offset <= OFFSET_MAX);
    offset.ok_or_else(|| Error::input("next or prev is not a cursor that an answer gave"))
}
