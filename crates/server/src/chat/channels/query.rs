//! `POST /channels`: finding channels (chat §7, §11.3).

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
use ids::UserId;
use serde_json::value::RawValue;
use wire::chat::channels::{Channels, PredefinedFilter};

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
        messages::read_member_custom,
        to_wire::channels::{self as to_wire, Pen},
        watching::Watching,
    },
    reply::Reply,
};

/// How many messages of each channel are answered where nobody says, and at most.
pub(super) const MESSAGES: usize = 25;
const MESSAGES_MAX: usize = 300;

/// `POST /channels`.
pub(crate) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    let watching = Watching::read(&call, &mut sent)?;
    let actor = call.actor(&mut sent)?;
    let mut wanted = wanted(&mut sent)?;
    let (query, predefined) = read(&call, &mut sent, actor.as_ref())?;
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
    call.answer(&Channels {
        channels: found.iter().map(|loaded| to_wire::state(pen, loaded)).collect(),
        predefined_filter: predefined.as_ref().map(shown),
    })
}

fn shown(predefined: &Predefined) -> PredefinedFilter<'_> {
    let raw = |json: &String| RawValue::from_string(json.clone()).expect("filters are JSON");
    PredefinedFilter {
        name: &predefined.name,
        filter: raw(&predefined.filter),
        sort: predefined.sort.as_ref().map(raw),
    }
}

fn read(call: &Call, sent: &mut Fields, actor: Option<&UserId>) -> Result<(Query, Option<Predefined>)> {
    let text = |sent: &mut Fields, name: &str| sent.raw(name).map_or_else(String::new, |raw| raw.get().to_owned());
    let (mut filter, mut sort) = (text(sent, "filter_conditions"), text(sent, "sort"));
    let values = |sent: &mut Fields, name| Ok::<_, Error>(sent.object(name)?.map(Fields::rest).unwrap_or_default());
    let (filter_values, sort_values) = (values(sent, "filter_values")?, values(sent, "sort_values")?);
    let predefined = match sent.filled("predefined_filter")? {
        Some(_) if !matches!(filter.trim(), "" | "{}" | "[]") => {
            return Err(Error::field("filter_conditions", "cannot be given with a predefined_filter"));
        }
        Some(name) => {
            let values = Values { filter: &filter_values, sort: &sort_values, actor };
            Some(predefined::fill(&call.tenant.app.settings, &name, values)?)
        }
        None => None,
    };
    if let Some(predefined) = &predefined {
        filter.clone_from(&predefined.filter);
        if matches!(sort.trim(), "" | "[]" | "{}") {
            sort = predefined.sort.clone().unwrap_or_default();
        }
    }
    let query = Query {
        filter: Filter::parse(&filter, SCHEMA)?,
        sort: Sort::parse(&sort)?,
        limit: number(sent, "limit", QUERY, QUERY_MAX)?,
        offset: number(sent, "offset", 0, OFFSET_MAX)?,
    };
    Ok((query, predefined))
}

fn wanted(sent: &mut Fields) -> Result<Wanted> {
    Ok(Wanted {
        state: sent.flag("state")?.unwrap_or(true),
        messages: Part::newest(number(sent, "message_limit", MESSAGES, MESSAGES_MAX)?),
        members: Slice { limit: number(sent, "member_limit", members::LIST_MAX, members::LIST_MAX)?, offset: 0 },
        watchers: None,
        unread_threads: false,
        member_custom: read_member_custom(sent)?,
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
