//! What a user leaves in each table, and a walk over the whole app that removes it (v2 §5.6).
//!
//! [`RULES`], with those of feeds v3 beside it, is the list of all tables with what happens to a row that names an erased
//! user: a table that holds personal data and has no rule fails a test. The stages before the walk remove what is counted
//! and told of; the walk removes the rest: the issuer of a ban, a mention, the maker of a channel that stays.

mod events;
mod feeds_v3;
mod walk;

use ids::{Timestamp, UserId};
use store::{Corrupt, Key, Record, Stamp, Table, split};

use super::feeds;
pub use super::residue::of_user as residue;
use crate::{
    Result,
    Tx,
    chat::messages::Listed,
    feeds::reactions::About,
    // A rule for every table.
    keyspace::*,
    moderation::flags,
    tasks::{Leaver, Progress},
    users::{Ban, User},
};
pub(super) use events::MUST_BE_TOLD;
use walk::{walk, walked};

/// What happens to a row.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Trace {
    /// It tells nothing of the user.
    Nothing,
    /// It goes.
    Row,
    /// It stays with this value.
    Fields(Vec<u8>),
}

/// What a rule is told: the key, the value, and who leaves.
type Rule = fn(&[u8], &[u8], &Leaver) -> std::result::Result<Trace, Corrupt>;

/// What a look at a typed row finds.
enum Found {
    Nothing,
    Row,
    Fields,
}

impl Found {
    /// The row goes if `is_theirs`; else it may have changed fields.
    fn row(is_theirs: bool, has_changed: bool) -> Found {
        match (is_theirs, has_changed) {
            (true, _) => Found::Row,
            (false, true) => Found::Fields,
            (false, false) => Found::Nothing,
        }
    }
}

/// Tables that hold personal data: what happens to a row that names an erased user.
///
/// Not here are the tasks themselves, which name whom they were about for as long as they tell what came of it.
const RULES: &[(u8, Rule)] = &[
    // What feeds hold goes with its mirrors, in a stage of its own; here it is only found.
    (ACTIVITY.tag(), |key, value, leaver| {
        look(&ACTIVITY, key, value, |_, activity| {
            let names = activity.to.iter().any(|feed| feeds::is_own(feed, &leaver.id));
            Found::row(feeds::is_actor(&activity.actor, &leaver.id) || names, false)
        })
    }),
    (ACTIVITY_FOREIGN.tag(), |_, _, _| Ok(Trace::Nothing)),
    (POSTED.tag(), |key, _, leaver| of_feed(key, leaver, |(feed, _): &(Feed, Newest)| vec![feed])),
    (PLACED.tag(), |key, _, leaver| of_feed(key, leaver, |(_, feed): &(Id, Feed)| vec![feed])),
    (HORIZON.tag(), |key, _, leaver| of_feed(key, leaver, |feed: &Feed| vec![feed])),
    (LATE.tag(), |key, _, leaver| of_feed(key, leaver, |(feed, ..): &(Feed, Stamp, u16)| vec![feed])),
    (FOLLOWING.tag(), |key, _, leaver| of_feed(key, leaver, |(feed, target): &(Feed, Feed)| vec![feed, target])),
    (FOLLOWING_ORDER.tag(), |key, _, leaver| {
        of_feed(key, leaver, |(feed, _, target): &(Feed, Latest, Feed)| vec![feed, target])
    }),
    (FOLLOWER_ORDER.tag(), |key, _, leaver| {
        of_feed(key, leaver, |(feed, _, target): &(Feed, Latest, Feed)| vec![feed, target])
    }),
    (FOLLOWERS.tag(), |key, _, leaver| of_feed(key, leaver, |(feed, _): &(Feed, String)| vec![feed])),
    (FOLLOWED.tag(), |key, _, leaver| of_feed(key, leaver, |(feed, _): &(Feed, String)| vec![feed])),
    (PROFILE.tag(), |key, value, leaver| look(&PROFILE, key, value, |user, _| theirs(leaver, [user]))),
    (ITEM.tag(), |key, value, leaver| {
        look(&ITEM, key, value, |_, item| Found::row(item.user.as_ref() == Some(&leaver.id), false))
    }),
    (FEED_REACTION.tag(), |key, value, leaver| {
        look(&FEED_REACTION, key, value, |_, reaction| {
            let before = reaction.target_feeds.len();
            reaction.target_feeds.retain(|feed| !feeds::is_own(feed, &leaver.id));
            Found::row(reaction.user == leaver.id, reaction.target_feeds.len() < before)
        })
    }),
    // A mirror of those; one of its lists is by user.
    (FEED_REACTIONS.tag(), |key, value, leaver| {
        look(&FEED_REACTIONS, key, value, |(about, ..), ()| Found::row(*about == About::User(leaver.id.clone()), false))
    }),
    (OWN_REACTIONS.tag(), |key, value, leaver| {
        look(&OWN_REACTIONS, key, value, |(_, user, ..), _| theirs(leaver, [user]))
    }),
    (NOTED.tag(), |key, _, leaver| of_feed(key, leaver, |(feed, ..): &(Feed, u8, u64)| vec![feed])),
    // What is told of a deletion must be told; it says whose and nothing else.
    (LOG.tag(), events::any),
    // The user's own row goes last.
    (USER.tag(), |key, value, leaver| {
        look(&USER, key, value, |id, user| Found::row(false, *id != leaver.id.as_str() && forget(user, &leaver.id)))
    }),
    (DEVICE.tag(), |key, value, leaver| look(&DEVICE, key, value, |(user, _), _| theirs(leaver, [user]))),
    (PUSH_PREFERENCE.tag(), |key, value, leaver| {
        look(&PUSH_PREFERENCE, key, value, |(user, _), _| theirs(leaver, [user]))
    }),
    (MUTE.tag(), |key, value, leaver| look(&MUTE, key, value, |(user, muted), _| theirs(leaver, [user, muted]))),
    (MUTED.tag(), |key, value, leaver| look(&MUTED, key, value, |(muted, by), ()| theirs(leaver, [muted, by]))),
    (BLOCKED.tag(), |key, value, leaver| look(&BLOCKED, key, value, |(user, by), ()| theirs(leaver, [user, by]))),
    (BAN.tag(), |key, value, leaver| {
        look(&BAN, key, value, |(user, _), ban| Found::row(is(leaver, user), forget_issuer(Some(ban), &leaver.id)))
    }),
    (ADDRESS_BAN.tag(), |key, value, leaver| look(&ADDRESS_BAN, key, value, |(_, user, _), ()| theirs(leaver, [user]))),
    (FUTURE_BAN.tag(), |key, value, leaver| look(&FUTURE_BAN, key, value, |(user, by), _| theirs(leaver, [user, by]))),
    (FLAG.tag(), |key, value, leaver| {
        look(&FLAG, key, value, |(kind, thing, by), flag| {
            Found::row(is(leaver, by) || is_reported(leaver, kind, thing, flag.creator.as_ref()), false)
        })
    }),
    (REVIEW.tag(), |key, value, leaver| {
        look(&REVIEW, key, value, |_, item| {
            let is_theirs = is_reported(leaver, &item.entity.kind, &item.entity.id, item.creator.as_ref());
            let was_theirs = replace(&mut item.reviewed_by, &leaver.id, None);
            let was_handed = item.escalation.as_mut().is_some_and(|handed| {
                let was_theirs = replace(&mut handed.by, &leaver.id, None);
                if was_theirs {
                    // Why, they said in their own words.
                    handed.reason.clear();
                    handed.notes.clear();
                }
                was_theirs
            });
            let was_locked = item.lock.take_if(|lock| lock.by == leaver.id).is_some();
            Found::row(is_theirs, was_theirs || was_handed || was_locked)
        })
    }),
    (REVIEW_OF.tag(), |key, value, leaver| {
        look(&REVIEW_OF, key, value, |(kind, thing), _| Found::row(is_reported(leaver, kind, thing, None), false))
    }),
    (FLAGGED_BY.tag(), |key, value, leaver| {
        look(&FLAGGED_BY, key, value, |(by, kind, thing), ()| {
            Found::row(is(leaver, by) || is_reported(leaver, kind, thing, None), false)
        })
    }),
    (FLAGGED.tag(), |key, value, leaver| look(&FLAGGED, key, value, |(user, ..), ()| theirs(leaver, [user]))),
    (ACTION.tag(), |key, value, leaver| {
        look(&ACTION, key, value, |_, action| {
            let entity = action.entity.as_ref();
            let is_about = entity.is_some_and(|entity| is_reported(leaver, &entity.kind, &entity.id, None));
            let is_theirs = is_about || action.target.as_ref() == Some(&leaver.id);
            let was_theirs = replace(&mut action.user, &leaver.id, None);
            if was_theirs {
                // Why, they said in their own words.
                action.reason.clear();
                action.custom = "{}".to_owned();
            }
            Found::row(is_theirs, was_theirs)
        })
    }),
    (SAID.tag(), |key, value, leaver| look(&SAID, key, value, |(user, ..), _| theirs(leaver, [user]))),
    (APPEAL.tag(), |key, value, leaver| {
        look(&APPEAL, key, value, |_, appeal| {
            let is_about = is_reported(leaver, &appeal.entity.kind, &appeal.entity.id, Some(&appeal.user));
            let was_theirs = replace(&mut appeal.decided_by, &leaver.id, None);
            if was_theirs {
                // Why, they said in their own words.
                appeal.decision.clear();
            }
            Found::row(is_about, was_theirs)
        })
    }),
    (APPEALED_BY.tag(), |key, value, leaver| look(&APPEALED_BY, key, value, |(user, _), ()| theirs(leaver, [user]))),
    (MODERATION_SETTING.tag(), |key, value, leaver| {
        look(&MODERATION_SETTING, key, value, |_, setting| {
            Found::row(false, replace(&mut setting.created_by, &leaver.id, None))
        })
    }),
    (CHANNEL.tag(), |key, value, leaver| {
        look(&CHANNEL, key, value, |_, channel| {
            let was_theirs = replace(&mut channel.created_by, &leaver.id, Some(&leaver.heir));
            Found::row(false, replace(&mut channel.truncated_by, &leaver.id, None) || was_theirs)
        })
    }),
    (MEMBER.tag(), |key, value, leaver| {
        look(&MEMBER, key, value, |(_, user), member| {
            Found::row(is(leaver, user), forget_issuer(member.ban.as_mut(), &leaver.id))
        })
    }),
    (MEMBERSHIP.tag(), |key, value, leaver| look(&MEMBERSHIP, key, value, |(user, _), ()| theirs(leaver, [user]))),
    (READ.tag(), |key, value, leaver| look(&READ, key, value, |(_, user), _| theirs(leaver, [user]))),
    (HIDDEN.tag(), |key, value, leaver| look(&HIDDEN, key, value, |(_, user), _| theirs(leaver, [user]))),
    (CHANNEL_MUTE.tag(), |key, value, leaver| look(&CHANNEL_MUTE, key, value, |(user, _), _| theirs(leaver, [user]))),
    (MESSAGE.tag(), |key, value, leaver| {
        look(&MESSAGE, key, value, |_, message| {
            let author = message.user.clone();
            let mut has_changed = retain(&mut message.mentioned, &leaver.id);
            has_changed |= hide(&mut message.visible_to, author.as_ref(), &leaver.id);
            if let Some(pin) = &mut message.pin {
                has_changed |= replace(&mut pin.by, &leaver.id, None);
            }
            has_changed |= replace(&mut message.edited_by, &leaver.id, None);
            Found::row(author.as_ref() == Some(&leaver.id), has_changed)
        })
    }),
    (CHANNEL_MESSAGE.tag(), |key, value, leaver| {
        look(&CHANNEL_MESSAGE, key, value, |_, row| forget_listed(&mut row.value, &leaver.id))
    }),
    (REPLY.tag(), |key, value, leaver| look(&REPLY, key, value, |_, row| forget_listed(&mut row.value, &leaver.id))),
    (REACTION.tag(), |key, value, leaver| look(&REACTION, key, value, |(_, user, _), _| theirs(leaver, [user]))),
    (REACTION_ORDER.tag(), |key, value, leaver| {
        look(&REACTION_ORDER, key, value, |(_, _, user, _), ()| theirs(leaver, [user]))
    }),
    (REACTION_GROUP.tag(), |key, value, leaver| {
        look(&REACTION_GROUP, key, value, |(.., user), ()| theirs(leaver, [user]))
    }),
    (THREAD.tag(), |key, value, leaver| {
        look(&THREAD, key, value, |_, thread| {
            let was_theirs = replace(&mut thread.created_by, &leaver.id, None);
            if was_theirs {
                thread.title = None;
                thread.custom = "{}".to_owned();
            }
            Found::row(false, was_theirs)
        })
    }),
    (PARTICIPANT.tag(), |key, value, leaver| look(&PARTICIPANT, key, value, |(_, user), _| theirs(leaver, [user]))),
    (PARTICIPATION.tag(), |key, value, leaver| {
        look(&PARTICIPATION, key, value, |(user, _), ()| theirs(leaver, [user]))
    }),
    (VERSION.tag(), |key, value, leaver| {
        look(&VERSION, key, value, |_, version| Found::row(version.by.as_ref() == Some(&leaver.id), false))
    }),
    (DELETED_FOR.tag(), |key, value, leaver| look(&DELETED_FOR, key, value, |(_, user, _), _| theirs(leaver, [user]))),
    (PENDING.tag(), |key, value, leaver| look(&PENDING, key, value, |(_, user, ..), ()| theirs(leaver, [user]))),
    (PACE.tag(), |key, value, leaver| look(&PACE, key, value, |(_, user), _| theirs(leaver, [user]))),
    (DRAFT.tag(), |key, value, leaver| {
        look(&DRAFT, key, value, |(user, ..), draft| {
            Found::row(is(leaver, user), retain(&mut draft.mentioned, &leaver.id))
        })
    }),
    (DRAFTED.tag(), |key, value, leaver| look(&DRAFTED, key, value, |(_, user, _), ()| theirs(leaver, [user]))),
    (REMINDER.tag(), |key, value, leaver| look(&REMINDER, key, value, |(user, _), _| theirs(leaver, [user]))),
    (REMINDED.tag(), |key, value, leaver| look(&REMINDED, key, value, |(_, user), ()| theirs(leaver, [user]))),
    (REMINDER_DUE.tag(), |key, value, leaver| {
        look(&REMINDER_DUE, key, value, |(_, user, _), ()| theirs(leaver, [user]))
    }),
    (LIVE.tag(), |key, value, leaver| look(&LIVE, key, value, |(user, ..), ()| theirs(leaver, [user]))),
    // What the user did with polls goes in a stage before, with what is counted of it.
    (POLL.tag(), |key, value, leaver| look(&POLL, key, value, |_, poll| Found::row(false, poll.forget(&leaver.id)))),
    (VOTE.tag(), |key, value, leaver| look(&VOTE, key, value, |_, vote| Found::row(vote.user == leaver.id, false))),
    (POLLED.tag(), |key, value, leaver| look(&POLLED, key, value, |(user, ..), ()| theirs(leaver, [user]))),
    (USER_NAME.tag(), |key, value, leaver| look(&USER_NAME, key, value, |(_, user), ()| theirs(leaver, [user]))),
    (USER_GROUP.tag(), |key, value, leaver| {
        look(&USER_GROUP, key, value, |_, group| Found::row(false, replace(&mut group.created_by, &leaver.id, None)))
    }),
    (CAMPAIGN.tag(), |key, value, leaver| {
        look(&CAMPAIGN, key, value, |_, campaign| Found::row(false, campaign.forget(&leaver.id)))
    }),
    (SEGMENT_TARGET.tag(), |key, value, leaver| {
        look(&SEGMENT_TARGET, key, value, |(_, target), _| theirs(leaver, [target]))
    }),
    (USER_GROUP_MEMBER.tag(), |key, value, leaver| {
        look(&USER_GROUP_MEMBER, key, value, |(_, user), _| theirs(leaver, [user]))
    }),
    // What is left here has no bytes any more: a stage before removes files with them.
    (FILE.tag(), |key, value, leaver| {
        look(&FILE, key, value, |_, file| Found::row(file.owner.as_ref() == Some(&leaver.id), false))
    }),
    // That something was done stays, and not by whom.
    (AUDIT.tag(), |key, value, leaver| {
        look(&AUDIT, key, value, |_, noted| Found::row(false, replace(&mut noted.user, &leaver.id, None)))
    }),
    (AUDIT_OF_USER.tag(), |key, value, leaver| {
        look(&AUDIT_OF_USER, key, value, |(user, ..), ()| theirs(leaver, [user]))
    }),
    (UPLOADED.tag(), |key, value, leaver| look(&UPLOADED, key, value, |(user, _), ()| theirs(leaver, [user]))),
    // Files go with the user's own row, and these with them.
    (EXPORT.tag(), |_, _, _| Ok(Trace::Nothing)),
    (EXPORTED.tag(), |_, _, _| Ok(Trace::Nothing)),
    (AUTHORED.tag(), |key, value, leaver| look(&AUTHORED, key, value, |(user, ..), ()| theirs(leaver, [user]))),
    (REACTED.tag(), |key, value, leaver| look(&REACTED, key, value, |(user, ..), ()| theirs(leaver, [user]))),
];

/// Decodes a row, looks at it, and encodes it again if its fields changed.
fn look<K: Key, V: Record>(
    table: &Table<K, V>,
    key: &[u8],
    value: &[u8],
    look: impl FnOnce(&K, &mut V) -> Found,
) -> std::result::Result<Trace, Corrupt> {
    let mut record = table.decode(key, value)?;
    Ok(match look(&table.decode_key(key)?, &mut record) {
        Found::Nothing => Trace::Nothing,
        Found::Row => Trace::Row,
        Found::Fields => Trace::Fields(record.encode()),
    })
}

/// A row goes whose key holds a feed of who leaves.
fn of_feed<K: Key>(
    key: &[u8],
    leaver: &Leaver,
    feeds_of: impl FnOnce(&K) -> Vec<&Feed>,
) -> std::result::Result<Trace, Corrupt> {
    let Some((_, _, mut typed)) = split(key) else { return Ok(Trace::Nothing) };
    let typed = K::read(&mut typed)?;
    let is_theirs = feeds_of(&typed).into_iter().any(|Feed(feed)| feeds::is_own(feed, &leaver.id));
    Ok(if is_theirs { Trace::Row } else { Trace::Nothing })
}

fn is(leaver: &Leaver, user: &str) -> bool {
    user == leaver.id.as_str()
}

/// Whether one of the users of a key is who leaves.
fn theirs<const N: usize>(leaver: &Leaver, users: [&String; N]) -> Found {
    Found::row(users.into_iter().any(|user| is(leaver, user)), false)
}

/// Whether what was reported is who leaves, or theirs.
fn is_reported(leaver: &Leaver, kind: &str, thing: &str, creator: Option<&UserId>) -> bool {
    creator == Some(&leaver.id) || (kind == flags::USER && is(leaver, thing))
}

fn replace(field: &mut Option<UserId>, user: &UserId, by: Option<&UserId>) -> bool {
    let is_theirs = field.as_ref() == Some(user);
    if is_theirs {
        *field = by.cloned();
    }
    is_theirs
}

fn retain(users: &mut Vec<UserId>, user: &UserId) -> bool {
    let before = users.len();
    users.retain(|other| other != user);
    users.len() < before
}

/// Takes `user` out of those who may see something. An empty list would show it to everybody: then its author stays.
fn hide(visible_to: &mut Vec<UserId>, author: Option<&UserId>, user: &UserId) -> bool {
    let has_changed = retain(visible_to, user);
    if has_changed && visible_to.is_empty() {
        visible_to.extend(author.cloned());
    }
    has_changed
}

fn forget(user: &mut User, leaver: &UserId) -> bool {
    let before = user.blocked.len();
    user.blocked.retain(|block| block.user != *leaver);
    let has_changed = user.blocked.len() < before;
    forget_issuer(user.ban.as_mut(), leaver) || has_changed
}

/// A ban stays without who issued it, and without the reason in their words.
fn forget_issuer(ban: Option<&mut Ban>, leaver: &UserId) -> bool {
    let Some(ban) = ban else { return false };
    let was_theirs = replace(&mut ban.by, leaver, None);
    if was_theirs {
        ban.reason.clear();
    }
    was_theirs
}

fn forget_listed(listed: &mut Listed, leaver: &UserId) -> Found {
    let author = listed.user.clone();
    let has_changed = hide(&mut listed.visible_to, author.as_ref(), leaver);
    Found::row(author.as_ref() == Some(leaver), has_changed)
}

/// Does a step of the walk over all that the stages before it may have left; whether it is at its end.
///
/// # Errors
/// When the store fails.
pub(super) async fn erase(tx: &mut Tx, leaver: &Leaver, progress: &mut Progress, now: Timestamp) -> Result<bool> {
    walk(tx, &walked(), leaver, progress, now, trace).await
}

/// Does a step of a walk that takes out of the log what it tells of what `user` has in feeds, and if that did not go for good
/// in feeds v3, of v1.0 alone; whether it is at its end.
///
/// # Errors
/// When the store fails.
pub(super) async fn erase_feed_events(
    tx: &mut Tx,
    user: &UserId,
    is_hard: bool,
    progress: &mut Progress,
    now: Timestamp,
) -> Result<bool> {
    let look = if is_hard { events::of_feeds } else { events::of_feeds_v1 };
    let log = LOG.tag()..LOG.tag() + 1;
    walk(tx, &[log], &Leaver::alone(user), progress, now, look).await
}

/// Whether the rules of the row's table find `leaver` in it.
pub(super) fn is_trace(key: &[u8], value: &[u8], leaver: &Leaver) -> std::result::Result<bool, Corrupt> {
    Ok(trace(key, value, leaver)? != Trace::Nothing)
}

/// What happens to the rows of the table with this tag.
fn rule(tag: u8) -> Option<Rule> {
    RULES.iter().chain(feeds_v3::RULES).find(|(known, _)| *known == tag).map(|(_, rule)| *rule)
}

fn trace(key: &[u8], value: &[u8], leaver: &Leaver) -> std::result::Result<Trace, Corrupt> {
    let tag = split(key).map(|(_, tag, _)| tag);
    match tag.and_then(rule) {
        Some(rule) => rule(key, value, leaver),
        None => Ok(Trace::Nothing),
    }
}

/// Whether a record names `user`: in a field of its own, or as a text of the JSON that it holds.
pub(super) fn names(value: &[u8], user: &UserId) -> bool {
    let field = minicbor::to_vec(user).expect("writing to memory cannot fail");
    has(value, &field) || has(value, format!("\"{user}\"").as_bytes())
}

pub(super) fn has(bytes: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(bytes, part).is_some()
}

#[cfg(test)]
mod tests;
