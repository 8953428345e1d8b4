//! What a user token allows on feeds (feeds-v1 §2.4). Server tokens are bound by their scope alone.

use ids::{FeedId, UserId};

use super::groups::{Access, Group};

/// Whether `user` may read `feed`, a feed of `group`.
pub fn may_read(user: &UserId, feed: &FeedId, group: &Group) -> bool {
    owns(user, feed) || matches!(group.access, Access::GlobalRead | Access::GlobalReadWrite)
}

/// Whether `user` may add activities to `feed`, also through `to`.
pub fn may_add(user: &UserId, feed: &FeedId, group: &Group) -> bool {
    owns(user, feed) || matches!(group.access, Access::GlobalWrite | Access::GlobalReadWrite)
}

/// Whether `user` may remove activities from `feed`, follow with it, and see whom it follows and who follows it.
pub fn owns(user: &UserId, feed: &FeedId) -> bool {
    feed.id() == user.as_str()
}

/// The only actor that `user` may name in an activity.
pub fn is_own_actor(user: &UserId, actor: &str) -> bool {
    actor.strip_prefix("SU:") == Some(user.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(access: Access, feed: &str) -> (bool, bool) {
        let (alice, group) = (UserId::parse("alice").unwrap(), Group::flat(access));
        let feed = FeedId::parse(feed).unwrap();
        (may_read(&alice, &feed, &group), may_add(&alice, &feed, &group))
    }

    #[test]
    fn the_owner_may_read_and_add_whatever_the_preset() {
        for access in [Access::Private, Access::GlobalRead, Access::GlobalWrite, Access::GlobalReadWrite] {
            assert_eq!(rights(access, "timeline:alice"), (true, true), "{access:?}");
        }
    }

    #[test]
    fn the_preset_says_what_others_may() {
        assert_eq!(rights(Access::Private, "timeline:bob"), (false, false));
        assert_eq!(rights(Access::GlobalRead, "user:bob"), (true, false));
        assert_eq!(rights(Access::GlobalWrite, "notification:bob"), (false, true));
        assert_eq!(rights(Access::GlobalReadWrite, "open:bob"), (true, true));
    }

    #[test]
    fn the_actor_of_an_own_activity_is_the_own_reference() {
        let alice = UserId::parse("alice").unwrap();
        assert!(is_own_actor(&alice, "SU:alice"));
        assert!(
            !is_own_actor(&alice, "alice") && !is_own_actor(&alice, "SU:bob") && !is_own_actor(&alice, "SU:alice2")
        );
    }
}
