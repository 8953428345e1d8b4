//! The newest messages of a channel, kept in memory: who wrote, when in commit order, and how each counts.

use ids::{ChannelId, MessageId, Timestamp, UserId};
use store::{Direction, Limit, Stamp};

use crate::{
    Result, Tx,
    keyspace::{At, CHANNEL_MESSAGE, Chat},
};

/// The newest messages of a channel that are kept in memory.
pub const WINDOW_ROWS: usize = if cfg!(test) { 4 } else { 64 };

/// One message, as counting sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// The message.
    pub id: MessageId,
    /// When it was said.
    pub at: Timestamp,
    /// When in commit order.
    pub stamp: Stamp,
    /// Who said it.
    pub user: Option<UserId>,
    /// Whether it counts as unread for others.
    pub counts: bool,
    /// Whether it makes the channel the latest.
    pub is_last: bool,
    /// Who may see it; everybody, if empty.
    pub visible_to: Box<[UserId]>,
}

/// The newest messages of a channel.
#[derive(Debug)]
pub struct Messages {
    /// The snapshot that they were read from.
    pub as_of: Stamp,
    /// Newest first.
    pub rows: Box<[Row]>,
    /// Whether these are all messages of the channel.
    pub is_whole: bool,
}

impl Messages {
    /// Roughly how much memory it takes.
    pub fn bytes(&self) -> usize {
        // Ids are shared texts beside the rows.
        let texts = 100 * self.rows.len();
        size_of::<Self>() + size_of_val(&*self.rows) + texts
    }
}

/// The newest `rows` of `channel`, as `tx` sees them.
///
/// # Errors
/// When the store fails.
pub async fn load(tx: &mut Tx, channel: &ChannelId, rows: usize) -> Result<Messages> {
    let (tenant, as_of) = (tx.tenant(), tx.stamp());
    let mut range = CHANNEL_MESSAGE.prefix(tenant, &Chat(channel.clone()));
    let mut found = Vec::with_capacity(rows.min(WINDOW_ROWS));
    loop {
        let limit = Limit { rows: Limit::PAGE.rows.min(rows - found.len()), ..Limit::PAGE };
        let page = CHANNEL_MESSAGE.scan(tx, tenant, range.clone(), Direction::Backward, limit).await?;
        if let Some((key, _)) = page.rows.last() {
            range.end = CHANNEL_MESSAGE.key(tenant, key);
        }
        found.extend(page.rows.into_iter().map(|((_, At(at), id), listed)| Row {
            id: MessageId::parse(&id).expect("keys are made of message ids"),
            at,
            stamp: listed.stamp,
            user: listed.value.user,
            counts: listed.value.counts,
            is_last: listed.value.is_last,
            visible_to: listed.value.visible_to.into(),
        }));
        if !page.more || found.len() == rows {
            return Ok(Messages { as_of, rows: found.into(), is_whole: !page.more });
        }
    }
}
