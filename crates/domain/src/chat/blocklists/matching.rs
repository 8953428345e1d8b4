//! Whether a text has what a blocklist holds (chat §12.14).

use regex::{Regex, RegexBuilder};

use super::Blocklist;
use crate::{Error, Result};

/// The most bytes of a compiled regular expression.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// A regular expression of a list.
///
/// # Errors
/// [`Error::Unfit`] when it is none, or too big.
pub(super) fn regex(text: &str) -> Result<Regex> {
    let built = RegexBuilder::new(text).case_insensitive(true).size_limit(REGEX_BYTES_MAX).build();
    built.map_err(|_| Error::Unfit(format!("words: \"{text}\" is not a regular expression, or too big a one")))
}

/// Whether `text` has what `list` holds.
pub(super) fn finds(list: &Blocklist, words: &[String], text: &str) -> bool {
    let text = text.to_lowercase();
    let is_listed = |part: &str, separator: char| {
        words
            .iter()
            .map(|word| word.to_lowercase())
            .any(|word| part == word || part.ends_with(&format!("{separator}{word}")))
    };
    match list.kind.as_str() {
        "regex" => words.iter().any(|word| regex(word).is_ok_and(|regex| regex.is_match(&text))),
        "domain" => domains(&text).any(|domain| is_listed(domain, '.')),
        "domain_allowlist" => domains(&text).any(|domain| !is_listed(domain, '.')),
        "email" => emails(&text).any(|email| is_listed(email, '@')),
        "email_allowlist" => emails(&text).any(|email| !is_listed(email, '@')),
        _ => has_word(list, words, &text),
    }
}

fn has_word(list: &Blocklist, words: &[String], text: &str) -> bool {
    let plain = |text: &str| text.chars().map(|letter| plain(list, letter)).collect::<String>();
    let text = plain(text);
    words.iter().map(|word| plain(&word.to_lowercase())).any(|word| {
        if list.is_substring && text.contains(&word) {
            return true;
        }
        let is_word = |part: &str| {
            let rest = part.strip_prefix(word.as_str());
            rest == Some("") || (list.is_plural && matches!(rest, Some("s" | "es")))
        };
        let mut parts = text.split(|c: char| c.is_whitespace() || c == '-');
        parts.any(|part| is_word(part) || is_word(part.trim_matches(|c: char| !c.is_alphanumeric())))
            || (word.contains([' ', '-']) && text.contains(&word))
    })
}

/// The letter that `letter` stands for.
fn plain(list: &Blocklist, letter: char) -> char {
    match letter {
        '0' if list.is_leet => 'o',
        '1' | '!' if list.is_leet => 'i',
        '3' if list.is_leet => 'e',
        '4' | '@' if list.is_leet => 'a',
        '5' | '$' if list.is_leet => 's',
        '7' if list.is_leet => 't',
        // Cyrillic and Greek letters that look like Latin ones.
        'а' | 'α' if list.is_folding => 'a',
        'е' | 'ε' if list.is_folding => 'e',
        'о' | 'ο' if list.is_folding => 'o',
        'р' | 'ρ' if list.is_folding => 'p',
        'с' if list.is_folding => 'c',
        'х' | 'χ' if list.is_folding => 'x',
        'у' | 'υ' if list.is_folding => 'y',
        'і' | 'ι' if list.is_folding => 'i',
        'к' | 'κ' if list.is_folding => 'k',
        letter => letter,
    }
}

/// What stands where links name a host, and words that look like one.
fn domains(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| c.is_whitespace() || "()<>\"',;".contains(c)).filter(|word| !word.contains('@'));
    words.filter_map(|word| {
        let rest = word.split_once("://").map_or(word, |(_, rest)| rest);
        let host = rest.split(['/', '?', '#', ':']).next()?.trim_end_matches('.');
        let is_host = host.split('.').count() > 1 && host.split('.').all(|part| !part.is_empty());
        let ends_in_letters = host.rsplit('.').next()?.chars().all(char::is_alphabetic);
        (is_host && ends_in_letters).then(|| host.strip_prefix("www.").unwrap_or(host))
    })
}

fn emails(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| c.is_whitespace() || "()<>\"',;:".contains(c));
    let is_email = |word: &&str| word.split_once('@').is_some_and(|(who, host)| !who.is_empty() && host.contains('.'));
    words.map(|word| word.trim_end_matches('.')).filter(is_email)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::blocklists::built_in;

    fn has(kind: &str, words: &[&str], change: impl Fn(&mut Blocklist), text: &str) -> bool {
        let mut list = Blocklist { kind: kind.into(), ..built_in() };
        change(&mut list);
        let words: Vec<String> = words.iter().map(|&word| word.into()).collect();
        finds(&list, &words, text)
    }

    #[test]
    fn a_word_counts_alone_in_any_case_and_beside_a_hyphen() {
        let has = |text| has("word", &["Darn"], |_| {}, text);
        assert!(has("darn") && has("well, DARN it!") && has("darn-it"));
        assert!(!has("darned") && !has("d4rn") && !has("darns") && !has(""));
    }

    #[test]
    fn switches_find_more() {
        let find = |change: fn(&mut Blocklist), text| has("word", &["darn"], change, text);
        assert!(find(|list| list.is_substring = true, "undarned"));
        assert!(find(|list| list.is_leet = true, "d4rn"));
        assert!(find(|list| list.is_plural = true, "darns"));
        assert!(find(|list| list.is_folding = true, "dаrn"));
    }

    #[test]
    fn domains_count_with_what_is_below_them() {
        let bad = |text| has("domain", &["bad.test"], |_| {}, text);
        assert!(
            bad("see https://www.bad.test/x?y") && bad("a.bad.test.") && !bad("notbad.test") && !bad("me@bad.test")
        );
        let other = |text| has("domain_allowlist", &["good.test"], |_| {}, text);
        assert!(other("go to http://bad.test") && !other("go to good.test") && !other("just words."));
    }

    #[test]
    fn emails_count_whole_or_by_their_host() {
        let bad = |text| has("email", &["amy@bad.test", "worse.test"], |_| {}, text);
        assert!(bad("write amy@bad.test.") && bad("<bob@worse.test>") && !bad("bob@bad.test"));
        let other = |text| has("email_allowlist", &["good.test"], |_| {}, text);
        assert!(other("amy@bad.test") && !other("amy@good.test") && !other("nobody"));
    }

    #[test]
    fn regular_expressions_are_checked_when_they_come() {
        assert!(has("regex", &["d[ao]rn+"], |_| {}, "DORNNN") && !has("regex", &["^x$"], |_| {}, "xx"));
        assert!(regex("(").is_err() && regex("a{1000}{1000}").is_err());
    }
}
