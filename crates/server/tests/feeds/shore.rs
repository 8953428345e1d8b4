//! A pond that is served on a socket, with its workers: what happens there is told to whoever is connected, and to hooks.

use std::{collections::VecDeque, net::SocketAddr, ops::Deref, sync::Arc, time::Duration};

use axum::{Router, body::Bytes, routing::get};
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, StatusCode};
use parking_lot::Mutex;
use serde_json::{Value, json};
use server::{Running, WebhookOptions, front::Drained};
use store::Store;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{
        mpsc::{UnboundedReceiver, unbounded_channel},
        oneshot,
    },
    task::JoinHandle,
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::pond::{KEY, Pond};

/// How long a test waits for what must come: only a failing test ever waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server on a socket.
pub(crate) struct Shore {
    pond: Pond,
    pub(crate) address: SocketAddr,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) served: JoinHandle<Drained>,
}

impl Deref for Shore {
    type Target = Pond;

    fn deref(&self) -> &Pond {
        &self.pond
    }
}

impl Shore {
    pub(crate) async fn new() -> Self {
        Self::allowing("127.0.0.0/8").await
    }

    /// One whose hooks may be in this network, beside the public Internet.
    pub(crate) async fn allowing(network: &str) -> Self {
        let webhooks = WebhookOptions { first_pause: Duration::from_millis(1), ..WebhookOptions::default() };
        let (pond, running) = Pond::start(|options| {
            options.webhooks = webhooks;
            options.outbound_allowed = vec![network.parse().unwrap()];
        })
        .await;
        Self::serve(pond, running)
    }

    /// One on what another one stored, whose hooks wait so long before they are tried again.
    pub(crate) async fn on(store: Store, first_pause: Duration) -> Self {
        let (pond, running) = Pond::start_on(store, |options| {
            options.webhooks = WebhookOptions { first_pause, ..WebhookOptions::default() };
            options.outbound_allowed = vec!["127.0.0.0/8".parse().unwrap()];
        })
        .await;
        Self::serve(pond, running)
    }

    /// Ends without a word: what was begun is not finished.
    pub(crate) async fn die(self) {
        self.served.abort();
        assert!(self.served.await.unwrap_err().is_cancelled());
    }

    /// One that begins to serve what is there already.
    pub(crate) fn serve(pond: Pond, running: Running) -> Self {
        let address = running.addresses()[0];
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(running.serve(async { stopped.await.unwrap_or_default() }));
        Shore { pond, address, stop, served }
    }

    /// A WebSocket to `/faye`.
    pub(crate) async fn open(&self) -> Socket {
        let (stream, _) = connect_async(format!("ws://{}/faye", self.address)).await.unwrap();
        Socket { stream, waiting: VecDeque::new(), id: String::new() }
    }

    /// A WebSocket whose client has shaken hands.
    pub(crate) async fn greet(&self) -> Socket {
        let mut socket = self.open().await;
        let types = ["websocket", "long-polling"];
        socket
            .send(json!([{ "channel": "/meta/handshake", "version": "1.0", "supportedConnectionTypes": types }]))
            .await;
        let answer = socket.next().await;
        assert_eq!(answer["successful"], true, "{answer}");
        socket.id = answer["clientId"].as_str().unwrap().to_owned();
        socket
    }
}

/// One connection of a client.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    waiting: VecDeque<Value>,
    pub(crate) id: String,
}

impl Socket {
    /// Sends a frame.
    pub(crate) async fn send(&mut self, messages: Value) {
        self.stream.send(Message::text(messages.to_string())).await.unwrap();
    }

    /// Sends a frame that the server may not want.
    pub(crate) async fn try_send(&mut self, text: String) -> bool {
        self.stream.send(Message::text(text)).await.is_ok()
    }

    /// Says something as the client that has shaken hands.
    pub(crate) async fn say(&mut self, message: Value) {
        let message = crate::pond::with(message, json!({ "clientId": self.id }));
        self.send(json!([message])).await;
    }

    /// Asks what is new.
    pub(crate) async fn connect(&mut self) {
        self.say(json!({ "channel": "/meta/connect", "connectionType": "websocket" })).await;
    }

    /// Subscribes to a feed; the answer.
    pub(crate) async fn subscribe(&mut self, feed: &str, token: &str) -> Value {
        let name = format!("site-7-feed-{feed}");
        let ext = json!({ "user_id": name, "api_key": KEY, "signature": token });
        self.say(json!({ "channel": "/meta/subscribe", "subscription": format!("/{name}"), "ext": ext })).await;
        self.next().await
    }

    /// The next frame.
    pub(crate) async fn frame(&mut self) -> Option<Message> {
        let frame = tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("a frame in time");
        frame.and_then(Result::ok)
    }

    /// The next message; a frame may hold several.
    pub(crate) async fn next(&mut self) -> Value {
        while self.waiting.is_empty() {
            match self.frame().await.expect("the connection is open") {
                Message::Text(text) => {
                    let messages: Vec<Value> = serde_json::from_str(text.as_str()).unwrap();
                    self.waiting.extend(messages);
                }
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("not a text frame: {other:?}"),
            }
        }
        self.waiting.pop_front().unwrap()
    }

    /// The data of the next message that tells of a feed.
    pub(crate) async fn told(&mut self) -> Value {
        loop {
            let message = self.next().await;
            if !message["channel"].as_str().unwrap().starts_with("/meta/") {
                return message["data"].clone();
            }
        }
    }

    /// Whether the server has ended the connection.
    pub(crate) async fn is_over(&mut self) -> bool {
        loop {
            match self.frame().await {
                None | Some(Message::Close(_)) => return true,
                Some(_) => {}
            }
        }
    }
}

/// What a receiver of hooks took.
pub(crate) struct Call {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A server that hooks call.
pub(crate) struct Receiver {
    pub(crate) url: String,
    calls: UnboundedReceiver<Call>,
}

impl Receiver {
    /// One that says that it is the app's, and answers posts with these statuses, and then with 200.
    pub(crate) async fn new(statuses: &[u16]) -> Self {
        Self::saying(KEY, statuses).await
    }

    /// One that says this when it is asked.
    pub(crate) async fn saying(text: &'static str, statuses: &[u16]) -> Self {
        let (took, calls) = unbounded_channel();
        let statuses = Arc::new(Mutex::new(statuses.iter().copied().collect::<VecDeque<_>>()));
        let answer = async move |headers: HeaderMap, body: Bytes| {
            let status = statuses.lock().pop_front().unwrap_or(200);
            took.send(Call { headers, body }).unwrap();
            StatusCode::from_u16(status).unwrap()
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let routes = Router::new().route("/hook", get(async move || text).post(answer));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Receiver { url, calls }
    }

    /// What is posted next.
    pub(crate) async fn call(&mut self) -> Call {
        tokio::time::timeout(PATIENCE, self.calls.recv()).await.expect("a post in time").unwrap()
    }

    /// The next list.
    pub(crate) async fn list(&mut self) -> Vec<Value> {
        self.call().await.json().as_array().expect("a list").clone()
    }
}
