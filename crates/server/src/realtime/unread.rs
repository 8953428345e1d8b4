//! What connected users have not read, as events tell each of them (chat §12.1).
//!
//! A user's counts are derived when an event first needs them, and then brought up to date channel by channel.

use std::collections::HashMap;

use domain::{
    Tx,
    chat::{events::Event, reads},
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
#[derive(Clone, Copy, Debug)]
pub(super) struct Tally {
    messages: usize,
    channels: usize,
}

impl Tally {
    fn of(counts: &Counts) -> Self {
        Tally { messages: counts.values().sum(), channels: counts.len() }
    }

    /// The event `frame` with these numbers.
    pub(super) fn patch(self, frame: &str) -> String {
        let Tally { messages, channels } = self;
        let event = frame.strip_suffix('}').expect("an event is a JSON object");
        format!(r#"{event},"total_unread_count":{messages},"unread_channels":{channels},"unread_count":{messages}}}"#)
    }
}

/// Whether events of this kind tell their receivers what is unread.
pub(super) fn is_counted(kind: &str) -> bool {
    matches!(kind, "message.new" | "notification.message_new" | "notification.mark_read" | "notification.mark_unread")
}

impl Tallies {
    /// What `user` has not read after something happened in `channel`.
    pub(super) async fn after(
        &self,
        tx: &mut Tx,
        user: &UserId,
        channel: Option<&ChannelId>,
        now: Timestamp,
    ) -> domain::Result<Tally> {
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
        let tally = Tally::of(&counts);
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
        let patched = Tally { messages: 3, channels: 2 }.patch(r#"{"type":"message.new"}"#);
        assert_eq!(patched, r#"{"type":"message.new","total_unread_count":3,"unread_channels":2,"unread_count":3}"#);
    }
}
