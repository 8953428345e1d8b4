//! Pages of messages, always in the order of time (chat §7, "Message pagination").

use std::ops::Range;

use ids::{ChannelId, MessageId, Timestamp, UserId};
use store::{Direction, Key, Limit, Stamped, StampedTable, Table, key::after};

use super::{Listed, Message};
use crate::{
    Error, Result, Tx,
    keyspace::{At, CHANNEL_MESSAGE, Chat, DELETED_FOR, MESSAGE, PINNED, REPLY},
};

/// The most messages of one page.
const LIMIT_MAX: usize = 300;
/// How many rows one page may pass over for those that the reader does not see.
const PASSED_MAX: usize = 5_000;
/// How many messages a user can have deleted for themselves in one channel.
pub(super) const HIDDEN_MAX: usize = 100;

/// A place in the order of messages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Edge {
    /// A message.
    Message(MessageId),
    /// A moment.
    Time(Timestamp),
}

/// Which messages of a list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Part {
    /// The most.
    pub limit: usize,
    /// Only what comes after this; with it, if true. From here the page begins.
    pub after: Option<(Edge, bool)>,
    /// Only what comes before this; with it, if true. Here the page ends, if nothing says where it begins.
    pub before: Option<(Edge, bool)>,
    /// What stands in the middle of the page; the others are not looked at then.
    pub around: Option<Edge>,
}

impl Part {
    /// The newest `limit`.
    pub fn newest(limit: usize) -> Self {
        Part { limit, ..Part::default() }
    }
}

/// Who reads.
#[derive(Clone, Debug, Default)]
pub struct Viewer {
    /// The user; the app's own server sees everything.
    pub user: Option<UserId>,
    /// Messages up to this moment are hidden: of the channel, or of the member.
    pub hidden_until: Option<Timestamp>,
}

impl Viewer {
    fn sees(&self, listed: &Listed) -> bool {
        self.user.as_ref().is_none_or(|user| listed.is_visible_to(user))
    }
}

/// A page: messages in the order of time.
pub type Page = Vec<(MessageId, Message)>;

/// A part of what `channel` shows.
///
/// # Errors
/// [`Error::Absent`] when a message that bounds it is not in the channel.
pub async fn page(tx: &mut Tx, channel: &ChannelId, part: &Part, viewer: &Viewer) -> Result<Page> {
    List { table: &CHANNEL_MESSAGE, owner: Chat(channel.clone()) }.page(tx, part, viewer).await
}

/// A part of the replies to `parent`.
///
/// # Errors
/// [`Error::Absent`] when a message that bounds it is not in the thread.
pub async fn replies(tx: &mut Tx, parent: &MessageId, part: &Part, viewer: &Viewer) -> Result<Page> {
    List { table: &REPLY, owner: parent.to_string() }.page(tx, part, viewer).await
}

/// What `user` deleted for themselves in `channel`.
///
/// # Errors
/// When the store fails.
pub(super) async fn hidden(tx: &mut Tx, channel: &ChannelId, user: &UserId) -> Result<Vec<(MessageId, Timestamp)>> {
    let tenant = tx.tenant();
    let range = DELETED_FOR.prefix(tenant, &(Chat(channel.clone()), user.to_string()));
    let rows = DELETED_FOR.scan(tx, tenant, range, Direction::Forward, Limit::rows(HIDDEN_MAX)).await?.rows;
    Ok(rows.into_iter().filter_map(|((.., id), at)| Some((MessageId::parse(&id).ok()?, at))).collect())
}

/// The messages of a channel or a thread, as a range of keys.
struct List<O: 'static> {
    table: &'static StampedTable<(O, At, String), Listed>,
    owner: O,
}

/// What a list is read into: ids in the order of the scan.
type Ids = Vec<String>;

impl<O: Key + Clone> List<O> {
    async fn page(&self, tx: &mut Tx, part: &Part, viewer: &Viewer) -> Result<Page> {
        let tenant = tx.tenant();
        let mut whole = self.table.prefix(tenant, &(self.owner.clone(),));
        if let Some(until) = viewer.hidden_until {
            whole.start = self.table.prefix(tenant, &(self.owner.clone(), At(until.plus_micros(1)))).start;
        }
        let limit = part.limit.min(LIMIT_MAX);
        let ids = match &part.around {
            Some(edge) => self.around(tx, whole, edge, limit, viewer).await?,
            None => self.between(tx, whole, part, limit, viewer).await?,
        };
        let messages = MESSAGE.get_many(tx, tenant, &ids).await?;
        let read = |(id, message): (String, Option<Message>)| Some((MessageId::parse(&id).ok()?, message?));
        Ok(ids.into_iter().zip(messages).filter_map(read).collect())
    }

    async fn between(
        &self,
        tx: &mut Tx,
        mut range: Range<Vec<u8>>,
        part: &Part,
        limit: usize,
        viewer: &Viewer,
    ) -> Result<Ids> {
        if let Some((edge, with)) = &part.after {
            let edge = self.edge(tx, edge).await?;
            range.start = range.start.max(if *with { edge.start } else { edge.end });
        }
        if let Some((edge, with)) = &part.before {
            let edge = self.edge(tx, edge).await?;
            range.end = range.end.min(if *with { edge.end } else { edge.start });
        }
        let direction = if part.after.is_some() { Direction::Forward } else { Direction::Backward };
        let mut ids = self.scan(tx, range, direction, limit, viewer).await?;
        if direction == Direction::Backward {
            ids.reverse();
        }
        Ok(ids)
    }

    /// Half of the page before the edge, the rest from it on.
    async fn around(
        &self,
        tx: &mut Tx,
        range: Range<Vec<u8>>,
        edge: &Edge,
        limit: usize,
        viewer: &Viewer,
    ) -> Result<Ids> {
        let edge = self.edge(tx, edge).await?;
        let (older, newer) = (range.start..edge.start.clone(), edge.start..range.end);
        let mut ids = self.scan(tx, older, Direction::Backward, limit / 2, viewer).await?;
        ids.reverse();
        ids.extend(self.scan(tx, newer, Direction::Forward, limit - limit / 2, viewer).await?);
        Ok(ids)
    }

    /// The keys that an edge covers: of one message, or of one moment.
    async fn edge(&self, tx: &mut Tx, edge: &Edge) -> Result<Range<Vec<u8>>> {
        let tenant = tx.tenant();
        match edge {
            Edge::Time(at) => Ok(self.table.prefix(tenant, &(self.owner.clone(), At(*at)))),
            Edge::Message(id) => {
                let message = super::load(tx, id).await?;
                let key = (self.owner.clone(), At(message.created_at), id.to_string());
                match self.table.exists(tx, tenant, &key).await? {
                    true => Ok(self.table.key(tenant, &key)..self.table.after(tenant, &key).start),
                    false => Err(Error::Absent(format!("Message with id {id} doesn't exist here"))),
                }
            }
        }
    }

    async fn scan(
        &self,
        tx: &mut Tx,
        mut range: Range<Vec<u8>>,
        direction: Direction,
        limit: usize,
        viewer: &Viewer,
    ) -> Result<Ids> {
        let (tenant, mut ids, mut passed) = (tx.tenant(), Vec::new(), 0);
        while ids.len() < limit && passed < PASSED_MAX && range.start < range.end {
            let wanted = Limit::rows((limit - ids.len()).clamp(1, Limit::PAGE.rows));
            let rows = self.table.scan(tx, tenant, range.clone(), direction, wanted).await?;
            let Some((last, _)) = rows.rows.last() else { break };
            match direction {
                Direction::Forward => range.start = self.table.after(tenant, last).start,
                Direction::Backward => range.end = self.table.key(tenant, last),
            }
            passed += rows.rows.len();
            let seen = rows.rows.into_iter().filter(|(_, listed)| viewer.sees(&listed.value));
            ids.extend(seen.map(|((.., id), _)| id));
            if !rows.more {
                break;
            }
        }
        Ok(ids)
    }
}

/// Writes how a message stands in the lists that hold it, and keeps its place in commit order.
pub(super) async fn relist(tx: &mut Tx, id: &MessageId, message: &Message, listed: &Listed) -> Result<()> {
    let key = (Chat(message.channel.clone()), At(message.created_at), id.to_string());
    rewrite(tx, &CHANNEL_MESSAGE, &key, listed).await?;
    match &message.parent {
        Some(parent) => rewrite(tx, &REPLY, &(parent.to_string(), key.1, key.2), listed).await,
        None => Ok(()),
    }
}

async fn rewrite<K: Key>(tx: &mut Tx, table: &Table<K, Stamped<Listed>>, key: &K, listed: &Listed) -> Result<()> {
    let tenant = tx.tenant();
    if let Some(known) = table.get(tx, tenant, key).await? {
        table.put(tx, tenant, key, &Stamped { value: listed.clone(), stamp: known.stamp });
    }
    Ok(())
}

/// The messages of `channel` that are pinned at `now`, the latest pinned first: at most `limit`.
///
/// # Errors
/// When the store fails.
pub async fn pinned(tx: &mut Tx, channel: &ChannelId, viewer: &Viewer, limit: usize, now: Timestamp) -> Result<Page> {
    let tenant = tx.tenant();
    let mut range = PINNED.prefix(tenant, &(Chat(channel.clone()),));
    let read = |(id, message): (String, Option<Message>)| Some((MessageId::parse(&id).ok()?, message?));
    let is_seen = |message: &Message| {
        let holds = message.pin.as_ref().is_some_and(|pin| pin.holds(now));
        let is_cut = viewer.hidden_until.is_some_and(|until| message.created_at <= until);
        holds && !is_cut && viewer.user.as_ref().is_none_or(|user| super::is_visible(message, user))
    };
    let mut pinned = Vec::new();
    loop {
        let page = PINNED.scan(tx, tenant, range.clone(), Direction::Forward, Limit::PAGE).await?;
        if let Some((key, ())) = page.rows.last() {
            range.start = after(PINNED.key(tenant, key));
        }
        let ids: Vec<String> = page.rows.into_iter().map(|((.., id), ())| id).collect();
        let messages = MESSAGE.get_many(tx, tenant, &ids).await?;
        pinned.extend(ids.into_iter().zip(messages).filter_map(read).filter(|(_, message)| is_seen(message)));
        if !page.more || pinned.len() >= limit {
            pinned.truncate(limit);
            return Ok(pinned);
        }
    }
}
