//! What is kept of other people's texts: without e-mail addresses, tokens and the identifiers of the moment (§20).

use std::fmt;

/// The most of a message of the other side that is kept, in characters.
const MESSAGE_CHARS_MAX: usize = 500;
/// The most of it that is looked at, in characters.
const READ_CHARS_MAX: usize = 8 * MESSAGE_CHARS_MAX;
const REDACTED: &str = "[redacted]";

/// A value that never prints.
#[derive(Clone, PartialEq, Eq)]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    /// Takes the value over.
    pub fn new(value: T) -> Self {
        Sensitive(value)
    }

    /// The value, for whoever needs it.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl<T> fmt::Display for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// `text` without control characters, e-mail shapes, token shapes and `identifiers`, cut to a length.
pub fn scrub(text: &str, identifiers: &[&str]) -> String {
    let mut known: Vec<&str> = identifiers.iter().copied().filter(|identifier| !identifier.is_empty()).collect();
    known.sort_by_key(|identifier| std::cmp::Reverse(identifier.len()));
    let text: String = bounded(text).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let (mut clean, mut rest) = (String::new(), text.as_str());
    while let Some(first) = rest.chars().next() {
        let found = known.iter().find(|identifier| rest.starts_with(**identifier));
        clean.push_str(if found.is_some() { REDACTED } else { &rest[..first.len_utf8()] });
        rest = &rest[found.map_or(first.len_utf8(), |identifier| identifier.len())..];
    }
    let words = clean.split(' ').map(|word| if is_email(word) || is_token(word) { REDACTED } else { word });
    let clean = words.collect::<Vec<_>>().join(" ");
    clean.chars().take(MESSAGE_CHARS_MAX).collect()
}

/// The beginning of a text of any length. It does not end in the middle of a word, which may be half of an identifier.
fn bounded(text: &str) -> &str {
    let Some((end, _)) = text.char_indices().nth(READ_CHARS_MAX) else { return text };
    let word = text[..end].rfind(' ').unwrap_or(0);
    &text[..word]
}

/// A line of a log without e-mail shapes and token shapes; what stands around them stays as it is.
pub fn line(text: &str) -> String {
    let is_edge = |c: char| c.is_whitespace() || "\"'\\<>(){}[],;:=&?".contains(c);
    let pieces = text.split_inclusive(is_edge).map(|piece| {
        let word = piece.trim_end_matches(is_edge);
        if is_email(word) || is_token(word) { format!("{REDACTED}{}", &piece[word.len()..]) } else { piece.to_owned() }
    });
    pieces.collect()
}

fn is_email(word: &str) -> bool {
    word.split_once('@').is_some_and(|(before, after)| !before.is_empty() && after.contains('.'))
}

/// Three parts of base64url, the first of which opens a JSON object.
fn is_token(word: &str) -> bool {
    word.find("eyJ").is_some_and(|start| word[start..].split('.').count() >= 3)
}

/// An identifier as operators see it: `a***@e***.com`, `j***`.
pub fn masked(identifier: &str) -> String {
    let first = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
    match identifier.split_once('@') {
        Some((name, host)) => {
            let end = host.rsplit_once('.').map(|(_, end)| format!(".{end}")).unwrap_or_default();
            format!("{}***@{}***{end}", first(name), first(host))
        }
        None => format!("{}***", first(identifier)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a23_42_messages_of_the_other_side_lose_people_and_tokens() {
        let message = "user jack (jack@example.com, token eyJhbGciOi.J9.abc) is\nnot here";
        let scrubbed = scrub(message, &["jack"]);
        assert_eq!(scrubbed, "user [redacted] [redacted] token [redacted] is not here");
    }

    #[test]
    fn a23_42_what_is_removed_is_not_looked_at_again_and_no_half_of_a_name_is_left() {
        assert_eq!(scrub("deed", &["d", "e"]), "[redacted]".repeat(4));
        assert_eq!(scrub("amy amy-1", &["amy", "amy-1"]), "[redacted] [redacted]");
        let long = format!("{}jack-the-first", "jack-the-first ".repeat(READ_CHARS_MAX / 15));
        let scrubbed = scrub(&long, &["jack-the-first"]);
        assert!(!scrubbed.contains("jack") && scrubbed.len() <= MESSAGE_CHARS_MAX, "{scrubbed}");
    }

    #[test]
    fn a23_42_a_line_of_a_log_stays_what_it_is_without_people_and_tokens() {
        let text =
            r#"{"message":"no user \"amy@example.com\"","token":"eyJhbGciOi.J9.abc","at":"2026-01-01T00:00:00Z"}"#;
        let clean = r#"{"message":"no user \"[redacted]\"","token":"[redacted]","at":"2026-01-01T00:00:00Z"}"#;
        assert_eq!(line(text), clean);
    }

    #[test]
    fn a23_42_a_sensitive_value_prints_as_redacted() {
        let value = Sensitive::new("amy@example.com");
        assert_eq!(format!("{value} {value:?}"), "[redacted] [redacted]");
        assert_eq!(*value.expose(), "amy@example.com");
    }

    #[test]
    fn identifiers_are_shown_masked() {
        assert_eq!(masked("amy@example.com"), "a***@e***.com");
        assert_eq!(masked("jack"), "j***");
        assert_eq!(masked(""), "***");
    }
}
