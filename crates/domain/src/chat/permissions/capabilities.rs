//! What a user can do in a channel, in the words that clients show their buttons by (chat §8.5).

use super::{Place, Who, allows};
use crate::chat::types::Config;

/// What `who` can do in `place`, whose channel can do what `config` says; sorted.
pub fn capabilities(who: Who<'_>, place: Place<'_>, config: &Config) -> Vec<&'static str> {
    let own = match who {
        Who::User(user, _) => Some(user),
        Who::Server | Who::Anonymous => None,
    };
    let may = |id: &str| allows(who, place, id, None);
    let may_own = |id: &str| allows(who, place, id, own);
    let is_open = place.channel.is_none_or(|channel| !channel.is_frozen) || may("use-frozen-channel");
    let is_slow = place.channel.is_some_and(|channel| channel.cooldown_seconds > 0);
    let (talks, skips) = (is_open && may("create-message"), may("skip-channel-cooldown"));
    let mentions = may("create-mention");
    let all = [
        ("ban-channel-members", may("ban-channel-member")),
        ("cast-poll-vote", config.polls && (talks || may("cast-vote"))),
        ("connect-events", config.connect_events),
        ("create-attachment", may("create-attachment")),
        ("create-mention", mentions),
        ("delete-any-message", may("delete-message")),
        ("delete-channel", may("delete-channel")),
        ("delete-own-message", may_own("delete-message")),
        ("delivery-events", config.delivery_events),
        ("flag-message", may("flag-message")),
        ("freeze-channel", may("update-channel-frozen")),
        ("join-channel", may("add-own-channel-membership")),
        ("leave-channel", may("remove-own-channel-membership")),
        ("mute-channel", config.mutes && may("mute-channel")),
        ("notify-channel", mentions),
        ("notify-group", mentions),
        ("notify-here", mentions),
        ("notify-role", mentions),
        ("pin-message", may("pin-message")),
        ("query-poll-votes", config.polls && may("read-channel")),
        ("quote-message", config.quotes),
        ("read-events", config.read_events),
        ("search-messages", config.search),
        ("send-custom-events", config.custom_events && may("send-custom-event")),
        ("send-links", may("add-links")),
        ("send-message", talks),
        ("send-poll", config.polls && (talks || may("send-poll"))),
        ("send-reaction", config.reactions && is_open && may("create-reaction")),
        ("send-reply", config.replies && (talks || (is_open && may("create-reply")))),
        ("send-restricted-visibility-message", talks && may("create-restricted-visibility-message")),
        ("send-typing-events", config.typing_events && is_open),
        ("set-channel-cooldown", may("update-channel-cooldown")),
        ("share-location", config.shared_locations && talks),
        ("skip-slow-mode", skips),
        ("slow-mode", is_slow && !skips),
        ("typing-events", config.typing_events),
        ("update-any-message", may("update-message")),
        ("update-channel", may("update-channel")),
        ("update-channel-members", may("update-channel-members")),
        ("update-own-message", may_own("update-message")),
        ("update-thread", config.replies && may_own("update-message")),
        ("upload-file", config.uploads && may("upload-attachment")),
    ];
    all.into_iter().filter(|(_, can)| *can).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use ids::{Timestamp, UserId};

    use super::*;
    use crate::{
        chat::{
            channels::Channel,
            members::Member,
            types::{self, ChannelType},
        },
        users::User,
    };

    fn of_a_member(change: impl Fn(&mut Channel)) -> Vec<&'static str> {
        let now = Timestamp::from_micros(1_000_000);
        let (amy, profile) = (UserId::parse("amy").unwrap(), User::new(now));
        let (kind, member) = (ChannelType::built_in("messaging").unwrap(), Member::new(now));
        let mut channel = Channel::new(None, now);
        change(&mut channel);
        let place = Place { kind: &kind, channel: Some(&channel), member: Some(&member) };
        capabilities(Who::User(&amy, &profile), place, &types::config(&kind, &channel))
    }

    fn can(capabilities: &[&str], names: &[&str]) -> Vec<bool> {
        names.iter().map(|name| capabilities.contains(name)).collect()
    }

    #[test]
    fn a_member_writes_and_changes_what_is_its_own() {
        let all = of_a_member(|_| {});
        let names = ["send-message", "send-reply", "update-own-message", "delete-own-message", "upload-file"];
        assert_eq!(can(&all, &names), [true; 5]);
        let names = ["update-any-message", "delete-any-message", "update-channel", "ban-channel-members", "slow-mode"];
        assert_eq!(can(&all, &names), [false; 5]);
        assert!(all.is_sorted());
    }

    #[test]
    fn what_the_channel_cannot_do_nobody_can() {
        let all = of_a_member(|channel| {
            channel.config_overrides = r#"{"replies":false,"reactions":false,"typing_events":false}"#.into();
        });
        assert_eq!(
            can(&all, &["send-reply", "send-reaction", "typing-events", "send-message"]),
            [false, false, false, true]
        );
    }

    #[test]
    fn in_a_frozen_channel_nobody_writes_and_in_slow_mode_a_member_waits() {
        let frozen = of_a_member(|channel| channel.is_frozen = true);
        assert_eq!(can(&frozen, &["send-message", "send-reaction", "read-events"]), [false, false, true]);
        let slow = of_a_member(|channel| channel.cooldown_seconds = 5);
        assert_eq!(can(&slow, &["slow-mode", "skip-slow-mode", "send-message"]), [true, false, true]);
    }
}
