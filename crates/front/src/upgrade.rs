//! Connections that are HTTP no longer.

use bytes::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade::{Parts, downcast};
use tokio::net::TcpStream;

use super::caps::Permit;
use super::pulse::Watched;

/// Takes the socket out of an upgraded connection, without the buffers of HTTP: with the permit, to be held as long as
/// it is open, and what the peer sent already. `None` if the connection was not accepted by this front,
/// or speaks TLS.
pub fn reclaim(upgraded: Upgraded) -> Option<(TcpStream, Permit, Bytes)> {
    let Parts { io, read_buf, .. } = downcast::<TokioIo<Watched<TcpStream>>>(upgraded).ok()?;
    let (stream, permit) = io.into_inner().into_parts();
    Some((stream, permit, read_buf))
}
