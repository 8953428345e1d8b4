//! The rules of the tables of feeds v3.

use super::*;

/// As [`super::RULES`]. What feeds v3 hold goes in a stage of its own; here it is only found. Streams name nobody.
pub(super) const RULES: &[(u8, Rule)] = &[
    (V3_FEED.tag(), |key, value, leaver| {
        look(&V3_FEED, key, value, |_, feed| Found::row(false, replace(&mut feed.created_by, &leaver.id, None)))
    }),
    (V3_STREAM.tag(), |_, _, _| Ok(Trace::Nothing)),
    (V3_ACTIVITY.tag(), |key, value, leaver| {
        look(&V3_ACTIVITY, key, value, |_, activity| {
            let is_theirs = activity.user.as_ref() == Some(&leaver.id);
            Found::row(is_theirs, retain(&mut activity.content.mentioned, &leaver.id))
        })
    }),
    (V3_ACTIVITY_ID.tag(), |_, _, _| Ok(Trace::Nothing)),
    (V3_FOLLOW.tag(), |_, _, _| Ok(Trace::Nothing)),
    (V3_FOLLOWER.tag(), |_, _, _| Ok(Trace::Nothing)),
    (V3_OWNED.tag(), |key, value, leaver| look(&V3_OWNED, key, value, |(user, ..), ()| theirs(leaver, [user]))),
    (V3_NAMED.tag(), |key, value, leaver| look(&V3_NAMED, key, value, |(user, ..), ()| theirs(leaver, [user]))),
    (V3_MARK.tag(), |key, value, leaver| look(&V3_MARK, key, value, |(user, ..), _| theirs(leaver, [user]))),
    (V3_NOTIFIED.tag(), |key, value, leaver| look(&V3_NOTIFIED, key, value, |(_, _, by, _), ()| theirs(leaver, [by]))),
    (V3_FEEDBACK.tag(), |key, value, leaver| look(&V3_FEEDBACK, key, value, |(_, user), _| theirs(leaver, [user]))),
    (V3_PIN.tag(), |key, value, leaver| {
        look(&V3_PIN, key, value, |_, pin| Found::row(false, replace(&mut pin.by, &leaver.id, None)))
    }),
    (V3_MEMBER.tag(), |key, value, leaver| look(&V3_MEMBER, key, value, |(_, user), _| theirs(leaver, [user]))),
    // What the user made of activities of feeds v3 goes in a stage before, with what is counted of it.
    (V3_COMMENT.tag(), |key, value, leaver| {
        look(&V3_COMMENT, key, value, |_, comment| {
            let is_theirs = comment.user.as_ref() == Some(&leaver.id);
            Found::row(is_theirs, retain(&mut comment.mentioned, &leaver.id))
        })
    }),
    (V3_COMMENTED.tag(), |key, value, leaver| look(&V3_COMMENTED, key, value, |(user, ..), ()| theirs(leaver, [user]))),
    (V3_REACTION.tag(), |key, value, leaver| look(&V3_REACTION, key, value, |(_, user, _), _| theirs(leaver, [user]))),
    (V3_REACTION_ORDER.tag(), |key, value, leaver| {
        look(&V3_REACTION_ORDER, key, value, |(_, _, user, _), ()| theirs(leaver, [user]))
    }),
    (V3_REACTION_GROUP.tag(), |key, value, leaver| {
        look(&V3_REACTION_GROUP, key, value, |(.., user), ()| theirs(leaver, [user]))
    }),
    (V3_REACTED.tag(), |key, value, leaver| look(&V3_REACTED, key, value, |(user, ..), ()| theirs(leaver, [user]))),
    (V3_BOOKMARK.tag(), |key, value, leaver| look(&V3_BOOKMARK, key, value, |(user, ..), _| theirs(leaver, [user]))),
    (V3_BOOKMARKED.tag(), |key, value, leaver| {
        look(&V3_BOOKMARKED, key, value, |(_, user, _), ()| theirs(leaver, [user]))
    }),
    (V3_FOLDER.tag(), |key, value, leaver| {
        look(&V3_FOLDER, key, value, |_, folder| Found::row(folder.user == leaver.id, false))
    }),
    (V3_FOLDER_NAME.tag(), |key, value, leaver| {
        look(&V3_FOLDER_NAME, key, value, |(user, _), _| theirs(leaver, [user]))
    }),
    (V3_COLLECTION.tag(), |key, value, leaver| {
        look(&V3_COLLECTION, key, value, |_, entry| Found::row(entry.user.as_ref() == Some(&leaver.id), false))
    }),
    (V3_COLLECTED.tag(), |key, value, leaver| look(&V3_COLLECTED, key, value, |(user, ..), ()| theirs(leaver, [user]))),
];
