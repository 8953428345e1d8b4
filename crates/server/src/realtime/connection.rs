//! One connection: one task, one loop over what can happen to it.

use std::{pin::pin, sync::Arc};

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use futures_util::SinkExt;
use ids::Timestamp;
use tokio::time::{Instant, sleep_until, timeout};

use super::{
    hub::{Connection, Full, Hub, Identity},
    outbox::{End, Waiting},
    presence, tell,
};
use crate::Server;

/// Frames that a peer may send at once, and how many more come free with each health check: clients need one.
const INBOUND_MAX: u32 = 256;
/// How long a peer has to take the frame that ends its connection.
const GOODBYE: std::time::Duration = std::time::Duration::from_secs(2);

/// A connection that may be opened.
pub(crate) struct Session {
    pub(crate) server: Arc<Server>,
    /// Already in the hub; leaves it when this is dropped.
    joined: Joined,
    hello: Utf8Bytes,
}

/// A connection in the hub.
struct Joined {
    server: Arc<Server>,
    connection: Arc<Connection>,
}

impl Session {
    /// Takes a connection called `id`, whose first frame is `hello`.
    pub(crate) fn join(
        server: &Arc<Server>,
        id: String,
        identity: Identity,
        hello: String,
    ) -> std::result::Result<Self, Full> {
        let connection = Connection::new(id, identity);
        let is_new = server.hub.join(&connection)?;
        if is_new {
            presence::came(&server.hub, &connection.identity, now(server));
        }
        let joined = Joined { server: server.clone(), connection };
        Ok(Session { server: server.clone(), joined, hello: hello.into() })
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        if self.server.hub.leave(&self.connection) {
            presence::leaves(&self.server, self.connection.identity.clone());
        }
    }
}

/// What can happen to a connection.
enum Happened {
    /// The peer sent something, or is gone.
    Frame(Option<Result<Message, axum::Error>>),
    /// Something waits to be sent.
    Waiting(Waiting),
    /// Time for a health check.
    Tick,
}

/// Why a connection is over.
enum Over {
    /// The peer is gone, or does not take what it is sent.
    Gone,
    /// This server ends it.
    Ended(u16, &'static str),
}

/// Runs a connection to its end.
pub(crate) async fn run(mut socket: WebSocket, session: Session) {
    let Session { server, joined, hello } = session;
    let over = match send(&mut socket, &joined.connection, &server.hub, [hello]).await {
        Ok(()) => converse(&mut socket, &server, &joined.connection).await,
        Err(over) => over,
    };
    if let Over::Ended(code, reason) = over {
        close(socket, code, reason).await;
    }
}

async fn converse(socket: &mut WebSocket, server: &Arc<Server>, connection: &Arc<Connection>) -> Over {
    let options = &server.hub.options;
    let (mut heard, mut inbound) = (Instant::now(), INBOUND_MAX);
    let mut tick = pin!(sleep_until(heard + options.health_interval));
    loop {
        let happened = tokio::select! {
            biased;
            frame = socket.recv() => Happened::Frame(frame),
            waiting = connection.outbox.next() => Happened::Waiting(waiting),
            () = tick.as_mut() => Happened::Tick,
        };
        let outcome = match happened {
            Happened::Frame(None | Some(Err(_) | Ok(Message::Close(_)))) => return Over::Gone,
            Happened::Frame(Some(Ok(frame))) => {
                heard = Instant::now();
                inbound = inbound.saturating_sub(1);
                if inbound == 0 {
                    return Over::Ended(close_code::POLICY, "too many frames");
                }
                match frame {
                    Message::Text(text) if text.as_str().contains("health.check") => {
                        send(socket, connection, &server.hub, [health(server, connection)]).await
                    }
                    // Everything else is done over HTTP.
                    _ => Ok(()),
                }
            }
            Happened::Waiting(Waiting::Frames(frames)) => send(socket, connection, &server.hub, frames).await,
            Happened::Waiting(Waiting::End(end)) => return ended(end),
            Happened::Tick => {
                if heard.elapsed() >= options.silence_max {
                    return Over::Gone;
                }
                inbound = INBOUND_MAX;
                tick.as_mut().reset(Instant::now() + options.health_interval);
                presence::refresh(server, connection).await;
                check(socket, server, connection).await
            }
        };
        if let Err(over) = outcome {
            return over;
        }
    }
}

fn ended(end: End) -> Over {
    match end {
        End::TooSlow => Over::Ended(close_code::AGAIN, "events were taken too slowly"),
        End::Restart => Over::Ended(close_code::RESTART, "the server restarts"),
        End::Refused => Over::Ended(close_code::POLICY, "the user may no longer be connected"),
    }
}

/// Sends a health check, and a ping that even a client which only listens answers.
async fn check(socket: &mut WebSocket, server: &Arc<Server>, connection: &Connection) -> Result<(), Over> {
    let stall = server.hub.options.write_stall;
    match timeout(stall, socket.send(Message::Ping(bytes::Bytes::new()))).await {
        Ok(Ok(())) => send(socket, connection, &server.hub, [health(server, connection)]).await,
        _ => Err(Over::Gone),
    }
}

fn health(server: &Server, connection: &Connection) -> Utf8Bytes {
    tell::health(connection.identity.dialect, &connection.id, now(server)).into()
}

fn now(server: &Server) -> Timestamp {
    Timestamp::from_micros(server.clock.now_micros())
}

/// Sends frames as one write, as far as they fit.
async fn send(
    socket: &mut WebSocket,
    connection: &Connection,
    hub: &Hub,
    frames: impl IntoIterator<Item = Utf8Bytes>,
) -> Result<(), Over> {
    let write = async {
        for frame in frames {
            socket.feed(Message::Text(frame)).await?;
        }
        socket.flush().await
    };
    tokio::select! {
        biased;
        written = timeout(hub.options.write_stall, write) => match written {
            Ok(Ok(())) => Ok(()),
            _ => Err(Over::Gone),
        },
        () = connection.outbox.cut() => Err(ended(End::TooSlow)),
    }
}

/// Tells an error and closes with 1000, after which clients do not try again by themselves (chat §9.4).
pub(crate) async fn refuse(mut socket: WebSocket, error: String) {
    if let Ok(Ok(())) = timeout(GOODBYE, socket.send(Message::Text(error.into()))).await {
        close(socket, close_code::NORMAL, "").await;
    }
}

/// Says goodbye, and waits a little for the peer's.
async fn close(mut socket: WebSocket, code: u16, reason: &'static str) {
    let goodbye = async {
        let frame = CloseFrame { code, reason: reason.into() };
        if socket.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = socket.recv().await {}
        }
    };
    // Whoever does not take it sees the connection break, and connects again just the same.
    let _ = timeout(GOODBYE, goodbye).await;
}
