//! Finding channels (chat §7, §11.3).
//!
//! Where the filter says which channels can fit, only those are looked at: by name, or through the memberships of users
//! whom it names. Otherwise all channels are, of the types that it names.

use std::collections::{BTreeSet, HashMap};

use ids::{ChannelId, Timestamp, UserId};
use store::{Direction, Limit, key::after};

use super::candidate::{Candidate, Needs, load};
use crate::{
    Error, Result, Tx,
    chat::{
        permissions::{self, Place, Who},
        reads,
        types::{self, BUILT_IN, ChannelType},
    },
    filter::{Expression, Field, Filter, Kind, Operator, Schema, Sort, Value},
    keyspace::{CHANNEL, CHANNEL_TYPE, Chat},
    users::{self, User},
};

/// The most channels of one answer.
pub const QUERY_MAX: usize = 30;
/// How many an answer has if nobody says.
pub const QUERY: usize = 10;
/// The most that can be skipped.
pub const OFFSET_MAX: usize = 1_000;
/// The order if nobody says.
const SORT: &[&str] = &["-last_updated"];
/// How many found channels are kept before the worst of them go.
const FOUND_MAX: usize = 4 * (QUERY_MAX + OFFSET_MAX);
/// Channels that are looked at together.
const AT_ONCE: usize = 256;

const NAMES: &[Operator] = &[Operator::Eq, Operator::In, Operator::Ne, Operator::Nin, Operator::Exists];
const IS: &[Operator] = &[Operator::Eq, Operator::Ne];

/// What a filter of channels may name.
pub const SCHEMA: Schema = Schema {
    fields: &[
        Field::new("app_banned", Kind::Text).only(&[Operator::Eq]),
        Field::new("archived", Kind::Bool).only(IS),
        Field::new("blocked", Kind::Bool).only(IS),
        Field::new("cid", Kind::Text).only(NAMES),
        Field::new("created_at", Kind::Time),
        Field::new("created_by_id", Kind::Text),
        Field::new("disabled", Kind::Bool).only(IS),
        Field::new("filter_tags", Kind::List),
        Field::new("frozen", Kind::Bool).only(IS),
        Field::new("has_unread", Kind::Bool).only(IS),
        Field::new("hidden", Kind::Bool).only(IS),
        Field::new("id", Kind::Text),
        Field::new("invite", Kind::Text).only(NAMES),
        Field::new("joined", Kind::Bool).only(IS),
        Field::new("last_message_at", Kind::Time),
        Field::new("last_updated", Kind::Time),
        Field::new("member.user.name", Kind::List),
        Field::new("member_count", Kind::Number),
        Field::new("members", Kind::List),
        Field::new("muted", Kind::Bool).only(IS),
        Field::new("pinned", Kind::Bool).only(IS),
        Field::new("team", Kind::Text).only(NAMES),
        Field::new("type", Kind::Text).only(NAMES),
        Field::new("unread_count", Kind::Number),
        Field::new("updated_at", Kind::Time),
    ],
    has_custom: true,
};

/// Which channels are wanted.
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
}

/// Who asks, and for whom.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// Who asks: a user finds what the user may read.
    pub who: Who<'a>,
    /// The user whom `joined`, `muted` and the like are about.
    pub viewer: Option<&'a UserId>,
    /// What time it is.
    pub now: Timestamp,
}

/// The channels that `query` wants.
///
/// # Errors
/// [`Error::NoAccessToChannels`] when it names one that the asker may not read.
pub async fn query(tx: &mut Tx, query: &Query, asker: Asker<'_>) -> Result<Vec<ChannelId>> {
    let sort = query.sort.clone().or(SORT);
    let needs = Needs::of(&query.filter, &sort, asker, mentioned(&query.filter));
    let viewer = match asker.viewer {
        Some(user) => users::get(tx, user).await?,
        None => None,
    };
    let mut search = Search { query, asker, needs, sort, viewer, kinds: HashMap::new(), found: Vec::new() };
    match named(tx, &query.filter).await? {
        Some(ids) => search.look(tx, &ids.into_iter().collect::<Vec<_>>(), true).await?,
        None => match belonging(tx, query, asker).await? {
            Some(ids) => search.look(tx, &ids.into_iter().collect::<Vec<_>>(), false).await?,
            None => search.scan(tx).await?,
        },
    }
    let Search { sort, mut found, .. } = search;
    sort.apply(&mut found);
    Ok(found.into_iter().skip(query.offset).take(query.limit).map(|found| found.id).collect())
}

/// The users whom conditions on `members` name.
fn mentioned(filter: &Filter) -> Vec<UserId> {
    fn texts(value: &Value<'_>, into: &mut BTreeSet<UserId>) {
        match value {
            Value::Text(text) => into.extend(UserId::parse(text).ok()),
            Value::List(values) => values.iter().for_each(|value| texts(value, into)),
            _ => {}
        }
    }
    fn walk(expression: &Expression, into: &mut BTreeSet<UserId>) {
        match expression {
            Expression::And(parts) | Expression::Or(parts) | Expression::Nor(parts) => {
                parts.iter().for_each(|part| walk(part, into));
            }
            Expression::Field(field, conditions) if field == "members" => {
                conditions.iter().for_each(|condition| texts(&condition.value, into));
            }
            Expression::Field(..) => {}
        }
    }
    let mut users = BTreeSet::new();
    walk(filter.expression(), &mut users);
    users.into_iter().collect()
}

/// The only channels that can fit, if the filter names them.
async fn named(tx: &mut Tx, filter: &Filter) -> Result<Option<BTreeSet<ChannelId>>> {
    if let Some(cids) = filter.only("cid") {
        return Ok(Some(cids.into_iter().filter_map(|cid| ChannelId::parse(cid).ok()).collect()));
    }
    let Some(ids) = filter.only("id") else { return Ok(None) };
    let kinds: Vec<String> = match filter.only("type") {
        Some(kinds) => kinds.into_iter().map(str::to_owned).collect(),
        None => kinds(tx).await?,
    };
    let of_kind = |kind: &String| ids.iter().filter_map(|id| ChannelId::new(kind, id).ok()).collect::<Vec<_>>();
    Ok(Some(kinds.iter().flat_map(of_kind).collect()))
}

/// The names of all channel types.
async fn kinds(tx: &mut Tx) -> Result<Vec<String>> {
    let tenant = tx.tenant();
    let range = CHANNEL_TYPE.range(tenant);
    let rows = CHANNEL_TYPE.scan(tx, tenant, range, Direction::Forward, Limit::PAGE).await?.rows;
    let stored = rows.into_iter().map(|(name, _)| name);
    let names: BTreeSet<String> = stored.chain(BUILT_IN.map(str::to_owned)).collect();
    Ok(names.into_iter().collect())
}

/// The channels of the users of whom one must be a member, if the filter says so.
async fn belonging(tx: &mut Tx, query: &Query, asker: Asker<'_>) -> Result<Option<BTreeSet<ChannelId>>> {
    let filter = &query.filter;
    let of_viewer = ["joined", "pinned", "archived", "has_unread"];
    let is_own = of_viewer.iter().any(|field| filter.equals(field) == Some(&Value::Bool(true)));
    let users: Vec<UserId> = match (asker.viewer, one_of(filter.expression())) {
        (Some(viewer), _) if is_own || filter.only("invite").is_some() => vec![viewer.clone()],
        (_, Some(users)) => users.into_iter().filter_map(|user| UserId::parse(user).ok()).collect(),
        (_, None) => return Ok(None),
    };
    let mut channels = BTreeSet::new();
    for user in users {
        channels.extend(reads::memberships(tx, &user).await?);
    }
    Ok(Some(channels))
}

/// Users of whom one at least is a member of each channel that fits.
fn one_of(expression: &Expression) -> Option<BTreeSet<&str>> {
    match expression {
        Expression::And(parts) => parts.iter().find_map(one_of),
        Expression::Or(parts) => {
            let each: Option<Vec<_>> = parts.iter().map(one_of).collect();
            Some(each?.into_iter().flatten().collect())
        }
        Expression::Field(field, conditions) if field == "members" => {
            conditions.iter().find_map(|condition| match (condition.operator, &condition.value) {
                (Operator::Eq | Operator::Contains, Value::Text(user)) => Some(BTreeSet::from([&**user])),
                (Operator::Eq, Value::List(users)) => Some(users.first()?.as_text().into_iter().collect()),
                (Operator::In, Value::List(users)) => users.iter().map(Value::as_text).collect(),
                _ => None,
            })
        }
        Expression::Nor(_) | Expression::Field(..) => None,
    }
}

/// A query that is being answered.
struct Search<'q> {
    query: &'q Query,
    asker: Asker<'q>,
    needs: Needs,
    sort: Sort,
    viewer: Option<User>,
    kinds: HashMap<String, Option<ChannelType>>,
    found: Vec<Candidate>,
}

impl Search<'_> {
    async fn scan(&mut self, tx: &mut Tx) -> Result<()> {
        let tenant = tx.tenant();
        let only = self.query.filter.only("type");
        let ranges = match only {
            Some(kinds) => kinds.into_iter().map(|kind| CHANNEL.prefix(tenant, &(kind.to_owned(),))).collect(),
            None => vec![CHANNEL.range(tenant)],
        };
        for mut range in ranges {
            loop {
                let page = CHANNEL.scan(tx, tenant, range.clone(), Direction::Forward, Limit::PAGE).await?;
                if let Some((key, _)) = page.rows.last() {
                    range.start = after(CHANNEL.key(tenant, key));
                }
                let ids: Vec<ChannelId> = page.rows.into_iter().map(|(Chat(id), _)| id).collect();
                self.look(tx, &ids, false).await?;
                if !page.more {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Looks at these channels; `is_named` says that the caller named each of them.
    async fn look(&mut self, tx: &mut Tx, ids: &[ChannelId], is_named: bool) -> Result<()> {
        // Teams that are kept apart are not seen, unless they are asked for: then it is an error (chat §8.6).
        let asks_for_team = self.query.filter.mentions("team");
        for some in ids.chunks(AT_ONCE) {
            for candidate in load(tx, some, &self.needs, self.asker, self.viewer.as_ref()).await? {
                if !self.fits(&candidate) {
                    continue;
                }
                match self.may_read(tx, &candidate).await? {
                    true => self.found.push(candidate),
                    false if is_named || asks_for_team => return Err(Error::NoAccessToChannels),
                    false => {}
                }
            }
            if self.found.len() > FOUND_MAX {
                self.sort.apply(&mut self.found);
                self.found.truncate(self.query.offset + self.query.limit);
            }
        }
        Ok(())
    }

    fn fits(&self, candidate: &Candidate) -> bool {
        let is_out = (candidate.is_hidden || candidate.is_blocked)
            && !self.query.filter.mentions("hidden")
            && !self.query.filter.mentions("blocked");
        !is_out && self.query.filter.fits(candidate)
    }

    async fn may_read(&mut self, tx: &mut Tx, candidate: &Candidate) -> Result<bool> {
        if matches!(self.asker.who, Who::Server) {
            return Ok(true);
        }
        let name = candidate.id.kind();
        if !self.kinds.contains_key(name) {
            let kind = types::get(tx, name).await?;
            self.kinds.insert(name.to_owned(), kind);
        }
        let Some(Some(kind)) = self.kinds.get(name) else { return Ok(false) };
        let place = Place { kind, channel: Some(&candidate.channel), member: candidate.own.as_ref() };
        Ok(permissions::allows(self.asker.who, place, "read-channel", None))
    }
}
