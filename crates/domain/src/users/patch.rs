//! Partial changes of users (chat §11.7).

use ids::{Timestamp, UserId};

use super::{CUSTOM_BYTES_MAX, Profile, User, load, names, put, tell_changed};
use crate::{Error, Result, Tx, custom::Edit};

/// What is to change of a user.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    /// What is set; its own fields count for nothing here.
    pub set: Profile,
    /// From when on tokens are taken; `Some(None)` for whatever their age.
    pub revoke_tokens_issued_before: Option<Option<Timestamp>>,
    /// Which built-in fields become what they are for a new user.
    pub cleared: Vec<Clearable>,
    /// What becomes of the application's own fields.
    pub custom: Edit,
}

/// A built-in field that can be taken away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Clearable {
    /// See [`User::name`].
    Name,
    /// See [`User::image`].
    Image,
    /// See [`User::language`].
    Language,
    /// See [`User::teams`].
    Teams,
    /// See [`User::teams_role`].
    TeamsRole,
    /// See [`User::is_invisible`].
    Invisible,
    /// See [`User::privacy`].
    Privacy,
}

/// Changes the user `id`.
///
/// # Errors
/// [`Error::Absent`] when there is none, [`Error::Unfit`] and [`Error::TooBig`] when a change breaks a rule.
pub async fn patch(tx: &mut Tx, id: &UserId, patch: &Patch, now: Timestamp) -> Result<User> {
    let mut user = load(tx, id).await?;
    let (was_invisible, before) = (user.is_invisible, user.name.clone());
    for field in &patch.cleared {
        match field {
            Clearable::Name => user.name = None,
            Clearable::Image => user.image = None,
            Clearable::Language => user.language = String::new(),
            Clearable::Teams => user.teams = Vec::new(),
            Clearable::TeamsRole => user.teams_role = Vec::new(),
            Clearable::Invisible => user.is_invisible = false,
            Clearable::Privacy => user.privacy = None,
        }
    }
    patch.set.apply(&mut user)?;
    names::note(tx, id, before.as_deref(), &user).await?;
    user.revoke_tokens_issued_before = patch.revoke_tokens_issued_before.unwrap_or(user.revoke_tokens_issued_before);
    let mut fields = user.custom();
    patch.custom.apply(&mut fields)?;
    user.custom = fields.to_string();
    if user.custom.len() > CUSTOM_BYTES_MAX {
        return Err(Error::TooBig(format!("a user has at most {CUSTOM_BYTES_MAX} bytes of own fields")));
    }
    user.updated_at = now;
    put(tx, id, &user);
    tell_changed(tx, id, &user, was_invisible, now);
    Ok(user)
}
