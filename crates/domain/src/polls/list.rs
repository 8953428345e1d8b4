//! Lists of polls and votes (chat §7, §11.6).

use std::{borrow::Cow, collections::BTreeSet};

use ids::{Timestamp, UserId};

use super::{Cast, Poll, get, permit};
use crate::{
    Result, Tx,
    filter::{self, Cursor, Field, Filter, Kind, Page, Row, Schema, Sort, Value},
    keyspace::{POLLED, VOTE},
    rows,
};

/// What queries of polls name.
pub const POLLS: Schema = Schema {
    fields: &[
        Field::new("id", Kind::Text),
        Field::new("poll_id", Kind::Text),
        Field::new("name", Kind::Text),
        Field::new("voting_visibility", Kind::Text),
        Field::new("max_votes_allowed", Kind::Number),
        Field::new("enforce_unique_vote", Kind::Bool),
        Field::new("allow_user_suggested_options", Kind::Bool),
        Field::new("allow_answers", Kind::Bool),
        Field::new("is_closed", Kind::Bool),
        Field::new("created_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
        Field::new("created_by_id", Kind::Text),
    ],
    has_custom: true,
};
/// What queries of votes name.
pub const VOTES: Schema = Schema {
    fields: &[
        Field::new("id", Kind::Text),
        Field::new("user_id", Kind::Text),
        Field::new("created_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
        Field::new("is_answer", Kind::Bool),
        Field::new("option_id", Kind::Text),
    ],
    has_custom: false,
};
/// The most polls of one user that a query looks at.
const POLLS_QUERIED_MAX: usize = 1000;
/// The most votes of a poll that a query looks at.
const VOTES_QUERIED_MAX: usize = 10_000;

/// A poll with its id.
struct Named {
    id: String,
    poll: Poll,
    custom: ids::json::Object,
}

impl Row for Named {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.id)
    }

    fn value(&self, field: &str) -> Value<'_> {
        let poll = &self.poll;
        match field {
            "id" | "poll_id" => Value::text(&self.id),
            "name" => Value::text(&poll.name),
            "voting_visibility" => Value::text(if poll.is_anonymous { "anonymous" } else { "public" }),
            "max_votes_allowed" => poll.votes_max.map_or(Value::Null, |max| Value::Integer(max.into())),
            "enforce_unique_vote" => Value::Bool(poll.is_unique),
            "allow_user_suggested_options" => Value::Bool(poll.takes_options),
            "allow_answers" => Value::Bool(poll.takes_answers),
            "is_closed" => Value::Bool(poll.is_closed),
            "created_at" => Value::Time(poll.created_at),
            "updated_at" => Value::Time(poll.updated_at),
            "created_by_id" => Value::maybe_text(poll.created_by.as_ref().map(UserId::as_str)),
            _ => filter::custom(&self.custom, field),
        }
    }
}

/// A page of the polls that fit the filter: of those that it names by their ids, or else of those that `user` made, voted in
/// or suggested an option for. `caller` sees what [`permit::read`] lets it see.
///
/// # Errors
/// When the store fails.
pub async fn query(
    tx: &mut Tx,
    caller: Option<&UserId>,
    user: &UserId,
    (filter, sort): (&Filter, &Sort),
    (cursor, limit): (Option<&Cursor>, usize),
    now: Timestamp,
) -> Result<Page<(String, Poll)>> {
    let named = filter.only("id").or_else(|| filter.only("poll_id"));
    let ids: BTreeSet<String> = match named {
        Some(ids) => ids.into_iter().take(POLLS_QUERIED_MAX).map(str::to_owned).collect(),
        None => {
            let range = POLLED.prefix(tx.tenant(), &user.to_string());
            rows::list(tx, &POLLED, range, POLLS_QUERIED_MAX)
                .await?
                .into_iter()
                .map(|((_, poll, _), ())| poll)
                .collect()
        }
    };
    let mut fitting = Vec::new();
    for id in ids {
        let Some(poll) = get(tx, &id).await? else { continue };
        let named = Named { custom: poll.custom(), id, poll };
        if filter.fits(&named) && permit::is_readable(tx, caller, (&named.id, &named.poll), now).await? {
            fitting.push(named);
        }
    }
    let Page { rows, next, prev } = filter::page(fitting, sort, cursor, limit);
    Ok(Page { rows: rows.into_iter().map(|named| (named.id, named.poll)).collect(), next, prev })
}

/// A vote, as far as its reader may know of it.
struct Told {
    cast: Cast,
    tells_whose: bool,
}

impl Row for Told {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.cast.id)
    }

    fn value(&self, field: &str) -> Value<'_> {
        let vote = &self.cast.vote;
        match field {
            "id" => Value::text(&self.cast.id),
            "user_id" => Value::maybe_text(Some(vote.user.as_str()).filter(|_| self.tells_whose)),
            "created_at" => Value::Time(vote.created_at),
            "updated_at" => Value::Time(vote.updated_at),
            "is_answer" => Value::Bool(vote.answer.is_some()),
            "option_id" => Value::maybe_text(vote.option.as_deref()),
            _ => Value::Null,
        }
    }
}

/// The poll `id`, and a page of its votes and answers that fit the filter, as `viewer` sees them. Whose votes they are,
/// nobody finds out in an anonymous poll but of the own.
///
/// # Errors
/// [`crate::Error::Absent`] when there is no such poll, [`crate::Error::NotAllowed`] when the caller may not read it.
pub async fn query_votes(
    tx: &mut Tx,
    (caller, viewer): (Option<&UserId>, Option<&UserId>),
    id: &str,
    (filter, sort): (&Filter, &Sort),
    (cursor, limit): (Option<&Cursor>, usize),
    now: Timestamp,
) -> Result<(Poll, Page<Cast>)> {
    let poll = permit::read(tx, caller, id, now).await?;
    let range = VOTE.prefix(tx.tenant(), &(id.to_owned(),));
    let mut fitting = Vec::new();
    for ((_, vote_id), vote) in rows::list(tx, &VOTE, range, VOTES_QUERIED_MAX).await? {
        let is_gone = vote.option.as_ref().is_some_and(|option| poll.option(option).is_err());
        let tells_whose = !poll.is_anonymous || viewer == Some(&vote.user);
        let told = Told { cast: Cast { id: vote_id, vote }, tells_whose };
        if !is_gone && filter.fits(&told) {
            fitting.push(told);
        }
    }
    let Page { rows, next, prev } = filter::page(fitting, sort, cursor, limit);
    Ok((poll, Page { rows: rows.into_iter().map(|told| told.cast).collect(), next, prev }))
}
