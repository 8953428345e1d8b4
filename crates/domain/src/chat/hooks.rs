//! Which of an app's events are sent to which of its hooks (chat §13).
//!
//! The settings of the app say which hooks there are ([`crate::settings::hooks`]), and [`crate::places`] how far each has come.

use super::events::Event;
use crate::settings::hooks::{Product, Way, Webhook};

/// First parts of the names of events that are for sockets alone (chat §10.2).
const FOR_SOCKETS: [&str; 4] = ["ai_indicator", "draft", "poll", "typing"];
/// The others that are for sockets alone.
const ALSO_FOR_SOCKETS: [&str; 4] =
    ["message.delivered", "user.presence.changed", "user.watching.start", "user.watching.stop"];
/// Those of the `notification.` family that are for hooks, too.
const NOTIFICATIONS: [&str; 3] =
    ["notification.mark_unread", "notification.reminder_due", "notification.thread_message_new"];

/// What becomes of messages that wait.
pub const PENDING: &str = "message.pending";
/// First parts of the names of events of moderation.
const OF_MODERATION: [&str; 6] =
    ["appeal", "flag", "moderation", "moderation_check", "moderation_rule", "review_queue_item"];
/// Last parts of the names of others.
const ALSO_OF_MODERATION: [&str; 7] = ["banned", "flagged", "muted", "unbanned", "unblocked", "unflagged", "unmuted"];

/// Whether an event is about what moderators and policies do.
fn is_of_moderation(kind: &str) -> bool {
    kind.split_once('.').is_some_and(|(family, what)| {
        OF_MODERATION.contains(&family) || (family != "channel" && ALSO_OF_MODERATION.contains(&what))
    })
}

impl Webhook {
    /// Whether it is sent `event`.
    pub fn takes(&self, event: &Event) -> bool {
        let kind = event.kind.as_str();
        let family = kind.split_once('.').map(|(family, _)| family);
        let is_for_sockets = family.is_some_and(|family| FOR_SOCKETS.contains(&family))
            || ALSO_FOR_SOCKETS.contains(&kind)
            || (family == Some("notification") && !NOTIFICATIONS.contains(&kind));
        if let Way::Pending(_) = self.way {
            return kind == PENDING;
        }
        let is_of_feeds = family == Some("feeds");
        let is_wanted = match self.product {
            Product::All => true,
            Product::Chat => !is_of_feeds,
            Product::Feeds => is_of_feeds,
            Product::Moderation => is_of_moderation(kind),
        };
        if !is_wanted || (family.is_none() && !self.takes_custom) {
            return false;
        }
        let is_asked = || self.kinds.iter().any(|asked| asked == kind || (asked == "*" && family.is_none()));
        !is_for_sockets && (self.kinds.is_empty() || is_asked())
    }
}

#[cfg(test)]
mod tests {
    use ids::Timestamp;

    use super::*;

    #[test]
    fn a_hook_takes_what_it_asks_for_and_never_what_is_for_sockets() {
        let hook = |kinds: &[&str]| Webhook {
            id: String::new(),
            way: Way::Post(String::new()),
            product: Product::All,
            takes_custom: true,
            groups_by_event: false,
            kinds: kinds.iter().map(|&kind| kind.to_owned()).collect(),
            is_v2: false,
            is_packed: false,
        };
        let takes = |hook: &Webhook, kind| hook.takes(&Event::new(kind, Timestamp::from_micros(0), None));
        for kind in ["message.new", "friend_request", "notification.mark_unread", "user.updated"] {
            assert!(takes(&hook(&[]), kind), "{kind}");
        }
        for kind in ["typing.start", "notification.message_new", "user.presence.changed", "poll.updated"] {
            assert!(!takes(&hook(&[]), kind), "{kind}");
        }
        let some = hook(&["message.new", "*"]);
        assert!(takes(&some, "message.new") && takes(&some, "friend_request") && !takes(&some, "message.updated"));
        let of = |product| Webhook { product, ..hook(&[]) };
        assert!(takes(&of(Product::Chat), "message.new") && !takes(&of(Product::Chat), "feeds.activity.added"));
        assert!(takes(&of(Product::Feeds), "feeds.activity.added") && !takes(&of(Product::Feeds), "message.new"));
        for (kind, is_taken) in [
            ("message.flagged", true),
            ("user.banned", true),
            ("moderation_check.completed", true),
            ("message.new", false),
            ("channel.muted", false),
        ] {
            assert_eq!(takes(&of(Product::Moderation), kind), is_taken, "{kind}");
        }
        let quiet = Webhook { takes_custom: false, ..hook(&[]) };
        assert!(takes(&quiet, "message.new") && !takes(&quiet, "friend_request"));
        let waiting = Webhook { way: Way::Pending(String::new()), ..hook(&[]) };
        assert!(takes(&waiting, PENDING) && !takes(&waiting, "message.new"));
    }
}
