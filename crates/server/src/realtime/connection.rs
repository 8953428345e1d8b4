//! One connection: one task, one loop over what can happen to it.

use std::{collections::VecDeque, pin::pin, sync::Arc, time::Duration};

use ids::Timestamp;
use tokio::time::{Instant, sleep_until, timeout};
use tungstenite::protocol::frame::coding::CloseCode;
use uuid::Uuid;

use super::{
    frames::{Frame, Said, Violation},
    hub::{Connection, Full, Identity},
    outbox::{End, Waiting},
    presence,
    socket::{Lost, Socket},
    tell,
};
use crate::Server;

/// Frames that a peer may send at once, and how many more come free with each health check: clients need one.
const INBOUND_MAX: u32 = 256;
/// How long a peer has to say whose connection it is.
const INTRODUCTION: Duration = Duration::from_secs(10);
/// How long a peer has to take the frame that ends its connection.
const GOODBYE: Duration = Duration::from_secs(2);

/// A connection that may be opened.
pub(crate) struct Session {
    /// Already in the hub; leaves it when this is dropped.
    joined: Joined,
    hello: Frame,
}

/// A connection in the hub.
struct Joined {
    server: Arc<Server>,
    connection: Arc<Connection>,
}

impl Session {
    /// Takes a connection called `id`, whose first frame is `hello`.
    pub(crate) fn join(server: &Arc<Server>, id: Uuid, identity: Identity, hello: &str) -> Result<Self, Full> {
        let connection = Connection::new(id, identity);
        let is_new = server.hub.join(&connection)?;
        if is_new {
            presence::came(&server.hub, &connection.identity, now(server));
        }
        let joined = Joined { server: server.clone(), connection };
        Ok(Session { joined, hello: Frame::text(hello) })
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
    /// The peer said something, or is gone.
    Said(Result<Said, Lost>),
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
    Ended(CloseCode, &'static str),
}

impl From<Lost> for Over {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Gone => Over::Gone,
            Lost::Violated(Violation { code, reason }) => Over::Ended(code, reason),
        }
    }
}

impl From<End> for Over {
    fn from(end: End) -> Self {
        match end {
            End::TooSlow => Over::Ended(CloseCode::Again, "events were taken too slowly"),
            End::Restart => Over::Ended(CloseCode::Restart, "the server restarts"),
            End::Refused => Over::Ended(CloseCode::Policy, "the user may no longer be connected"),
        }
    }
}

/// Runs a connection to its end.
///
/// What happens seldom is boxed: the task of an idle connection is as large as its largest moment. The block takes what it
/// is given as it is; an `async fn` would keep a place for its arguments beside that of their use.
pub(crate) fn run(mut socket: Socket, session: Session) -> impl Future<Output = ()> + Send {
    let Session { joined, hello } = session;
    async move {
        let Joined { server, connection } = &joined;
        let over = match send(&mut socket, server, connection, [hello].into()).await {
            Ok(()) => converse(&mut socket, server, connection).await,
            Err(over) => over,
        };
        if let Over::Ended(code, reason) = over {
            Box::pin(close(socket, code, reason)).await;
        }
    }
}

async fn converse(socket: &mut Socket, server: &Arc<Server>, connection: &Arc<Connection>) -> Over {
    let options = &server.hub.options;
    let (mut heard, mut inbound) = (Instant::now(), INBOUND_MAX);
    let mut tick = pin!(sleep_until(heard + options.health_interval));
    loop {
        let happened = tokio::select! {
            biased;
            said = socket.receive() => Happened::Said(said),
            waiting = connection.outbox.next() => Happened::Waiting(waiting),
            () = tick.as_mut() => Happened::Tick,
        };
        let frames = match happened {
            Happened::Said(Err(lost)) => return lost.into(),
            Happened::Said(Ok(Said::Close)) => {
                // It waits for this answer, and then for the end of the connection; whether it gets it is no matter.
                let _ = send(socket, server, connection, [Frame::close(CloseCode::Normal, "")].into()).await;
                return Over::Gone;
            }
            Happened::Said(Ok(said)) => {
                heard = Instant::now();
                inbound = inbound.saturating_sub(1);
                if inbound == 0 {
                    return Over::Ended(CloseCode::Policy, "too many frames");
                }
                match said {
                    Said::Ping(payload) => [Frame::pong(&payload)].into(),
                    Said::Text(text) if text.contains("health.check") => [health(server, connection)].into(),
                    // Everything else is done over HTTP.
                    _ => continue,
                }
            }
            Happened::Waiting(Waiting::Frames(frames)) => frames,
            Happened::Waiting(Waiting::End(end)) => return end.into(),
            Happened::Tick => {
                if heard.elapsed() >= options.silence_max {
                    return Over::Gone;
                }
                inbound = INBOUND_MAX;
                tick.as_mut().reset(Instant::now() + options.health_interval);
                Box::pin(presence::refresh(server, connection)).await;
                // Even a client that only listens answers a ping.
                [Frame::ping(), health(server, connection)].into()
            }
        };
        if let Err(over) = send(socket, server, connection, frames).await {
            return over;
        }
    }
}

fn health(server: &Server, connection: &Connection) -> Frame {
    Frame::text(&tell::health(connection.identity.dialect, connection.id, now(server)))
}

fn now(server: &Server) -> Timestamp {
    Timestamp::from_micros(server.clock.now_micros())
}

/// Sends frames, together as far as they fit.
async fn send(
    socket: &mut Socket,
    server: &Server,
    connection: &Connection,
    mut frames: VecDeque<Frame>,
) -> Result<(), Over> {
    match socket.try_send(&mut frames) {
        Ok(true) => Ok(()),
        Ok(false) => Box::pin(send_rest(socket, server.hub.options.write_stall, connection, frames)).await,
        Err(_) => Err(Over::Gone),
    }
}

/// Sends what a peer did not take at once.
async fn send_rest(
    socket: &mut Socket,
    write_stall: Duration,
    connection: &Connection,
    mut frames: VecDeque<Frame>,
) -> Result<(), Over> {
    tokio::select! {
        biased;
        sent = timeout(write_stall, socket.send(&mut frames)) => match sent {
            Ok(Ok(())) => Ok(()),
            _ => Err(Over::Gone),
        },
        () = connection.outbox.cut() => Err(End::TooSlow.into()),
    }
}

/// The first text that a peer sends, who has a while for it; none if it does not.
pub(crate) async fn first_text(socket: &mut Socket) -> Option<String> {
    let text = async {
        for _ in 0..INBOUND_MAX {
            match socket.receive().await {
                Ok(Said::Text(text)) => return Some(text),
                Ok(Said::Ping(payload)) => socket.send(&mut [Frame::pong(&payload)].into()).await.ok()?,
                Ok(Said::Other) => {}
                Ok(Said::Close) | Err(_) => return None,
            }
        }
        None
    };
    timeout(INTRODUCTION, text).await.ok().flatten()
}

/// Tells an error and closes with 1000, after which clients do not try again by themselves (chat §9.4).
pub(crate) async fn refuse(mut socket: Socket, error: String) {
    if let Ok(Ok(())) = timeout(GOODBYE, socket.send(&mut [Frame::text(&error)].into())).await {
        close(socket, CloseCode::Normal, "").await;
    }
}

/// Says goodbye, and waits a little for the peer's.
async fn close(mut socket: Socket, code: CloseCode, reason: &'static str) {
    let goodbye = async {
        if socket.send(&mut [Frame::close(code, reason)].into()).await.is_ok() {
            // A socket that is closed while bytes wait in it takes away what was sent.
            while !matches!(socket.receive().await, Ok(Said::Close) | Err(Lost::Gone)) {}
        }
    };
    // Whoever does not take it sees the connection break, and connects again just the same.
    let _ = timeout(GOODBYE, goodbye).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With what the runtime adds, a task of a kibibyte at most.
    const IDLE_BYTES_MAX: usize = 640;

    /// The size of what `start` returns.
    fn size<A, B, F>(_start: impl FnOnce(A, B) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn an_idle_connection_is_a_small_task() {
        assert!(size(run) <= IDLE_BYTES_MAX, "{} bytes", size(run));
    }
}
