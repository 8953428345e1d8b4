//! Locking users out, deleting and restoring them (chat §11.7; v2 §2.4–§2.6).

use std::collections::BTreeSet;

use domain::{
    Tx,
    erasure::Taken,
    tasks::Mode,
    users::{self, People, User},
};
use ids::UserId;
use wire::chat::users::OneUser;

use super::USERS_MAX;
use crate::{
    chat::{
        erasure::{Modes, start_deletion, told},
        error::{Error, Result},
        fields::{self, Fields},
        gate::Call,
        to_wire,
    },
    reply::Reply,
};

/// `POST /users/{id}/deactivate`: locks a user out.
pub(crate) async fn deactivate(call: Call, mut sent: Fields) -> Result<Reply> {
    let taken = Taken {
        messages: sent.flag("mark_messages_deleted")?.unwrap_or(false),
        channels: sent.flag("mark_channels_deleted")?.unwrap_or(false),
    };
    let (id, by, now) = (subject(&call)?, sent.user("created_by_id")?, call.now());
    let body = async |tx: &mut Tx| users::standing::deactivate(tx, &id, by.as_ref(), now).await;
    let user = call.app.write(body).await?;
    if taken != Taken::default() {
        // It bears the moment of the deactivation, by which it is found again.
        domain::erasure::mark(&call.tenant.app, &id, taken, now).await?;
    }
    answer(&call, id, user)
}

/// `POST /users/{id}/reactivate`: lets a user in again.
pub(crate) async fn reactivate(call: Call, mut sent: Fields) -> Result<Reply> {
    let (id, by, name) = (subject(&call)?, sent.user("created_by_id")?, sent.filled("name")?);
    let (now, app) = (call.now(), &call.app);
    let brought = Taken {
        messages: sent.flag("restore_messages")?.unwrap_or(false),
        channels: sent.flag("restore_channels")?.unwrap_or(false),
    };
    if brought != Taken::default()
        && let Some(deactivated_at) = users::load(&mut call.snapshot(), &id).await?.deactivated_at
    {
        domain::erasure::unmark(app, &id, brought, deactivated_at, now).await?;
    }
    let body = async |tx: &mut Tx| users::standing::reactivate(tx, &id, name.as_deref(), by.as_ref(), now).await;
    let user = app.write(body).await?;
    answer(&call, id, user)
}

/// `DELETE /users/{id}`: marks a user deleted; what else is asked for a task does.
pub(crate) async fn delete(call: Call, _: Fields) -> Result<Reply> {
    let (id, now) = (subject(&call)?, call.now());
    let is_hard = call.flag("hard_delete")? || call.query.get("user") == Some("hard");
    let mode = if is_hard { Mode::Hard } else { Mode::Soft };
    let messages = match call.query.get("messages") {
        Some("hard") => Some(Mode::Hard),
        Some("soft") => Some(mode),
        _ => (is_hard || call.flag("mark_messages_deleted")?).then_some(mode),
    };
    let conversations = (is_hard || call.flag("delete_conversation_channels")?).then_some(mode);
    let modes = Modes { user: mode, messages, conversations, files: false };
    if modes.messages.is_none() && modes.conversations.is_none() {
        let told = told(modes);
        let user = call.app.write(async |tx| users::standing::delete(tx, &id, &told, now).await).await?;
        return answer(&call, id, user);
    }
    let mut user = match users::get(&mut call.snapshot(), &id).await? {
        Some(user) if is_hard || user.deleted_at.is_none() => user,
        _ => return Err(domain::Error::Absent(format!("user not found: user_id '{id}' does not exist")).into()),
    };
    start_deletion(&call, &BTreeSet::from([id.clone()]), None, (modes, None)).await?;
    user.deleted_at = user.deleted_at.or(Some(now));
    answer(&call, id, user)
}

/// `POST /users/restore`: takes deletions back, all of them or none.
pub(crate) async fn restore(call: Call, mut sent: Fields) -> Result<Reply> {
    let ids = sent.users("user_ids")?.unwrap_or_default();
    if ids.is_empty() || ids.len() > USERS_MAX {
        return Err(Error::field("user_ids", &format!("must hold 1 to {USERS_MAX} ids")));
    }
    let now = call.now();
    call.app.write_each(&ids, async |tx, id| users::standing::restore(tx, id, now).await).await?;
    call.done()
}

fn subject(call: &Call) -> Result<UserId> {
    fields::user(call.param("id"))
}

fn answer(call: &Call, id: UserId, user: User) -> Result<Reply> {
    let people = People::from_iter([(id.clone(), user)]);
    let user = to_wire::users::embedded(call.dialect, &people, &id, call.now()).expect("it was put in");
    call.answer(&OneUser { user })
}
