//! `GET /tasks/{id}` (chat §14, v2 §3.1).

use domain::{
    exports,
    tasks::{self, Kind, Status, Task},
};
use serde_json::{Value, json};

use super::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
    to_wire,
};
use crate::{exports::link, reply::Reply};

/// `GET /tasks/{task}`.
pub(crate) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let task = tasks::load(&mut call.snapshot(), call.param("task")).await?;
    answer(&call, &task).await
}

/// `GET /export_channels/{task}`: the same for a task that exports channels.
pub(crate) async fn get_export(call: Call, _: Fields) -> Result<Reply> {
    let task = tasks::load(&mut call.snapshot(), call.param("task")).await?;
    match &task.kind {
        Kind::ExportChannels(_) => answer(&call, &task).await,
        _ => Err(Error::from(domain::Error::Absent("there is no such export of channels".to_owned()))),
    }
}

async fn answer(call: &Call, task: &Task) -> Result<Reply> {
    let id = call.param("task");
    let file = match task.status == Status::Completed && task.kind.is_export() {
        true => exported(call, id).await?,
        false => None,
    };
    let result = |task: &Task| file.unwrap_or_else(|| to_wire::tasks::outcomes(id, task));
    call.answer(&to_wire::tasks::task(call.dialect, id, task, result))
}

/// Where the file of the task is fetched, by a link made now; nothing once the file went.
async fn exported(call: &Call, id: &str) -> Result<Option<Value>> {
    let export = exports::get(&mut call.snapshot(), id).await?;
    let url = |file: &str| link(&call.server, &call.tenant, &call.headers, file, call.now());
    Ok(export.map(|export| json!({ "url": url(&export.file) })))
}
