//! Reading a configuration file, checked key by key against the definition.

use std::path::Path;

use clap::{Arg, Command};
use toml::de::{DeTable, DeValue};

use super::kind::{Kind, found};
use super::{Values, name, settings};

/// Why a configuration file is not taken; each says where, what and what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("cannot be read: {0}")]
    Unreadable(std::io::Error),
    #[error("is not TOML: {0}")]
    NotToml(String),
    #[error(
        "line {line}: there is no setting `{key}`; did you mean `{nearest}`? (`millpond config template` shows all)"
    )]
    UnknownKey { line: usize, key: String, nearest: String },
    #[error("line {line}: `{key}` wants {expected}, not {found}")]
    WrongType { line: usize, key: String, expected: &'static str, found: &'static str },
    #[error("line {line}: `{key}` cannot be {value}: {reason}")]
    WrongValue { line: usize, key: String, value: String, reason: String },
}

/// The settings in the file at `path`.
pub(super) fn read(path: &Path) -> Result<Values, Error> {
    parse(&std::fs::read_to_string(path).map_err(Error::Unreadable)?)
}

fn parse(text: &str) -> Result<Values, Error> {
    let table = DeTable::parse(text).map_err(|error| Error::NotToml(error.to_string()))?;
    let settings = settings();
    let mut entries: Vec<_> = table.get_ref().iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let mut values = Values::new();
    for (key, value) in entries {
        let line = text[..key.span().start].matches('\n').count() + 1;
        let arg = setting(&settings, key.get_ref(), line)?;
        values.insert(name(arg).to_owned(), words(arg, value.get_ref(), line)?);
    }
    Ok(values)
}

fn setting<'a>(settings: &'a [Arg], key: &str, line: usize) -> Result<&'a Arg, Error> {
    let known = settings.iter().find(|arg| name(arg) == key);
    known.ok_or_else(|| Error::UnknownKey { line, key: key.to_owned(), nearest: nearest(settings, key).to_owned() })
}

fn nearest<'a>(settings: &'a [Arg], key: &str) -> &'a str {
    let key = key.to_lowercase().replace('_', "-");
    let names = settings.iter().map(name);
    names.min_by_key(|name| strsim::damerau_levenshtein(name, &key)).unwrap_or_default()
}

fn words(arg: &Arg, value: &DeValue<'_>, line: usize) -> Result<Vec<String>, Error> {
    let key = || name(arg).to_owned();
    let kind = Kind::of(arg);
    let words = kind.words(value).ok_or_else(|| Error::WrongType {
        line,
        key: key(),
        expected: kind.expected(),
        found: found(value),
    })?;
    match refusal(arg, &words) {
        None => Ok(words),
        Some(reason) => Err(Error::WrongValue { line, key: key(), value: kind.toml(&words), reason }),
    }
}

/// Why the definition does not take `words`, if it does not.
fn refusal(arg: &Arg, words: &[String]) -> Option<String> {
    let alone = arg.clone().env(None::<&str>).default_values(words.to_vec());
    let error = Command::new("file").no_binary_name(true).arg(alone).try_get_matches_from([""; 0]).err()?;
    match std::error::Error::source(&error) {
        Some(source) => Some(source.to_string()),
        None => Some(possible(arg).unwrap_or_else(|| "it is out of range".to_owned())),
    }
}

fn possible(arg: &Arg) -> Option<String> {
    let names: Vec<String> = arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    (!names.is_empty()).then(|| format!("it is one of {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn values_become_the_words_of_a_command_line() {
        let values = parse(
            "listen = [\"127.0.0.1:1\", \"[::1]:2\"]\nephemeral = true\ndrain-seconds = 0x10\nrate-limits = 2.5\n\
             cache-bytes = \"1GiB\"\nbody-max-bytes = 1_000\npreset = \"sdk-suites\"",
        )
        .unwrap();
        let words = |key: &str| values[key].join(" ");
        assert_eq!(words("listen"), "127.0.0.1:1 [::1]:2");
        assert_eq!(words("ephemeral"), "true");
        assert_eq!(words("drain-seconds"), "16");
        assert_eq!(words("rate-limits"), "2.5");
        assert_eq!(words("cache-bytes"), "1GiB");
        assert_eq!(words("body-max-bytes"), "1000");
        assert_eq!(words("preset"), "sdk-suites");
    }

    #[test]
    fn an_unknown_key_names_its_line_and_the_nearest() {
        let expected = |line, key, nearest| {
            format!(
                "line {line}: there is no setting `{key}`; did you mean `{nearest}`? \
                 (`millpond config template` shows all)"
            )
        };
        assert_eq!(error("# pond\nlissten = \"127.0.0.1:1\""), expected(2, "lissten", "listen"));
        assert_eq!(error("data_dir = \"pond\""), expected(1, "data_dir", "data-dir"));
        assert_eq!(error("json = true"), expected(1, "json", "listen"));
        assert_eq!(error("[serve]\nlisten = []"), expected(1, "serve", "preset"));
    }

    #[test]
    fn a_wrong_type_names_key_line_and_what_is_expected() {
        assert_eq!(error("\ndrain-seconds = \"soon\""), "line 2: `drain-seconds` wants a whole number, not a text");
        assert_eq!(error("ephemeral = 1"), "line 1: `ephemeral` wants true or false, not a whole number");
        assert_eq!(error("data-dir = 7"), "line 1: `data-dir` wants a text in quotes, not a whole number");
        let texts = "line 1: `listen` wants a list of texts such as [\"…\", \"…\"], not a whole number";
        assert_eq!(error("listen = 8800"), texts);
        let size = "line 1: `cache-bytes` wants a size such as \"10MiB\" or 10485760, not true or false";
        assert_eq!(error("cache-bytes = true"), size);
    }

    #[test]
    fn a_wrong_value_names_the_reason() {
        assert_eq!(
            error("listen = [\"localhost\"]"),
            "line 1: `listen` cannot be [\"localhost\"]: invalid socket address syntax"
        );
        assert_eq!(
            error("rate-limits = \"much\""),
            "line 1: `rate-limits` cannot be \"much\": `much` is not a rate limit; use off, default, or a factor above \
             0 such as 2.5"
        );
        assert_eq!(error("log-format = \"xml\""), "line 1: `log-format` cannot be \"xml\": it is one of text, json");
        assert_eq!(error("app-id = 0"), "line 1: `app-id` cannot be 0: 0 is not in 1..=4294967295");
    }

    #[test]
    fn what_is_not_toml_is_told() {
        assert!(error("listen = ").starts_with("is not TOML: TOML parse error at line 1"));
    }
}
