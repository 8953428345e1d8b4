//! server

pub mod front;
