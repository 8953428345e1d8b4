//! What is hidden at once and removed by a task: `POST /channels/delete` (chat §11.3), `POST /users/delete`, and locking
//! many users out (v2 §2.4–§2.6).

use std::collections::BTreeSet;

use domain::{
    Tx, erasure,
    tasks::{self, Calls, DeleteUsers, Kind, Leaver, Mode},
    users,
};
use ids::{ChannelId, Timestamp, UserId};
use serde_json::{Value, json};
use wire::chat::tasks::Started;

use super::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
};
use crate::{erasures, reply::Reply, seal};

/// The most channels of one call.
const CHANNELS_MAX: usize = 100;
/// The most users of one call.
const USERS_MAX: usize = 100;
/// Random letters in the id of a user who gets what a deleted one leaves: 5 bits each.
const HEIR_LETTERS: usize = 20;

/// `POST /channels/delete`.
pub(crate) async fn delete_channels(call: Call, mut sent: Fields) -> Result<Reply> {
    let channels = channels(sent.texts("cids")?.unwrap_or_default())?;
    let is_hard = sent.flag("hard_delete")?.unwrap_or(false);
    let (id, now) = (call.new_id(), call.now());
    let marked = call.app.write(async |tx| {
        let mut marked = Vec::with_capacity(channels.len());
        for channel in &channels {
            let was_there = erasure::channels::mark(tx, channel, is_hard, None, now).await?;
            marked.push((channel.clone(), was_there));
        }
        tasks::plan(tx, &id, Kind::DeleteChannels { channels: marked, is_hard }, now);
        Ok(())
    });
    marked.await?;
    call.answer(&Started { task_id: &id })
}

fn channels(cids: Vec<String>) -> Result<BTreeSet<ChannelId>> {
    let parse = |cid: &String| ChannelId::parse(cid).map_err(|error| Error::field("cids", &error.to_string()));
    let channels: BTreeSet<_> = cids.iter().map(parse).collect::<Result<_>>()?;
    match channels.len() {
        1..=CHANNELS_MAX => Ok(channels),
        _ => Err(Error::field("cids", &format!("must hold 1 to {CHANNELS_MAX} cids"))),
    }
}

/// `POST /users/delete`.
pub(crate) async fn delete_users(call: Call, mut sent: Fields) -> Result<Reply> {
    let users = user_ids(&mut sent)?;
    let user = mode(&mut sent, "user", true)?.unwrap_or(Mode::Soft);
    let messages = mode(&mut sent, "messages", true)?;
    let mut conversations = mode(&mut sent, "conversations", false)?;
    let calls = Calls { mode: mode(&mut sent, "calls", false)?, heir: sent.user("new_call_owner_id")? };
    let files = files(&mut sent)?;
    if user == Mode::Hard {
        if messages != Some(Mode::Hard) {
            return Err(Error::field("messages", "must be hard when users are deleted hard"));
        }
        if conversations == Some(Mode::Soft) {
            return Err(Error::field("conversations", "must be hard when users are deleted hard"));
        }
        conversations = Some(Mode::Hard);
    }
    let named = sent.user("new_channel_owner_id")?;
    let modes = Modes { user, messages, conversations, files };
    let calls = Some(calls).filter(|asked| asked.mode.is_some() || asked.heir.is_some());
    let id = start_deletion(&call, &users, named.as_ref(), (modes, calls)).await?;
    call.answer(&Started { task_id: &id })
}

/// What is deleted, and how.
#[derive(Clone, Copy)]
pub(crate) struct Modes {
    /// The users themselves.
    pub(crate) user: Mode,
    /// What they said; nothing, if absent.
    pub(crate) messages: Option<Mode>,
    /// Channels of theirs with one other member; none, if absent.
    pub(crate) conversations: Option<Mode>,
    /// What they uploaded, although they do not go hard, which takes it along.
    pub(crate) files: bool,
}

/// Hides users, and plans the task that deletes them.
pub(crate) async fn start_deletion(
    call: &Call,
    users: &BTreeSet<UserId>,
    named: Option<&UserId>,
    (modes, calls): (Modes, Option<Calls>),
) -> Result<String> {
    if named.is_some_and(|heir| users.contains(heir)) {
        return Err(Error::field("new_channel_owner_id", "must not be among user_ids"));
    }
    let heirs: Vec<UserId> = users.iter().map(|_| named.cloned().unwrap_or_else(new_heir)).collect();
    let (id, now) = (call.new_id(), call.now());
    let planned = call.app.write(async |tx| {
        if let Some(heir) = named
            && users::get(tx, heir).await?.is_none_or(|heir| heir.deleted_at.is_some())
        {
            return Err(domain::Error::Unfit(format!("new_channel_owner_id: user '{heir}' does not exist")));
        }
        let mut leavers = Vec::with_capacity(users.len());
        for (user, heir) in users.iter().zip(&heirs) {
            let was_there = mark(tx, user, modes, now).await?;
            leavers.push(Leaver {
                id: user.clone(),
                was_there,
                heir: heir.clone(),
                hash: erasures::hash(call.tenant.app.id, user),
            });
        }
        let Modes { user, messages, conversations, files } = modes;
        let asked = DeleteUsers { users: leavers, user, messages, conversations, files, calls: calls.clone() };
        tasks::plan(tx, &id, Kind::DeleteUsers(Box::new(asked)), now);
        Ok(())
    });
    planned.await?;
    Ok(id)
}

/// Hides a user from everybody at once; whether it was there.
pub(crate) async fn mark(tx: &mut Tx, id: &UserId, modes: Modes, now: Timestamp) -> domain::Result<bool> {
    let Some(user) = users::get(tx, id).await? else { return Ok(false) };
    if user.deleted_at.is_none() {
        users::standing::delete(tx, id, &told(modes), now).await?;
    }
    Ok(true)
}

/// What `user.deleted` says of a deletion (v2 §5.1).
pub(crate) fn told(modes: Modes) -> String {
    let name = |mode: Option<Mode>| match mode {
        None => "",
        Some(Mode::Soft) => "soft",
        Some(Mode::Pruning) => "pruning",
        Some(Mode::Hard) => "hard",
    };
    json!({
        "delete_user": name(Some(modes.user)),
        "delete_messages": name(modes.messages),
        "delete_conversation": name(modes.conversations),
        "hard_delete": modes.user == Mode::Hard,
        "mark_messages_deleted": modes.messages.is_some(),
        "delete_conversation_channels": modes.conversations.is_some(),
    })
    .to_string()
}

/// `POST /users/deactivate`.
pub(crate) async fn deactivate_users(call: Call, mut sent: Fields) -> Result<Reply> {
    let users = user_ids(&mut sent)?.into_iter().collect();
    let marks_channels = sent.flag("mark_channels_deleted")?.unwrap_or(false);
    let marks_messages = sent.flag("mark_messages_deleted")?.unwrap_or(false);
    let by = sent.user("created_by_id")?;
    start(&call, Kind::DeactivateUsers { users, by, marks_messages, marks_channels }).await
}

/// `POST /users/reactivate`.
pub(crate) async fn reactivate_users(call: Call, mut sent: Fields) -> Result<Reply> {
    let users = user_ids(&mut sent)?.into_iter().collect();
    let restores_channels = sent.flag("restore_channels")?.unwrap_or(false);
    let restores_messages = sent.flag("restore_messages")?.unwrap_or(false);
    let by = sent.user("created_by_id")?;
    start(&call, Kind::ReactivateUsers { users, by, restores_messages, restores_channels }).await
}

async fn start(call: &Call, kind: Kind) -> Result<Reply> {
    let (id, now) = (call.new_id(), call.now());
    let planned = call.app.write(async |tx| {
        tasks::plan(tx, &id, kind.clone(), now);
        Ok(())
    });
    planned.await?;
    call.answer(&Started { task_id: &id })
}

fn user_ids(sent: &mut Fields) -> Result<BTreeSet<UserId>> {
    let users: BTreeSet<_> = sent.users("user_ids")?.unwrap_or_default().into_iter().collect();
    match users.len() {
        1..=USERS_MAX => Ok(users),
        _ => Err(Error::field("user_ids", &format!("must hold 1 to {USERS_MAX} ids"))),
    }
}

/// Whether uploads go: a flag or a mode (v2 §2.5). What was uploaded has no soft deletion.
fn files(sent: &mut Fields) -> Result<bool> {
    let Some(raw) = sent.raw("files") else { return Ok(false) };
    match serde_json::from_str(raw.get()) {
        Ok(Value::Bool(flag)) => Ok(flag),
        Ok(Value::String(mode)) if mode.is_empty() => Ok(false),
        Ok(Value::String(mode)) if matches!(mode.as_str(), "soft" | "hard") => Ok(true),
        _ => Err(Error::field("files", "must be true, false, soft or hard")),
    }
}

/// A mode; not everything can be pruned.
fn mode(sent: &mut Fields, name: &str, can_prune: bool) -> Result<Option<Mode>> {
    match sent.filled(name)?.as_deref() {
        None => Ok(None),
        Some("soft") => Ok(Some(Mode::Soft)),
        Some("pruning") if can_prune => Ok(Some(Mode::Pruning)),
        Some("hard") => Ok(Some(Mode::Hard)),
        Some(_) if can_prune => Err(Error::field(name, "must be soft, pruning or hard")),
        Some(_) => Err(Error::field(name, "must be soft or hard")),
    }
}

/// The id of a user who gets what another leaves, from which nobody can tell whose it was.
pub(crate) fn new_heir() -> UserId {
    let letters = seal::random::<HEIR_LETTERS>()
        .map(|byte| char::from(b"0123456789abcdefghjkmnpqrstvwxyz"[usize::from(byte % 32)]));
    UserId::parse(&format!("delete-user-{}", String::from_iter(letters))).expect("letters are a user id")
}
