//! What can be seen of a key and a secret before anything is sent (T0).

use super::{Finding, Problem};
use crate::{Secret, integrations::Pair};

/// Characters that nobody sees, beside white space.
const INVISIBLE: &[char] = &['\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}', '\u{00ad}'];
const QUOTES: &[char] = &['"', '\'', '`', '“', '”', '‘', '’'];

fn is_extra(c: char) -> bool {
    c.is_whitespace() || c.is_control() || INVISIBLE.contains(&c) || QUOTES.contains(&c)
}

/// What is wrong with the pair.
pub(crate) fn lint(pair: &Pair) -> Option<Finding> {
    let (key, secret) = (pair.key.expose(), pair.secret.expose());
    if let Some(finding) = extra("Key", key).or_else(|| is_token(secret)).or_else(|| extra("Secret", secret)) {
        return Some(finding);
    }
    let empty = [("Key", key), ("Secret", secret)].into_iter().find(|(_, text)| text.is_empty());
    empty.map(|(which, _)| Finding::new(Problem::CredentialEmpty, format!("The API {which} is empty.")))
}

fn extra(which: &str, text: &str) -> Option<Finding> {
    let is_at = |found: bool, place: &'static str| found.then_some(place);
    let inner = text.trim_matches(is_extra);
    let places = [
        is_at(text.starts_with(is_extra), "at the beginning"),
        is_at(inner.contains(is_extra), "inside"),
        is_at(text.ends_with(is_extra), "at the end"),
    ];
    let places: Vec<&str> = places.into_iter().flatten().collect();
    if places.is_empty() {
        return None;
    }
    let message = format!(
        "The API {which} contains extra spaces or invisible characters ({}). Copy it again without them.",
        places.join(", ")
    );
    Some(Finding::new(Problem::CredentialWhitespace, message))
}

fn is_token(secret: &str) -> Option<Finding> {
    let trimmed = secret.trim();
    let is_jwt = trimmed.starts_with("eyJ") && trimmed.split('.').count() == 3;
    let message = "That is a token, not the API Secret. Paste the secret itself.";
    (is_jwt || trimmed.starts_with("Bearer ")).then(|| Finding::new(Problem::CredentialIsToken, message))
}

/// The pair without outer spaces, quotes and invisible characters, and whether that changed anything.
pub fn trimmed(pair: Pair) -> (Pair, bool) {
    let trim = |secret: &Secret| Secret::new(secret.expose().trim_matches(is_extra).to_owned());
    let (key, secret) = (trim(&pair.key), trim(&pair.secret));
    let is_changed =
        key.expose().len() != pair.key.expose().len() || secret.expose().len() != pair.secret.expose().len();
    (Pair { key, secret }, is_changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(key: &str, secret: &str) -> Option<Finding> {
        lint(&Pair { key: Secret::new(key.into()), secret: Secret::new(secret.into()) })
    }

    #[test]
    fn check_04_spaces_and_invisible_characters_are_named_with_their_place() {
        for secret in ["s3cret ", "s3cret\u{a0}", "s3cret\n", "s3cret\u{feff}", "\"s3cret\""] {
            let finding = problem("key", secret).unwrap();
            assert_eq!(finding.problem, Problem::CredentialWhitespace);
            assert!(finding.message.starts_with("The API Secret contains extra spaces or invisible characters ("));
            assert!(!finding.message.contains("s3cret"));
        }
        assert!(problem(" key", "s3cret").unwrap().message.contains("API Key contains"));
        assert!(problem("key", "s3 cret").unwrap().message.contains("(inside)"));
        assert_eq!(problem("key", "s3cret"), None);
    }

    #[test]
    fn check_03_a_token_or_nothing_in_place_of_the_secret_is_told() {
        let token = "eyJhbGciOiJIUzI1NiJ9.e30.abc";
        assert_eq!(problem("key", token).unwrap().problem, Problem::CredentialIsToken);
        assert_eq!(problem("key", "Bearer x").unwrap().problem, Problem::CredentialIsToken);
        assert_eq!(problem("", "s").unwrap().problem, Problem::CredentialEmpty);
    }
}
