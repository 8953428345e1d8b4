//! The sets of the export of users: the account, and chat.

use ids::{ChannelId, MessageId, Timestamp, UserId};
use store::{Direction, Limit, key::after};

use super::Walk;
use crate::{
    Result, Tx,
    chat::{
        channels::{Channel, Hidden},
        drafts::Draft,
        members::Member,
        messages::{Message, Reacted, Version},
        push::preferences::Preference,
        reads::Read,
        reminders::Reminder,
        threads::{Participant, Thread},
        user_groups::{UserGroup, UserGroupMember},
    },
    exports::sets::UserSet,
    files::File,
    keyspace::{
        AUTHORED, BAN, CHANNEL, CHANNEL_MUTE, Chat, DELETED_FOR, DEVICE, DRAFT, FILE, FLAG, FLAGGED_BY, FUTURE_BAN,
        HIDDEN, MEMBER, MEMBERSHIP, MESSAGE, MUTE, PARTICIPANT, PARTICIPATION, PUSH_PREFERENCE, REACTED, REACTION,
        READ, REMINDER, THREAD, UPLOADED, USER_GROUP, USER_GROUP_MEMBER, VERSION,
    },
    moderation::flags::{Entity, Flag},
    polls::{Cast, Poll, PollOption},
    rows,
    users::{self, Ban, User, blocks::Block, devices::Device, mutes::Mute},
};

/// Rows of an index that are read at a time, each with the rows that it leads to, which may be large.
const LED_MAX: usize = 50;

/// A row of the export of users.
#[derive(Clone, Debug)]
pub enum UserRow {
    /// The profile.
    User(Box<User>),
    /// A channel, and how the user is a member.
    Member(Box<Membership>),
    /// A device and its id.
    Device(String, Device),
    /// What the user wants, in a channel or everywhere.
    PushPreference(Option<ChannelId>, Preference),
    /// A block of somebody.
    Block(Block),
    /// A mute of somebody.
    Mute(UserId, Mute),
    /// A mute of a channel.
    ChannelMute(ChannelId, Mute),
    /// A ban of the user: from a channel, from the whole app, or from channels that somebody makes later.
    Ban {
        /// From which channel, if from one.
        channel: Option<ChannelId>,
        /// Whether from channels that are made later.
        is_future: bool,
        /// The ban.
        ban: Ban,
    },
    /// What the user reported.
    Flag(Entity, Flag),
    /// A group, and how the user belongs to it.
    UserGroup(String, UserGroup, Option<UserGroupMember>),
    /// An upload and its id.
    File(String, File),
    /// The parent of a thread, how the user takes part, and the thread itself if it is the user's.
    Thread(String, Participant, Option<Thread>),
    /// Something that the user said.
    Message(MessageId, Box<Message>),
    /// A message, when an older version of it was written, and that.
    Version(String, Timestamp, Version),
    /// A reaction of the user.
    Reaction(ReactedTo),
    /// A channel, the parent of a thread or nothing, and what the user has begun to write there.
    Draft(ChannelId, String, Box<Draft>),
    /// A message that the user saved, and how.
    Reminder(String, Reminder),
    /// A poll that the user made, and its id.
    Poll(String, Box<Poll>),
    /// A poll, and an option of it that the user suggested.
    PollOption(String, Box<PollOption>),
    /// A poll, and a vote or an answer of the user.
    Vote(String, Cast),
}

/// How the user is a member of a channel.
#[derive(Clone, Debug)]
pub struct Membership {
    /// Of which.
    pub channel: ChannelId,
    /// How.
    pub member: Member,
    /// How far it was read.
    pub read: Option<Read>,
    /// Since when the user hides it.
    pub hidden: Option<Hidden>,
    /// The channel's row, if the user made it.
    pub made: Option<Channel>,
    /// Messages that the user deleted for themselves.
    pub deleted_for: Vec<String>,
}

/// A reaction to the message `message`.
#[derive(Clone, Debug)]
pub struct ReactedTo {
    /// To what.
    pub message: String,
    /// By whom, and how.
    pub reacted: Reacted,
}

/// The next rows of `set` that `user` has, in the order of their keys; `None` after the last.
///
/// # Errors
/// When the store fails.
pub async fn page(tx: &mut Tx, user: &UserId, set: UserSet, walk: &mut Walk) -> Result<Option<Vec<UserRow>>> {
    match set {
        UserSet::User => match walk.is_first() {
            true => Ok(users::get(tx, user).await?.map(|user| vec![UserRow::User(Box::new(user))])),
            false => Ok(None),
        },
        UserSet::Members => members(tx, user, walk).await,
        UserSet::Devices => {
            let range = DEVICE.prefix(tx.tenant(), &user.to_string());
            let rows = walk.next(tx, &DEVICE, range, Limit::PAGE).await?;
            Ok(each(rows, |((_, id), device)| Some(UserRow::Device(id, device))))
        }
        UserSet::PushPreferences => {
            let range = PUSH_PREFERENCE.prefix(tx.tenant(), &user.to_string());
            let rows = walk.next(tx, &PUSH_PREFERENCE, range, Limit::PAGE).await?;
            Ok(each(rows, |((_, channel), preference)| {
                Some(UserRow::PushPreference(ChannelId::parse(&channel).ok(), preference))
            }))
        }
        UserSet::Blocks => match walk.is_first() {
            true => {
                let blocked = users::get(tx, user).await?.map(|user| user.blocked);
                Ok(each(blocked, |block| Some(UserRow::Block(block))))
            }
            false => Ok(None),
        },
        UserSet::Mutes => {
            let range = MUTE.prefix(tx.tenant(), &user.to_string());
            let rows = walk.next(tx, &MUTE, range, Limit::PAGE).await?;
            Ok(each(rows, |((_, target), mute)| Some(UserRow::Mute(UserId::parse(&target).ok()?, mute))))
        }
        UserSet::ChannelMutes => {
            let range = CHANNEL_MUTE.prefix(tx.tenant(), &user.to_string());
            let rows = walk.next(tx, &CHANNEL_MUTE, range, Limit::PAGE).await?;
            Ok(each(rows, |((_, Chat(channel)), mute)| Some(UserRow::ChannelMute(channel, mute))))
        }
        UserSet::Bans => bans(tx, user, walk).await,
        UserSet::Flags => flags(tx, user, walk).await,
        UserSet::UserGroups => user_groups(tx, user, walk).await,
        UserSet::Files => files(tx, user, walk).await,
        UserSet::Threads => threads(tx, user, walk).await,
        UserSet::Messages => messages(tx, user, walk).await,
        UserSet::Versions => versions(tx, user, walk).await,
        UserSet::Reactions => reactions(tx, user, walk).await,
        UserSet::Drafts => {
            let range = DRAFT.prefix(tx.tenant(), &user.to_string());
            let rows = walk.next(tx, &DRAFT, range, Limit::rows(LED_MAX)).await?;
            Ok(each(rows, |((_, Chat(channel), parent), draft)| Some(UserRow::Draft(channel, parent, Box::new(draft)))))
        }
        UserSet::Reminders => {
            let range = REMINDER.prefix(tx.tenant(), &user.to_string());
            let rows = walk.next(tx, &REMINDER, range, Limit::PAGE).await?;
            Ok(each(rows, |((_, message), reminder)| Some(UserRow::Reminder(message, reminder))))
        }
        UserSet::Polls => super::polls::made(tx, user, walk).await,
        UserSet::Votes => super::polls::votes(tx, user, walk).await,
    }
}

fn each<R>(rows: Option<Vec<R>>, told: impl FnMut(R) -> Option<UserRow>) -> Option<Vec<UserRow>> {
    Some(rows?.into_iter().filter_map(told).collect())
}

async fn members(tx: &mut Tx, user: &UserId, walk: &mut Walk) -> Result<Option<Vec<UserRow>>> {
    let tenant = tx.tenant();
    let range = MEMBERSHIP.prefix(tenant, &user.to_string());
    let Some(rows) = walk.next(tx, &MEMBERSHIP, range, Limit::rows(LED_MAX)).await? else { return Ok(None) };
    let mut found = Vec::new();
    for ((name, chat), ()) in rows {
        let key = (chat.clone(), name);
        let Some(member) = MEMBER.get(tx, tenant, &key).await? else { continue };
        let made = CHANNEL.get(tx, tenant, &chat).await?.filter(|channel| channel.created_by.as_ref() == Some(user));
        let deleted_for = rows::list(tx, &DELETED_FOR, DELETED_FOR.prefix(tenant, &key), usize::MAX).await?;
        let membership = Membership {
            member,
            read: READ.get(tx, tenant, &key).await?.map(|read| read.value),
            hidden: HIDDEN.get(tx, tenant, &key).await?,
            made,
            deleted_for: deleted_for.into_iter().map(|((.., message), _)| message).collect(),
            channel: chat.0,
        };
        found.push(UserRow::Member(Box::new(membership)));
    }
    Ok(Some(found))
}

/// Bans that are in force by name first, then those that wait for channels to come.
async fn bans(tx: &mut Tx, user: &UserId, walk: &mut Walk) -> Result<Option<Vec<UserRow>>> {
    let tenant = tx.tenant();
    let is_begun = walk.last.is_some();
    let range = BAN.prefix(tenant, &user.to_string());
    let Some(rows) = walk.next(tx, &BAN, range, Limit::PAGE).await? else { return Ok(None) };
    let row = |((_, channel), ban): ((String, String), Ban)| UserRow::Ban {
        channel: ChannelId::parse(&channel).ok(),
        is_future: false,
        ban,
    };
    let mut found: Vec<_> = rows.into_iter().map(row).collect();
    if !is_begun {
        let range = FUTURE_BAN.prefix(tenant, &user.to_string());
        let future = rows::list(tx, &FUTURE_BAN, range, usize::MAX).await?;
        found.extend(future.into_iter().map(|(_, ban)| UserRow::Ban { channel: None, is_future: true, ban }));
    }
    Ok(Some(found))
}

async fn flags(tx: &mut Tx, user: &UserId, walk: &mut Walk) -> Result<Option<Vec<UserRow>>> {
    let tenant = tx.tenant();
    let range = FLAGGED_BY.prefix(tenant, &user.to_string());
    let Some(rows) = walk.next(tx, &FLAGGED_BY, range, Limit::rows(LED_MAX)).await? else { return Ok(None) };
    let keys: Vec<_> = rows.into_iter().map(|((by, kind, id), ())| (kind, id, by)).collect();
    let flags = FLAG.get_many(tx, tenant, &keys).await?;
    let row = |((kind, id, _), flag): ((String, String, String), Option<Flag>)| {
        Some(UserRow::Flag(Entity { kind, id }, flag?))
    };
    Ok(Some(keys.into_iter().zip(flags).filter_map(row).collect()))
}

async fn user_groups(tx: &mut Tx, user: &UserId, walk: &mut Walk) -> Result<Option<Vec<UserRow>>> {
    let tenant = tx.tenant();
    let Some(rows) = walk.next(tx, &USER_GROUP, USER_GROUP.range(tenant), Limit::PAGE).await? else { return Ok(None) };
    let mut found = Vec::new();
    for (id, group) in rows {
        let member = USER_GROUP_MEMBER.get(tx, tenant, &(id.clone(), user.to_string())).await?;
        if member.is_some() || group.created_by.as_ref() == Some(user) {
            found.push(UserRow::UserGroup(id, group, member));
        }
    }
    Ok(Some(found))
}

async fn files(tx: &mut Tx, user: &UserId, walk: &mut Walk) -> Result<Option<Vec<UserRow>>> {
    let tenant = tx.tenant();
    let range = UPLOADED.prefix(tenant, &user.to_string());
    let Some(rows) = walk.next(tx, &UPLOADED, range, Limit::PAGE).await? else { return Ok(None) };
    let ids: Vec<_> = rows.into_iter().map(|((_, id), ())| id).collect();
    let files = FILE.get_many(tx, tenant, &ids).await?;
    Ok(Some(ids.into_iter().zip(files).filter_map(|(id, file)| Some(UserRow::File(id, file?))).collect()))
}

async fn threads(tx: &mut Tx, user: &UserId, walk: &mut Walk) -> Result<Option<Vec<UserRow>>> {
    let tenant = tx.tenant();
    let range = PARTICIPATION.prefix(tenant, &user.to_string());
    let Some(rows) = walk.next(tx, &PARTICIPATION, range, Limit::rows(LED_MAX)).await? else { return Ok(None) };
    let mut found = Vec::new();
    for ((name, parent), ()) in rows {
        let Some(participant) = PARTICIPANT.get(tx, tenant, &(parent.clone(), name)).await? else { continue };
        let thread = THREAD.get(tx, tenant, &parent).await?;
        let thread = thread.filter(|thread| thread.created_by.as_ref() == Some(user));
        found.push(UserRow::Thread(parent, participant, thread));
    }
    Ok(Some(found))
}

async fn messages(tx: &mut Tx, user: &UserId, walk: &mut Walk) -> Result<Option<Vec<UserRow>>> {
    let tenant = tx.tenant();
    let range = AUTHORED.prefix(tenant, &user.to_string());
    let Some(rows) = walk.next(tx, &AUTHORED, range, Limit::rows(LED_MAX)).await? else { return Ok(None) };
    let ids: Vec<_> = rows.into_iter().map(|((.., id), ())| id).collect();
    let messages = MESSAGE.get_many(tx, tenant, &ids).await?;
    let row = |(id, message): (&String, Option<Message>)| {
        Some(UserRow::Message(MessageId::parse(id).ok()?, Box::new(message?)))
    };
    Ok(Some(ids.iter().zip(messages).filter_map(row).collect()))
}

async fn reactions(tx: &mut Tx, user: &UserId, walk: &mut Walk) -> Result<Option<Vec<UserRow>>> {
    let tenant = tx.tenant();
    let range = REACTED.prefix(tenant, &user.to_string());
    let Some(rows) = walk.next(tx, &REACTED, range, Limit::PAGE).await? else { return Ok(None) };
    let keys: Vec<_> = rows.into_iter().map(|((user, message, kind), ())| (message, user, kind)).collect();
    let reactions = REACTION.get_many(tx, tenant, &keys).await?;
    let mut found = Vec::new();
    for ((message, _, kind), reaction) in keys.into_iter().zip(reactions) {
        if let Some(reaction) = reaction {
            let reacted = Reacted { user: user.clone(), kind, custom: reaction.custom(), reaction };
            found.push(UserRow::Reaction(ReactedTo { message, reacted }));
        }
    }
    Ok(Some(found))
}

/// Versions of one message after the other: the walk says up to which message all were told, and which of the next.
async fn versions(tx: &mut Tx, user: &UserId, walk: &mut Walk) -> Result<Option<Vec<UserRow>>> {
    let tenant = tx.tenant();
    let Some(range) = walk.rest(AUTHORED.prefix(tenant, &user.to_string())) else { return Ok(None) };
    let page = AUTHORED.scan(tx, tenant, range, Direction::Forward, Limit::rows(LED_MAX)).await?;
    let mut found = Vec::new();
    for (key, ()) in page.rows {
        let mut range = VERSION.prefix(tenant, &(key.2.clone(),));
        if let Some(inner) = walk.inner.take() {
            range.start = after(inner);
        }
        let versions = VERSION.scan(tx, tenant, range, Direction::Forward, Limit::PAGE).await?;
        let last = versions.rows.last().map(|(key, _)| VERSION.key(tenant, key));
        found.extend(versions.rows.into_iter().map(|((id, at), version)| UserRow::Version(id, at.0, version)));
        if versions.more {
            walk.inner = last;
            return Ok(Some(found));
        }
        walk.last = Some(AUTHORED.key(tenant, &key));
        if found.len() >= LED_MAX {
            return Ok(Some(found));
        }
    }
    walk.is_done = !page.more;
    Ok(Some(found))
}
