//! A minimal HTTP/1.1 client: request bytes made once, one answer at a time, and no more parsed than is needed.
//!
//! It shares the machine with what it measures, so each answer costs it one write and (nearly always) one read. Answers
//! must carry `content-length`; a chunked answer is an error, as is a byte beyond the answer.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The longest answer that is read.
const ANSWER_MAX: usize = 16 << 20;
/// The room for an answer at first.
const BUFFER: usize = 64 << 10;

/// What stands before the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// The status code.
    pub(crate) status: u16,
    /// Bytes up to the body.
    pub(crate) length: usize,
    /// Bytes of the body.
    pub(crate) body: usize,
}

/// One answer; the body is valid until the next exchange.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Response<'a> {
    /// The status code.
    pub(crate) status: u16,
    /// The whole body.
    pub(crate) body: &'a [u8],
}

/// Parses the head of an answer; `None` while it is incomplete.
pub(crate) fn parse_head(bytes: &[u8]) -> Result<Option<Head>> {
    let mut body = None;
    let mut start = 0;
    while let Some(end) = memchr::memchr(b'\n', &bytes[start..]).map(|at| start + at) {
        let line = bytes[start..end].strip_suffix(b"\r").unwrap_or(&bytes[start..end]);
        if start > 0 && line.is_empty() {
            let status = parse_status(bytes)?;
            let body = match body {
                Some(length) => length,
                None if status == 204 || status == 304 => 0,
                None => bail!("an answer with status {status} has no content-length"),
            };
            return Ok(Some(Head { status, length: end + 1, body }));
        }
        if let Some(value) = header_value(line, b"content-length") {
            body = Some(parse_length(value)?);
        }
        start = end + 1;
    }
    Ok(None)
}

fn parse_status(bytes: &[u8]) -> Result<u16> {
    ensure!(bytes.starts_with(b"HTTP/1."), "not an HTTP/1 answer");
    let digits = bytes.get(9..12).context("a status line without a status")?;
    let status = std::str::from_utf8(digits)?.parse()?;
    ensure!((200..600).contains(&status), "status {status} is not a final answer");
    Ok(status)
}

fn header_value<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let colon = name.len();
    (line.len() > colon && line[colon] == b':' && line[..colon].eq_ignore_ascii_case(name))
        .then(|| line[colon + 1..].trim_ascii())
}

fn parse_length(value: &[u8]) -> Result<usize> {
    let length = std::str::from_utf8(value)?.parse().context("a content-length that is no number")?;
    ensure!(length <= ANSWER_MAX, "an answer of {length} bytes is more than {ANSWER_MAX}");
    Ok(length)
}

/// One connection, kept alive.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects to `address`.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; BUFFER] })
    }

    /// Sends `request` and reads the whole answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Response<'_>> {
        self.stream.write_all(request).await.context("sending a request")?;
        let (head, filled) = self.read_head().await?;
        let end = head.length + head.body;
        self.read_body(filled, end).await?;
        Ok(Response { status: head.status, body: &self.buffer[head.length..end] })
    }

    async fn read_head(&mut self) -> Result<(Head, usize)> {
        let mut filled = 0;
        loop {
            filled += self.read_some(filled).await?;
            if let Some(head) = parse_head(&self.buffer[..filled])? {
                return Ok((head, filled));
            }
            ensure!(filled < self.buffer.len(), "the head of an answer exceeds {BUFFER} bytes");
        }
    }

    async fn read_body(&mut self, mut filled: usize, end: usize) -> Result<()> {
        if end > self.buffer.len() {
            self.buffer.resize(end, 0);
        }
        while filled < end {
            filled += self.read_some(filled).await?;
        }
        ensure!(filled == end, "{} bytes follow the answer", filled - end);
        Ok(())
    }

    async fn read_some(&mut self, filled: usize) -> Result<usize> {
        let count = self.stream.read(&mut self.buffer[filled..]).await.context("reading an answer")?;
        ensure!(count > 0, "the connection was closed before the end of the answer");
        Ok(count)
    }
}

/// The bytes of a `GET`, with or without a token.
pub(crate) fn get(path: &str, token: Option<&str>) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{}\r\n", authorization(token)).into_bytes()
}

/// The bytes of a `POST` of JSON.
pub(crate) fn post(path: &str, token: Option<&str>, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        authorization(token),
        body.len()
    )
    .into_bytes()
}

fn authorization(token: Option<&str>) -> String {
    token.map(|token| format!("stream-auth-type: jwt\r\nauthorization: {token}\r\n")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[test]
    fn a_head_gives_status_length_and_body() {
        let bytes = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nCONTENT-LENGTH:  7\r\n\r\n{\"a\":1}";
        let head = parse_head(bytes).unwrap().unwrap();
        assert_eq!((head.status, head.body), (201, 7));
        assert_eq!(&bytes[head.length..], b"{\"a\":1}");
    }

    #[test]
    fn every_prefix_of_a_head_is_incomplete() {
        let bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
        for end in 0..bytes.len() {
            assert_eq!(parse_head(&bytes[..end]).unwrap(), None, "{end}");
        }
        assert!(parse_head(bytes).unwrap().is_some());
    }

    #[test]
    fn a_head_that_cannot_be_trusted_is_an_error() {
        for bytes in [
            &b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n",
            b"HTTP/1.1 2x0 OK\r\ncontent-length: 1\r\n\r\n",
            b"RTSP/1.0 200 OK\r\ncontent-length: 1\r\n\r\n",
            b"HTTP/1.1 100 Continue\r\ncontent-length: 0\r\n\r\n",
        ] {
            assert!(parse_head(bytes).is_err(), "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn an_answer_without_content_needs_no_length() {
        let head = parse_head(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap().unwrap();
        assert_eq!(head.body, 0);
    }

    async fn answering(pieces: Vec<&'static [u8]>) -> Connection {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 512];
            let _ = stream.read(&mut request).await.unwrap();
            for piece in pieces {
                stream.write_all(piece).await.unwrap();
                stream.flush().await.unwrap();
                tokio::task::yield_now().await;
            }
        });
        Connection::open(address).await.unwrap()
    }

    #[tokio::test]
    async fn an_answer_in_pieces_is_put_together() {
        let mut connection = answering(vec![b"HTTP/1.1 200 OK\r\nconte", b"nt-length: 5\r\n\r\nhe", b"llo"]).await;
        let response = connection.exchange(&get("/", None)).await.unwrap();
        assert_eq!((response.status, response.body), (200, &b"hello"[..]));
    }

    #[tokio::test]
    async fn an_answer_cut_short_is_an_error() {
        let mut connection = answering(vec![b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe"]).await;
        assert!(connection.exchange(&get("/", None)).await.is_err());
    }

    #[tokio::test]
    async fn bytes_beyond_the_answer_are_an_error() {
        let mut connection = answering(vec![b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhello"]).await;
        assert!(connection.exchange(&get("/", None)).await.is_err());
    }
}
