//! The Redis protocol (RESP2), pipelined.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The longest reply that is read.
const REPLY_MAX: usize = 256 << 20;

/// Commands, encoded one after the other.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    bytes: Vec<u8>,
    count: usize,
}

impl Commands {
    /// Adds a command.
    pub(crate) fn push(&mut self, parts: &[&[u8]]) -> &mut Self {
        self.open(parts.len());
        for part in parts {
            self.part(part);
        }
        self
    }

    /// Starts a command of `parts` parts, which [`Self::part`] then adds.
    pub(crate) fn open(&mut self, parts: usize) {
        self.line(b'*', parts);
        self.count += 1;
    }

    /// Adds a part to the command that was opened.
    pub(crate) fn part(&mut self, part: &[u8]) {
        self.line(b'$', part.len());
        self.bytes.extend_from_slice(part);
        self.bytes.extend_from_slice(b"\r\n");
    }

    fn line(&mut self, kind: u8, number: usize) {
        self.bytes.push(kind);
        self.bytes.extend_from_slice(number.to_string().as_bytes());
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// How many commands there are.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Forgets the commands and keeps the room.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.count = 0;
    }
}

/// A reply that is no error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    Status(Bytes),
    Integer(i64),
    Bulk(Option<Bytes>),
    Array(Vec<Reply>),
}

impl Reply {
    /// The parts of an array, each of which must be there.
    pub(crate) fn into_parts(self) -> Result<Vec<Bytes>> {
        let Self::Array(replies) = self else { bail!("not an array: {self:?}") };
        replies.into_iter().map(Self::into_bytes).collect()
    }

    /// The bytes of a bulk reply that must be there.
    pub(crate) fn into_bytes(self) -> Result<Bytes> {
        match self {
            Self::Bulk(Some(bytes)) | Self::Status(bytes) => Ok(bytes),
            other => bail!("no value: {other:?}"),
        }
    }
}

/// A connection.
pub(crate) struct Link {
    stream: TcpStream,
    buffer: BytesMut,
}

impl Link {
    /// Connects to `address`.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("connecting to Redis at {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: BytesMut::with_capacity(64 << 10) })
    }

    /// Sends `commands` in one piece and reads a reply for each; an error reply is an error.
    pub(crate) async fn run(&mut self, commands: &Commands) -> Result<Vec<Reply>> {
        self.stream.write_all(&commands.bytes).await?;
        let mut replies = Vec::with_capacity(commands.count);
        for _ in 0..commands.count {
            replies.push(self.reply().await?);
        }
        Ok(replies)
    }

    /// Sends one command.
    pub(crate) async fn command(&mut self, parts: &[&[u8]]) -> Result<Reply> {
        let mut commands = Commands::default();
        commands.push(parts);
        self.run(&commands).await?.pop().context("no reply")
    }

    async fn reply(&mut self) -> Result<Reply> {
        let mut wanted = 0;
        loop {
            if self.buffer.len() > wanted {
                match measure(&self.buffer, 0)? {
                    Measured::Whole(length) => {
                        let mut reply = self.buffer.split_to(length).freeze();
                        return decode(&mut reply);
                    }
                    // Measuring again is only worth it once there is enough.
                    Measured::Needs(length) => wanted = length.saturating_sub(1),
                }
            }
            ensure!(wanted < REPLY_MAX, "a reply of more than {REPLY_MAX} bytes");
            let count = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(count > 0, "Redis closed the connection");
        }
    }
}

/// How long a reply is, as far as its beginning tells.
enum Measured {
    /// All of it is there, up to this byte.
    Whole(usize),
    /// At least this many bytes are needed.
    Needs(usize),
}

fn measure(bytes: &[u8], start: usize) -> Result<Measured> {
    let Some(end) = memchr::memchr(b'\n', &bytes[start..]).map(|at| start + at + 1) else {
        return Ok(Measured::Needs(bytes.len() + 1));
    };
    match bytes[start] {
        b'+' | b'-' | b':' => Ok(Measured::Whole(end)),
        b'$' => {
            let length = number(&bytes[start + 1..end])?;
            let end = usize::try_from(length).map_or(end, |length| end + length + 2);
            Ok(if end <= bytes.len() { Measured::Whole(end) } else { Measured::Needs(end) })
        }
        b'*' => {
            let mut at = end;
            for _ in 0..number(&bytes[start + 1..end])? {
                if at >= bytes.len() {
                    return Ok(Measured::Needs(at + 1));
                }
                match measure(bytes, at)? {
                    Measured::Whole(end) => at = end,
                    needs @ Measured::Needs(_) => return Ok(needs),
                }
            }
            Ok(Measured::Whole(at))
        }
        other => bail!("not a Redis reply: byte {other}"),
    }
}

/// Takes a reply, known to be whole, off the front of `bytes`.
fn decode(bytes: &mut Bytes) -> Result<Reply> {
    let end = memchr::memchr(b'\n', bytes).context("a reply without end")? + 1;
    let line = bytes.split_to(end);
    let text = line.slice(1..end.saturating_sub(2).max(1));
    match line[0] {
        b'+' => Ok(Reply::Status(text)),
        b'-' => bail!("Redis: {}", String::from_utf8_lossy(&text)),
        b':' => Ok(Reply::Integer(number(&text)?)),
        b'$' => {
            let Ok(length) = usize::try_from(number(&text)?) else { return Ok(Reply::Bulk(None)) };
            let mut value = bytes.split_to(length + 2);
            value.truncate(length);
            Ok(Reply::Bulk(Some(value)))
        }
        _ => (0..number(&text)?).map(|_| decode(bytes)).collect::<Result<_>>().map(Reply::Array),
    }
}

fn number(text: &[u8]) -> Result<i64> {
    Ok(std::str::from_utf8(text)?.trim_ascii_end().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Reply> {
        for end in 0..text.len() {
            assert!(
                end == 0 || matches!(measure(&text.as_bytes()[..end], 0), Ok(Measured::Needs(needs)) if needs > end),
                "{end} bytes of {text:?} are not whole"
            );
        }
        assert!(matches!(measure(text.as_bytes(), 0)?, Measured::Whole(length) if length == text.len()));
        decode(&mut Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn replies_are_decoded() {
        let bulk = |text: &'static str| Reply::Bulk(Some(Bytes::from_static(text.as_bytes())));
        assert_eq!(parse("+OK\r\n").unwrap(), Reply::Status(Bytes::from_static(b"OK")));
        assert_eq!(parse(":-12\r\n").unwrap(), Reply::Integer(-12));
        assert_eq!(parse("$5\r\na\r\nbc\r\n").unwrap(), bulk("a\r\nbc"));
        assert_eq!(parse("$0\r\n\r\n").unwrap(), bulk(""));
        assert_eq!(parse("$-1\r\n").unwrap(), Reply::Bulk(None));
        assert_eq!(parse("*0\r\n").unwrap(), Reply::Array(vec![]));
        let nested = parse("*2\r\n$1\r\na\r\n*1\r\n:7\r\n").unwrap();
        assert_eq!(nested, Reply::Array(vec![bulk("a"), Reply::Array(vec![Reply::Integer(7)])]));
    }

    #[test]
    fn an_error_reply_is_an_error() {
        let error = parse("-LOADING Redis is loading\r\n").unwrap_err();
        assert_eq!(error.to_string(), "Redis: LOADING Redis is loading");
        assert!(parse("*1\r\n-ERR no\r\n").is_err());
        assert!(measure(b"HTTP\r\n", 0).is_err());
    }

    #[test]
    fn commands_are_encoded_one_after_the_other() {
        let mut commands = Commands::default();
        commands.push(&[b"GET", b"a"]).push(&[b"PING"]);
        assert_eq!(commands.len(), 2);
        assert_eq!(commands.bytes, b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n*1\r\n$4\r\nPING\r\n");
        commands.clear();
        assert_eq!(commands.len(), 0);
    }
}
