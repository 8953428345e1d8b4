//! Reactions as a file brings them (chat §11.12): nobody is told.

use ids::{MessageId, Timestamp};

use super::{
    Reaction,
    send::{Draft, check, put},
};
use crate::{
    Error, Result, Tx,
    chat::{
        imports::{Outcome, Terms, absent},
        messages,
    },
    keyspace::REACTION,
    users,
};

/// A reaction as a file has it.
#[derive(Clone, Debug)]
pub struct Imported {
    /// To which message.
    pub message: MessageId,
    /// Who, with what.
    pub draft: Draft,
    /// Since when.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
}

/// Stores a reaction; one that is known keeps the moment of its beginning.
///
/// # Errors
/// [`Error::Unfit`] when the message or the user is not there; what does not fit into a reaction.
pub async fn import(tx: &mut Tx, given: &Imported, terms: Terms) -> Result<Outcome> {
    let message = messages::get(tx, &given.message).await?;
    if message.ok_or_else(|| absent("message_id", "message"))?.deleted_at.is_some() {
        return Err(Error::Unfit("message_id: the message is deleted".to_owned()));
    }
    users::get(tx, &given.draft.user).await?.ok_or_else(|| absent("user_id", "user"))?;
    check(&given.draft)?;
    let key = (given.message.to_string(), given.draft.user.to_string(), given.draft.kind.clone());
    let tenant = tx.tenant();
    let known = REACTION.get(tx, tenant, &key).await?;
    if known.is_some() && !terms.replaces {
        return Ok(Outcome::Skipped);
    }
    let custom = ids::json::Object::parse(&given.draft.custom).unwrap_or_default();
    let before = known.as_ref().map(Reaction::custom).unwrap_or_default();
    let reaction = Reaction {
        score: given.draft.score,
        created_at: known.as_ref().map_or(given.created_at, |known| known.created_at),
        updated_at: given.updated_at.unwrap_or(given.created_at),
        custom: terms.custom(before, &custom).to_string(),
    };
    let outcome = if known.is_some() { Outcome::Updated } else { Outcome::Inserted };
    put(tx, &key, &reaction, known.as_ref());
    Ok(outcome)
}
