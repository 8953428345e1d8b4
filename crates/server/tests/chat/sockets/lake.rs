//! A pond that is served on a socket, and clients that connect to it.

use std::{net::SocketAddr, ops::Deref, time::Duration};

use domain::{
    App, Tx,
    chat::{channels::Channel, members::Member},
    keyspace::{CHANNEL, Chat, MEMBER, MEMBERSHIP, USER},
    users::User,
};
use futures_util::{SinkExt, StreamExt};
use ids::{ChannelId, Timestamp, UserId};
use serde_json::{Value, json};
use server::{
    WebhookOptions,
    front::{Clock, Drained},
    realtime::Options,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::pond::{KEY, Pond, SECRET, sign};

/// How long a test waits for what must come: only a failing test ever waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A server on a socket.
pub(crate) struct Lake {
    pond: Pond,
    pub(crate) app: App,
    pub(crate) address: SocketAddr,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) served: JoinHandle<Drained>,
}

impl Deref for Lake {
    type Target = Pond;

    fn deref(&self) -> &Pond {
        &self.pond
    }
}

impl Lake {
    pub(crate) async fn new() -> Self {
        Self::with(Options { grace: Duration::from_millis(1), ..Options::default() }).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        Self::start(options, "127.0.0.0/8").await
    }

    /// One whose hooks may be in the public Internet only.
    pub(crate) async fn closed() -> Self {
        Self::start(Options::default(), "192.0.2.1/32").await
    }

    /// One that publishes to topics here.
    pub(crate) async fn publishing(endpoint: &str) -> Self {
        let webhooks = WebhookOptions { sns_endpoint: Some(endpoint.to_owned()), ..hasty() };
        Self::start_with(Options::default(), webhooks, "127.0.0.0/8").await
    }

    async fn start(realtime: Options, allowed: &str) -> Self {
        Self::start_with(realtime, hasty(), allowed).await
    }

    async fn start_with(realtime: Options, webhooks: WebhookOptions, allowed: &str) -> Self {
        let (pond, running) = Pond::start(|options| {
            options.realtime = realtime;
            options.webhooks = webhooks;
            options.outbound_allowed = vec![allowed.parse().unwrap()];
        })
        .await;
        let (address, app) = (running.addresses()[0], running.app().app.clone());
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(running.serve(async { stopped.await.unwrap_or_default() }));
        Lake { pond, app, address, stop, served }
    }

    /// Opens a socket with these query parameters beside the API key.
    pub(crate) async fn open(&self, path: &str, parameters: &[(&str, &str)]) -> Socket {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters);
        let url = format!("ws://{}{path}?{}", self.address, query.finish());
        let (stream, _) = connect_async(url).await.unwrap();
        Socket { stream, id: String::new() }
    }

    /// Opens a socket with this JSON and token.
    pub(crate) async fn dial(&self, path: &str, token: &str, json: &Value) -> Socket {
        let json = json.to_string();
        let parameters =
            [("api_key", KEY), ("authorization", token), ("stream-auth-type", "jwt"), ("json", json.as_str())];
        self.open(path, &parameters).await
    }

    /// Connects as `user`, and takes the first frame.
    pub(crate) async fn connect(&self, user: &str) -> Socket {
        self.connect_at("/connect", user).await
    }

    pub(crate) async fn connect_at(&self, path: &str, user: &str) -> Socket {
        let token = sign(SECRET, &json!({ "user_id": user }));
        let json = json!({ "user_id": user, "user_details": { "id": user } });
        let mut socket = self.dial(path, &token, &json).await;
        let hello = socket.next().await;
        assert_eq!(hello["type"], "health.check", "{hello}");
        socket.id = hello["connection_id"].as_str().unwrap().to_owned();
        socket
    }

    /// Posts `body` as `user` over a connection of this machine, with these more `headers`; the status of the answer.
    pub(crate) async fn post_from(&self, user: &str, path: &str, headers: &str, body: &Value) -> u16 {
        let (token, body) = (sign(SECRET, &json!({ "user_id": user })), body.to_string());
        let request = format!(
            "POST /{path}?api_key={KEY} HTTP/1.1\r\nhost: here\r\nauthorization: {token}\r\nstream-auth-type: jwt\r\n\
             {headers}content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{answer}"))
    }

    /// Makes the channel, if there is none, and this user a member of it.
    pub(crate) async fn member(&self, cid: &str, id: &str) {
        let (channel, now) = (channel(cid), Timestamp::from_micros(self.clock.now_micros()));
        self.write(|tx| {
            USER.put(tx, 7, &id.to_owned(), &User::new(now));
            CHANNEL.put(tx, 7, &Chat(channel.clone()), &Channel::new(None, now));
            MEMBER.put(tx, 7, &(Chat(channel.clone()), id.to_owned()), &Member::new(now));
            MEMBERSHIP.put(tx, 7, &(id.to_owned(), Chat(channel.clone())), &());
        })
        .await;
    }

    /// Commits what `body` writes.
    pub(crate) async fn write(&self, body: impl Fn(&mut Tx) + Send + Sync) {
        let mut attempts = self.app.store.attempts();
        let mut tx = self.app.snapshot();
        loop {
            *tx = attempts.begin();
            body(&mut tx);
            let written = std::mem::replace(&mut *tx, self.app.store.read());
            if attempts.commit(written).await.unwrap() {
                return;
            }
        }
    }
}

/// One connection of a client.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) id: String,
}

impl Socket {
    /// The next frame, which must be JSON.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            match self.frame().await {
                Message::Text(text) => return serde_json::from_str(text.as_str()).unwrap(),
                Message::Ping(_) => {}
                other => panic!("not a text frame: {other:?}"),
            }
        }
    }

    /// The next event that is no health check.
    pub(crate) async fn event(&mut self) -> Value {
        loop {
            let event = self.next().await;
            if event["type"] != "health.check" {
                return event;
            }
        }
    }

    /// The next event of this type; others are passed over.
    pub(crate) async fn find(&mut self, kind: &str) -> Value {
        loop {
            let event = self.next().await;
            if event["type"] == kind {
                return event;
            }
        }
    }

    /// The code with which the server closes the connection, after whatever else it sends.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        self.heard_until_closed().await.1
    }

    /// How many texts come until the server closes the connection, and its code.
    pub(crate) async fn heard_until_closed(&mut self) -> (usize, Option<u16>) {
        let mut heard = 0;
        loop {
            match self.try_frame().await {
                Some(Message::Close(frame)) => return (heard, frame.map(|frame| frame.code.into())),
                Some(frame) => heard += usize::from(frame.is_text()),
                None => return (heard, None),
            }
        }
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.send_frame(Message::Text(text.into())).await;
    }

    pub(crate) async fn send_frame(&mut self, frame: Message) {
        self.stream.send(frame).await.unwrap();
    }

    /// Sends bytes that are perhaps no frame.
    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).await.unwrap();
    }

    pub(crate) async fn frame(&mut self) -> Message {
        self.try_frame().await.expect("the connection is open")
    }

    async fn try_frame(&mut self) -> Option<Message> {
        tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("a frame comes in time")?.ok()
    }
}

pub(crate) fn user(id: &str) -> UserId {
    UserId::parse(id).unwrap()
}

pub(crate) fn channel(cid: &str) -> ChannelId {
    ChannelId::parse(cid).unwrap()
}

/// Hooks that are tried again at once.
fn hasty() -> WebhookOptions {
    WebhookOptions { first_pause: Duration::from_millis(1), ..WebhookOptions::default() }
}
