//! A WebSocket that holds no memory while nothing happens: most sockets of a chat are idle most of the time.
//!
//! Bytes are read into a buffer that all sockets of a thread share, and frames are written from where they lie.

use std::{
    cell::RefCell,
    collections::VecDeque,
    future::poll_fn,
    io::{self, ErrorKind, IoSlice},
};

use axum::{body::Body, response::Response};
use front::Permit;
use http::{HeaderValue, Method, StatusCode, header, request::Parts};
use hyper::upgrade::OnUpgrade;
use tokio::net::TcpStream;

use super::frames::{Frame, Inbound, Said, Violation};

/// What is read at once.
const READ_BYTES: usize = 16 * 1024;
/// Frames that are written at once.
const FRAMES_AT_ONCE: usize = 64;

thread_local! {
    static READ: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// Why nothing more comes from a peer.
#[derive(Debug)]
pub(super) enum Lost {
    /// It is gone, or the network between.
    Gone,
    /// It does not keep to the protocol.
    Violated(Violation),
}

impl From<io::Error> for Lost {
    fn from(_: io::Error) -> Self {
        Lost::Gone
    }
}

/// An open WebSocket.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
    inbound: Inbound,
    /// A frame of which a part was sent: nothing else may be sent before the rest. On the heap, since few are.
    begun: Option<Box<Frame>>,
    _permit: Permit,
}

impl Socket {
    /// Waits for what the peer says. Nothing is lost when the wait is given up.
    pub(super) async fn receive(&mut self) -> Result<Said, Lost> {
        loop {
            if let Some(said) = self.inbound.next().map_err(Lost::Violated)? {
                return Ok(said);
            }
            // In this place stands the waker of the task that read the request. As long as it does, that task's memory stays,
            // though it has ended; `readable` would wait in another place.
            poll_fn(|cx| self.stream.poll_read_ready(cx)).await?;
            match self.read() {
                Ok(0) => return Err(Lost::Gone),
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(Lost::Gone),
                _ => {}
            }
        }
    }

    fn read(&mut self) -> io::Result<usize> {
        READ.with_borrow_mut(|buffer| {
            let read = self.stream.try_read(buffer)?;
            self.inbound.take(&buffer[..read]);
            Ok(read)
        })
    }

    /// Sends as many of `frames` as the peer takes now, and removes them; answers whether that is all.
    pub(super) fn try_send(&mut self, frames: &mut VecDeque<Frame>) -> io::Result<bool> {
        while self.begun.is_some() || !frames.is_empty() {
            let mut slices = [IoSlice::new(&[]); FRAMES_AT_ONCE];
            for (slice, frame) in slices.iter_mut().zip(self.begun.as_deref().into_iter().chain(&*frames)) {
                *slice = IoSlice::new(frame.bytes());
            }
            match self.stream.try_write_vectored(&slices) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(sent) => self.remove(sent, frames),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    fn remove(&mut self, mut sent: usize, frames: &mut VecDeque<Frame>) {
        while sent > 0 {
            let Some(mut frame) = self.begun.take().map(|begun| *begun).or_else(|| frames.pop_front()) else { return };
            let length = frame.bytes().len();
            if sent < length {
                frame.advance(sent);
                self.begun = Some(Box::new(frame));
                return;
            }
            sent -= length;
        }
    }

    /// Sends `frames`, however long the peer takes. Whole frames that were not sent stay in there when the wait is given up.
    pub(super) async fn send(&mut self, frames: &mut VecDeque<Frame>) -> io::Result<()> {
        while !self.try_send(frames)? {
            poll_fn(|cx| self.stream.poll_write_ready(cx)).await?;
        }
        Ok(())
    }
}

/// A request for a WebSocket (RFC 6455 §4.2.1).
#[derive(Debug)]
pub(crate) struct Handshake {
    upgrade: OnUpgrade,
    accept: HeaderValue,
}

impl Handshake {
    /// Reads the request; takes the connection out of `parts`.
    ///
    /// # Errors
    /// Says what it lacks.
    pub(crate) fn read(parts: &mut Parts) -> Result<Self, &'static str> {
        let has = |name, wanted: &str| {
            let values = parts.headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
            values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(wanted))
        };
        if parts.method != Method::GET {
            return Err("the method must be GET");
        }
        if !has(header::CONNECTION, "upgrade") || !has(header::UPGRADE, "websocket") {
            return Err("the headers `Connection: Upgrade` and `Upgrade: websocket` are missing");
        }
        if !has(header::SEC_WEBSOCKET_VERSION, "13") {
            return Err("`Sec-WebSocket-Version` must be 13");
        }
        let key = parts.headers.get(header::SEC_WEBSOCKET_KEY).ok_or("`Sec-WebSocket-Key` is missing")?;
        let accept = tungstenite::handshake::derive_accept_key(key.as_bytes());
        let accept = HeaderValue::from_str(&accept).expect("base64 may stand in a header");
        let upgrade = parts.extensions.remove().ok_or("the connection cannot be upgraded")?;
        Ok(Handshake { upgrade, accept })
    }

    /// Answers that the WebSocket is open, and hands it to `run` once that was sent.
    pub(crate) fn open<F>(self, run: impl FnOnce(Socket) -> F + Send + 'static) -> Response
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Handshake { upgrade, accept } = self;
        tokio::spawn(async move {
            // A peer that is gone before it got the answer.
            let Ok(upgraded) = upgrade.await else { return };
            let Some((stream, permit, rest)) = front::reclaim(upgraded) else { return };
            let mut inbound = Inbound::default();
            inbound.take(&rest);
            // A task of its own: it is as large as its largest moment, and this one was large.
            tokio::spawn(run(Socket { stream, inbound, begun: None, _permit: permit }));
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        response
    }
}
