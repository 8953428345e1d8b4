//! Lists of members.

use ids::{ChannelId, UserId};
use store::{Direction, Limit};

use super::Member;
use crate::{
    Result, Tx,
    keyspace::{Chat, MEMBER, MEMBERS},
};

/// The most members that one answer lists.
pub const LIST_MAX: usize = 100;
/// The most members of a channel that are put into an order of their own; those of a larger one are listed by id.
const SORTED_MAX: usize = 1_000;

/// How many members `channel` has.
///
/// # Errors
/// When the store fails.
pub async fn count(tx: &mut Tx, channel: &ChannelId) -> Result<i64> {
    let tenant = tx.tenant();
    Ok(MEMBERS.get(tx, tenant, &Chat(channel.clone())).await?)
}

/// Members of `channel`, those who came first before the others, after `offset` of them; of a large channel, by id.
///
/// # Errors
/// When the store fails.
pub async fn list(tx: &mut Tx, channel: &ChannelId, limit: usize, offset: usize) -> Result<Vec<(UserId, Member)>> {
    let mut members = all(tx, channel, SORTED_MAX.max(limit + offset) + 1).await?;
    if members.len() <= SORTED_MAX {
        members.sort_by(|(a, left), (b, right)| (left.created_at, a).cmp(&(right.created_at, b)));
    }
    Ok(members.into_iter().skip(offset).take(limit).collect())
}

/// The members of `channel`, by id; of a huge one, about the first `most`.
///
/// # Errors
/// When the store fails.
pub async fn all(tx: &mut Tx, channel: &ChannelId, most: usize) -> Result<Vec<(UserId, Member)>> {
    let tenant = tx.tenant();
    let mut range = MEMBER.prefix(tenant, &Chat(channel.clone()));
    let mut members = Vec::new();
    loop {
        let page = MEMBER.scan(tx, tenant, range.clone(), Direction::Forward, Limit::PAGE).await?;
        if let Some((key, _)) = page.rows.last() {
            range.start = store::key::after(MEMBER.key(tenant, key));
        }
        for ((_, user), member) in page.rows {
            members.push((UserId::parse(&user).expect("keys are made of user ids"), member));
        }
        if !page.more || members.len() >= most {
            return Ok(members);
        }
    }
}
