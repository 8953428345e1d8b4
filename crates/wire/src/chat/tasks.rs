//! `GET /tasks/{id}`, and what starts a task (chat §14, v2 §3).

use serde::Serialize;
use serde_json::Value;

use super::dialect::Time;

/// A call was taken up, and goes on as a task.
#[derive(Serialize, Debug)]
pub struct Started<'a> {
    /// By which it is asked for.
    pub task_id: &'a str,
}

/// A task as it stands.
#[derive(Serialize, Debug)]
pub struct Task<'a> {
    /// The id.
    pub task_id: &'a str,
    /// `waiting`, `pending`, `running`, `completed` or `failed`.
    pub status: &'static str,
    /// When it was planned.
    pub created_at: Time,
    /// When it last came on.
    pub updated_at: Time,
    /// What came of it, once it is completed: always an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure<'a>>,
}

/// Why a task failed.
#[derive(Serialize, Debug)]
pub struct Failure<'a> {
    /// What kind of failure.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// What is wrong, in words.
    pub description: &'a str,
}
