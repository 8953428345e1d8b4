//! `GET /tasks/{id}` (chat §14, v2 §3.1).

use domain::tasks;

use super::{error::Result, fields::Fields, gate::Call, to_wire};
use crate::reply::Reply;

/// `GET /tasks/{task}`.
pub(crate) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let id = call.param("task");
    let task = tasks::load(&mut call.snapshot(), id).await?;
    call.answer(&to_wire::tasks::task(call.dialect, id, &task, to_wire::tasks::outcomes))
}
