//! What calls that translate have in common (chat §12.20, feeds-v3 §3.3, §3.4).

use domain::translation::{CHARS_MAX, Translation};

use super::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
};
use crate::translation::LANGUAGES;

/// The language that a body asks for.
///
/// # Errors
/// 400 with code 4 when it is none, or not known.
pub(crate) fn language(sent: &mut Fields) -> Result<String> {
    let language = sent.filled("language")?.ok_or_else(|| Error::field("language", "is a required field"))?;
    match LANGUAGES.contains(&language.as_str()) {
        true => Ok(language),
        false => Err(Error::field("language", &format!("must be one of [{}]", LANGUAGES.join(" ")))),
    }
}

/// `text` in `language`, by whoever translates here.
///
/// # Errors
/// 400 with code 4 when it is too long, with code 19 when nobody translates or the service fails.
pub(crate) async fn make(call: &Call, text: &str, language: &str) -> Result<Translation> {
    let off = |why: String| Error::from(domain::Error::FeatureOff(why));
    let bureau = call.server.translations.as_ref();
    let bureau = bureau.ok_or_else(|| off("nobody translates here; start the server with --translator".to_owned()))?;
    if text.chars().count() > CHARS_MAX {
        return Err(Error::input(format!("the text is longer than the {CHARS_MAX} characters that are translated")));
    }
    bureau.translate(text, language).await.map_err(|error| {
        tracing::warn!(%error, "a text was not translated");
        off(format!("{error}; try again later"))
    })
}
