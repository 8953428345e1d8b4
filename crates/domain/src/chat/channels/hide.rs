//! Hiding a channel until something is said (chat §11.3, §12.5).
//!
//! Whoever writes wakes the channel for those who hid it. Usually nobody did, and then writing costs one look.

use ids::{ChannelId, Timestamp, UserId};
use minicbor::{Decode, Encode};
use store::{Direction, Limit};

use crate::{
    Result, Tx,
    chat::{
        events::{self, Event},
        members,
    },
    keyspace::{Chat, HIDDEN},
    users,
};

/// That a user hid a channel.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Hidden {
    /// When.
    #[n(0)]
    pub at: Timestamp,
}

/// Hides `channel` from its member `user` until something is said; with `clears_history`, what was said so far for good.
///
/// # Errors
/// [`Error::Unfit`](crate::Error::Unfit) when the user is no member.
pub async fn hide(tx: &mut Tx, channel: &ChannelId, user: &UserId, clears_history: bool, now: Timestamp) -> Result<()> {
    let mut member = members::load(tx, channel, user).await?;
    if clears_history {
        member.hides_before = Some(now);
        members::put(tx, channel, user, &member);
    }
    put(tx, channel, user, now);
    let event = Event::new("channel.hidden", now, Some(channel)).by(Some(user)).only_for([user.clone()]);
    events::record(tx, event.with(format!(r#"{{"clear_history":{clears_history}}}"#)));
    Ok(())
}

/// Hides `channel` from `user` without a word.
pub(super) fn put(tx: &mut Tx, channel: &ChannelId, user: &UserId, now: Timestamp) {
    let tenant = tx.tenant();
    HIDDEN.put(tx, tenant, &(Chat(channel.clone()), user.to_string()), &Hidden { at: now });
}

/// Shows `channel` to `user` again.
///
/// # Errors
/// When the store fails.
pub async fn show(tx: &mut Tx, channel: &ChannelId, user: &UserId, now: Timestamp) -> Result<()> {
    let tenant = tx.tenant();
    let key = (Chat(channel.clone()), user.to_string());
    if HIDDEN.exists(tx, tenant, &key).await? {
        HIDDEN.delete(tx, tenant, &key);
        let event = Event::new("channel.visible", now, Some(channel)).by(Some(user));
        events::record(tx, event.only_for([user.clone()]));
    }
    Ok(())
}

/// Shows `channel` again to all who hid it: something was said. Who muted it, or blocks the only other member, does not
/// see it again. At most [`Limit::PAGE`] of them; the others wait for the next message.
///
/// # Errors
/// When the store fails.
pub async fn wake(tx: &mut Tx, channel: &ChannelId, now: Timestamp) -> Result<()> {
    let tenant = tx.tenant();
    let range = HIDDEN.prefix(tenant, &Chat(channel.clone()));
    let hidden = HIDDEN.scan(tx, tenant, range, Direction::Forward, Limit::PAGE).await?.rows;
    for ((_, user), _) in hidden {
        let user = UserId::parse(&user).expect("keys are made of user ids");
        let is_muted = super::mutes(tx, &user, std::slice::from_ref(channel), now).await?[0].is_some();
        let is_blocked = match users::get(tx, &user).await? {
            Some(profile) => super::is_blocked(tx, channel, &profile).await?,
            None => false,
        };
        if !is_muted && !is_blocked {
            show(tx, channel, &user, now).await?;
        }
    }
    Ok(())
}

/// Which of `channels` the user hid.
///
/// # Errors
/// When the store fails.
pub async fn are_hidden(tx: &mut Tx, channels: &[ChannelId], user: &UserId) -> Result<Vec<bool>> {
    let tenant = tx.tenant();
    let keys: Vec<_> = channels.iter().map(|channel| (Chat(channel.clone()), user.to_string())).collect();
    let rows = HIDDEN.get_many(tx, tenant, &keys).await?;
    Ok(rows.into_iter().map(|row| row.is_some()).collect())
}
