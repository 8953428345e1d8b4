//! Members of feeds (feeds-v3 §3.9).

pub mod query;

use ids::{FeedId, Fid, Timestamp, UserId, json::Object};
use minicbor::{Decode, Encode};

use super::{
    events::{self, Event},
    feeds::{Count, Feed},
    owned,
};
use crate::{
    Error, Result, Tx,
    keyspace::{Feed as Stream, V3_COUNT, V3_MEMBER},
    rows,
};

/// The role of a member if nobody says.
pub const ROLE: &str = "feed_member";
/// The most members of a feed that are looked at.
pub const LOOKED_AT_MAX: usize = 10_000;

/// Whether a member has accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Status {
    /// A member.
    #[n(0)]
    Member,
    /// Invited.
    #[n(1)]
    Pending,
    /// Invited, and not willing.
    #[n(2)]
    Rejected,
}

impl Status {
    /// The name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Status::Member => "member",
            Status::Pending => "pending",
            Status::Rejected => "rejected",
        }
    }
}

/// A member of a feed.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Member {
    /// The role in the feed.
    #[n(0)]
    pub role: String,
    /// Whether the user has accepted.
    #[n(1)]
    pub status: Status,
    /// The application's own fields: a JSON object.
    #[n(2)]
    pub custom: String,
    /// Since when.
    #[n(3)]
    pub created_at: Timestamp,
    /// When a field was last changed.
    #[n(4)]
    pub updated_at: Timestamp,
    /// When the invitation was accepted.
    #[n(5)]
    pub accepted_at: Option<Timestamp>,
    /// When it was rejected.
    #[n(6)]
    pub rejected_at: Option<Timestamp>,
    /// The membership level, by its id.
    #[n(7)]
    pub level: Option<String>,
}

impl Member {
    /// A member who was not asked.
    pub fn new(now: Timestamp) -> Self {
        Member {
            role: ROLE.to_owned(),
            status: Status::Member,
            custom: "{}".to_owned(),
            created_at: now,
            updated_at: now,
            accepted_at: None,
            rejected_at: None,
            level: None,
        }
    }

    /// The application's own fields.
    pub fn custom(&self) -> Object {
        Object::parse(&self.custom).expect("custom fields were parsed before they were stored")
    }
}

/// The member `user` of the feed with this stream, also one who was only asked.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, stream: &FeedId, user: &UserId) -> Result<Option<Member>> {
    let tenant = tx.tenant();
    Ok(V3_MEMBER.get(tx, tenant, &(Stream(stream.clone()), user.to_string())).await?)
}

/// Whether `user` is a member of the feed with this stream.
///
/// # Errors
/// When the store fails.
pub async fn is_member(tx: &mut Tx, stream: &FeedId, user: &UserId) -> Result<bool> {
    Ok(get(tx, stream, user).await?.is_some_and(|member| member.status == Status::Member))
}

/// Everybody whom the feed with this stream has or asked, by id, at most `max`.
///
/// # Errors
/// When the store fails.
pub async fn list(tx: &mut Tx, stream: &FeedId, max: usize) -> Result<Vec<(UserId, Member)>> {
    let tenant = tx.tenant();
    let range = V3_MEMBER.prefix(tenant, &Stream(stream.clone()));
    let rows = rows::list(tx, &V3_MEMBER, range, max).await?;
    Ok(rows
        .into_iter()
        .map(|((_, user), member)| (UserId::parse(&user).expect("keys are made of user ids"), member))
        .collect())
}

/// Writes a member.
///
/// # Errors
/// When the store fails.
pub async fn put(tx: &mut Tx, stream: &FeedId, user: &UserId, member: &Member) -> Result<()> {
    let (tenant, key) = (tx.tenant(), (Stream(stream.clone()), user.to_string()));
    let counted = |member: &Member| i64::from(member.status == Status::Member);
    let before = V3_MEMBER.get(tx, tenant, &key).await?.map_or(0, |before| counted(&before));
    V3_MEMBER.put(tx, tenant, &key, member);
    V3_COUNT.add(tx, tenant, &(key.0, Count::Members.code()), counted(member) - before);
    owned::put(tx, user, owned::Kind::Member, stream.as_str());
    Ok(())
}

/// Takes `user` out of the feed with this stream; whether it was there.
///
/// # Errors
/// When the store fails.
pub async fn remove(tx: &mut Tx, stream: &FeedId, user: &UserId) -> Result<bool> {
    let (tenant, key) = (tx.tenant(), (Stream(stream.clone()), user.to_string()));
    let Some(member) = V3_MEMBER.get(tx, tenant, &key).await? else { return Ok(false) };
    V3_MEMBER.delete(tx, tenant, &key);
    if member.status == Status::Member {
        V3_COUNT.add(tx, tenant, &(key.0, Count::Members.code()), -1);
    }
    owned::remove(tx, user, owned::Kind::Member, stream.as_str());
    Ok(true)
}

/// Writes a member, and tells of it.
///
/// # Errors
/// When the store fails.
pub async fn store(
    tx: &mut Tx,
    fid: &Fid,
    feed: &Feed,
    (user, member): (&UserId, &Member),
    is_new: bool,
    by: Option<&UserId>,
    now: Timestamp,
) -> Result<()> {
    put(tx, &feed.stream, user, member).await?;
    let kind = if is_new { "feeds.feed_member.added" } else { "feeds.feed_member.updated" };
    events::record(tx, Event::of_member(kind, fid, (user, member), now).by(by));
    Ok(())
}

/// Takes `user` out of the feed, and tells of it; whether it was there.
///
/// # Errors
/// When the store fails.
pub async fn leave(
    tx: &mut Tx,
    fid: &Fid,
    feed: &Feed,
    user: &UserId,
    by: Option<&UserId>,
    now: Timestamp,
) -> Result<bool> {
    let was_there = remove(tx, &feed.stream, user).await?;
    if was_there {
        let more = serde_json::json!({ "member_id": user.as_str() }).to_string();
        events::record(tx, Event::in_feed("feeds.feed_member.removed", fid, now).by(by).with(more));
    }
    Ok(was_there)
}

/// The user accepts an invitation, or rejects it.
///
/// # Errors
/// [`Error::Absent`] when the user was not asked.
pub async fn answer(
    tx: &mut Tx,
    fid: &Fid,
    feed: &Feed,
    user: &UserId,
    accepts: bool,
    now: Timestamp,
) -> Result<Member> {
    let known = get(tx, &feed.stream, user).await?.filter(|member| member.status != Status::Member);
    let absent = || Error::Absent(format!("invitation of user '{user}' to feed '{fid}' not found"));
    let mut member = known.ok_or_else(absent)?;
    member.status = if accepts { Status::Member } else { Status::Rejected };
    member.accepted_at = accepts.then_some(now);
    member.rejected_at = (!accepts).then_some(now);
    member.updated_at = now;
    store(tx, fid, feed, (user, &member), false, Some(user), now).await?;
    Ok(member)
}
