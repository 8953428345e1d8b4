//! Finding members of a channel (chat §7).

use std::borrow::Cow;

use ids::{ChannelId, Timestamp, UserId, json::Object};

use super::{Invite, Member, all, get_many};
use crate::{
    Result, Tx,
    filter::{Field, Filter, Kind, Row, Schema, Sort, Value, custom},
    users::{People, Person, query::field_of},
};

/// The most members that can be skipped.
pub const OFFSET_MAX: usize = 1_000;
/// The order if nobody says.
const SORT: &[&str] = &["created_at"];
/// The most members of a channel that are looked at.
const LOOKED_AT_MAX: usize = 10_000;

/// What a filter of members may name.
pub const SCHEMA: Schema = Schema {
    fields: &[
        Field::new("id", Kind::Text),
        Field::new("user_id", Kind::Text),
        Field::new("name", Kind::Text),
        Field::new("channel_role", Kind::Text),
        Field::new("banned", Kind::Bool),
        Field::new("invite", Kind::Text),
        Field::new("joined", Kind::Bool),
        Field::new("cid", Kind::Text),
        Field::new("created_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
        Field::new("last_active", Kind::Time),
    ],
    has_custom: true,
};

/// Which members are wanted.
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
    /// Only those whose id lies after this one; with it, if true.
    pub after_id: Option<(String, bool)>,
    /// Only those whose id lies before this one; with it, if true.
    pub before_id: Option<(String, bool)>,
    /// Only those who came after this moment; at it too, if true.
    pub after: Option<(Timestamp, bool)>,
    /// Only those who came before this moment; at it too, if true.
    pub before: Option<(Timestamp, bool)>,
}

impl Query {
    fn holds(&self, user: &UserId, member: &Member) -> bool {
        let (id, at) = (user.as_str(), &member.created_at);
        self.after_id.as_ref().is_none_or(|(bound, with)| is_beyond(id, bound.as_str(), *with))
            && self.before_id.as_ref().is_none_or(|(bound, with)| is_beyond(bound.as_str(), id, *with))
            && self.after.as_ref().is_none_or(|(bound, with)| is_beyond(at, bound, *with))
            && self.before.as_ref().is_none_or(|(bound, with)| is_beyond(bound, at, *with))
    }
}

/// Whether `value` lies beyond `bound`, or with `with` at it.
fn is_beyond<T: PartialOrd + ?Sized>(value: &T, bound: &T, with: bool) -> bool {
    value > bound || (with && value == bound)
}

struct Candidate<'a> {
    channel: &'a ChannelId,
    user: UserId,
    member: Member,
    custom: Object,
    person: Option<Person>,
    now: Timestamp,
}

impl Row for Candidate<'_> {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.user.as_str())
    }

    fn value(&self, field: &str) -> Value<'_> {
        let member = &self.member;
        let of_user = |field: &str| match &self.person {
            Some(person) => field_of(&self.user, person, field, self.now),
            None => Value::Null,
        };
        match field {
            "id" | "user_id" | "user.id" => Value::text(self.user.as_str()),
            "channel_role" => Value::text(&member.channel_role),
            "banned" => Value::Bool(member.ban.as_ref().is_some_and(|ban| ban.holds(self.now))),
            "joined" => Value::Bool(!member.is_pending()),
            "invite" => Value::maybe_text(member.invite.map(|invite| match invite {
                Invite::Pending => "pending",
                Invite::Accepted(_) => "accepted",
                Invite::Rejected(_) => "rejected",
            })),
            "cid" => Value::text(self.channel.as_str()),
            "created_at" => Value::Time(member.created_at),
            "updated_at" => Value::Time(member.updated_at),
            "name" | "last_active" => of_user(field),
            _ => match (custom(&self.custom, field), field.strip_prefix("user.")) {
                (Value::Null, of) => of_user(of.unwrap_or(field)),
                (value, _) => value,
            },
        }
    }
}

/// The members of `channel` that `query` wants.
///
/// # Errors
/// When the store fails.
pub async fn query(tx: &mut Tx, channel: &ChannelId, query: &Query, now: Timestamp) -> Result<Vec<(UserId, Member)>> {
    let mut members = match query.filter.only("id").or_else(|| query.filter.only("user_id")) {
        Some(ids) => {
            let ids: Vec<UserId> = ids.into_iter().filter_map(|id| UserId::parse(id).ok()).collect();
            let members = get_many(tx, channel, &ids).await?;
            ids.into_iter().zip(members).filter_map(|(id, member)| Some((id, member?))).collect()
        }
        None => all(tx, channel, LOOKED_AT_MAX).await?,
    };
    members.retain(|(user, member)| query.holds(user, member));
    let people = People::load(tx, members.iter().map(|(user, _)| user)).await?;
    let rows = members.into_iter().map(|(user, member)| Candidate {
        channel,
        custom: member.custom(),
        person: people.get(&user).map(|(_, person)| person.clone()),
        user,
        member,
        now,
    });
    let mut rows: Vec<Candidate<'_>> = rows.filter(|row| query.filter.fits(row)).collect();
    query.sort.clone().or(SORT).apply(&mut rows);
    Ok(rows.into_iter().skip(query.offset).take(query.limit).map(|row| (row.user, row.member)).collect())
}
