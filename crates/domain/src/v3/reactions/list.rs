//! Reading reactions of feeds v3: in groups, the newest, by a filter.

use std::borrow::Cow;

use ids::{Timestamp, UserId};
use store::{Direction, Limit};

use super::Reaction;
use crate::{
    Result, Tx,
    filter::{self, Field, Kind, Row, Schema, Value},
    keyspace::{V3_REACTED, V3_REACTION, V3_REACTION_COUNT, V3_REACTION_GROUP, V3_REACTION_ORDER},
    rows,
    v3::{
        objects::Object,
        query::{LOOKED_AT_MAX, Query},
    },
};

/// The newest reactions that are shown with an object.
pub const LATEST: usize = 15;
/// The most types that are shown of one object.
const KINDS_MAX: usize = 100;
/// The order of a query that names none.
pub const SORT: &[&str] = &["-created_at"];

/// What a query of reactions names.
pub const SCHEMA: Schema = Schema {
    fields: &[
        Field::new("reaction_type", Kind::Text),
        Field::new("type", Kind::Text),
        Field::new("user_id", Kind::Text),
        Field::new("created_at", Kind::Time),
    ],
    has_custom: false,
};

/// A reaction with what its key says.
#[derive(Clone, PartialEq, Debug)]
pub struct Given {
    /// To what.
    pub object: Object,
    /// By whom.
    pub user: UserId,
    /// The type.
    pub kind: String,
    /// The rest.
    pub reaction: Reaction,
}

impl Row for Given {
    fn id(&self) -> Cow<'_, str> {
        Cow::Owned(format!("{}:{}:{}", self.user, self.kind, self.object.id()))
    }

    fn value(&self, field: &str) -> Value<'_> {
        match field {
            "reaction_type" | "type" => Value::text(&self.kind),
            "user_id" => Value::text(self.user.as_str()),
            "created_at" => Value::Time(self.reaction.created_at),
            "updated_at" => Value::Time(self.reaction.updated_at),
            _ => Value::Null,
        }
    }
}

/// The reactions of one type to an object.
#[derive(Clone, PartialEq, Debug)]
pub struct Group {
    /// The type.
    pub kind: String,
    /// How many.
    pub count: i64,
    /// When the first of them was made.
    pub first_at: Timestamp,
    /// When the last of them was made.
    pub last_at: Timestamp,
}

/// What an object shows of its reactions.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Summary {
    /// By type.
    pub groups: Vec<Group>,
    /// The newest, at most [`LATEST`].
    pub latest: Vec<Given>,
    /// Those of the reader.
    pub own: Vec<Given>,
}

impl Summary {
    /// How many there are.
    pub fn count(&self) -> i64 {
        self.groups.iter().map(|group| group.count).sum()
    }

    /// How many there are of a type.
    pub fn count_of(&self, kind: &str) -> i64 {
        self.groups.iter().find(|group| group.kind == kind).map_or(0, |group| group.count)
    }

    /// The users whom it shows.
    pub fn users(&self) -> impl Iterator<Item = &UserId> {
        self.latest.iter().chain(&self.own).map(|given| &given.user)
    }
}

/// How many reactions of each type `object` has; types that nobody uses any more are left out.
///
/// # Errors
/// When the store fails.
pub async fn counts(tx: &mut Tx, object: &Object) -> Result<Vec<(String, i64)>> {
    let tenant = tx.tenant();
    let range = V3_REACTION_COUNT.prefix(tenant, &object.clone());
    let page = V3_REACTION_COUNT.scan(tx, tenant, range, Direction::Forward, Limit::rows(KINDS_MAX)).await?;
    Ok(page.rows.into_iter().filter(|(_, count)| *count > 0).map(|((_, kind), count)| (kind, count)).collect())
}

/// What `object` shows of its reactions to `viewer`.
///
/// # Errors
/// When the store fails.
pub async fn summary(tx: &mut Tx, object: &Object, viewer: Option<&UserId>) -> Result<Summary> {
    let counts = counts(tx, object).await?;
    if counts.is_empty() {
        return Ok(Summary::default());
    }
    let mut groups = Vec::with_capacity(counts.len());
    for (kind, count) in counts {
        let first = end(tx, object, &kind, Direction::Forward).await?;
        let last = end(tx, object, &kind, Direction::Backward).await?;
        if let (Some(first_at), Some(last_at)) = (first, last) {
            groups.push(Group { kind, count, first_at, last_at });
        }
    }
    let own = match viewer {
        Some(viewer) => super::own(tx, object, viewer).await?,
        None => Vec::new(),
    };
    Ok(Summary { groups, latest: newest(tx, object, LATEST).await?, own })
}

/// When the first or the last reaction of this type was made.
async fn end(tx: &mut Tx, object: &Object, kind: &str, direction: Direction) -> Result<Option<Timestamp>> {
    let tenant = tx.tenant();
    let range = V3_REACTION_GROUP.prefix(tenant, &(object.clone(), kind.to_owned()));
    let page = V3_REACTION_GROUP.scan(tx, tenant, range, direction, Limit::rows(1)).await?;
    Ok(page.rows.first().map(|((_, _, at, _), ())| at.0))
}

/// The newest reactions to `object`, at most `max`.
///
/// # Errors
/// When the store fails.
pub async fn newest(tx: &mut Tx, object: &Object, max: usize) -> Result<Vec<Given>> {
    let range = V3_REACTION_ORDER.prefix(tx.tenant(), &object.clone());
    let rows = rows::list(tx, &V3_REACTION_ORDER, range, max).await?;
    let keys = rows.into_iter().map(|((object, _, user, kind), ())| (object, user, kind)).collect();
    given(tx, keys).await
}

/// The reactions at `keys` that are there.
async fn given(tx: &mut Tx, keys: Vec<(Object, String, String)>) -> Result<Vec<Given>> {
    let tenant = tx.tenant();
    let reactions = V3_REACTION.get_many(tx, tenant, &keys).await?;
    let told = |((object, user, kind), reaction): ((Object, String, String), Option<Reaction>)| {
        Some(Given { object, user: UserId::parse(&user).ok()?, kind, reaction: reaction? })
    };
    Ok(keys.into_iter().zip(reactions).filter_map(told).collect())
}

/// A page of the reactions to `object` that fit.
///
/// # Errors
/// When the store fails.
pub async fn query(tx: &mut Tx, object: &Object, query: &Query) -> Result<filter::Page<Given>> {
    let all = match query.filter.only("user_id") {
        Some(users) => {
            let users: Vec<UserId> = users.into_iter().filter_map(|user| UserId::parse(user).ok()).collect();
            let mut all = Vec::new();
            for user in users {
                all.extend(super::own(tx, object, &user).await?);
            }
            all
        }
        None => newest(tx, object, LOOKED_AT_MAX).await?,
    };
    Ok(query.page(all))
}

/// A page of the reactions of `user` to any of `objects`.
///
/// # Errors
/// When the store fails.
pub async fn batch(tx: &mut Tx, user: &UserId, objects: &[Object], query: &Query) -> Result<filter::Page<Given>> {
    let mut all = Vec::new();
    for object in objects {
        all.extend(super::own(tx, object, user).await?);
    }
    Ok(query.page(all))
}

/// The next reactions of `user` in `range` of the index by user, at most `max`, and the last key.
///
/// # Errors
/// When the store fails.
pub async fn of_user(
    tx: &mut Tx,
    range: std::ops::Range<Vec<u8>>,
    max: usize,
) -> Result<(Vec<Given>, Option<Vec<u8>>, bool)> {
    let tenant = tx.tenant();
    let page = V3_REACTED.scan(tx, tenant, range, Direction::Forward, Limit::rows(max)).await?;
    let last = page.rows.last().map(|(key, ())| V3_REACTED.key(tenant, key));
    let keys = page.rows.into_iter().map(|((user, object, kind), ())| (object, user, kind)).collect();
    Ok((given(tx, keys).await?, last, page.more))
}
