//! Removing what a user said and had, stage by stage (v2 §2.5, §5).

use ids::{ChannelId, Timestamp, UserId};
use minicbor::{Decode, Encode};
use store::{Direction, Limit, key::after};

use super::{
    STEP_ROWS_MAX, channels, list,
    messages::{self, Fate},
    rows::Budget,
    traces,
};
use crate::{
    Result, Tx,
    chat::{drafts, locations, members, reactions, reminders},
    exports, files,
    keyspace::{Chat, DEVICE, MEMBERS, MEMBERSHIP, MUTE, MUTED, PROFILE, PUSH_PREFERENCE, REACTED, REACTION, USER},
    polls,
    tasks::{DeleteUsers, Leaver, Mode, Progress, Step},
    users::{self, User},
};

const MESSAGES: u8 = 0;
const CONVERSATIONS: u8 = 1;
const REACTIONS: u8 = 2;
const MEMBERSHIPS: u8 = 3;
const BELONGINGS: u8 = 4;
const FEEDS: u8 = 5;
const TRACES: u8 = 6;
const ROW: u8 = 7;

/// Channels that one step looks at.
const STEP_CHANNELS_MAX: usize = 50;
/// Files that one step removes.
const STEP_FILES_MAX: usize = 20;

/// Does a step of removing `leaver`.
///
/// # Errors
/// When the store fails.
pub(super) async fn remove(
    tx: &mut Tx,
    asked: &DeleteUsers,
    leaver: &Leaver,
    progress: &mut Progress,
    (planned_at, now): (Timestamp, Timestamp),
) -> Result<Step> {
    let user = &leaver.id;
    let is_done = match progress.stage {
        MESSAGES => match asked.messages {
            None => true,
            Some(mode) => {
                let is_done = messages::walk(tx, user, None, Fate::Delete(mode, planned_at), progress).await?;
                if is_done {
                    messages::told(tx, user, None, mode, now);
                }
                is_done
            }
        },
        CONVERSATIONS => match asked.conversations {
            None => true,
            Some(mode) => remove_conversations(tx, user, mode, progress, planned_at).await?,
        },
        REACTIONS => match asked.user {
            Mode::Soft => true,
            mode => {
                remove_reactions(tx, user).await?
                    && polls::leave(tx, user, mode == Mode::Hard, &mut progress.cursor).await?
            }
        },
        MEMBERSHIPS => asked.user != Mode::Hard || leave_channels(tx, user, now).await?,
        BELONGINGS => remove_belongings(tx, user, asked).await?,
        TRACES => asked.user != Mode::Hard || traces::erase(tx, leaver, progress, now).await?,
        FEEDS => asked.user != Mode::Hard || super::feeds::remove(tx, user, None, progress, now).await?,
        ROW => {
            // The files go with the row, so that whoever asks for one more is either before this or finds nobody.
            let is_done = asked.user == Mode::Soft || exports::discard_of(tx, user, STEP_FILES_MAX).await?;
            if is_done {
                finish(tx, leaver, asked.user, now).await?;
            }
            is_done
        }
        // By now the worker has removed the files.
        _ => return Ok(Step::Done),
    };
    if is_done {
        progress.next_stage();
    }
    Ok(Step::More)
}

/// Where a walk over a user's conversations stands.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
struct Spot {
    /// The last channel that was looked at.
    #[n(0)]
    channel: Option<ChannelId>,
    /// The stage of removing it, while it is being removed.
    #[n(1)]
    stage: Option<u8>,
}

/// Removes channels that have `user` and one other member; whether that were all.
pub(super) async fn remove_conversations(
    tx: &mut Tx,
    user: &UserId,
    mode: Mode,
    progress: &mut Progress,
    planned_at: Timestamp,
) -> Result<bool> {
    let tenant = tx.tenant();
    let mut spot: Spot = minicbor::decode(&progress.cursor).unwrap_or_default();
    if let (Some(channel), Some(stage)) = (&spot.channel, &mut spot.stage) {
        if channels::remove(tx, channel, stage, planned_at).await? == Step::Done {
            spot.stage = None;
        }
        progress.cursor = encoded(&spot);
        return Ok(false);
    }
    let mut range = MEMBERSHIP.prefix(tenant, &user.to_string());
    if let Some(channel) = &spot.channel {
        range.start = after(MEMBERSHIP.key(tenant, &(user.to_string(), Chat(channel.clone()))));
    }
    let page = MEMBERSHIP.scan(tx, tenant, range, Direction::Forward, Limit::rows(STEP_CHANNELS_MAX)).await?;
    for ((_, chat), ()) in page.rows {
        let is_conversation = MEMBERS.get(tx, tenant, &chat).await? == 2;
        spot.channel = Some(chat.0.clone());
        if is_conversation && channels::mark(tx, &chat.0, mode == Mode::Hard, Some(user), planned_at).await? {
            spot.stage = (mode == Mode::Hard).then_some(0);
            if spot.stage.is_some() {
                progress.cursor = encoded(&spot);
                return Ok(false);
            }
        }
    }
    progress.cursor = encoded(&spot);
    Ok(!page.more)
}

fn encoded(spot: &Spot) -> Vec<u8> {
    minicbor::to_vec(spot).expect("writing to memory cannot fail")
}

/// Removes reactions of `user` to what others said; whether that were all.
async fn remove_reactions(tx: &mut Tx, user: &UserId) -> Result<bool> {
    let tenant = tx.tenant();
    let range = REACTED.prefix(tenant, &user.to_string());
    let page = REACTED.scan(tx, tenant, range, Direction::Forward, Limit::rows(STEP_ROWS_MAX / 10)).await?;
    for ((user, message, kind), ()) in page.rows {
        let key = (message.clone(), user.clone(), kind.clone());
        match REACTION.get(tx, tenant, &key).await? {
            Some(reaction) => reactions::take(tx, &key, &reaction),
            None => REACTED.delete(tx, tenant, &(user, message, kind)),
        }
    }
    Ok(!page.more)
}

/// Takes `user` out of channels; whether that were all.
async fn leave_channels(tx: &mut Tx, user: &UserId, now: Timestamp) -> Result<bool> {
    let tenant = tx.tenant();
    let range = MEMBERSHIP.prefix(tenant, &user.to_string());
    let page = MEMBERSHIP.scan(tx, tenant, range, Direction::Forward, Limit::rows(STEP_CHANNELS_MAX)).await?;
    for ((name, chat), ()) in page.rows {
        members::remove(tx, &chat.0, std::slice::from_ref(user), None, now).await?;
        MEMBERSHIP.delete(tx, tenant, &(name, chat));
    }
    Ok(!page.more)
}

/// Removes devices, uploads if that was asked for, and, unless the user may come back, all uploads, mutes and blocks either
/// way; whether that were all.
async fn remove_belongings(tx: &mut Tx, user: &UserId, asked: &DeleteUsers) -> Result<bool> {
    let tenant = tx.tenant();
    let key = user.to_string();
    let mut budget = Budget::new(STEP_ROWS_MAX / 2);
    let devices = DEVICE.prefix(tenant, &key);
    if !budget.clear(tx, devices).await? {
        return Ok(false);
    }
    let is_soft = asked.user == Mode::Soft;
    if (asked.files || !is_soft) && !files::remove_of(tx, user, budget.page().rows / 4 + 1).await? {
        return Ok(false);
    }
    if is_soft {
        return Ok(true);
    }
    let (_, were_all_drafts) = drafts::forget_user(tx, user, budget.page_of(4)).await?;
    let (_, were_all_reminders) = reminders::forget_user(tx, user, budget.page_of(6)).await?;
    let (_, were_all_locations) = locations::forget_user(tx, user, budget.page_of(6)).await?;
    let were_all_preferences = budget.clear(tx, PUSH_PREFERENCE.prefix(tenant, &key)).await?;
    if !were_all_drafts || !were_all_reminders || !were_all_locations || !were_all_preferences {
        return Ok(false);
    }
    let page = MUTE.scan(tx, tenant, MUTE.prefix(tenant, &key), Direction::Forward, budget.page()).await?;
    for ((user, target), _) in page.rows {
        MUTED.delete(tx, tenant, &(target.clone(), user.clone()));
        MUTE.delete(tx, tenant, &(user, target));
    }
    if page.more {
        return Ok(false);
    }
    let blocked = users::get(tx, user).await?.map(|user| user.blocked).unwrap_or_default();
    for block in blocked {
        users::blocks::remove(tx, user, &block.user).await?;
    }
    Ok(true)
}

/// What is left of the row: all of it, its frame, or nothing.
async fn finish(tx: &mut Tx, leaver: &Leaver, mode: Mode, now: Timestamp) -> Result<()> {
    let (tenant, id) = (tx.tenant(), &leaver.id);
    if mode == Mode::Hard && !leaver.hash.is_empty() {
        list::note(tx, &leaver.hash, now);
    }
    match (mode, users::get(tx, id).await?) {
        (Mode::Soft, _) | (_, None) => {}
        (Mode::Pruning, Some(user)) => {
            users::names::forget(tx, id, &user);
            let frame = User {
                created_at: user.created_at,
                deleted_at: user.deleted_at,
                is_pruned: true,
                ..User::new(user.updated_at)
            };
            users::put(tx, id, &frame);
        }
        (Mode::Hard, Some(_)) => USER.delete(tx, tenant, &id.to_string()),
    }
    if mode == Mode::Hard {
        // The account of feeds v1.0, which a deletion of feed data alone leaves.
        PROFILE.delete(tx, tenant, &id.to_string());
    }
    Ok(())
}
