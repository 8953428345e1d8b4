//! `POST /channels`: finding channels (chat §7, §11.3).

use domain::{
    chat::{
        channels::{self, Asker, OFFSET_MAX, QUERY, QUERY_MAX, Query, SCHEMA},
        members,
        messages::Part,
    },
    filter::{Filter, Sort},
    users::People,
};
use wire::chat::channels::Channels;

use super::{
    follow,
    state::{self, View},
    wanted::{Slice, Wanted},
};
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
        to_wire::channels::{self as to_wire, Pen},
        watching::Watching,
    },
    reply::Reply,
};

/// How many messages of each channel are answered where nobody says, and at most.
const MESSAGES: usize = 25;
const MESSAGES_MAX: usize = 300;

/// `POST /channels`.
pub(crate) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    let watching = Watching::read(&call, &mut sent)?;
    let actor = call.actor(&mut sent)?;
    let mut wanted = wanted(&mut sent)?;
    let query = read(&mut sent)?;
    let view = View::of(&call, actor.as_ref());
    let (mut tx, mut people, mut found) = (call.snapshot(), People::default(), Vec::new());
    let asker = Asker { who: call.who(), viewer: view.viewer, now: view.now };
    for id in channels::query(&mut tx, &query, asker).await? {
        let mut loaded = state::load(&mut tx, &id, view).await?;
        state::fill(&mut tx, &mut loaded, view, &wanted, &mut people).await?;
        found.push(loaded);
    }
    follow(&call, &watching, &mut wanted, &mut found);
    state::meet(&call, &mut tx, &found, &mut people).await?;
    let pen = Pen { dialect: call.dialect, people: &people, now: call.now() };
    call.answer(&Channels { channels: found.iter().map(|loaded| to_wire::state(pen, loaded)).collect() })
}

fn read(sent: &mut Fields) -> Result<Query> {
    if sent.filled("predefined_filter")?.is_some() {
        return Err(Error::not_available("predefined_filter"));
    }
    let text = |sent: &mut Fields, name: &str| sent.raw(name).map_or_else(String::new, |raw| raw.get().to_owned());
    Ok(Query {
        filter: Filter::parse(&text(sent, "filter_conditions"), SCHEMA)?,
        sort: Sort::parse(&text(sent, "sort"))?,
        limit: number(sent, "limit", QUERY, QUERY_MAX)?,
        offset: number(sent, "offset", 0, OFFSET_MAX)?,
    })
}

fn wanted(sent: &mut Fields) -> Result<Wanted> {
    Ok(Wanted {
        state: sent.flag("state")?.unwrap_or(true),
        messages: Part::newest(number(sent, "message_limit", MESSAGES, MESSAGES_MAX)?),
        members: Slice { limit: number(sent, "member_limit", members::LIST_MAX, members::LIST_MAX)?, offset: 0 },
        watchers: None,
    })
}

/// A number up to `most`; 0 says nothing.
pub(crate) fn number(sent: &mut Fields, name: &str, default: usize, most: usize) -> Result<usize> {
    match sent.number(name)?.map(usize::try_from) {
        None | Some(Ok(0)) => Ok(default),
        Some(Ok(number)) if number <= most => Ok(number),
        Some(_) => Err(Error::field(name, &format!("must be at most {most}"))),
    }
}
