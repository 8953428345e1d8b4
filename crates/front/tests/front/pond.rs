//! A server in this process and a client that speaks HTTP/1.1 by hand.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use front::{Drained, Fast, Front, Options, Refusal};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Refusals in a shape of their own: what a service gives.
fn refuse(refusal: Refusal) -> Response {
    let body = json!({"detail": refusal.detail(), "status_code": refusal.status().as_u16(), "refusal": word(refusal)});
    (refusal.status(), Json(body)).into_response()
}

fn word(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::UnknownPath => "unknown_path",
        Refusal::WrongMethod => "wrong_method",
        Refusal::Panicked => "panicked",
        Refusal::TooLarge { .. } => "too_large",
        Refusal::TooSlow => "too_slow",
        Refusal::MalformedEncoding => "malformed_encoding",
        Refusal::UnsupportedEncoding => "unsupported_encoding",
    }
}

/// The defaults, on a free port.
pub(crate) fn options() -> Options {
    let listen = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
    Options { listen, refuse, cross_origin: true, ..Options::default() }
}

/// A server, and the way to stop it.
pub(crate) struct Pond {
    pub(crate) address: SocketAddr,
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) front: Front,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) served: JoinHandle<Drained>,
}

impl Pond {
    pub(crate) async fn start(options: Options, router: Router) -> Self {
        Self::start_with(options, None, router).await
    }

    pub(crate) async fn start_with(options: Options, fast: Option<Arc<dyn Fast>>, router: Router) -> Self {
        let bound = Front::bind(options).await.unwrap();
        let (addresses, front) = (bound.addresses().to_vec(), bound.front().clone());
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(
            bound.serve_with(fast, router.merge(front.probes()), async { stopped.await.unwrap_or_default() }),
        );
        Self { address: addresses[0], addresses, front, stop, served }
    }

    pub(crate) async fn connect(&self) -> Client {
        Client::to(self.address).await
    }

    /// Sends `request` on a fresh connection.
    pub(crate) async fn ask(&self, request: &str) -> Answer {
        let mut client = self.connect().await;
        client.send(request.as_bytes()).await;
        client.answer().await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.get_with(path, "").await
    }

    /// Headers are whole lines with their ends.
    pub(crate) async fn get_with(&self, path: &str, headers: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nhost: pond\r\n{headers}\r\n")).await
    }

    pub(crate) async fn post(&self, path: &str, headers: &str, body: &[u8]) -> Answer {
        let mut client = self.connect().await;
        let length = body.len();
        let head = format!("POST {path} HTTP/1.1\r\nhost: pond\r\n{headers}content-length: {length}\r\n\r\n");
        client.send(head.as_bytes()).await;
        client.send(body).await;
        client.answer().await
    }

    /// Waits until the metrics contain `line`; a test that never sees it is stopped by its runner.
    pub(crate) async fn counted(&self, line: &str) {
        while !self.front.metrics().render().contains(line) {
            tokio::task::yield_now().await;
        }
    }
}

/// One connection.
pub(crate) struct Client(BufReader<TcpStream>);

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The status, and what the front refused in the words of the service.
    pub(crate) fn error(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        let body: Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(body["status_code"], self.status);
        (self.status, body["refusal"].as_str().unwrap().to_owned())
    }
}

impl Client {
    pub(crate) async fn to(address: SocketAddr) -> Self {
        Self(BufReader::new(TcpStream::connect(address).await.unwrap()))
    }

    /// Sends what the server takes; it may have closed already.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes).await;
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: pond\r\n\r\n").as_bytes()).await;
        self.answer().await
    }

    pub(crate) async fn answer(&mut self) -> Answer {
        let mut answer = self.head().await;
        answer.body = self.body(&answer).await;
        answer
    }

    /// The next answer without its body.
    pub(crate) async fn head(&mut self) -> Answer {
        let status = self.line().await.split(' ').nth(1).expect("a status line").parse().unwrap();
        let mut headers = Vec::new();
        loop {
            let line = self.line().await;
            if line.is_empty() {
                return Answer { status, headers, body: Vec::new() };
            }
            let (name, value) = line.split_once(": ").unwrap();
            headers.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Everything until the end of the connection; a reset counts as an end.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let _ = self.0.read_to_end(&mut rest).await;
        rest
    }

    /// Waits for the end of the connection, and says whether nothing came before it.
    pub(crate) async fn is_closed(&mut self) -> bool {
        self.rest().await.is_empty()
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        line.trim_end().to_owned()
    }

    /// The body that the headers of `answer` announce.
    pub(crate) async fn body(&mut self, answer: &Answer) -> Vec<u8> {
        match (answer.header("content-length"), answer.header("transfer-encoding")) {
            (Some(length), _) => self.bytes(length.parse().unwrap()).await,
            (None, Some("chunked")) => self.chunks().await,
            _ => Vec::new(),
        }
    }

    async fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let length = usize::from_str_radix(&self.line().await, 16).unwrap();
            body.extend(self.bytes(length).await);
            self.line().await;
            if length == 0 {
                return body;
            }
        }
    }

    async fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes).await.unwrap();
        bytes
    }
}
