//! Activity feeds v1.0: everything under `/api/v1.0/`.

pub mod activities;
pub mod audit_logs;
pub mod collections;
pub mod files;
pub mod follows;
pub mod og;
pub mod privacy;
pub mod reactions;
pub mod targets;
pub mod users;
