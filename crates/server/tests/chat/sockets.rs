//! WebSockets over the real accept loop (§9, §10).

mod connect;
mod events;
pub(crate) mod lake;
mod told;
mod users;
