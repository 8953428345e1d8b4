//! Imports: `POST /import_urls`, `POST /imports`, `GET /imports`, `GET /imports/{id}` (chat §11.12, §18).

use serde::Serialize;
use serde_json::{Map, Value};

use super::dialect::Time;

/// What `POST /import_urls` answers.
#[derive(Serialize, Debug)]
pub struct ImportUrl {
    /// How `POST /imports` names the file.
    pub path: String,
    /// Where the file is put.
    pub upload_url: String,
}

/// An answer with one import.
#[derive(Serialize, Debug)]
pub struct OneImport<'a> {
    /// The import.
    pub import_task: ImportTask<'a>,
}

/// An answer with some imports.
#[derive(Serialize, Debug)]
pub struct Imports<'a> {
    /// The newest first.
    pub import_tasks: Vec<ImportTask<'a>>,
}

/// An import of a file.
#[derive(Serialize, Debug)]
pub struct ImportTask<'a> {
    /// Its id.
    pub id: &'a str,
    /// `insert` or `upsert`.
    pub mode: &'static str,
    /// Which file.
    pub path: String,
    /// `uploaded`, `analyzing`, `analyze_failed`, `importing`, `completed` or `failed`.
    pub state: &'static str,
    /// How large the file is, in bytes.
    pub size: u64,
    /// How it came to its state.
    pub history: Vec<Turn>,
    /// What came of it, at its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Outcome<'a>>,
    /// Since when there is it.
    pub created_at: Time,
    /// When its state last changed.
    pub updated_at: Time,
}

/// A change of an import's state.
#[derive(Serialize, Clone, Copy, Debug)]
pub struct Turn {
    /// When.
    pub created_at: Time,
    /// From which.
    pub prev_state: &'static str,
    /// To which.
    pub next_state: &'static str,
}

/// What came of the rows of a file.
#[derive(Serialize, Debug)]
pub struct Outcome<'a> {
    /// Type → outcome → how many.
    pub counts: Map<String, Value>,
    /// How many rows could not be stored.
    pub errors_count: u64,
    /// The first of them.
    pub errors: Vec<Failure<'a>>,
}

/// A row that could not be stored.
#[derive(Serialize, Clone, Copy, Debug)]
pub struct Failure<'a> {
    /// Its number in the file, from 1 on.
    pub row: u64,
    /// Its type; empty where it has none.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// What is wrong with it.
    pub error: &'a str,
}
