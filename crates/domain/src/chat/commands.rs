//! Slash commands: those that every app has, and its own (chat §6.5, §11.11).

use ids::Timestamp;
use minicbor::{Decode, Encode};
use store::{Direction, Limit};

use super::types;
use crate::{Error, Result, Tx, keyspace::COMMAND};

/// The most bytes of a list of them.
const LIST_BYTES_MAX: usize = 16 << 20;
/// The most commands of an app's own.
const COMMANDS_MAX: usize = 100;
/// The longest name, description or arguments, in bytes.
const TEXT_BYTES_MAX: usize = 255;

/// A command.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Command {
    /// What it does, in words.
    #[n(0)]
    pub description: String,
    /// What may follow the name.
    #[n(1)]
    pub args: String,
    /// What it belongs to.
    #[n(2)]
    pub set: String,
    /// Since when there is it; absent for one that every app has.
    #[n(3)]
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    #[n(4)]
    pub updated_at: Option<Timestamp>,
}

/// A command that every app has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BuiltIn {
    /// What follows the slash.
    pub name: &'static str,
    /// What it does, in words.
    pub description: &'static str,
    /// What may follow the name.
    pub args: &'static str,
    /// What it belongs to.
    pub set: &'static str,
}

const fn moderation(name: &'static str, description: &'static str, args: &'static str) -> BuiltIn {
    BuiltIn { name, description, args, set: "moderation_set" }
}

/// The commands that every app has.
pub const BUILT_IN: [BuiltIn; 6] = [
    BuiltIn { name: "giphy", description: "Post a random gif to the channel", args: "[text]", set: "fun_set" },
    moderation("ban", "Ban a user", "[@username] [text]"),
    moderation("unban", "Unban a user", "[@username]"),
    moderation("mute", "Mute a user", "[@username]"),
    moderation("unmute", "Unmute a user", "[@username]"),
    moderation("flag", "Flag a user/message", "[@username]"),
];

/// What is said of a command; an empty text stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// See [`Command::description`].
    pub description: String,
    /// See [`Command::args`].
    pub args: String,
    /// See [`Command::set`].
    pub set: String,
}

fn built_in(name: &str) -> Option<Command> {
    let known = BUILT_IN.iter().find(|command| command.name == name)?;
    let BuiltIn { description, args, set, .. } = *known;
    Some(Command { description: description.into(), args: args.into(), set: set.into(), ..Command::default() })
}

/// The command `name`.
///
/// # Errors
/// [`Error::Absent`] when there is none.
pub async fn load(tx: &mut Tx, name: &str) -> Result<Command> {
    if let Some(command) = built_in(name) {
        return Ok(command);
    }
    let tenant = tx.tenant();
    let stored = COMMAND.get(tx, tenant, &name.to_owned()).await?;
    stored.ok_or_else(|| Error::Absent(format!("command \"{name}\" does not exist")))
}

/// The commands with these names, but for those that are gone.
///
/// # Errors
/// When the store fails.
pub async fn named(tx: &mut Tx, names: &[String]) -> Result<Vec<(String, Command)>> {
    let mut commands = Vec::with_capacity(names.len());
    for name in names {
        match load(tx, name).await {
            Ok(command) => commands.push((name.clone(), command)),
            Err(Error::Absent(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(commands)
}

/// Every command, with its name.
///
/// # Errors
/// When the store fails.
pub async fn list(tx: &mut Tx) -> Result<Vec<(String, Command)>> {
    let known = BUILT_IN.iter().filter_map(|known| Some((known.name.to_owned(), built_in(known.name)?)));
    let mut commands: Vec<_> = known.collect();
    let tenant = tx.tenant();
    let limit = Limit { rows: COMMANDS_MAX, bytes: LIST_BYTES_MAX };
    commands.extend(COMMAND.scan(tx, tenant, COMMAND.range(tenant), Direction::Forward, limit).await?.rows);
    Ok(commands)
}

/// Makes the command `name`.
///
/// # Errors
/// [`Error::Unfit`] when there is one, when there are too many, or a text is too long.
pub async fn create(tx: &mut Tx, name: &str, change: &Change, now: Timestamp) -> Result<Command> {
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
        return Err(Error::Unfit("name may hold letters, digits, `_` and `-` only".to_owned()));
    }
    if load(tx, name).await.is_ok() {
        return Err(Error::Unfit(format!("command \"{name}\" already exists")));
    }
    if list(tx).await?.len() >= COMMANDS_MAX + BUILT_IN.len() {
        return Err(Error::Unfit(format!("an app has at most {COMMANDS_MAX} commands of its own")));
    }
    put(tx, name, Command { created_at: Some(now), ..Command::default() }, change, now)
}

/// Changes the command `name`.
///
/// # Errors
/// [`Error::Absent`] when there is none; [`Error::Unfit`] when every app has it, or a text is too long.
pub async fn update(tx: &mut Tx, name: &str, change: &Change, now: Timestamp) -> Result<Command> {
    let command = load_own(tx, name).await?;
    put(tx, name, command, change, now)
}

async fn load_own(tx: &mut Tx, name: &str) -> Result<Command> {
    match built_in(name) {
        None => load(tx, name).await,
        Some(_) => Err(Error::Unfit(format!("command \"{name}\" is built in and cannot be changed"))),
    }
}

fn put(tx: &mut Tx, name: &str, mut command: Command, change: &Change, now: Timestamp) -> Result<Command> {
    let texts = [(&mut command.description, &change.description), (&mut command.args, &change.args)];
    for (field, text) in texts.into_iter().chain([(&mut command.set, &change.set)]) {
        if text.len() > TEXT_BYTES_MAX || name.len() > TEXT_BYTES_MAX {
            return Err(Error::Unfit(format!("a command's texts have at most {TEXT_BYTES_MAX} bytes")));
        }
        if !text.is_empty() {
            field.clone_from(text);
        }
    }
    command.updated_at = Some(now);
    let tenant = tx.tenant();
    COMMAND.put(tx, tenant, &name.to_owned(), &command);
    Ok(command)
}

/// Removes the command `name`.
///
/// # Errors
/// [`Error::Absent`] when there is none; [`Error::Unfit`] when every app has it, or a channel type names it.
pub async fn remove(tx: &mut Tx, name: &str) -> Result<()> {
    load_own(tx, name).await?;
    if let Some(kind) =
        types::list(tx).await?.iter().find(|kind| kind.config.commands.iter().any(|known| known == name))
    {
        return Err(Error::Unfit(format!("command \"{name}\" is in use by the channel type \"{}\"", kind.name)));
    }
    let tenant = tx.tenant();
    COMMAND.delete(tx, tenant, &name.to_owned());
    Ok(())
}
