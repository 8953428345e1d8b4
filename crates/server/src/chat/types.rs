//! `/channeltypes` (chat §11.2).

use domain::chat::{
    commands::{self, Command},
    types::{self, Change, ChannelType, Grants, Regrant},
};
use wire::chat::{
    dialect::Dialect,
    types::{Listed, Types},
};

use super::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
    to_wire::types as to_wire,
};
use crate::reply::Reply;

/// The longest name of a type, in bytes.
const NAME_BYTES_MAX: usize = ids::channel::TYPE_BYTES_MAX;

/// `POST /channeltypes`: makes a type.
pub(crate) async fn create(call: Call, mut sent: Fields) -> Result<Reply> {
    let name = sent.filled("name")?.ok_or_else(|| Error::field("name", "is a required field"))?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.len() > NAME_BYTES_MAX || !name.chars().all(fits) {
        return Err(Error::field("name", "may hold up to 64 letters, digits, `_` and `-`"));
    }
    let (change, now) = (change(sent)?, call.now());
    let kind = call.app.write(async |tx| types::create(tx, &name, &change, now).await).await?;
    changed(&call, &kind)
}

/// `PUT /channeltypes/{name}`: changes what is given of a type.
pub(crate) async fn update(call: Call, sent: Fields) -> Result<Reply> {
    let (change, now) = (change(sent)?, call.now());
    let kind = call.app.write(async |tx| types::update(tx, call.param("name"), &change, now).await).await?;
    changed(&call, &kind)
}

/// After a change, commands are names.
fn changed(call: &Call, kind: &ChannelType) -> Result<Reply> {
    call.answer(&to_wire::channel_type(call.dialect, kind, kind.config.commands.iter().collect()))
}

/// `GET /channeltypes/{name}`.
pub(crate) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let mut tx = call.snapshot();
    let kind = types::load(&mut tx, call.param("name")).await?;
    let commands = commands::named(&mut tx, &kind.config.commands).await?;
    let commands = commands.iter().map(|(name, command)| to_wire::command(call.dialect, name, command));
    call.answer(&to_wire::channel_type(call.dialect, &kind, commands.collect()))
}

/// `GET /channeltypes`.
pub(crate) async fn list(call: Call, _: Fields) -> Result<Reply> {
    let mut tx = call.snapshot();
    let kinds = types::list(&mut tx).await?;
    let known = commands::list(&mut tx).await?;
    let shown = kinds.iter().map(|kind| (kind.name.clone(), with_commands(call.dialect, kind, &known)));
    call.answer(&Types { channel_types: shown.collect() })
}

/// A type with its commands as objects, which stand in `known`.
fn with_commands<'a>(
    dialect: Dialect,
    kind: &'a ChannelType,
    known: &'a [(String, Command)],
) -> wire::chat::types::Config<'a, wire::chat::types::Command<'a>> {
    to_wire::channel_type(dialect, kind, commands_of(dialect, kind, known).collect())
}

fn commands_of<'a>(
    dialect: Dialect,
    kind: &'a ChannelType,
    known: &'a [(String, Command)],
) -> impl Iterator<Item = wire::chat::types::Command<'a>> {
    let find = move |name: &String| known.iter().find(|(known, _)| known == name);
    kind.config.commands.iter().filter_map(find).map(move |(name, command)| to_wire::command(dialect, name, command))
}

/// A type as the app's settings list it: its commands are names in v2, and objects in the classic dialect (chat §5A.3).
pub(super) fn listed<'a>(
    dialect: Dialect,
    kind: &'a ChannelType,
    known: &'a [(String, Command)],
) -> wire::chat::types::Config<'a, Listed<'a>> {
    let commands = match dialect {
        Dialect::Classic => commands_of(dialect, kind, known).map(Listed::Whole).collect(),
        Dialect::V2 => kind.config.commands.iter().map(|name| Listed::Name(name)).collect(),
    };
    to_wire::channel_type(dialect, kind, commands)
}

/// `DELETE /channeltypes/{name}`.
pub(crate) async fn remove(call: Call, _: Fields) -> Result<Reply> {
    call.app.write(async |tx| types::remove(tx, call.param("name")).await).await?;
    call.done()
}

fn change(mut sent: Fields) -> Result<Change> {
    let grants = regrant(&mut sent)?;
    let permissions = match sent.raw("permissions") {
        Some(list) if list.get().starts_with('[') => Some(list.get().to_owned()),
        Some(_) => return Err(Error::field("permissions", "must be a list")),
        None => None,
    };
    Ok(Change { grants, permissions, settings: sent.rest() })
}

/// What becomes of `grants`: `null` resets them in the classic dialect, and says nothing in the other (chat §8.4).
pub(super) fn regrant(sent: &mut Fields) -> Result<Regrant> {
    if sent.is_null("grants") && sent.dialect() == Dialect::Classic {
        return Ok(Regrant::Reset);
    }
    let Some(roles) = sent.object("grants")? else { return Ok(Regrant::Keep) };
    let wrong = || Error::field("grants", "must hold lists of permissions");
    let mut grants = Grants::new();
    for (role, ids) in roles.rest().iter() {
        let ids: Option<Vec<String>> = serde_json::from_str(ids.get()).map_err(|_| wrong())?;
        grants.insert(role.to_owned(), ids.unwrap_or_default());
    }
    Ok(Regrant::Replace(grants))
}
