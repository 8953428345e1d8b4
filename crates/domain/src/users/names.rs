//! Names that no two users may have, where the app says so (chat §12.21).
//!
//! Who is called what is noted in any case, so that names from before count once an app asks for it. A note may be stale:
//! what the user says now decides.

use ids::UserId;
use store::{Direction, Limit};

use super::{User, get_many};
use crate::{Error, Result, Tx, keyspace::USER_NAME};

/// The most users of one name that are looked at.
const NAMESAKES_MAX: usize = 256;

/// As much of a name as is looked at.
const NAME_CHARS_MAX: usize = 128;

/// Notes that the user `id` is called what `user` says, and was called `before`.
///
/// # Errors
/// [`Error::NameTaken`] when somebody else is called so, in the app or in one of the user's teams, as the app asks.
pub(super) async fn note(tx: &mut Tx, id: &UserId, before: Option<&str>, user: &User) -> Result<()> {
    let (before, now) = (before.map(plain), user.name.as_deref().map(plain));
    if before == now {
        return Ok(());
    }
    let tenant = tx.tenant();
    if let Some(before) = before {
        USER_NAME.delete(tx, tenant, &(before, id.to_string()));
    }
    let Some(now) = now.filter(|name| !name.is_empty()) else { return Ok(()) };
    let scope = tx.app.settings.text("enforce_unique_usernames");
    if matches!(scope.as_str(), "app" | "team") {
        let namesakes = namesakes(tx, &now).await?;
        let is_near = |other: &User| scope == "app" || is_of_a_team(user, other);
        if namesakes.iter().any(|(known, other)| known != id && is_near(other)) {
            return Err(Error::NameTaken(user.name.clone().unwrap_or_default()));
        }
    }
    USER_NAME.put(tx, tenant, &(now, id.to_string()), &());
    Ok(())
}

/// Forgets that the user `id` is called what `user` says.
pub(crate) fn forget(tx: &mut Tx, id: &UserId, user: &User) {
    let tenant = tx.tenant();
    if let Some(name) = user.name.as_deref().map(plain) {
        USER_NAME.delete(tx, tenant, &(name, id.to_string()));
    }
}

/// The users who are called so now.
async fn namesakes(tx: &mut Tx, name: &str) -> Result<Vec<(UserId, User)>> {
    let tenant = tx.tenant();
    let range = USER_NAME.prefix(tenant, &name.to_owned());
    let page = USER_NAME.scan(tx, tenant, range, Direction::Forward, Limit::rows(NAMESAKES_MAX)).await?;
    let ids: Vec<UserId> = page.rows.iter().filter_map(|((_, id), ())| UserId::parse(id).ok()).collect();
    let users = get_many(tx, &ids).await?;
    let is_called_so =
        |user: &User| user.deleted_at.is_none() && user.name.as_deref().map(plain).as_deref() == Some(name);
    let known = ids.into_iter().zip(users).filter_map(|(id, user)| Some((id, user?)));
    Ok(known.filter(|(_, user)| is_called_so(user)).collect())
}

/// Whether both are in one team, or in none.
fn is_of_a_team(user: &User, other: &User) -> bool {
    let is_shared = user.teams.iter().any(|team| other.teams.contains(team));
    is_shared || (user.teams.is_empty() && other.teams.is_empty())
}

/// The name in small letters, without spaces and signs.
fn plain(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).take(NAME_CHARS_MAX).collect()
}
