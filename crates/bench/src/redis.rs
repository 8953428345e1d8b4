//! Redis as a peer: running it, and as much of its protocol as the bench speaks.

mod protocol;
mod server;

pub(crate) use protocol::{Commands, Link, Reply};
pub(crate) use server::{Durability, Server};
