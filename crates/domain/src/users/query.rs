//! Finding users (chat §7, §11.7; v2 §2.3).

use std::{borrow::Cow, collections::HashSet};

use ids::{Timestamp, UserId};
use store::{Direction, Limit, key::after};

use super::{Person, User, get_many};
use crate::{
    Result, Tx,
    filter::{Field, Filter, Kind, Operator, Row, Schema, Sort, Value, custom},
    keyspace::USER,
};

/// The most users of one answer.
pub const LIMIT_MAX: usize = 100;
/// How many users an answer has if nobody says.
pub const LIMIT: usize = 30;
/// The most users that can be skipped.
pub const OFFSET_MAX: usize = 1000;
/// The order if nobody says.
pub const SORT: &[&str] = &["-created_at", "-id"];
/// How many found users are kept before the worst of them go.
const FOUND_MAX: usize = 4 * (LIMIT_MAX + OFFSET_MAX);

/// What a filter of users may name.
pub const SCHEMA: Schema = Schema {
    fields: &[
        Field::new("id", Kind::Text),
        Field::new("role", Kind::Text),
        Field::new("name", Kind::Text),
        Field::new("username", Kind::Text),
        Field::new("language", Kind::Text),
        Field::new("banned", Kind::Bool),
        Field::new("shadow_banned", Kind::Bool),
        Field::new("online", Kind::Bool),
        Field::new("invisible", Kind::Bool),
        Field::new("teams", Kind::List).only(&[Operator::Eq, Operator::In, Operator::Contains, Operator::Exists]),
        Field::new("last_active", Kind::Time),
        Field::new("created_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
        Field::new("deactivated_at", Kind::Time),
    ],
    has_custom: true,
};

/// Which users are wanted.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Which.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// At most how many.
    pub limit: usize,
    /// After how many.
    pub offset: usize,
    /// Also those who are locked out.
    pub includes_deactivated: bool,
    /// Whose ids lie between these.
    pub ids: Bounds,
    /// Who is connected; needed only for filters that ask.
    pub online: HashSet<UserId>,
    /// Only who is in one of these teams, or in none if there are none; everybody, if absent.
    pub teams: Option<Vec<String>>,
}

impl Query {
    /// Whether its teams are those of `user`.
    fn is_for_teams_of(&self, user: &User) -> bool {
        let Some(teams) = &self.teams else { return true };
        user.teams.iter().any(|team| teams.contains(team)) || (teams.is_empty() && user.teams.is_empty())
    }
}

/// Between which ids; the flag says whether the bound itself is inside.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    /// The lower end.
    pub from: Option<(String, bool)>,
    /// The upper end.
    pub until: Option<(String, bool)>,
}

impl Bounds {
    /// Whether there is any.
    pub fn is_any(&self) -> bool {
        self.from.is_some() || self.until.is_some()
    }

    fn hold(&self, id: &str) -> bool {
        let from = self.from.as_ref().is_none_or(|(from, is_inside)| id > &**from || (*is_inside && id == from));
        let until = self.until.as_ref().is_none_or(|(until, is_inside)| id < &**until || (*is_inside && id == until));
        from && until
    }
}

/// A user as filters see it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The id.
    pub id: UserId,
    /// The user.
    pub person: Person,
    now: Timestamp,
}

impl Row for Candidate {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.id.as_str())
    }

    fn value(&self, field: &str) -> Value<'_> {
        field_of(&self.id, &self.person, field, self.now)
    }
}

/// What a filter finds in `field` of a user.
pub fn field_of<'a>(id: &'a UserId, person: &'a Person, field: &str, now: Timestamp) -> Value<'a> {
    let Person { user, custom: fields, is_online } = person;
    let ban = user.ban.as_ref().filter(|ban| ban.holds(now));
    match field {
        "id" => Value::text(id.as_str()),
        "role" => Value::text(&user.role),
        "name" => Value::maybe_text(user.name.as_deref()),
        "image" => Value::maybe_text(user.image.as_deref()),
        "language" => Value::text(&user.language),
        "banned" => Value::Bool(ban.is_some_and(|ban| !ban.is_shadow)),
        "shadow_banned" => Value::Bool(ban.is_some_and(|ban| ban.is_shadow)),
        "online" => Value::Bool(*is_online && !user.is_invisible),
        "invisible" => Value::Bool(user.is_invisible),
        "teams" => Value::texts(&user.teams),
        "last_active" => Value::maybe_time(user.last_active),
        "created_at" => Value::Time(user.created_at),
        "updated_at" => Value::Time(user.updated_at),
        "deactivated_at" => Value::maybe_time(user.deactivated_at),
        _ => custom(fields, field),
    }
}

/// The users that `query` wants, never those who were deleted.
///
/// # Errors
/// When the store fails.
pub async fn query(tx: &mut Tx, query: &Query, now: Timestamp) -> Result<Vec<(UserId, User)>> {
    let default: &[&str] = if query.ids.is_any() { &["id"] } else { SORT };
    let mut found = Found { query, sort: query.sort.clone().or(default), rows: Vec::new() };
    match query.filter.only("id") {
        Some(ids) => {
            let ids: Vec<UserId> = ids.into_iter().filter_map(|id| UserId::parse(id).ok()).collect();
            let users = get_many(tx, &ids).await?;
            for (id, user) in ids.into_iter().zip(users) {
                found.look(id, user, now);
            }
        }
        None => scan(tx, &mut found, now).await?,
    }
    let Found { sort, mut rows, .. } = found;
    sort.apply(&mut rows);
    let page = rows.into_iter().skip(query.offset).take(query.limit);
    Ok(page.map(|row| (row.id, row.person.user)).collect())
}

async fn scan(tx: &mut Tx, found: &mut Found<'_>, now: Timestamp) -> Result<()> {
    let tenant = tx.tenant();
    let mut range = USER.range(tenant);
    if let Some((from, _)) = &found.query.ids.from {
        range.start = USER.key(tenant, from);
    }
    let is_by_id = found.sort == Sort::by(&["id"]);
    loop {
        let page = USER.scan(tx, tenant, range.clone(), Direction::Forward, Limit::PAGE).await?;
        if let Some((id, _)) = page.rows.last() {
            range.start = after(USER.key(tenant, id));
        }
        for (id, user) in page.rows {
            found.look(UserId::parse(&id).expect("keys are made of user ids"), Some(user), now);
        }
        let is_full = is_by_id && found.rows.len() >= found.query.offset + found.query.limit;
        if !page.more || is_full {
            return Ok(());
        }
    }
}

/// Users that fit so far.
struct Found<'q> {
    query: &'q Query,
    sort: Sort,
    rows: Vec<Candidate>,
}

impl Found<'_> {
    fn look(&mut self, id: UserId, user: Option<User>, now: Timestamp) {
        let Some(user) = user.filter(|user| user.deleted_at.is_none()) else { return };
        if (user.deactivated_at.is_some() && !self.query.includes_deactivated) || !self.query.ids.hold(id.as_str()) {
            return;
        }
        let is_of_teams = self.query.is_for_teams_of(&user);
        let person = Person { is_online: self.query.online.contains(&id), ..Person::from(user) };
        let row = Candidate { id, person, now };
        if !is_of_teams || !self.query.filter.fits(&row) {
            return;
        }
        self.rows.push(row);
        if self.rows.len() > FOUND_MAX {
            self.sort.apply(&mut self.rows);
            self.rows.truncate(self.query.offset + self.query.limit);
        }
    }
}
