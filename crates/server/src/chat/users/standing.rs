//! Locking users out, deleting and restoring them (chat §11.7; v2 §2.4–§2.6).

use domain::{
    Tx,
    users::{self, People, User},
};
use ids::UserId;
use wire::chat::{error::Code, users::OneUser};

use super::USERS_MAX;
use crate::{
    chat::{
        error::{Error, Result},
        fields::{self, Fields},
        gate::Call,
        to_wire,
    },
    reply::Reply,
};

/// `POST /users/{id}/deactivate`: locks a user out.
pub(crate) async fn deactivate(call: Call, mut sent: Fields) -> Result<Reply> {
    refuse(sent.flag("mark_messages_deleted")? == Some(true), "mark_messages_deleted")?;
    refuse(sent.flag("mark_channels_deleted")? == Some(true), "mark_channels_deleted")?;
    let (id, by, now) = (subject(&call)?, sent.user("created_by_id")?, call.now());
    let body = async |tx: &mut Tx| users::standing::deactivate(tx, &id, by.as_ref(), now).await;
    let user = call.tenant.app.write(body).await?;
    answer(&call, id, user)
}

/// `POST /users/{id}/reactivate`: lets a user in again. No deactivation takes messages or channels away, so there
/// are none to bring back.
pub(crate) async fn reactivate(call: Call, mut sent: Fields) -> Result<Reply> {
    let (id, by, name) = (subject(&call)?, sent.user("created_by_id")?, sent.filled("name")?);
    let now = call.now();
    let body = async |tx: &mut Tx| users::standing::reactivate(tx, &id, name.as_deref(), by.as_ref(), now).await;
    let user = call.tenant.app.write(body).await?;
    answer(&call, id, user)
}

/// `DELETE /users/{id}`: marks a user deleted.
pub(crate) async fn delete(call: Call, _: Fields) -> Result<Reply> {
    for flag in ["hard_delete", "mark_messages_deleted", "delete_conversation_channels"] {
        refuse(call.flag(flag)?, flag)?;
    }
    for mode in ["user", "messages", "conversations"] {
        refuse(call.query.get(mode).is_some_and(|mode| mode != "soft"), mode)?;
    }
    let (id, now) = (subject(&call)?, call.now());
    let user = call.tenant.app.write(async |tx| users::standing::delete(tx, &id, now).await).await?;
    answer(&call, id, user)
}

/// `POST /users/restore`: takes deletions back, all of them or none.
pub(crate) async fn restore(call: Call, mut sent: Fields) -> Result<Reply> {
    let ids = sent.users("user_ids")?.unwrap_or_default();
    if ids.is_empty() || ids.len() > USERS_MAX {
        return Err(Error::field("user_ids", &format!("must hold 1 to {USERS_MAX} ids")));
    }
    let now = call.now();
    call.tenant.app.write_each(&ids, async |tx, id| users::standing::restore(tx, id, now).await).await?;
    call.done()
}

fn refuse(is_asked: bool, what: &str) -> Result<()> {
    match is_asked {
        true => Err(Error::new(Code::NotAvailable, format!("{what} is not available in this version of Millpond"))),
        false => Ok(()),
    }
}

fn subject(call: &Call) -> Result<UserId> {
    fields::user(call.param("id"))
}

fn answer(call: &Call, id: UserId, user: User) -> Result<Reply> {
    let people = People::from_iter([(id.clone(), user)]);
    let user = to_wire::users::embedded(call.dialect, &people, &id, call.now()).expect("it was put in");
    call.answer(&OneUser { user })
}
