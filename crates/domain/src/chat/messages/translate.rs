//! A message in another language, beside what was said (chat §12.20).

use ids::{MessageId, Timestamp, UserId};

use super::{Kind, Message, put_changed, read};
use crate::{Error, Result, Tx, translation::Translation};

/// The most bytes of all translations of a message, with which it still can be changed.
const BYTES_MAX: usize = 50_000;

/// Adds a translation to the message `id`, beside those that it has; who watches is told.
///
/// # Errors
/// [`Error::Absent`] and [`Error::NotAllowed`] as for who reads it; [`Error::Unfit`] when it was deleted, is shown to nobody
/// else, or says something else by now; [`Error::TooBig`].
pub async fn translate(
    tx: &mut Tx,
    caller: Option<&UserId>,
    id: &MessageId,
    translation: &Translation,
    now: Timestamp,
) -> Result<Message> {
    let mut message = read::read(tx, caller, id, now).await?;
    if message.deleted_at.is_some() || message.pending.is_some() || message.kind == Kind::Ephemeral {
        return Err(Error::Unfit(format!("message {id} is deleted or shown to nobody else")));
    }
    translation.check_is_of(&message.text, &format!("message {id}"))?;
    translation.put_into(&mut message.translations);
    if message.translations.iter().map(|(_, text)| text.len()).sum::<usize>() > BYTES_MAX {
        return Err(Error::TooBig(format!("the translations of a message have at most {BYTES_MAX} bytes")));
    }
    put_changed(tx, id, &mut message, now);
    Ok(message)
}
