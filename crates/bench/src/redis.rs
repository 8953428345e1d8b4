//! Redis as a peer: finding it, running it, and as much of its protocol as the bench speaks.

mod install;
mod protocol;
mod server;

pub(crate) use install::{Missing, find};
pub(crate) use protocol::{Commands, Link, Reply};
pub(crate) use server::{Durability, Server};
