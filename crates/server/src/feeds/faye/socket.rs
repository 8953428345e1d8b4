//! Clients that come by WebSocket: one task, one loop over what can happen to the connection.

use std::{collections::VecDeque, sync::Arc};

use axum::extract::ws::{Message, WebSocket};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::{
    Connect,
    bayeux::{self, Asked},
    list, messages,
    pace::Pace,
};
use crate::Server;

/// A connection that says nothing for so long is closed, in seconds.
const SILENCE_MAX_SECONDS: u64 = 120;

/// Who came, and what was asked and not yet answered.
struct Peer {
    client: Option<(String, Arc<Notify>)>,
    /// Answers that wait for their time.
    held: VecDeque<(Instant, String)>,
    heard_at: Instant,
    pace: Pace,
}

/// What can happen.
enum Happened {
    Frame(Option<Result<Message, axum::Error>>),
    Woken,
    Tick,
}

/// Runs a connection to its end.
pub(super) async fn run(server: Arc<Server>, mut socket: WebSocket) {
    let mut peer = Peer { client: None, held: VecDeque::new(), heard_at: Instant::now(), pace: Pace::new() };
    while let Some(answers) = peer.next(&server, &mut socket).await {
        if !answers.is_empty() && socket.send(Message::text(list(&answers))).await.is_err() {
            break;
        }
    }
    // The client itself stays: it may come back another way.
    let _ = socket.send(Message::Close(None)).await;
}

impl Peer {
    /// What is to be sent next; `None` when the connection is over.
    async fn next(&mut self, server: &Arc<Server>, socket: &mut WebSocket) -> Option<Vec<String>> {
        let silent_at = self.heard_at + std::time::Duration::from_secs(SILENCE_MAX_SECONDS);
        let due = self.held.front().map_or(silent_at, |(at, _)| (*at).min(silent_at));
        let wake = self.client.as_ref().map(|(_, wake)| wake.clone());
        let woken = async {
            match wake {
                Some(wake) => wake.notified().await,
                None => std::future::pending().await,
            }
        };
        let happened = tokio::select! {
            frame = socket.recv() => Happened::Frame(frame),
            () = woken => Happened::Woken,
            () = sleep_until(due) => Happened::Tick,
        };
        if server.faye.is_closed() {
            return None;
        }
        match happened {
            Happened::Frame(Some(Ok(Message::Text(text)))) => {
                self.heard_at = Instant::now();
                // Whoever sends more frames than any client needs is cut off.
                if !self.pace.takes_one() {
                    return None;
                }
                self.hear(server, &text).await
            }
            Happened::Frame(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => Some(Vec::new()),
            Happened::Frame(_) => None,
            Happened::Woken => Some(self.told(server)),
            Happened::Tick if Instant::now() >= silent_at => None,
            Happened::Tick => Some(self.held.pop_front().map(|(_, answer)| answer).into_iter().collect()),
        }
    }

    /// Answers a frame. An empty list asks whether anybody is here, and is sent back.
    async fn hear(&mut self, server: &Arc<Server>, text: &str) -> Option<Vec<String>> {
        let messages = messages(text)?;
        if messages.is_empty() {
            // Not through `list`: nothing to say would be nothing sent.
            return Some(vec![String::new()]);
        }
        let mut answers = Vec::new();
        for message in &messages {
            match bayeux::ask(server, message).await {
                Asked::Answer(answer) => answers.push(answer.to_string()),
                Asked::Connect(Connect { client, answer, timeout }) => {
                    self.held.push_back((Instant::now() + timeout, answer.to_string()));
                    self.held.make_contiguous().sort_by_key(|(at, _)| *at);
                    if self.client.as_ref().is_none_or(|(known, _)| *known != client) {
                        self.client = server.faye.wake_of(&client).map(|wake| (client, wake));
                    }
                    answers.extend(self.told(server));
                }
            }
        }
        Some(answers)
    }

    /// What waits for the client. A connection need not be asked before it tells.
    fn told(&self, server: &Server) -> Vec<String> {
        let Some((client, _)) = &self.client else { return Vec::new() };
        server.faye.take(client).iter().map(|message| message.to_string()).collect()
    }
}
