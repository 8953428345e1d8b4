//! Activity feeds v1.0: everything under `/api/v1.0/`.

pub mod activities;
pub mod collections;
pub mod follows;
pub mod reactions;
pub mod targets;
pub mod users;
