//! Connections without a socket: clients that ask again and again what is new (chat §9.6).
//!
//! Such a connection stands in the hub as any other, and is gone when nobody asked for it for a while.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until, timeout};
use uuid::Uuid;

use super::{
    hub::{Connection, Full, Identity},
    outbox::Waiting,
    presence,
};
use crate::Server;

/// The connections that are asked for without a socket.
#[derive(Debug, Default)]
pub(crate) struct Polls(Mutex<HashMap<Uuid, Poll>>);

#[derive(Debug)]
struct Poll {
    connection: Arc<Connection>,
    /// When it was last asked for.
    asked_at: Instant,
    /// Whether somebody waits for it now.
    is_asked: bool,
}

/// Why a connection has no news to tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unpolled {
    /// There is none, or it is over.
    Gone,
    /// Somebody else asks for it at this moment.
    Asked,
}

impl Polls {
    /// Opens a connection called `id`.
    ///
    /// # Errors
    /// When the user has too many.
    pub(crate) fn open(server: &Arc<Server>, id: Uuid, identity: Identity) -> Result<(), Full> {
        let connection = Connection::new(id, identity);
        if server.hub.join(&connection)? {
            presence::came(&server.hub, &connection.identity, super::connection::now(server));
        }
        let poll = Poll { connection, asked_at: Instant::now(), is_asked: false };
        server.polls.0.lock().insert(id, poll);
        tokio::spawn(watch(Arc::downgrade(server), id));
        Ok(())
    }

    /// What is new on the connection `id` of `identity`: waits for a while, and then answers nothing.
    ///
    /// # Errors
    /// When there is no such connection, or somebody else waits for it.
    pub(crate) async fn next(server: &Arc<Server>, id: Uuid, identity: &Identity) -> Result<Vec<String>, Unpolled> {
        let connection = {
            let mut polls = server.polls.0.lock();
            let poll = polls.get_mut(&id).filter(|poll| {
                let known = &poll.connection.identity;
                known.app == identity.app && known.user == identity.user
            });
            let poll = poll.ok_or(Unpolled::Gone)?;
            if poll.is_asked {
                return Err(Unpolled::Asked);
            }
            poll.is_asked = true;
            poll.connection.clone()
        };
        let _asked = Asked { server, id };
        match timeout(server.hub.options.poll_wait, connection.outbox.next()).await {
            Err(_) => Ok(Vec::new()),
            Ok(Waiting::Frames(frames)) => {
                Ok(frames.iter().filter_map(|frame| frame.said().map(str::to_owned)).collect())
            }
            Ok(Waiting::End(_)) => {
                close(server, id);
                Err(Unpolled::Gone)
            }
        }
    }
}

/// That somebody waits for a connection, until dropped.
struct Asked<'s> {
    server: &'s Server,
    id: Uuid,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if let Some(poll) = self.server.polls.0.lock().get_mut(&self.id) {
            (poll.is_asked, poll.asked_at) = (false, Instant::now());
        }
    }
}

/// Closes the connection `id` when nobody asked for it for too long.
async fn watch(server: Weak<Server>, id: Uuid) {
    loop {
        let Some(until) = server.upgrade().and_then(|server| over_at(&server, id)) else { return };
        sleep_until(until).await;
        let Some(server) = server.upgrade() else { return };
        if over_at(&server, id).is_some_and(|until| until <= Instant::now()) {
            close(&server, id);
            return;
        }
    }
}

/// When the connection is over unless somebody asks for it.
fn over_at(server: &Server, id: Uuid) -> Option<Instant> {
    let (polls, patience) = (server.polls.0.lock(), server.hub.options.silence_max);
    let poll = polls.get(&id)?;
    Some(if poll.is_asked { Instant::now() } else { poll.asked_at } + patience)
}

fn close(server: &Arc<Server>, id: Uuid) {
    let closed = server.polls.0.lock().remove(&id);
    if let Some(poll) = closed
        && server.hub.leave(&poll.connection)
    {
        presence::leaves(server, poll.connection.identity.clone());
    }
}
