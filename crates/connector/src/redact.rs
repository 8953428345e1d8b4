//! What is kept of other people's texts: without e-mail addresses, tokens and the identifiers of the moment (§20).

use std::fmt;

/// The most of a message of the other side that is kept, in characters.
const MESSAGE_CHARS_MAX: usize = 500;
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
    let mut text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut known: Vec<&str> = identifiers.iter().copied().filter(|identifier| !identifier.is_empty()).collect();
    known.sort_by_key(|identifier| std::cmp::Reverse(identifier.len()));
    for identifier in known {
        text = text.replace(identifier, REDACTED);
    }
    let words = text.split(' ').map(|word| if is_email(word) || is_token(word) { REDACTED } else { word });
    let text = words.collect::<Vec<_>>().join(" ");
    text.chars().take(MESSAGE_CHARS_MAX).collect()
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
