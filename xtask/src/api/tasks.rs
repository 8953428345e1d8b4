//! Work that the server does after it has answered.

use std::time::Duration;

use anyhow::{Result, bail};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;

/// How often a task is looked at, and how often at most: five minutes.
const EVERY: Duration = Duration::from_millis(100);
const LOOKS_MAX: usize = 3000;

#[derive(Deserialize)]
struct Started {
    task_id: String,
}

/// How a task stands.
#[derive(Debug, Deserialize)]
pub(crate) struct Task {
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) result: Value,
}

impl Api {
    /// Asks for something that takes long, and answers how it ended.
    pub(crate) async fn done(&self, path: &str, body: &Value) -> Result<Task> {
        let started: Started = self.send(Method::POST, &format!("/{path}?api_key={}", self.key), Some(body)).await?;
        for _ in 0..LOOKS_MAX {
            let path = format!("/tasks/{}?api_key={}", started.task_id, self.key);
            let task: Task = self.send(Method::GET, &path, None::<&()>).await?;
            if matches!(task.status.as_str(), "completed" | "failed") {
                return Ok(task);
            }
            tokio::time::sleep(EVERY).await;
        }
        bail!("the task {} of {path} was not done in time", started.task_id)
    }

    /// Makes a user.
    pub(crate) async fn make_user(&self, id: &str) -> Result<()> {
        let users = json!({ "users": { id: { "id": id } } });
        let _: Value = self.send(Method::POST, &format!("/users?api_key={}", self.key), Some(&users)).await?;
        Ok(())
    }
}
