//! The configuration file, laid below the flags and the environment.
//!
//! Nothing is defined here: keys, types, defaults and descriptions are those of the clap definition. A file is checked
//! against it key by key and then becomes the defaults of the command, so that clap alone decides what goes before what.

mod file;
mod kind;
mod template;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Command, CommandFactory as _};

use crate::args::Cli;

pub(crate) use template::{effective, template};

/// Flags of `serve` that are about one call and no settings.
const NO_SETTINGS: [&str; 4] = ["config", "help", "json", "print-config"];

/// What a file sets: the values of each key, in the order of the definition's names.
type Values = BTreeMap<String, Vec<String>>;

/// Parses a command line, with the configuration file it names below it.
pub(crate) fn parse(words: Vec<OsString>) -> Result<(Cli, ArgMatches), clap::Error> {
    let mut command = Cli::command();
    if let Some(path) = named_file(&words, std::env::var_os("MILLPOND_CONFIG")) {
        let values = file::read(&path).map_err(|error| {
            let message = format!("{}: {error}\n", path.display());
            Cli::command().error(ErrorKind::InvalidValue, message.trim_end())
        })?;
        command = with_defaults(command, &values);
    }
    let matches = command.try_get_matches_from(words)?;
    Ok((crate::from_matches(&matches)?, matches))
}

/// The file that the command line names, or the environment.
fn named_file(words: &[OsString], environment: Option<OsString>) -> Option<PathBuf> {
    const FLAG: &str = "--config";
    let before_end = || words.iter().take_while(|word| *word != "--");
    let at = before_end().position(|word| word == FLAG);
    let separate = at.and_then(|at| words.get(at + 1)).cloned();
    let joined = before_end().find_map(|word| word.to_str()?.strip_prefix("--config=").map(OsString::from));
    let named = separate.or(joined).or(environment)?;
    (!named.is_empty()).then(|| named.into())
}

/// The settings that a file may have: each long flag of `serve`.
fn settings() -> Vec<Arg> {
    let serve = Cli::command();
    let serve = serve.find_subcommand("serve").expect("it is defined in `args`");
    let is_setting = |arg: &&Arg| arg.get_long().is_some_and(|long| !NO_SETTINGS.contains(&long));
    serve.get_arguments().filter(is_setting).cloned().collect()
}

/// The command with `values` as defaults, wherever a flag has the name of a setting.
fn with_defaults(mut command: Command, values: &Values) -> Command {
    let set: Vec<(String, Vec<String>)> = command
        .get_arguments()
        .filter_map(|arg| Some((arg.get_id().to_string(), values.get(arg.get_long()?)?.clone())))
        .collect();
    for (id, values) in set {
        command = command.mut_arg(id, |arg| arg.default_values(values));
    }
    let names: Vec<String> = command.get_subcommands().map(|inner| inner.get_name().to_owned()).collect();
    names.iter().fold(command, |command, name| command.mut_subcommand(name, |inner| with_defaults(inner, values)))
}

/// The name of a setting: its long flag.
fn name(arg: &Arg) -> &str {
    arg.get_long().unwrap_or_default()
}

/// What the arguments of the command that was called came to, as text.
fn raw<'a>(matches: &'a ArgMatches, arg: &Arg) -> Vec<&'a OsStr> {
    matches.get_raw(arg.get_id().as_str()).into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_file_is_named_by_the_flag_before_the_environment() {
        let named = |line: &str, environment: Option<&str>| {
            named_file(&words(line), environment.map(OsString::from)).map(|path| path.display().to_string())
        };
        assert_eq!(named("millpond --config a.toml serve", Some("b.toml")).as_deref(), Some("a.toml"));
        assert_eq!(named("millpond serve --config=a.toml", None).as_deref(), Some("a.toml"));
        assert_eq!(named("millpond serve", Some("b.toml")).as_deref(), Some("b.toml"));
        assert_eq!(named("millpond serve", Some("")), None);
        assert_eq!(named("millpond token -- --config a.toml", None), None);
    }

    #[test]
    fn every_setting_has_its_name_in_the_environment() {
        for arg in settings() {
            let expected = format!("MILLPOND_{}", name(&arg).to_uppercase().replace('-', "_"));
            assert_eq!(arg.get_env(), Some(OsStr::new(&expected)), "{}", name(&arg));
        }
    }
}
