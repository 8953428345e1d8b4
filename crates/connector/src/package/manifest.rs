//! `manifest.json`: what is in the package, whose it is and where it came from.

use serde::{Deserialize, Serialize};

/// The form of the manifest.
pub(super) const SCHEMA: &str = "millpond.privacy.package/1";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) schema: String,
    pub(super) request_id: String,
    pub(super) external_id: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) regulation: String,
    pub(super) integration: Integration,
    pub(super) generated_at: String,
    pub(super) complete: bool,
    pub(super) gaps: Vec<serde_json::Value>,
    pub(super) subjects: Vec<Subject>,
    pub(super) files: Vec<File>,
    pub(super) producer: Producer,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Integration {
    pub(super) name: String,
    pub(super) host: String,
    pub(super) kind: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Subject {
    pub(super) n: usize,
    pub(super) user_id: String,
    pub(super) matched_by: Vec<String>,
    pub(super) records: Records,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Records {
    pub(super) messages: u64,
    pub(super) reactions: u64,
    pub(super) reports: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct File {
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
    pub(super) media_type: String,
    pub(super) source_call: Option<String>,
    /// How many records it holds, where it is made of them.
    #[serde(default)]
    pub(super) records: Option<u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Producer {
    pub(super) name: String,
    pub(super) version: String,
}
