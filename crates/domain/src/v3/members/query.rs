//! Finding members of a feed (feeds-v3 §3.9, §6).

use std::borrow::Cow;

use ids::{FeedId, UserId};

use super::{LOOKED_AT_MAX, Member, list};
use crate::{
    Result, Tx,
    filter::{Cursor, Field, Filter, Kind, Page, Row, Schema, Sort, Value, page},
};

/// The order if nobody says.
pub const SORT: &[&str] = &["-created_at"];

/// What a filter of members may name.
pub const SCHEMA: Schema = Schema {
    fields: &[
        Field::new("user_id", Kind::Text),
        Field::new("role", Kind::Text),
        Field::new("status", Kind::Text),
        Field::new("created_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
    ],
    has_custom: false,
};

/// A member as filters see it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Who.
    pub user: UserId,
    /// What is stored.
    pub member: Member,
}

impl Row for Candidate {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.user.as_str())
    }

    fn value(&self, field: &str) -> Value<'_> {
        match field {
            "user_id" => Value::text(self.user.as_str()),
            "role" => Value::text(&self.member.role),
            "status" => Value::text(self.member.status.name()),
            "created_at" => Value::Time(self.member.created_at),
            "updated_at" => Value::Time(self.member.updated_at),
            _ => Value::Null,
        }
    }
}

/// The members of the feed with this stream that the filter wants.
///
/// # Errors
/// When the store fails.
pub async fn query(
    tx: &mut Tx,
    stream: &FeedId,
    (filter, sort): (&Filter, &Sort),
    cursor: Option<&Cursor>,
    limit: usize,
) -> Result<Page<Candidate>> {
    let members = list(tx, stream, LOOKED_AT_MAX).await?;
    let rows = members.into_iter().map(|(user, member)| Candidate { user, member });
    let rows = rows.filter(|row| filter.fits(row)).collect();
    Ok(page(rows, &sort.clone().or(SORT), cursor, limit))
}
