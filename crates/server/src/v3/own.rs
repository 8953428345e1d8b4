//! `enrich_own_fields`: what the caller's user has to do with the feeds in an answer (feeds-v3 §1).

use domain::{
    Tx,
    users::People,
    v3::show::{Owning, Shown, ShownEdge},
};
use ids::UserId;

use super::read::Actor;
use crate::chat::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
};

/// Whether it was asked for, and by whom.
#[derive(Clone, Debug, Default)]
pub(super) struct OwnFields(Option<UserId>);

impl OwnFields {
    /// Takes `enrich_own_fields` from the body, or from the query; `user` is who acts.
    ///
    /// # Errors
    /// 4 when nobody does: the app's own server has nothing to do with feeds.
    pub(super) fn read(call: &Call, sent: &mut Fields, user: Option<&UserId>) -> Result<Self> {
        let is_asked = sent.flag("enrich_own_fields")?.unwrap_or_default() || call.flag("enrich_own_fields")?;
        match (is_asked, user) {
            (false, _) => Ok(OwnFields(None)),
            (true, Some(user)) => Ok(OwnFields(Some(user.clone()))),
            (true, None) => Err(Error::field("enrich_own_fields", "needs a user: send user_id, or a user's token")),
        }
    }

    /// The same where nobody else is to be named than the caller, or whom the app's own server names in `user_id`.
    ///
    /// # Errors
    /// As [`OwnFields::read`].
    pub(super) fn of_caller(call: &Call, sent: &mut Fields) -> Result<Self> {
        let user = Actor::find(call, sent)?.map(|actor| actor.id);
        Self::read(call, sent, user.as_ref())
    }

    /// For whom; nobody if it was not asked for.
    pub(super) fn user(&self) -> Option<&UserId> {
        self.0.as_ref()
    }

    /// Adds it to both ends of follows.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn add_to_ends(
        &self,
        tx: &mut Tx,
        edges: &mut [ShownEdge],
        people: &mut People,
    ) -> domain::Result<()> {
        match &self.0 {
            Some(user) => Owning::new(user).add_to_ends(tx, edges, people).await,
            None => Ok(()),
        }
    }

    /// Adds it to the current feeds of activities.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn add_to_current(
        &self,
        tx: &mut Tx,
        shown: Vec<&mut Shown>,
        people: &mut People,
    ) -> domain::Result<()> {
        let Some(user) = &self.0 else { return Ok(()) };
        let mut owning = Owning::new(user);
        for one in shown {
            owning.add_to_current(tx, one, people).await?;
        }
        Ok(())
    }
}
