//! `GET audit_logs/` (feeds-v1 §5.15).

use serde::Serialize;

/// A page of the log, the newest first.
#[derive(Serialize, Debug)]
pub struct AuditLogs {
    /// The entries.
    pub audit_logs: Vec<AuditLog>,
    /// Where older ones are; empty when there are none.
    pub next: String,
    /// Where newer ones are; empty when there are none.
    pub prev: String,
}

/// That somebody did something.
#[derive(Serialize, Debug)]
pub struct AuditLog {
    /// `activity` or `reaction`.
    pub entity_type: String,
    /// Which.
    pub entity_id: String,
    /// `created`, `updated` or `deleted`.
    pub action: &'static str,
    /// By whom; empty for the application itself, and for one who was erased.
    pub user_id: String,
    /// Nothing is added to entries.
    pub custom: Empty,
    /// RFC 3339.
    pub created_at: String,
}

/// `{}`.
#[derive(Serialize, Debug)]
pub struct Empty {}
