//! Making and changing polls (chat §11.6).

use ids::{Timestamp, UserId, json::Object};

use super::{Poll, PollOption, permit, put, remove, tell};
use crate::{
    Error, Result, Tx,
    custom::Edit,
    keyspace::{POLL, POLLED},
    users,
};

/// What a poll says, all of it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Content {
    /// See [`Poll::name`].
    pub name: String,
    /// See [`Poll::description`].
    pub description: String,
    /// See [`Poll::is_anonymous`].
    pub is_anonymous: bool,
    /// See [`Poll::is_unique`].
    pub is_unique: bool,
    /// See [`Poll::votes_max`].
    pub votes_max: Option<u8>,
    /// See [`Poll::takes_options`].
    pub takes_options: bool,
    /// See [`Poll::takes_answers`].
    pub takes_answers: bool,
    /// See [`Poll::is_closed`].
    pub is_closed: bool,
    /// What one can vote for; as it is, if absent.
    pub options: Option<Vec<NewOption>>,
    /// The application's own fields.
    pub custom: Object,
}

/// An option as somebody describes it.
#[derive(Clone, PartialEq, Debug)]
pub struct NewOption {
    /// The id: of one that is there, or a new one.
    pub id: String,
    /// What it says.
    pub text: String,
    /// The application's own fields.
    pub custom: Object,
}

/// Fields of a poll that change.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    /// See [`Poll::name`].
    pub name: Option<String>,
    /// See [`Poll::description`].
    pub description: Option<String>,
    /// See [`Poll::is_anonymous`].
    pub is_anonymous: Option<bool>,
    /// See [`Poll::is_unique`].
    pub is_unique: Option<bool>,
    /// See [`Poll::votes_max`].
    pub votes_max: Option<Option<u8>>,
    /// See [`Poll::takes_options`].
    pub takes_options: Option<bool>,
    /// See [`Poll::takes_answers`].
    pub takes_answers: Option<bool>,
    /// See [`Poll::is_closed`].
    pub is_closed: Option<bool>,
    /// The application's own fields.
    pub custom: Edit,
}

/// Makes the poll `id` for `user`.
///
/// # Errors
/// [`Error::Unfit`] when there is one or something is past its limit, [`Error::TooBig`] for its own fields.
pub async fn create(tx: &mut Tx, user: &UserId, id: &str, content: &Content, now: Timestamp) -> Result<Poll> {
    let (tenant, key) = (tx.tenant(), id.to_owned());
    if POLL.exists(tx, tenant, &key).await? {
        return Err(Error::Unfit(format!("a poll with id '{id}' already exists")));
    }
    users::ensure(tx, user, now).await?;
    let empty = Poll {
        name: String::new(),
        description: String::new(),
        is_anonymous: false,
        is_unique: false,
        votes_max: None,
        takes_options: false,
        takes_answers: false,
        is_closed: false,
        options: Vec::new(),
        created_by: Some(user.clone()),
        created_at: now,
        updated_at: now,
        custom: String::new(),
        is_going: false,
    };
    let poll = replaced(empty, content, now);
    poll.check()?;
    put(tx, id, &poll);
    POLLED.put(tx, tenant, &(user.to_string(), key, String::new()), &());
    Ok(poll)
}

/// The poll as `content` says. An option that is not named any more is on its way out.
fn replaced(old: Poll, content: &Content, now: Timestamp) -> Poll {
    let said = content.clone();
    let options = match said.options {
        None => old.options,
        Some(named) => {
            let gone = old.options.iter().filter(|known| named.iter().all(|option| option.id != known.id));
            let gone: Vec<_> = gone.map(|known| PollOption { is_going: true, ..known.clone() }).collect();
            let by = |id: &str| old.options.iter().find(|known| known.id == id).and_then(|known| known.by.clone());
            let option = |NewOption { id, text, custom }| PollOption {
                by: by(&id),
                id,
                text,
                custom: custom.to_string(),
                is_going: false,
            };
            named.into_iter().map(option).chain(gone).collect()
        }
    };
    Poll {
        name: said.name,
        description: said.description,
        is_anonymous: said.is_anonymous,
        is_unique: said.is_unique,
        votes_max: said.votes_max,
        takes_options: said.takes_options,
        takes_answers: said.takes_answers,
        is_closed: said.is_closed,
        options,
        updated_at: now,
        custom: said.custom.to_string(),
        ..old
    }
}

/// Makes the poll `id` say `content` and nothing else. Votes for options that go are removed by
/// [`super::remove::sweep_options`], which the caller runs to its end.
///
/// # Errors
/// [`Error::Absent`] when there is none, [`Error::NotAllowed`] when the caller may not change it, and as [`create`].
pub(super) async fn whole(
    tx: &mut Tx,
    caller: Option<&UserId>,
    id: &str,
    content: &Content,
    now: Timestamp,
) -> Result<Poll> {
    let old = permit::load_to_change(tx, caller, id).await?;
    let new = replaced(old.clone(), content, now);
    finish(tx, caller, id, (&old, new), now).await
}

/// Changes the poll `id` to say `content` and nothing else.
///
/// # Errors
/// [`Error::Absent`] when there is none, [`Error::NotAllowed`] when the caller may not change it, and as [`create`].
pub async fn update(
    app: &crate::App,
    caller: Option<&UserId>,
    id: &str,
    content: &Content,
    now: Timestamp,
) -> Result<Poll> {
    let poll = app.write(async |tx| whole(tx, caller, id, content, now).await).await?;
    while !app.write(async |tx| remove::sweep_options(tx, id).await).await? {}
    Ok(poll)
}

/// Changes some fields of the poll `id`.
///
/// # Errors
/// As [`update`].
pub async fn patch(tx: &mut Tx, caller: Option<&UserId>, id: &str, patch: &Patch, now: Timestamp) -> Result<Poll> {
    let old = permit::load_to_change(tx, caller, id).await?;
    let mut custom = old.custom();
    patch.custom.apply(&mut custom)?;
    let new = Poll {
        name: patch.name.clone().unwrap_or_else(|| old.name.clone()),
        description: patch.description.clone().unwrap_or_else(|| old.description.clone()),
        is_anonymous: patch.is_anonymous.unwrap_or(old.is_anonymous),
        is_unique: patch.is_unique.unwrap_or(old.is_unique),
        votes_max: patch.votes_max.unwrap_or(old.votes_max),
        takes_options: patch.takes_options.unwrap_or(old.takes_options),
        takes_answers: patch.takes_answers.unwrap_or(old.takes_answers),
        is_closed: patch.is_closed.unwrap_or(old.is_closed),
        updated_at: now,
        custom: custom.to_string(),
        ..old.clone()
    };
    finish(tx, caller, id, (&old, new), now).await
}

async fn finish(
    tx: &mut Tx,
    caller: Option<&UserId>,
    id: &str,
    (old, new): (&Poll, Poll),
    now: Timestamp,
) -> Result<Poll> {
    new.check()?;
    if old.is_anonymous && !new.is_anonymous {
        // Who voted did so in secret.
        return Err(Error::Unfit("voting_visibility: an anonymous poll stays anonymous".to_owned()));
    }
    put(tx, id, &new);
    let kind = if new.is_closed && !old.is_closed { "poll.closed" } else { "poll.updated" };
    tell(tx, kind, (id, &new), (caller, None), now).await?;
    Ok(new)
}
