//! Who puts what users say into other languages (chat §12.20): a service that speaks LibreTranslate's API, or a few words that
//! are known here.

use std::time::Duration;

use domain::translation::Translation;
use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};

use crate::outbound::Outbound;

/// How long a service may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The languages that texts are put into, by their codes.
pub(crate) const LANGUAGES: [&str; 57] = [
    "af", "am", "ar", "az", "bg", "bn", "bs", "cs", "da", "de", "el", "en", "es", "es-MX", "et", "fa", "fa-AF", "fi",
    "fr", "fr-CA", "ha", "he", "hi", "hr", "ht", "hu", "id", "it", "ja", "ka", "ko", "lt", "lv", "ms", "nl", "no",
    "pl", "ps", "pt", "ro", "ru", "sk", "sl", "so", "sq", "sr", "sv", "sw", "ta", "th", "tl", "tr", "uk", "ur", "vi",
    "zh", "zh-TW",
];

/// What is known of Spanish: longer phrases first.
const SPANISH: [(&str, &str); 12] = [
    ("test message", "mensaje de prueba"),
    ("good morning", "buenos días"),
    ("good night", "buenas noches"),
    ("thank you", "gracias"),
    ("goodbye", "adiós"),
    ("message", "mensaje"),
    ("friend", "amigo"),
    ("hello", "hola"),
    ("world", "mundo"),
    ("test", "prueba"),
    ("yes", "sí"),
    ("the", "el"),
];

/// Who translates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Translator {
    /// A service that speaks LibreTranslate's API.
    Service {
        /// Its address: what `/translate` follows.
        url: String,
        /// What it asks its callers for, if it does.
        key: Option<String>,
    },
    /// A few words of Spanish; all others stay as they are, and so does everything in other languages. For the test suites of
    /// client libraries.
    Words,
}

/// Why a text could not be translated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The service could not be asked.
    #[error("the translation service cannot be asked: {0}")]
    Unasked(#[from] crate::outbound::Error),
    /// It did not do it.
    #[error("the translation service answered {status}: {said}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it said of why.
        said: String,
    },
    /// What it answered is no translation.
    #[error("the translation service answered something else")]
    Unreadable,
}

/// A question in LibreTranslate's words.
#[derive(Serialize)]
struct Asked<'a> {
    q: &'a str,
    source: &'static str,
    target: &'a str,
    format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<&'a str>,
}

/// Its answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answered {
    translated_text: String,
    detected_language: Detected,
}

#[derive(Deserialize)]
struct Detected {
    language: String,
}

/// What it says of a failure.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Failed {
    error: String,
}

/// Where texts are handed in.
pub(crate) struct Bureau {
    translator: Translator,
    outbound: Outbound,
}

impl Bureau {
    /// One with this translator. The operator chose the service, so wherever it is, it may be called.
    pub(crate) fn new(translator: Translator) -> Self {
        let everywhere = ["0.0.0.0/0", "::/0"].map(|net| net.parse().expect("the networks are in the source"));
        Bureau { translator, outbound: Outbound::new(everywhere.into()) }
    }

    /// `text` in the language `to`.
    ///
    /// # Errors
    /// When the service fails.
    pub(crate) async fn translate(&self, text: &str, to: &str) -> Result<Translation, Error> {
        let (from, translated) = match &self.translator {
            Translator::Words => ("en".to_owned(), words(text, to)),
            Translator::Service { url, key } => ask(&self.outbound, url, key.as_deref(), text, to).await?,
        };
        Ok(Translation { said: text.to_owned(), from, to: to.to_owned(), text: translated })
    }
}

async fn ask(
    outbound: &Outbound,
    url: &str,
    key: Option<&str>,
    text: &str,
    to: &str,
) -> Result<(String, String), Error> {
    let asked = Asked { q: text, source: "auto", target: to, format: "text", api_key: key };
    let body = serde_json::to_vec(&asked).expect("texts are JSON");
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    let url = format!("{}/translate", url.trim_end_matches('/'));
    let (status, body) = outbound.ask(&url, headers, body, TIMEOUT).await?;
    if !(200..300).contains(&status) {
        let Failed { error: said } = serde_json::from_slice(&body).unwrap_or_default();
        return Err(Error::Refused { status, said });
    }
    let answered: Answered = serde_json::from_slice(&body).map_err(|_| Error::Unreadable)?;
    Ok((answered.detected_language.language, answered.translated_text))
}

/// `text` with the words that are known of the language `to`.
fn words(text: &str, to: &str) -> String {
    let known: &[(&str, &str)] = if matches!(to, "es" | "es-MX") { &SPANISH } else { &[] };
    let mut translated = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_within = translated.ends_with(char::is_alphanumeric);
        let here = known.iter().find(|(word, _)| !is_within && begins_with_word(rest, word));
        let length = match here {
            Some((word, other)) => {
                translated.push_str(other);
                word.len()
            }
            None => {
                translated.push(first);
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    translated
}

fn begins_with_word(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word))
        && !text[word.len()..].starts_with(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_are_translated_and_others_stay() {
        for (text, translated) in [
            ("test message", "mensaje de prueba"),
            ("Hello, world!", "hola, mundo!"),
            ("the tests", "el tests"),
            ("contest", "contest"),
            ("größe test", "größe prueba"),
            ("", ""),
        ] {
            assert_eq!(words(text, "es"), translated);
        }
        assert_eq!(words("test message", "hu"), "test message");
    }

    #[test]
    fn languages_are_in_order_and_each_is_there_once() {
        assert!(LANGUAGES.is_sorted_by(|one, other| one < other));
    }
}
