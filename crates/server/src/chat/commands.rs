//! `/commands` (chat §11.11).

use domain::chat::commands::{self, Change};
use wire::chat::types::{Commands, OneCommand, Removed};

use super::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
    to_wire::types::command as to_wire,
};
use crate::reply::Reply;

/// `POST /commands`: makes a command.
pub(crate) async fn create(call: Call, mut sent: Fields) -> Result<Reply> {
    let name = sent.filled("name")?.ok_or_else(|| Error::field("name", "is a required field"))?;
    let (change, now) = (change(&mut sent)?, call.now());
    if change.description.is_empty() {
        return Err(Error::field("description", "is a required field"));
    }
    let command = call.app.write(async |tx| commands::create(tx, &name, &change, now).await).await?;
    call.answer(&OneCommand { command: to_wire(call.dialect, &name, &command) })
}

/// `PUT /commands/{name}`: changes the texts that are given.
pub(crate) async fn update(call: Call, mut sent: Fields) -> Result<Reply> {
    let (name, change, now) = (call.param("name"), change(&mut sent)?, call.now());
    let command = call.app.write(async |tx| commands::update(tx, name, &change, now).await).await?;
    call.answer(&OneCommand { command: to_wire(call.dialect, name, &command) })
}

fn change(sent: &mut Fields) -> Result<Change> {
    let mut text = |name| Ok::<_, Error>(sent.text(name)?.unwrap_or_default());
    Ok(Change { description: text("description")?, args: text("args")?, set: text("set")? })
}

/// `GET /commands/{name}`.
pub(crate) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let command = commands::load(&mut call.snapshot(), call.param("name")).await?;
    call.answer(&to_wire(call.dialect, call.param("name"), &command))
}

/// `GET /commands`.
pub(crate) async fn list(call: Call, _: Fields) -> Result<Reply> {
    let commands = commands::list(&mut call.snapshot()).await?;
    let shown = commands.iter().map(|(name, command)| to_wire(call.dialect, name, command));
    call.answer(&Commands { commands: shown.collect() })
}

/// `DELETE /commands/{name}`.
pub(crate) async fn remove(call: Call, _: Fields) -> Result<Reply> {
    call.app.write(async |tx| commands::remove(tx, call.param("name")).await).await?;
    call.answer(&Removed { name: call.param("name") })
}
