//! Activity feeds v1.0: everything under `/api/v1.0/`.

pub mod activities;
pub mod follows;
pub mod targets;
