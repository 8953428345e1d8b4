//! Reading single messages.

use ids::{ChannelId, MessageId, Timestamp, UserId};

use super::{Message, Page, Scene, is_visible};
use crate::{Error, Result, Tx, keyspace::MESSAGE};

/// The message `id`, for `caller`; none is the app's own server.
///
/// # Errors
/// [`Error::Absent`] when there is none that the caller sees, [`Error::NotAllowed`] when they may not read its channel.
pub async fn read(tx: &mut Tx, caller: Option<&UserId>, id: &MessageId, now: Timestamp) -> Result<Message> {
    let message = super::load(tx, id).await?;
    let Some(user) = caller else { return Ok(message) };
    Scene::load(tx, &message.channel, caller, now).await?.check_reading()?;
    match is_visible(&message, user) {
        true => Ok(message),
        false => Err(Error::Absent(format!("Message with id {id} doesn't exist"))),
    }
}

/// Those of the messages `ids` that are in `channel` and that `caller` sees, in the order of `ids`.
///
/// # Errors
/// [`Error::Absent`] when there is no such channel, [`Error::NotAllowed`] when the caller may not read it.
pub async fn read_many(
    tx: &mut Tx,
    caller: Option<&UserId>,
    channel: &ChannelId,
    ids: &[MessageId],
    now: Timestamp,
) -> Result<Page> {
    Scene::load(tx, channel, caller, now).await?.check_reading()?;
    let (tenant, keys) = (tx.tenant(), ids.iter().map(MessageId::to_string).collect::<Vec<_>>());
    let messages = MESSAGE.get_many(tx, tenant, &keys).await?;
    let found = ids.iter().cloned().zip(messages).filter_map(|(id, message)| Some((id, message?)));
    let is_seen =
        |message: &Message| message.channel == *channel && caller.is_none_or(|user| is_visible(message, user));
    Ok(found.filter(|(_, message)| is_seen(message)).collect())
}
