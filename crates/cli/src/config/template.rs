//! The configuration file as a document: every setting with its meaning, and where each value came from.

use std::fmt::Write as _;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches};

use super::kind::Kind;
use super::{file, name, named_file, raw, settings};

/// Values that are not shown.
const SECRETS: [&str; 2] = ["app-secret", "server-key"];

/// A configuration file with every setting, its meaning and its default, all commented out.
pub(crate) fn template() -> String {
    let mut out = String::from(
        "# Millpond's configuration, for `millpond serve --config FILE`.\n\
         # Flags go before the environment, the environment before this file, this file before the defaults shown.\n",
    );
    let mut heading = None;
    for arg in settings() {
        if heading.as_deref() != arg.get_help_heading() {
            heading = arg.get_help_heading().map(ToOwned::to_owned);
            let _ = write!(out, "\n# {}\n", heading.as_deref().unwrap_or("Other"));
        }
        let default: Vec<String> =
            arg.get_default_values().iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let value = if default.is_empty() { empty(&arg) } else { Kind::of(&arg).toml(&default) };
        let _ = write!(out, "\n# {}.\n#{} = {value}\n", description(&arg), name(&arg));
    }
    out
}

/// What stands for no value.
fn empty(arg: &Arg) -> String {
    let words = arg.get_possible_values().first().map(|value| value.get_name().to_owned());
    match Kind::of(arg) {
        Kind::Integer => "1".to_owned(),
        Kind::Texts => "[]".to_owned(),
        kind => kind.toml(&[words.unwrap_or_default()]),
    }
}

fn description(arg: &Arg) -> String {
    arg.get_help().map(ToString::to_string).unwrap_or_default()
}

/// Every setting with its value and its source; secrets are not shown.
pub(crate) fn effective(matches: &ArgMatches) -> String {
    let Some((_, matches)) = matches.subcommand() else { return String::new() };
    let words: Vec<_> = std::env::args_os().collect();
    let in_file = named_file(&words, std::env::var_os("MILLPOND_CONFIG")).and_then(|path| file::read(&path).ok());
    let mut out = String::new();
    for arg in settings() {
        let is_in_file = in_file.as_ref().is_some_and(|values| values.contains_key(name(&arg)));
        let source = match matches.value_source(arg.get_id().as_str()) {
            Some(ValueSource::CommandLine) => "flag",
            Some(ValueSource::EnvVariable) => "environment",
            Some(_) if is_in_file => "file",
            _ => "default",
        };
        let _ = writeln!(out, "{} # {source}", shown(matches, &arg));
    }
    out
}

fn shown(matches: &ArgMatches, arg: &Arg) -> String {
    let words: Vec<String> = raw(matches, arg).iter().map(|word| word.to_string_lossy().into_owned()).collect();
    if words.is_empty() {
        return format!("# {} is not set", name(arg));
    }
    let value = if SECRETS.contains(&name(arg)) { "\"(hidden)\"".to_owned() } else { Kind::of(arg).toml(&words) };
    format!("{} = {value}", name(arg))
}
