//! Reacting, and taking it back (chat §6.9, §11.5). No two users write the same row.

use ids::{MessageId, Timestamp, UserId};
use store::{Direction, Limit};

use super::Reaction;
use crate::{
    Error, Result, Tx,
    chat::{
        events::{self, Event},
        messages::{self, Message, Scene},
    },
    keyspace::{At, Latest, REACTED, REACTION, REACTION_GROUP, REACTION_ORDER, REACTIONS, SCORES},
    users,
};

/// The longest name of a type, in bytes.
const KIND_BYTES_MAX: usize = 30;
/// The most bytes of a reaction's own fields.
const CUSTOM_BYTES_MAX: usize = 1024;
/// The most types with which one user reacts to one message.
const TYPES_MAX: usize = 100;

/// A reaction as its sender describes it.
#[derive(Clone, PartialEq, Debug)]
pub struct Draft {
    /// Who reacts.
    pub user: UserId,
    /// The type.
    pub kind: String,
    /// How strong.
    pub score: i64,
    /// Whether it takes the place of the user's other reactions.
    pub is_only: bool,
    /// The application's own fields: a JSON object.
    pub custom: String,
}

/// Reacts to the message `id` on behalf of `caller`; a reaction of the same type is changed.
///
/// # Errors
/// [`Error::Absent`] when there is no such message, [`Error::FeatureOff`] when the channel has no reactions,
/// [`Error::NotAllowed`] when the caller may not, [`Error::Unfit`] and [`Error::TooBig`] for what is past its limit.
pub async fn send(
    tx: &mut Tx,
    caller: Option<&UserId>,
    id: &MessageId,
    draft: &Draft,
    now: Timestamp,
) -> Result<(Message, Reaction)> {
    let message = open(tx, caller, id, now).await?;
    check(draft)?;
    users::ensure(tx, &draft.user, now).await?;
    let (tenant, key) = (tx.tenant(), (id.to_string(), draft.user.to_string(), draft.kind.clone()));
    let range = REACTION.prefix(tenant, &(key.0.clone(), key.1.clone()));
    let own = REACTION.scan(tx, tenant, range, Direction::Forward, Limit::rows(TYPES_MAX)).await?.rows;
    let known = own.iter().find(|(own, _)| *own == key).map(|(_, known)| known.clone());
    if known.is_none() && own.len() >= TYPES_MAX {
        return Err(Error::Unfit(format!("a user reacts to a message with at most {TYPES_MAX} types")));
    }
    if draft.is_only {
        for (other, reaction) in own.iter().filter(|(own, _)| *own != key) {
            take(tx, other, reaction);
        }
    }
    let created_at = known.as_ref().map_or(now, |known| known.created_at);
    let reaction = Reaction { score: draft.score, created_at, updated_at: now, custom: draft.custom.clone() };
    put(tx, &key, &reaction, known.as_ref());
    let event = if known.is_some() { "reaction.updated" } else { "reaction.new" };
    tell(tx, event, (id, &message), (&draft.kind, &draft.user, &reaction), now);
    Ok((message, reaction))
}

/// Takes the reaction of `user` with this type back.
///
/// # Errors
/// [`Error::Absent`] when there is no such message or reaction, [`Error::NotAllowed`] when the caller may not.
pub async fn delete(
    tx: &mut Tx,
    caller: Option<&UserId>,
    id: &MessageId,
    kind: &str,
    user: &UserId,
    now: Timestamp,
) -> Result<(Message, Reaction)> {
    let message = messages::read(tx, caller, id, now).await?;
    let scene = Scene::load(tx, &message.channel, caller, now).await?;
    scene.check("delete-reaction", Some(user))?;
    scene.check_not_frozen()?;
    let (tenant, key) = (tx.tenant(), (id.to_string(), user.to_string(), kind.to_owned()));
    let known = REACTION.get(tx, tenant, &key).await?;
    let reaction = known.ok_or_else(|| {
        Error::Absent(format!("reaction with type '{kind}' of user '{user}' doesn't exist on message {id}"))
    })?;
    take(tx, &key, &reaction);
    tell(tx, "reaction.deleted", (id, &message), (kind, user, &reaction), now);
    Ok((message, reaction))
}

/// The message `id`, if one may react to it.
async fn open(tx: &mut Tx, caller: Option<&UserId>, id: &MessageId, now: Timestamp) -> Result<Message> {
    let message = messages::read(tx, caller, id, now).await?;
    if message.deleted_at.is_some() {
        return Err(Error::Unfit(format!("message {id} was deleted")));
    }
    let scene = Scene::load(tx, &message.channel, caller, now).await?;
    scene.check("create-reaction", None)?;
    scene.check_not_frozen()?;
    scene.check_enabled()?;
    scene.check_feature("reactions", scene.config.reactions)?;
    Ok(message)
}

/// Writes a reaction in the place of `known`, by message, user and type.
pub(super) fn put(tx: &mut Tx, key: &(String, String, String), reaction: &Reaction, known: Option<&Reaction>) {
    let (tenant, (message, user, kind)) = (tx.tenant(), key.clone());
    REACTION.put(tx, tenant, key, reaction);
    REACTED.put(tx, tenant, &(user.clone(), message.clone(), kind.clone()), &());
    let counted = (message.clone(), kind.clone());
    SCORES.add(tx, tenant, &counted, reaction.score - known.map_or(0, |known| known.score));
    if known.is_none() {
        let at = reaction.created_at;
        REACTIONS.add(tx, tenant, &counted, 1);
        REACTION_ORDER.put(tx, tenant, &(message.clone(), Latest(at), user.clone(), kind.clone()), &());
        REACTION_GROUP.put(tx, tenant, &(message, kind, At(at), user), &());
    }
}

pub(super) fn check(draft: &Draft) -> Result<()> {
    if draft.kind.is_empty() || draft.kind.len() > KIND_BYTES_MAX {
        return Err(Error::Unfit(format!("reaction.type must have 1 to {KIND_BYTES_MAX} characters")));
    }
    match draft.custom.len() > CUSTOM_BYTES_MAX {
        true => Err(Error::TooBig(format!("the own fields of a reaction may have {CUSTOM_BYTES_MAX} bytes"))),
        false => Ok(()),
    }
}

/// Removes every row of one reaction, by message, user and type.
pub(crate) fn take(tx: &mut Tx, key: &(String, String, String), reaction: &Reaction) {
    let (tenant, (message, user, kind)) = (tx.tenant(), key.clone());
    let at = reaction.created_at;
    REACTION.delete(tx, tenant, key);
    REACTED.delete(tx, tenant, &(user.clone(), message.clone(), kind.clone()));
    REACTIONS.add(tx, tenant, &(message.clone(), kind.clone()), -1);
    SCORES.add(tx, tenant, &(message.clone(), kind.clone()), -reaction.score);
    REACTION_ORDER.delete(tx, tenant, &(message.clone(), Latest(at), user.clone(), kind.clone()));
    REACTION_GROUP.delete(tx, tenant, &(message, kind, At(at), user));
}

fn tell(
    tx: &mut Tx,
    event: &str,
    (id, message): (&MessageId, &Message),
    (kind, user, reaction): (&str, &UserId, &Reaction),
    now: Timestamp,
) {
    let told = Event::new(event, now, Some(&message.channel)).by(Some(user)).about(id, message);
    events::record(tx, Event { reaction: Some((kind.to_owned(), user.clone(), reaction.clone())), ..told });
}
