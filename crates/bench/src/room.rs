//! A channel with many who watch it, and the raw broadcaster and a room of ejabberd with as many peers: what the rows of chat
//! measure.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt, TryStreamExt, stream};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::api::{KEY, SECRET};
use crate::ejabberd;
use crate::http::{self, Connection};
use crate::verify::excerpt;

/// Sockets that are opened at once.
const OPENING: usize = 32;
/// Users that are introduced at once.
const INTRODUCED: usize = 100;
/// How long everybody may take to be told.
const PATIENCE: Duration = Duration::from_secs(30);
/// What is said: with its event around it, about a kilobyte and a half.
const TEXT_BYTES: usize = 1024;
const CHANNEL: &str = "channels/livestream/arena";

type Socket = WebSocketStream<TcpStream>;

async fn dial(address: SocketAddr, path: &str) -> Result<Socket> {
    let stream = TcpStream::connect(address).await.with_context(|| format!("connecting to {address}"))?;
    stream.set_nodelay(true)?;
    let (socket, _) = client_async(format!("ws://{address}/{path}"), stream).await?;
    Ok(socket)
}

fn token(claims: &Value) -> Result<String> {
    Ok(jsonwebtoken::encode(&Header::default(), claims, &EncodingKey::from_secret(SECRET.as_bytes()))?)
}

/// What the receivers have got, together.
#[derive(Default)]
struct Count {
    frames: AtomicU64,
    wanted: AtomicU64,
    reached: Notify,
}

/// Sockets that count the frames they get.
pub(crate) struct Receivers {
    count: Arc<Count>,
    tasks: JoinSet<()>,
    number: u64,
}

impl Receivers {
    fn start(sockets: Vec<SplitStream<Socket>>, mark: &'static [u8]) -> Self {
        let (count, mut tasks, number) = (Arc::new(Count::default()), JoinSet::new(), sockets.len() as u64);
        for mut socket in sockets {
            let count = Arc::clone(&count);
            tasks.spawn(async move {
                while let Some(Ok(frame)) = socket.next().await {
                    let Message::Text(text) = frame else { continue };
                    if memchr::memmem::find(text.as_bytes(), mark).is_none() {
                        continue;
                    }
                    let frames = count.frames.fetch_add(1, Ordering::AcqRel) + 1;
                    if frames == count.wanted.load(Ordering::Acquire) {
                        count.reached.notify_one();
                    }
                }
            });
        }
        Receivers { count, tasks, number }
    }

    /// How many frames were got by now.
    pub(crate) fn frames(&self) -> u64 {
        self.count.frames.load(Ordering::Acquire)
    }

    /// Expects that everybody gets one more frame.
    fn expect_one(&self) {
        self.count.wanted.store(self.frames() + self.number, Ordering::Release);
    }

    /// Waits until everybody has got what is expected.
    async fn all(&self) -> Result<()> {
        let wait = async {
            while self.frames() < self.count.wanted.load(Ordering::Acquire) {
                self.count.reached.notified().await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, wait).await;
        waited.with_context(|| format!("not everybody was told within {PATIENCE:?}"))
    }
}

impl Drop for Receivers {
    fn drop(&mut self) {
        self.tasks.abort_all();
    }
}

/// A channel of the subject.
pub(crate) struct Room {
    address: SocketAddr,
    token: String,
    pub(crate) receivers: Receivers,
    /// Kept, so that the sockets stay open.
    _sinks: Vec<SplitSink<Socket, Message>>,
}

impl Room {
    /// Makes the channel of the server at `address`, with `number` who watch it.
    pub(crate) async fn open(address: SocketAddr, number: usize) -> Result<Self> {
        Self::of(address, 0..number).await
    }

    /// Makes the users with these numbers known to the server at `address`, as they are before they first connect.
    pub(crate) async fn introduce(address: SocketAddr, numbers: Range<usize>) -> Result<()> {
        let token = token(&json!({ "server": true }))?;
        let mut connection = Connection::open(address).await?;
        let all: Vec<String> = numbers.map(guest).collect();
        for some in all.chunks(INTRODUCED) {
            let users: serde_json::Map<_, _> = some.iter().map(|id| (id.clone(), json!({ "id": id }))).collect();
            post(&mut connection, &format!("users?api_key={KEY}"), &token, &json!({ "users": users })).await?;
        }
        Ok(())
    }

    /// Makes the channel of the server at `address`, where the users with these numbers watch it.
    pub(crate) async fn of(address: SocketAddr, numbers: Range<usize>) -> Result<Self> {
        let token = token(&json!({ "server": true }))?;
        let mut connection = Connection::open(address).await?;
        let body = json!({ "data": { "created_by_id": "host" } });
        post(&mut connection, &format!("{CHANNEL}/query?api_key={KEY}"), &token, &body).await?;
        let sockets: Vec<Socket> =
            stream::iter(numbers.map(|number| watch(address, number))).buffer_unordered(OPENING).try_collect().await?;
        let (sinks, streams) = sockets.into_iter().map(StreamExt::split).unzip();
        let receivers = Receivers::start(streams, br#""type":"message.new""#);
        Ok(Room { address, token, receivers, _sinks: sinks })
    }

    /// Somebody who speaks.
    pub(crate) async fn speaker(&self) -> Result<Speaker> {
        let connection = Connection::open(self.address).await?;
        let body = json!({ "message": { "text": "x".repeat(TEXT_BYTES), "user_id": "host" } });
        let path = format!("/{CHANNEL}/message?api_key={KEY}");
        Ok(Speaker { connection, request: http::post(&path, Some(&self.token), &body.to_string()) })
    }

    /// How long it takes until everybody was told of one message.
    pub(crate) async fn time_one(&self, speaker: &mut Speaker) -> Result<Duration> {
        self.receivers.expect_one();
        let since = std::time::Instant::now();
        tokio::try_join!(speaker.say(), self.receivers.all())?;
        Ok(since.elapsed())
    }
}

/// Somebody who speaks in a room.
pub(crate) struct Speaker {
    connection: Connection,
    request: Vec<u8>,
}

impl Speaker {
    /// Says something, and waits until that is stored.
    pub(crate) async fn say(&mut self) -> Result<()> {
        let response = self.connection.exchange(&self.request).await?;
        ensure!(response.status == 201, "saying something: {} {}", response.status, excerpt(response.body, 0));
        Ok(())
    }
}

fn guest(number: usize) -> String {
    format!("guest-{number}")
}

/// Connects a user, and lets it watch the channel.
async fn watch(address: SocketAddr, number: usize) -> Result<Socket> {
    let user = guest(number);
    let token = token(&json!({ "user_id": user }))?;
    // Nothing in it but quotes and braces needs to be escaped.
    let json = format!("%7B%22user_id%22:%22{user}%22,%22user_details%22:%7B%22id%22:%22{user}%22%7D%7D");
    let path = format!("connect?api_key={KEY}&stream-auth-type=jwt&authorization={token}&json={json}");
    let mut socket = dial(address, &path).await?;
    let hello = socket.next().await.context("the connection ended before it began")??;
    let hello: Value = serde_json::from_str(hello.to_text()?)?;
    let id = hello["connection_id"].as_str().with_context(|| format!("no hello: {hello}"))?;
    let mut connection = Connection::open(address).await?;
    let path = format!("{CHANNEL}/query?api_key={KEY}&connection_id={id}");
    post(&mut connection, &path, &token, &json!({ "watch": true })).await?;
    Ok(socket)
}

async fn post(connection: &mut Connection, path: &str, token: &str, body: &Value) -> Result<()> {
    let request = http::post(&format!("/{path}"), Some(token), &body.to_string());
    let response = connection.exchange(&request).await?;
    let is_good = matches!(response.status, 200 | 201);
    ensure!(is_good, "POST {path}: status {}: {}", response.status, excerpt(response.body, 0));
    Ok(())
}

/// The peers of a raw broadcaster, or those who are in a room of ejabberd.
pub(crate) struct Square {
    speaker: SplitSink<Socket, Message>,
    frame: Message,
    pub(crate) receivers: Receivers,
    _sinks: Vec<SplitSink<Socket, Message>>,
}

impl Square {
    /// Connects `number` peers, and one more who speaks.
    pub(crate) async fn open(address: SocketAddr, number: usize) -> Result<Self> {
        let sockets = stream::iter((0..=number).map(|_| dial(address, "")));
        let frame = Message::text(format!("m{}", "x".repeat(TEXT_BYTES)));
        Self::of(sockets.buffer_unordered(OPENING).try_collect().await?, frame, b"m")
    }

    /// Lets `number` into the room of ejabberd, and one more who speaks.
    pub(crate) async fn enter(server: &ejabberd::Server, number: usize) -> Result<Self> {
        let nicks: Vec<String> = (0..=number).map(guest).collect();
        let sockets = stream::iter(nicks.iter().map(|nick| server.enter(nick)));
        let frame = ejabberd::stanza(&"x".repeat(TEXT_BYTES));
        Self::of(sockets.buffer_unordered(OPENING).try_collect().await?, frame, ejabberd::BODY)
    }

    fn of(sockets: Vec<Socket>, frame: Message, mark: &'static [u8]) -> Result<Self> {
        let (mut sinks, streams): (Vec<_>, Vec<_>) = sockets.into_iter().map(StreamExt::split).unzip();
        let speaker = sinks.pop().context("there is one at least")?;
        Ok(Square { speaker, frame, receivers: Receivers::start(streams, mark), _sinks: sinks })
    }

    /// How long it takes until everybody was told of one frame.
    pub(crate) async fn time_one(&mut self) -> Result<Duration> {
        self.receivers.expect_one();
        let since = std::time::Instant::now();
        self.speaker.send(self.frame.clone()).await?;
        self.receivers.all().await?;
        Ok(since.elapsed())
    }

    /// Sends `frames`, and waits until everybody has got them.
    pub(crate) async fn send_many(&mut self, frames: u64) -> Result<()> {
        let Receivers { count, number, .. } = &self.receivers;
        count.wanted.store(count.frames.load(Ordering::Acquire) + frames * number, Ordering::Release);
        for _ in 0..frames {
            self.speaker.feed(self.frame.clone()).await?;
        }
        self.speaker.flush().await?;
        self.receivers.all().await
    }
}
