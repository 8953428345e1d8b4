//! Why somebody decided something about a request (§15.3), in their words, which may be about the person: they are sealed,
//! and go with the request.

use ids::Timestamp;
use minicbor::{Decode, Encode};
use store::Transaction;

use super::Connector;
use crate::{
    Error, Result,
    error::failed,
    keys::Place,
    keyspace::{self, DECISION, HERE},
};

/// The longest reason, in characters.
const REASON_CHARS_MAX: usize = 500;

/// A decision with its reason, as it is stored.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Decision {
    /// Who decided.
    #[n(0)]
    pub actor: String,
    /// What.
    #[n(1)]
    pub action: String,
    #[cbor(n(2), with = "minicbor::bytes")]
    sealed_reason: Vec<u8>,
}

/// A decision with its reason, as it is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explained {
    /// When.
    pub at: Timestamp,
    /// Who decided.
    pub actor: String,
    /// What.
    pub action: String,
    /// Why; nothing once the request was destroyed.
    pub reason: Option<String>,
}

fn place<'a>(request: &'a str, at: &'a str) -> Place<'a> {
    Place { table: "decision", row: request, field: at }
}

/// Checks a reason before anything is decided.
///
/// # Errors
/// [`Error::Invalid`].
pub(crate) fn check_reason(reason: &str) -> Result<()> {
    let length = reason.chars().count();
    if reason.trim().is_empty() || length > REASON_CHARS_MAX {
        return Err(Error::invalid("reason", format!("must have 1 to {REASON_CHARS_MAX} characters")));
    }
    Ok(())
}

impl Connector {
    /// Notes why `actor` decided `action`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a reason that is none; when the store fails.
    pub async fn explain(&self, request: &str, actor: &str, action: &str, reason: &str) -> Result<()> {
        check_reason(reason)?;
        let at = u64::try_from(self.surroundings.now().micros()).unwrap_or(0);
        let key = self.ring.load(&mut self.store.read(), request).await?;
        let sealed_reason = key.seal(place(request, &at.to_string()), reason.as_bytes());
        let decision = Decision { actor: actor.to_owned(), action: action.to_owned(), sealed_reason };
        let written = self.store.write(async |tx: &mut Transaction| {
            DECISION.put(tx, HERE, &(request.to_owned(), at), &decision);
            Ok(())
        });
        written.await.map_err(failed)
    }

    /// The decisions about a request that have reasons, in order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn decisions(&self, request: &str) -> Result<Vec<Explained>> {
        let mut tx = self.store.read();
        let key = self.ring.load(&mut tx, request).await.ok();
        let range = DECISION.prefix(HERE, &(request.to_owned(),));
        let decisions = keyspace::all(&mut tx, &DECISION, range).await?;
        let explained = decisions.into_iter().map(|((_, at), decision)| {
            let field = at.to_string();
            let reason =
                key.as_ref().and_then(|key| key.open_text(place(request, &field), &decision.sealed_reason).ok());
            let at = Timestamp::from_micros(i64::try_from(at).unwrap_or(i64::MAX));
            Explained { at, actor: decision.actor, action: decision.action, reason }
        });
        Ok(explained.collect())
    }
}
