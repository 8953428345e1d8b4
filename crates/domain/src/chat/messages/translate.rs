//! A message in another language, beside what was said (chat §12.20).

use ids::{MessageId, Timestamp, UserId};

use super::{Kind, Message, put_changed, read};
use crate::{Error, Result, Tx};

/// The longest text that is translated, in characters.
pub const TRANSLATED_CHARS_MAX: usize = 5_000;

/// What a text is in another language.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Translation {
    /// The text as it was said.
    pub said: String,
    /// In which language.
    pub from: String,
    /// The other language.
    pub to: String,
    /// The text in it.
    pub text: String,
}

/// Adds a translation to the message `id`, beside those that it has; who watches is told.
///
/// # Errors
/// [`Error::Absent`] and [`Error::NotAllowed`] as for who reads it; [`Error::Unfit`] when it was deleted, is shown to nobody
/// else, or says something else by now.
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
    if message.text != translation.said {
        return Err(Error::Unfit(format!("message {id} was changed while it was translated")));
    }
    let of = |language: &str| format!("{language}_text");
    for (name, text) in [
        ("language".to_owned(), &translation.from),
        (of(&translation.from), &translation.said),
        (of(&translation.to), &translation.text),
    ] {
        message.translations.retain(|(known, _)| *known != name);
        message.translations.push((name, text.clone()));
    }
    put_changed(tx, id, &mut message, now);
    Ok(message)
}
