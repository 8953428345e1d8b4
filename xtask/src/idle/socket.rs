//! A WebSocket of a chat client, as small as it can be: with ten thousand of them, every buffer counts.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// What is read at once; frames may be longer.
const BUFFER_BYTES: usize = 512;
/// A ping without content, masked as clients must, with a mask that changes nothing.
const PING: [u8; 6] = [0x89, 0x80, 0, 0, 0, 0];

/// What the server sends.
pub(super) enum Frame {
    /// An event.
    Event(Value),
    /// The answer to a ping.
    Pong,
    /// It closes, with this code.
    Close(u16),
}

/// An open socket.
pub(super) struct Socket {
    stream: BufReader<TcpStream>,
    /// What calls that watch name.
    pub(super) connection: String,
}

impl Socket {
    /// Connects as `user` with its `token`, and takes the first event.
    pub(super) async fn open(address: &str, key: &str, user: &str, token: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await.context("cannot connect")?;
        let mut stream = BufReader::with_capacity(BUFFER_BYTES, stream);
        // `{"user_id":"…"}`, as a query holds it.
        let details = format!("%7B%22user_id%22%3A%22{user}%22%7D");
        let request = format!(
            "GET /connect?json={details}&api_key={key}&authorization={token}&stream-auth-type=jwt HTTP/1.1\r\n\
             Host: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.get_mut().write_all(request.as_bytes()).await?;
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        ensure!(line.starts_with("HTTP/1.1 101 "), "no socket for {user}: {line}");
        while line != "\r\n" {
            line.clear();
            ensure!(stream.read_line(&mut line).await? > 0, "no socket for {user}: the answer has no end");
        }
        let mut socket = Self { stream, connection: String::new() };
        let Frame::Event(hello) = socket.next().await? else { bail!("the first frame for {user} is no event") };
        let connection = hello["connection_id"].as_str().with_context(|| format!("{user} was told {hello}"))?;
        socket.connection = connection.to_owned();
        Ok(socket)
    }

    /// The next frame.
    pub(super) async fn next(&mut self) -> Result<Frame> {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head).await.context("the socket ended without a close frame")?;
        let length = match head[1] {
            126 => u64::from(self.stream.read_u16().await?),
            127 => self.stream.read_u64().await?,
            short => u64::from(short),
        };
        let mut content = vec![0; usize::try_from(length)?];
        self.stream.read_exact(&mut content).await?;
        match (head[0], content.as_slice()) {
            (0x81, text) => Ok(Frame::Event(serde_json::from_slice(text)?)),
            (0x8a, _) => Ok(Frame::Pong),
            (0x88, [high, low, ..]) => Ok(Frame::Close(u16::from_be_bytes([*high, *low]))),
            // The server asks whether somebody is there; that the socket is read is what matters here.
            (0x89, _) => Box::pin(self.next()).await,
            (other, _) => bail!("a frame begins with {other:#x}"),
        }
    }

    /// The next event of this type.
    pub(super) async fn find(&mut self, kind: &str) -> Result<Value> {
        loop {
            match self.next().await? {
                Frame::Event(event) if event["type"] == kind => return Ok(event),
                Frame::Close(code) => bail!("closed with {code} while {kind} was to come"),
                _ => {}
            }
        }
    }

    /// Asks whether the server still holds this socket.
    pub(super) async fn ping(&mut self) -> Result<()> {
        self.stream.get_mut().write_all(&PING).await?;
        loop {
            match self.next().await? {
                Frame::Pong => return Ok(()),
                Frame::Close(code) => bail!("closed with {code} instead of a pong"),
                Frame::Event(_) => {}
            }
        }
    }

    /// The code with which the server closes it, after whatever else it sends.
    pub(super) async fn closed(mut self) -> Result<u16> {
        loop {
            if let Frame::Close(code) = self.next().await? {
                return Ok(code);
            }
        }
    }
}
