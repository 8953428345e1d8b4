//! What connected users have not read, as events tell each of them (chat §12.1).
//!
//! A user's counts are derived when an event first needs them, and then brought up to date channel by channel.

use std::collections::HashMap;

use domain::{
    Tx,
    chat::{events::Event, reads, threads},
    users::own,
};
use ids::{AppId, ChannelId, Timestamp, UserId};
use parking_lot::Mutex;

/// Unread messages of a user, by channel.
type Counts = HashMap<ChannelId, usize>;

/// The counts of all connected users that were needed so far.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    users: Mutex<HashMap<(AppId, UserId), Counts>>,
}

/// What an event says of its receiver.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// Unread messages, and the channels that hold them.
    in_channels: Option<(usize, usize)>,
    /// Unread replies, and the threads that hold them.
    in_threads: Option<(usize, usize)>,
}

impl Tally {
    /// The event `frame` with these numbers.
    pub(super) fn patch(self, frame: &str) -> String {
        let mut event = frame.strip_suffix('}').expect("an event is a JSON object").to_owned();
        if let Some((messages, channels)) = self.in_channels {
            let numbers = [("total_unread_count", messages), ("unread_channels", channels), ("unread_count", messages)];
            numbers.iter().for_each(|(name, n)| event += &format!(r#","{name}":{n}"#));
        }
        if let Some((replies, threads)) = self.in_threads {
            let numbers = [("unread_threads", threads), ("unread_thread_messages", replies)];
            numbers.iter().for_each(|(name, n)| event += &format!(r#","{name}":{n}"#));
        }
        event + "}"
    }
}

/// Whether events of this kind tell their receivers what is unread in channels.
fn counts_channels(kind: &str) -> bool {
    matches!(kind, "message.new" | "notification.message_new" | "notification.mark_read" | "notification.mark_unread")
}

/// Whether events of this kind tell their receivers what is unread in threads.
fn counts_threads(kind: &str) -> bool {
    matches!(kind, "notification.mark_read" | "notification.mark_unread" | "notification.thread_message_new")
}

/// Whether events of this kind tell their receivers what is unread.
pub(super) fn is_counted(kind: &str) -> bool {
    counts_channels(kind) || counts_threads(kind)
}

/// What an event of this kind tells one user, from the store.
pub(super) async fn tally(tx: &mut Tx, kind: &str, user: &UserId, now: Timestamp) -> domain::Result<Tally> {
    let unread = own::unread(tx, user, now).await?;
    let number = |n: i64| usize::try_from(n).unwrap_or_default();
    Ok(Tally {
        in_channels: counts_channels(kind).then(|| (number(unread.messages), number(unread.channels))),
        in_threads: counts_threads(kind).then(|| (number(unread.replies), number(unread.threads))),
    })
}

impl Tallies {
    /// What an event of this kind in `channel` tells `user`, who is connected.
    pub(super) async fn of(
        &self,
        tx: &mut Tx,
        kind: &str,
        user: &UserId,
        channel: Option<&ChannelId>,
        now: Timestamp,
    ) -> domain::Result<Tally> {
        let mut tally = Tally::default();
        if counts_channels(kind) {
            tally.in_channels = Some(self.after(tx, user, channel, now).await?);
        }
        if counts_threads(kind) {
            let threads = threads::unread_of(tx, user).await?;
            tally.in_threads = Some((threads.iter().map(|thread| thread.count).sum(), threads.len()));
        }
        Ok(tally)
    }

    /// What `user` has not read after something happened in `channel`: messages, and channels that hold them.
    async fn after(
        &self,
        tx: &mut Tx,
        user: &UserId,
        channel: Option<&ChannelId>,
        now: Timestamp,
    ) -> domain::Result<(usize, usize)> {
        let key = (AppId(tx.tenant()), user.clone());
        let known = self.users.lock().get(&key).cloned();
        let counts = match (known, channel) {
            (Some(mut counts), Some(channel)) => {
                match reads::total_of(tx, channel.clone(), user, now).await?.filter(|total| total.unread > 0) {
                    Some(total) => counts.insert(channel.clone(), total.unread),
                    None => counts.remove(channel),
                };
                counts
            }
            _ => {
                let totals = reads::total(&tx.app, user, now).await?;
                totals.into_iter().map(|total| (total.channel, total.unread)).collect()
            }
        };
        let tally = (counts.values().sum(), counts.len());
        self.users.lock().insert(key, counts);
        Ok(tally)
    }

    /// Forgets what `event` changes besides the count of a channel that it tells of.
    pub(super) fn note(&self, app: AppId, event: &Event) {
        match event.kind.as_str() {
            "channel.deleted" | "channel.truncated" | "channel.updated" => self.users.lock().clear(),
            "channel.hidden" | "channel.visible" | "member.removed" | "message.deleted" => {
                self.users.lock().retain(|(known, _), counts| {
                    *known != app || event.channel.as_ref().is_none_or(|channel| !counts.contains_key(channel))
                });
            }
            "notification.channel_mutes_updated" | "notification.removed_from_channel" => {
                event.only_for.iter().for_each(|user| self.forget(app, user));
            }
            _ => {}
        }
    }

    /// Forgets a user who is gone.
    pub(super) fn forget(&self, app: AppId, user: &UserId) {
        self.users.lock().remove(&(app, user.clone()));
    }

    /// Forgets everybody: nobody listened for a while.
    pub(super) fn forget_all(&self) {
        self.users.lock().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_put_at_the_end_of_the_event() {
        let in_channels = Tally { in_channels: Some((3, 2)), in_threads: None };
        let patched = in_channels.patch(r#"{"type":"message.new"}"#);
        assert_eq!(patched, r#"{"type":"message.new","total_unread_count":3,"unread_channels":2,"unread_count":3}"#);
        let in_threads = Tally { in_channels: None, in_threads: Some((5, 4)) };
        assert_eq!(in_threads.patch(r#"{"a":1}"#), r#"{"a":1,"unread_threads":4,"unread_thread_messages":5}"#);
    }
}
