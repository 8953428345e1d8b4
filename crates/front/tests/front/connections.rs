//! Connections: silence, slowness, rest, caps, and the end.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::routing::get;
use front::{Drained, Options};
use futures_util::StreamExt as _;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::pond::{Client, Pond, options};
use crate::{TINY, routes};

/// The defaults with every deadline of a connection at nothing.
fn impatient() -> Options {
    Options { first_byte_deadline: TINY, header_deadline: TINY, idle_deadline: TINY, ..options() }
}

fn cut(reason: &str) -> String {
    format!("millpond_http_connections_cut_total{{reason=\"{reason}\"}} 1\n")
}

#[tokio::test]
async fn a_silent_connection_is_cut() {
    let pond = Pond::start(Options { first_byte_deadline: TINY, ..options() }, routes()).await;
    assert!(pond.connect().await.is_closed().await);
    pond.counted(&cut("silent")).await;
}

#[tokio::test]
async fn a_slow_head_is_cut_on_every_request_of_a_connection() {
    for requests_before in [0, 1] {
        let pond = Pond::start(Options { header_deadline: TINY, ..options() }, routes()).await;
        let mut client = pond.connect().await;
        for _ in 0..requests_before {
            assert_eq!(client.get("/").await.status, 200);
        }
        client.send(b"GET / HTTP/1.1\r\nhost: po").await;
        assert!(client.is_closed().await);
        pond.counted(&cut("slow_header")).await;
    }
}

#[tokio::test]
async fn a_resting_connection_is_cut() {
    let pond = Pond::start(Options { idle_deadline: TINY, ..options() }, routes()).await;
    let mut client = pond.connect().await;
    assert_eq!(client.get("/").await.status, 200);
    assert!(client.is_closed().await);
    pond.counted(&cut("idle")).await;
}

#[tokio::test]
async fn a_resting_http2_connection_is_cut_although_it_talks() {
    let pond = Pond::start(Options { idle_deadline: TINY, ..options() }, routes()).await;
    let mut client = pond.connect().await;
    client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x08\x06\0\0\0\0\0pingpong").await;
    client.rest().await;
    pond.counted(&cut("idle")).await;
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_cut() {
    const LENGTH: usize = 64 << 20;
    let body = Bytes::from(vec![b'a'; LENGTH]);
    let router = Router::new().route("/", get(async move || body.clone()));
    let pond = Pond::start(Options { write_stall_deadline: TINY, ..options() }, router).await;
    let mut client = pond.connect().await;
    client.send(b"GET / HTTP/1.1\r\nhost: pond\r\n\r\n").await;
    pond.counted(&cut("peer_not_reading")).await;
    assert!(client.rest().await.len() < LENGTH);
}

/// Waits until the deadlines of [`impatient`] have passed, as seen by a newer connection.
async fn outlast(pond: &Pond) {
    for _ in 0..2 {
        assert!(pond.connect().await.is_closed().await);
    }
}

#[tokio::test]
async fn a_working_request_outlasts_every_deadline_of_its_connection() {
    let wait = Waiting::default();
    let pond = Pond::start(impatient(), wait.router()).await;
    let mut client = wait.begin(&pond).await;
    outlast(&pond).await;
    wait.sign.notify_one();
    assert_eq!(client.answer().await.text(), "waited");
}

#[tokio::test]
async fn a_streamed_answer_outlasts_every_deadline_of_its_connection() {
    let sign = Arc::new(Notify::new());
    let shared = Arc::clone(&sign);
    let streamed = async move || {
        let last = async move {
            shared.notified().await;
            Ok::<_, std::io::Error>("b")
        };
        Body::from_stream(futures_util::stream::iter([Ok("a")]).chain(futures_util::stream::once(last)))
    };
    let pond = Pond::start(impatient(), Router::new().route("/", get(streamed))).await;
    let mut client = pond.connect().await;
    client.send(b"GET / HTTP/1.1\r\nhost: pond\r\n\r\n").await;
    let mut answer = client.head().await;
    outlast(&pond).await;
    sign.notify_one();
    answer.body = client.body(&answer).await;
    assert_eq!(answer.text(), "ab");
}

#[tokio::test]
async fn a_socket_after_an_upgrade_outlasts_every_deadline_of_its_connection() {
    let sign = Arc::new(Notify::new());
    let shared = Arc::clone(&sign);
    let upgraded = async move |request: Request| {
        tokio::spawn(async move {
            let mut socket = TokioIo::new(hyper::upgrade::on(request).await.unwrap());
            shared.notified().await;
            socket.write_all(b"still here").await.unwrap();
        });
        http::Response::builder().status(101).header("upgrade", "pond").body(Body::empty()).unwrap()
    };
    let pond = Pond::start(impatient(), Router::new().route("/", get(upgraded))).await;
    let mut client = pond.connect().await;
    client.send(b"GET / HTTP/1.1\r\nhost: pond\r\nconnection: upgrade\r\nupgrade: pond\r\n\r\n").await;
    assert_eq!(client.head().await.status, 101);
    outlast(&pond).await;
    sign.notify_one();
    assert_eq!(client.rest().await, b"still here");
}

#[tokio::test]
async fn beyond_a_cap_the_newest_connection_is_closed() {
    let process = Options { connections_max: 1, ..options() };
    let peer = Options { connections_per_peer_max: 1, ..options() };
    for (options, reason) in [(process, "process_cap"), (peer, "peer_cap")] {
        let pond = Pond::start(options, routes()).await;
        let mut oldest = pond.connect().await;
        assert_eq!(oldest.get("/").await.status, 200);
        assert!(pond.connect().await.is_closed().await);
        assert_eq!(oldest.get("/").await.status, 200);
        pond.counted(&format!("millpond_http_connections_refused_total{{reason=\"{reason}\"}} 1\n")).await;
    }
}

#[tokio::test]
async fn a_client_that_leaves_is_counted() {
    let wait = Waiting::default();
    let pond = Pond::start(options(), wait.router()).await;
    let client = wait.begin(&pond).await;
    drop(client);
    pond.counted("status=\"abandoned\"} 1\n").await;
}

#[tokio::test]
async fn a_drain_finishes_what_is_in_flight_and_refuses_what_is_new() {
    let wait = Waiting::default();
    let pond = Pond::start(options(), wait.router()).await;
    let mut working = wait.begin(&pond).await;
    let (mut resting, mut silent) = (pond.connect().await, pond.connect().await);
    assert_eq!(resting.get("/livez").await.status, 200);
    pond.counted("millpond_http_connections 3\n").await;
    pond.stop.send(()).unwrap();
    assert!(resting.is_closed().await && silent.is_closed().await, "who is not at work ends at once");
    assert!(TcpStream::connect(pond.address).await.is_err(), "nobody listens any more");
    wait.sign.notify_one();
    let answer = working.answer().await;
    assert_eq!((answer.text(), answer.header("connection")), ("waited", Some("close")));
    assert_eq!(pond.served.await.unwrap(), Drained { finished: 3, cut: 0 });
}

#[tokio::test]
async fn a_drain_cuts_what_is_left_at_the_deadline() {
    let wait = Waiting::default();
    let pond = Pond::start(Options { drain_deadline: TINY, ..options() }, wait.router()).await;
    let mut working = wait.begin(&pond).await;
    pond.stop.send(()).unwrap();
    assert_eq!(pond.served.await.unwrap(), Drained { finished: 0, cut: 1 });
    assert!(working.is_closed().await);
}

#[tokio::test]
async fn a_lame_duck_still_answers_and_says_that_it_is_not_ready() {
    let pond = Pond::start(Options { lame_duck: Duration::from_secs(3600), ..options() }, routes()).await;
    pond.stop.send(()).unwrap();
    let mut client = Client::to(pond.address).await;
    while client.get("/readyz").await.status != 503 {}
    assert_eq!(client.get("/readyz").await.text(), "draining\n");
    pond.served.abort();
}

/// A route that says when it has begun, and goes on at a sign.
#[derive(Default)]
struct Waiting {
    begun: Arc<Notify>,
    sign: Arc<Notify>,
}

impl Waiting {
    fn router(&self) -> Router {
        let (begun, sign) = (Arc::clone(&self.begun), Arc::clone(&self.sign));
        let wait = async move || {
            begun.notify_one();
            sign.notified().await;
            "waited"
        };
        Router::new().route("/wait", get(wait))
    }

    /// A client whose request has begun.
    async fn begin(&self, pond: &Pond) -> Client {
        let mut client = pond.connect().await;
        client.send(b"GET /wait HTTP/1.1\r\nhost: pond\r\n\r\n").await;
        self.begun.notified().await;
        client
    }
}
