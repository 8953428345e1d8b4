//! The API as types: requests, responses, error codes. Shapes and names only; no rule and no behaviour.
//!
//! What clients send is read leniently where the contract says so (`null` means absent, a number may stand for a text),
//! so some fields are raw JSON; `server::from_wire` turns them into what the domain takes.

pub mod admin;
pub mod chat;
pub mod error;
pub mod feeds;
pub mod v3;
