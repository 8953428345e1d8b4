//! What is stored of one user, to be told to whoever may ask (v2 §2.7, §2.8).

use ids::{ActivityId, ChannelId, FeedId, MessageId, Timestamp, UserId};
use store::{Direction, Limit, key::after};

use crate::{
    Result, Tx,
    chat::{
        members::{self, Member},
        messages::{Message, Reacted},
        reactions::Reaction,
    },
    erasure::feeds::{is_actor, is_own, own_feeds},
    feeds::{activities::Activity, follows::Follow},
    keyspace::{
        ACTIVITY, AUTHORED, CHANNEL_MESSAGE, Chat, FOLLOWING, Feed, HORIZON, Id, MEMBERSHIP, MESSAGE, PLACED, REACTED,
        REACTION, REPLY,
    },
    rows,
    users::{self, devices, mutes},
};

/// The most memberships that are told of one user.
const MEMBERSHIPS_MAX: usize = 10_000;
/// Messages of a channel that are read at a time, each with its thread.
const SAID_MAX: usize = 50;

/// Where a walk over what a user has stands.
#[derive(Clone, Debug, Default)]
pub struct Walk {
    last: Option<Vec<u8>>,
    is_done: bool,
}

impl Walk {
    /// What is left of `range`; nothing at the end.
    fn rest(&self, mut range: std::ops::Range<Vec<u8>>) -> Option<std::ops::Range<Vec<u8>>> {
        if self.is_done {
            return None;
        }
        if let Some(last) = &self.last {
            range.start = after(last.clone());
        }
        Some(range)
    }

    fn note(&mut self, last: Option<Vec<u8>>, more: bool) {
        self.last = last.or(self.last.take());
        self.is_done = !more;
    }
}

/// The next messages of `user`, the oldest first; `None` after the last.
///
/// # Errors
/// When the store fails.
pub async fn messages(tx: &mut Tx, user: &UserId, walk: &mut Walk) -> Result<Option<Vec<(MessageId, Message)>>> {
    let tenant = tx.tenant();
    let Some(range) = walk.rest(AUTHORED.prefix(tenant, &user.to_string())) else { return Ok(None) };
    let page = AUTHORED.scan(tx, tenant, range, Direction::Forward, Limit::PAGE).await?;
    walk.note(page.rows.last().map(|(key, ())| AUTHORED.key(tenant, key)), page.more);
    let ids: Vec<_> = page.rows.into_iter().map(|((.., id), ())| id).collect();
    let messages = MESSAGE.get_many(tx, tenant, &ids).await?;
    let found = ids.iter().zip(messages).filter_map(|(id, message)| Some((MessageId::parse(id).ok()?, message?)));
    Ok(Some(found.collect()))
}

/// A reaction to the message `message`.
#[derive(Clone, Debug)]
pub struct ReactedTo {
    /// To what.
    pub message: String,
    /// By whom, and how.
    pub reacted: Reacted,
}

/// The next reactions of `user`; `None` after the last.
///
/// # Errors
/// When the store fails.
pub async fn reactions(tx: &mut Tx, user: &UserId, walk: &mut Walk) -> Result<Option<Vec<ReactedTo>>> {
    let tenant = tx.tenant();
    let Some(range) = walk.rest(REACTED.prefix(tenant, &user.to_string())) else { return Ok(None) };
    let page = REACTED.scan(tx, tenant, range, Direction::Forward, Limit::PAGE).await?;
    walk.note(page.rows.last().map(|(key, ())| REACTED.key(tenant, key)), page.more);
    let keys: Vec<_> = page.rows.into_iter().map(|((user, message, kind), ())| (message, user, kind)).collect();
    let reactions = REACTION.get_many(tx, tenant, &keys).await?;
    let told = |((message, _, kind), reaction): ((String, String, String), Option<Reaction>)| {
        let reaction = reaction?;
        let reacted = Reacted { user: user.clone(), kind, custom: reaction.custom(), reaction };
        Some(ReactedTo { message, reacted })
    };
    Ok(Some(keys.into_iter().zip(reactions).filter_map(told).collect()))
}

/// What hangs on a user beside what was said.
#[derive(Clone, Debug, Default)]
pub struct Belongings {
    /// Channels, and how the user is a member.
    pub memberships: Vec<(ChannelId, Member)>,
    /// Ids of devices, and since when each is known.
    pub devices: Vec<(String, Timestamp)>,
    /// Whom the user blocks, since when.
    pub blocks: Vec<(UserId, Timestamp)>,
    /// Whom the user mutes, since when.
    pub mutes: Vec<(UserId, Timestamp)>,
}

/// What hangs on `user` beside what was said.
///
/// # Errors
/// When the store fails.
pub async fn belongings(tx: &mut Tx, user: &UserId, now: Timestamp) -> Result<Belongings> {
    let tenant = tx.tenant();
    let range = MEMBERSHIP.prefix(tenant, &user.to_string());
    let mut memberships = Vec::new();
    for ((_, chat), ()) in rows::list(tx, &MEMBERSHIP, range, MEMBERSHIPS_MAX).await? {
        if let Some(member) = members::get(tx, &chat.0, user).await? {
            memberships.push((chat.0, member));
        }
    }
    let devices = devices::list(tx, user).await?.into_iter().map(|(id, device)| (id, device.created_at));
    let devices = devices.collect();
    let mutes = mutes::list(tx, user, now).await?.into_iter().map(|(target, mute)| (target, mute.created_at)).collect();
    let blocked = users::get(tx, user).await?.map(|user| user.blocked).unwrap_or_default();
    let blocks = blocked.into_iter().map(|block| (block.user, block.created_at)).collect();
    Ok(Belongings { memberships, devices, blocks, mutes })
}

/// The next activities of which `user` is the actor, the oldest first, each with the feeds that hold it; `None` after the
/// last.
///
/// # Errors
/// When the store fails.
pub async fn activities(
    tx: &mut Tx,
    user: &UserId,
    walk: &mut Walk,
) -> Result<Option<Vec<(ActivityId, Activity, Vec<FeedId>)>>> {
    let tenant = tx.tenant();
    let Some(range) = walk.rest(ACTIVITY.range(tenant)) else { return Ok(None) };
    let page = ACTIVITY.scan(tx, tenant, range, Direction::Forward, Limit::PAGE).await?;
    walk.note(page.rows.last().map(|(key, _)| ACTIVITY.key(tenant, key)), page.more);
    let mut found = Vec::new();
    for (Id(id), activity) in page.rows {
        if is_actor(&activity.actor, user) {
            let placed = rows::list(tx, &PLACED, PLACED.prefix(tenant, &Id(id)), usize::MAX).await?;
            found.push((id, activity, placed.into_iter().map(|((_, Feed(feed)), ())| feed).collect()));
        }
    }
    Ok(Some(found))
}

/// The next follows with a feed of `user` on either side: follower, followed; `None` after the last.
///
/// # Errors
/// When the store fails.
pub async fn follows(tx: &mut Tx, user: &UserId, walk: &mut Walk) -> Result<Option<Vec<(FeedId, FeedId, Follow)>>> {
    let tenant = tx.tenant();
    let Some(range) = walk.rest(FOLLOWING.range(tenant)) else { return Ok(None) };
    let page = FOLLOWING.scan(tx, tenant, range, Direction::Forward, Limit::PAGE).await?;
    walk.note(page.rows.last().map(|(key, _)| FOLLOWING.key(tenant, key)), page.more);
    let rows = page.rows.into_iter().map(|((Feed(feed), Feed(target)), follow)| (feed, target, follow));
    Ok(Some(rows.filter(|(feed, target, _)| is_own(feed, user) || is_own(target, user)).collect()))
}

/// The feeds of `user` to which something was ever posted.
///
/// # Errors
/// When the store fails.
pub async fn feeds(tx: &mut Tx, user: &UserId) -> Result<Vec<FeedId>> {
    let tenant = tx.tenant();
    let mut found = Vec::new();
    for feed in own_feeds(tx, user) {
        if HORIZON.exists(tx, tenant, &Feed(feed.clone())).await? {
            found.push(feed);
        }
    }
    Ok(found)
}

/// The next messages and replies of `channel`, the oldest message first, each with its thread behind it; `None` after the
/// last.
///
/// # Errors
/// When the store fails.
pub async fn said(tx: &mut Tx, channel: &ChannelId, walk: &mut Walk) -> Result<Option<Vec<(MessageId, Message)>>> {
    let tenant = tx.tenant();
    let range = CHANNEL_MESSAGE.prefix(tenant, &Chat(channel.clone()));
    let Some(range) = walk.rest(range) else { return Ok(None) };
    let page = CHANNEL_MESSAGE.scan(tx, tenant, range, Direction::Forward, Limit::rows(SAID_MAX)).await?;
    walk.note(page.rows.last().map(|(key, _)| CHANNEL_MESSAGE.key(tenant, key)), page.more);
    let mut all = Vec::new();
    for ((.., id), _) in page.rows {
        let Some(message) = MESSAGE.get(tx, tenant, &id).await? else { continue };
        let Ok(id) = MessageId::parse(&id) else { continue };
        if message.parent.is_some() {
            // It stands in its thread.
            continue;
        }
        let mut replies = REPLY.prefix(tenant, &id.to_string());
        all.push((id, message));
        loop {
            let page = REPLY.scan(tx, tenant, replies.clone(), Direction::Forward, Limit::PAGE).await?;
            for ((.., id), _) in &page.rows {
                if let (Ok(id), Some(reply)) = (MessageId::parse(id), MESSAGE.get(tx, tenant, id).await?) {
                    all.push((id, reply));
                }
            }
            match page.rows.last() {
                Some((last, _)) if page.more => replies.start = after(REPLY.key(tenant, last)),
                _ => break,
            }
        }
    }
    Ok(Some(all))
}
