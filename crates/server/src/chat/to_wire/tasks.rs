//! Tasks, as their starters ask for them.

use domain::{
    chat::channels::batch::outcome,
    tasks::{Calls, Kind, Status, Task},
};
use serde_json::{Map, Value, json};
use wire::chat::{
    dialect::{Dialect, Time},
    tasks::{Failure, Task as WireTask},
};

/// The task `id`; `result` is asked for when it is completed.
pub(crate) fn task<'a>(
    dialect: Dialect,
    id: &'a str,
    task: &'a Task,
    result: impl FnOnce(&Task) -> Value,
) -> WireTask<'a> {
    let time = |at| Time { at, dialect };
    let (status, error) = match &task.status {
        Status::Waiting => ("waiting", None),
        Status::Pending => ("pending", None),
        Status::Running => ("running", None),
        Status::Completed => ("completed", None),
        Status::Failed { kind, description } => ("failed", Some(Failure { kind, description })),
    };
    WireTask {
        task_id: id,
        status,
        created_at: time(task.created_at),
        updated_at: time(task.updated_at),
        result: match (&task.status, &task.kind) {
            (Status::Completed, _) => Some(result(task)),
            // Some clients look for the reason here (chat §11.3).
            (Status::Failed { description, .. }, Kind::UpdateChannels(_)) => {
                Some(json!({ "description": description }))
            }
            _ => None,
        },
        error,
    }
}

/// What became of the task `id`; of most, of each item of it: `{"<id>":{"status":"ok"}}`.
pub(crate) fn outcomes(id: &str, task: &Task) -> Value {
    if let Kind::UpdateChannels(batch) = &task.kind {
        return outcome(id, batch, &task.progress, "completed", task.created_at, Some(task.updated_at));
    }
    let has_mode = |calls: &Calls| calls.mode.is_some();
    let has_calls = matches!(&task.kind, Kind::DeleteUsers(asked) if asked.calls.as_ref().is_some_and(has_mode));
    let outcome = |failure: &Option<String>| match failure {
        // Who asks for calls is told that there were none.
        None if has_calls => json!({ "status": "ok", "calls_deleted": 0 }),
        None => json!({ "status": "ok" }),
        Some(error) => json!({ "status": "error", "error": error }),
    };
    let items = items(&task.kind).into_iter().zip(&task.progress.outcomes);
    let mut all = items.map(|(id, failure)| (id, outcome(failure))).collect::<Map<_, _>>();
    if matches!(task.kind, Kind::DeleteFeeds { .. }) {
        let counts = task.progress.counts.iter().map(|(name, count)| (name.clone(), (*count).into()));
        all.insert("counts".to_owned(), Value::Object(counts.collect()));
    }
    Value::Object(all)
}

fn items(kind: &Kind) -> Vec<String> {
    match kind {
        Kind::DeleteChannels { channels, .. } => channels.iter().map(|(id, _)| id.to_string()).collect(),
        Kind::DeleteUsers(asked) => asked.users.iter().map(|leaver| leaver.id.to_string()).collect(),
        Kind::DeactivateUsers { users, .. } | Kind::ReactivateUsers { users, .. } => {
            users.iter().map(ToString::to_string).collect()
        }
        Kind::DeleteFeeds { user, .. } => vec![user.to_string()],
        Kind::DeleteMessages(asked) => vec![asked.user.to_string()],
        Kind::ClearFeeds(deletion) => deletion.feeds.iter().map(|feed| feed.fid.to_string()).collect(),
        Kind::ClearGroup(group, _) => vec![group.clone()],
        Kind::FitFeed(change) => vec![change.fid.to_string()],
        // What came of these is a file.
        Kind::ExportUsers(_) | Kind::ExportChannels(_) | Kind::ExportFeeds(_) => Vec::new(),
        // They have outcomes of their own; nobody knows of the last.
        Kind::UpdateChannels(_) | Kind::Import | Kind::ImportWords | Kind::Retain(_) | Kind::RunCampaign(_) => {
            Vec::new()
        }
    }
}
