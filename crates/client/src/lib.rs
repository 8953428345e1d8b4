//! Millpond's own client, typed over `wire`: for the command line, the connector and the tests.

pub mod admin;
