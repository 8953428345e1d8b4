//! Bodies: how large, how slow and in which encoding, both ways.

use async_compression::tokio::{bufread, write};
use front::Options;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::pond::{Pond, options};
use crate::{TINY, routes};

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_however_it_is_sent() {
    let pond = Pond::start(Options { body_max_bytes: 100, ..options() }, routes()).await;
    assert_eq!(pond.post("/echo", "", &[b'a'; 100]).await.status, 200);
    let refused = pond.post("/echo", "", &[b'a'; 101]).await;
    assert_eq!((refused.error(), refused.header("connection")), ((413, "too_large".to_owned()), Some("close")));
    let chunk = format!("65\r\n{}\r\n0\r\n\r\n", "a".repeat(0x65));
    let chunked = format!("POST /echo HTTP/1.1\r\nhost: pond\r\ntransfer-encoding: chunked\r\n\r\n{chunk}");
    assert_eq!(pond.ask(&chunked).await.error(), (413, "too_large".to_owned()));
    pond.counted("bodies_refused_total{reason=\"too_large\"} 2\n").await;
}

#[tokio::test]
async fn a_route_may_take_larger_bodies_than_others() {
    let route_body_max_bytes = vec![("/upload".to_owned(), 4_000_000)];
    let pond = Pond::start(Options { body_max_bytes: 100, route_body_max_bytes, ..options() }, routes()).await;
    assert_eq!(pond.post("/upload", "", &vec![b'a'; 3_000_000]).await.text(), "3000000");
    assert_eq!(pond.post("/echo", "", &[b'a'; 3000]).await.status, 413);
}

#[tokio::test]
async fn compressed_bodies_are_read() {
    let pond = Pond::start(options(), routes()).await;
    let body = b"a mill by a pond ".repeat(500);
    for (encoding, sent) in [("gzip", gzip(&body).await), ("deflate", zlib(&body).await), ("identity", body.clone())] {
        let answer = pond.post("/echo", &format!("content-encoding: {encoding}\r\n"), &sent).await;
        assert_eq!((answer.status, answer.body == body), (200, true), "{encoding}");
    }
}

#[tokio::test]
async fn a_bomb_is_refused_by_what_it_becomes() {
    let pond = Pond::start(Options { body_max_bytes: 1_000_000, ..options() }, routes()).await;
    let zeros = vec![0; 20_000_000];
    for (encoding, bomb) in [("gzip", gzip(&zeros).await), ("deflate", zlib(&zeros).await)] {
        assert!(bomb.len() < 100_000, "{}", bomb.len());
        let answer = pond.post("/upload", &format!("content-encoding: {encoding}\r\n"), &bomb).await;
        assert_eq!(answer.error(), (413, "too_large".to_owned()), "{encoding}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_in_its_encoding_is_refused() {
    let pond = Pond::start(options(), routes()).await;
    let mut torn = gzip(&b"a mill by a pond ".repeat(500)).await;
    torn.truncate(torn.len() / 2);
    for body in [&b"plain"[..], &torn] {
        assert_eq!(
            pond.post("/echo", "content-encoding: gzip\r\n", body).await.error(),
            (400, "malformed_encoding".to_owned())
        );
    }
    assert_eq!(
        pond.post("/echo", "content-encoding: zstd\r\n", b"x").await.error(),
        (415, "unsupported_encoding".to_owned())
    );
}

#[tokio::test]
async fn a_body_that_trickles_is_refused() {
    let options = Options { body_progress_deadline: TINY, body_progress_bytes: 1000, ..options() };
    let pond = Pond::start(options, routes()).await;
    let mut client = pond.connect().await;
    client.send(b"POST /echo HTTP/1.1\r\nhost: pond\r\ncontent-length: 2000\r\n\r\nabc").await;
    assert_eq!(client.answer().await.error(), (408, "too_slow".to_owned()));
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn large_answers_are_compressed_for_those_who_ask() {
    let pond = Pond::start(options(), routes()).await;
    let plain = pond.get("/large").await;
    assert_eq!(plain.header("content-encoding"), None);
    for encoding in ["gzip", "deflate", "br"] {
        let answer = pond.get_with("/large", &format!("accept-encoding: {encoding}\r\n")).await;
        assert_eq!(answer.header("content-encoding"), Some(encoding));
        assert_eq!(answer.header("vary"), Some("accept-encoding"));
        assert!(answer.body.len() < plain.body.len() / 10);
        assert_eq!(unpacked(encoding, &answer.body).await, plain.body, "{encoding}");
    }
}

#[tokio::test]
async fn small_answers_and_other_wishes_are_left_plain() {
    let pond = Pond::start(options(), routes()).await;
    for (path, encoding) in [("/small", "gzip"), ("/large", "identity"), ("/large", "zstd")] {
        let answer = pond.get_with(path, &format!("accept-encoding: {encoding}\r\n")).await;
        assert_eq!((answer.status, answer.header("content-encoding")), (200, None), "{path} {encoding}");
    }
}

async fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = write::GzipEncoder::new(Vec::new());
    encoder.write_all(bytes).await.unwrap();
    encoder.shutdown().await.unwrap();
    encoder.into_inner()
}

async fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = write::ZlibEncoder::new(Vec::new());
    encoder.write_all(bytes).await.unwrap();
    encoder.shutdown().await.unwrap();
    encoder.into_inner()
}

async fn unpacked(encoding: &str, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match encoding {
        "gzip" => bufread::GzipDecoder::new(bytes).read_to_end(&mut out).await,
        "deflate" => bufread::ZlibDecoder::new(bytes).read_to_end(&mut out).await,
        _ => bufread::BrotliDecoder::new(bytes).read_to_end(&mut out).await,
    }
    .unwrap();
    out
}

/// The head of a request that nobody answers, with a body of this length, and whatever else it says.
fn head(length: usize, headers: &str) -> Vec<u8> {
    format!("POST /nowhere HTTP/1.1\r\nhost: pond\r\n{headers}content-length: {length}\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn a_connection_goes_on_when_nobody_reads_a_small_body() {
    let pond = Pond::start(options(), routes()).await;
    let mut client = pond.connect().await;
    let chunked = "POST /nowhere HTTP/1.1\r\nhost: pond\r\ntransfer-encoding: chunked\r\n\r\n".as_bytes();
    for (head, body) in [(head(5, ""), &b"grain"[..]), (chunked.to_vec(), b"5\r\ngrain\r\n0\r\n\r\n")] {
        client.send(&head).await;
        tokio::task::yield_now().await;
        client.send(body).await;
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.header("connection")), (404, None));
        assert_eq!(client.get("/").await.status, 200, "the next request on it");
    }
}

#[tokio::test]
async fn an_answer_without_a_large_body_says_that_the_connection_ends() {
    let pond = Pond::start(options(), routes()).await;
    let mut client = pond.connect().await;
    client.send(&head(300_000, "")).await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.header("connection")), (404, Some("close")));
}

#[tokio::test]
async fn whoever_waits_to_be_told_to_send_a_body_is_answered_without_it() {
    let pond = Pond::start(options(), routes()).await;
    let mut client = pond.connect().await;
    client.send(&head(5, "expect: 100-continue\r\n")).await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.header("connection")), (404, Some("close")));
}

#[tokio::test]
async fn a_body_that_nobody_reads_and_that_does_not_come_is_not_waited_for_long() {
    let pond = Pond::start(Options { body_progress_deadline: TINY, ..options() }, routes()).await;
    let mut client = pond.connect().await;
    client.send(&head(5, "")).await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.header("connection")), (404, Some("close")));
}
