//! Bans, of the whole app, of one channel, and of every channel that somebody makes later (chat §12.18).
//!
//! A ban from later channels is one row, and no row in the channels: a channel is later if it was made later.

use ids::{ChannelId, Timestamp, UserId};

use crate::{
    Result, Tx,
    chat::channels::Channel,
    keyspace::{BAN, FUTURE_BAN},
    users::Ban,
};

/// How a user stands where it wants to write.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// Whether it may not write at all.
    pub is_banned: bool,
    /// Whether only the author sees what it writes.
    pub is_shadow_banned: bool,
}

/// How `user` stands in `channel`, or in the app alone.
///
/// # Errors
/// When the store fails.
pub async fn standing(
    tx: &mut Tx,
    user: &UserId,
    channel: Option<(&ChannelId, &Channel)>,
    now: Timestamp,
) -> Result<Standing> {
    let tenant = tx.tenant();
    let mut keys = vec![(user.to_string(), String::new())];
    keys.extend(channel.map(|(id, _)| (user.to_string(), id.to_string())));
    let mut bans: Vec<Ban> = BAN.get_many(tx, tenant, &keys).await?.into_iter().flatten().collect();
    if let Some((_, channel)) = channel
        && let Some(maker) = &channel.created_by
    {
        let ban = FUTURE_BAN.get(tx, tenant, &(user.to_string(), maker.to_string())).await?;
        bans.extend(ban.filter(|ban| ban.created_at <= channel.created_at));
    }
    let holding = || bans.iter().filter(|ban| ban.holds(now));
    Ok(Standing {
        is_banned: holding().any(|ban| !ban.is_shadow),
        is_shadow_banned: holding().any(|ban| ban.is_shadow),
    })
}
