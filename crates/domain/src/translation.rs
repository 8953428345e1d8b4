//! What was said, in other languages beside it (chat §12.20, feeds-v3 §3.3, §3.4).

use crate::{Error, Result};

/// The longest text that is translated, in characters.
pub const CHARS_MAX: usize = 5_000;

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

impl Translation {
    /// Checks that what was translated still says `text`.
    ///
    /// # Errors
    /// [`Error::Unfit`], which calls it `what`.
    pub(crate) fn check_is_of(&self, text: &str, what: &str) -> Result<()> {
        match self.said == text {
            true => Ok(()),
            false => Err(Error::Unfit(format!("{what} was changed while it was translated"))),
        }
    }

    /// Adds it to what is `known`, in place of an older one of its language: names and texts, as the API's `i18n` has them.
    pub(crate) fn put_into(&self, known: &mut Vec<(String, String)>) {
        let of = |language: &str| format!("{language}_text");
        for (name, text) in
            [("language".to_owned(), &self.from), (of(&self.from), &self.said), (of(&self.to), &self.text)]
        {
            known.retain(|(known, _)| *known != name);
            known.push((name, text.clone()));
        }
    }
}
