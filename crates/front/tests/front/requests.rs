//! What every request gets: an answer in the service's shape, an id, CORS, a place in the metrics.

use std::time::Instant;

use axum::body::Bytes;
use axum::routing::get;
use axum::{Extension, Router};
use front::{Front, Options, Readiness, Started};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::pond::{Client, Pond, options};
use crate::routes;

#[tokio::test]
async fn a_request_is_answered_on_every_address() {
    let any = options().listen[0];
    let pond = Pond::start(Options { listen: vec![any, any], ..options() }, routes()).await;
    assert_eq!(pond.addresses.len(), 2);
    for address in &pond.addresses {
        assert_eq!(Client::to(*address).await.get("/").await.text(), "pond");
    }
}

#[tokio::test]
async fn an_address_in_use_is_named_with_a_remedy() {
    let pond = Pond::start(options(), routes()).await;
    let error = Front::bind(Options { listen: vec![pond.address], ..options() }).await.unwrap_err().to_string();
    assert!(error.contains(&pond.address.to_string()) && error.contains("--listen"), "{error}");
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let pond = Pond::start(options(), routes()).await;
    let mut client = pond.connect().await;
    for _ in 0..3 {
        assert_eq!(client.get("/").await.status, 200);
    }
}

#[tokio::test]
async fn http2_is_spoken_without_tls() {
    let pond = Pond::start(options(), routes()).await;
    let stream = TokioIo::new(TcpStream::connect(pond.address).await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    for _ in 0..3 {
        let request = http::Request::get(format!("http://{}/", pond.address)).body(Empty::<Bytes>::new()).unwrap();
        let response = sender.send_request(request).await.unwrap();
        assert_eq!(response.version(), http::Version::HTTP_2);
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "pond");
    }
}

#[tokio::test]
async fn head_is_answered_like_get_without_the_body() {
    let pond = Pond::start(options(), routes()).await;
    let mut client = pond.connect().await;
    for path in ["/", "/large"] {
        client.send(format!("HEAD {path} HTTP/1.1\r\nhost: pond\r\naccept-encoding: gzip\r\n\r\n").as_bytes()).await;
        let answer = client.head().await;
        assert_eq!(answer.status, 200);
        assert!(answer.header("content-length").is_some());
    }
    assert_eq!(client.get("/").await.text(), "pond");
}

#[tokio::test]
async fn bytes_that_are_not_http_are_refused() {
    let pond = Pond::start(options(), routes()).await;
    for nonsense in ["nonsense\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n", "\u{1}\u{2}\u{3}\r\n\r\n"] {
        let mut client = pond.connect().await;
        client.send(nonsense.as_bytes()).await;
        assert_eq!(client.answer().await.status, 400, "{nonsense:?}");
        assert!(client.is_closed().await);
    }
}

#[tokio::test]
async fn a_head_beyond_its_size_is_refused() {
    let pond = Pond::start(Options { header_max_bytes: 8192, ..options() }, routes()).await;
    let answer = pond.get_with("/", &format!("x-long: {}\r\n", "a".repeat(20_000))).await;
    assert_eq!(answer.status, 431);
}

#[tokio::test]
async fn unknown_paths_and_wrong_methods_are_refused_in_the_words_of_the_service() {
    let pond = Pond::start(options(), routes()).await;
    assert_eq!(pond.get("/nowhere").await.error(), (404, "unknown_path".to_owned()));
    let answer = pond.get("/echo").await;
    assert_eq!(answer.error(), (405, "wrong_method".to_owned()));
    assert_eq!(answer.header("allow"), Some("POST"));
}

#[tokio::test]
async fn handlers_see_when_the_request_started_its_id_and_its_peer() {
    async fn seen(Extension(started): Extension<Started>) -> String {
        assert!(started.0 <= Instant::now());
        format!("{} {}", started.id(), started.peer().unwrap().ip())
    }
    let pond = Pond::start(options(), Router::new().route("/", get(seen))).await;
    assert_eq!(pond.get_with("/", "x-request-id: mine-1\r\n").await.text(), "mine-1 127.0.0.1");
}

#[tokio::test]
async fn every_answer_has_a_request_id() {
    let pond = Pond::start(options(), routes()).await;
    let ask = async |id: &str| {
        let answer = pond.get_with("/nowhere", &format!("x-request-id: {id}\r\n")).await;
        answer.header("x-request-id").unwrap().to_owned()
    };
    assert_eq!(ask("from-the-client").await, "from-the-client");
    let (first, second) = (ask("not sane").await, ask("not sane").await);
    assert!(first != "not sane" && first != second);
}

#[tokio::test]
async fn a_panic_is_an_error_and_the_server_goes_on() {
    async fn panics() -> &'static str {
        panic!("the pond is dry")
    }
    let pond = Pond::start(options(), routes().route("/panic", get(panics))).await;
    let mut client = pond.connect().await;
    for _ in 0..2 {
        assert_eq!(client.get("/panic").await.error(), (500, "panicked".to_owned()));
    }
    pond.counted("millpond_http_panics_total 2\n").await;
}

#[tokio::test]
async fn a_preflight_is_answered_for_every_path() {
    let pond = Pond::start(options(), routes()).await;
    let origin = "origin: http://page\r\naccess-control-request-method: POST\r\n";
    for path in ["/echo", "/nowhere"] {
        let answer = pond.ask(&format!("OPTIONS {path} HTTP/1.1\r\nhost: pond\r\n{origin}\r\n")).await;
        assert_eq!(answer.status, 204);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        let methods = answer.header("access-control-allow-methods").unwrap();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"] {
            assert!(methods.contains(method), "{method}");
        }
        let allowed = answer.header("access-control-allow-headers").unwrap().to_lowercase();
        let wanted = "authorization stream-auth-type x-stream-client content-type accept pragma x-requested-with";
        for header in wanted.split(' ') {
            assert!(allowed.contains(header), "{header}");
        }
    }
}

#[tokio::test]
async fn a_page_may_read_answers_and_their_rate_limits() {
    let pond = Pond::start(options(), routes()).await;
    let answer = pond.get_with("/", "origin: http://page\r\n").await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let exposed = answer.header("access-control-expose-headers").unwrap();
    for header in ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"] {
        assert!(exposed.contains(header), "{header}");
    }
    assert_eq!(pond.get("/").await.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn a_page_that_asks_with_credentials_is_named_where_that_is_wanted_and_nowhere_else() {
    let pond = Pond::start(Options { credentialed_routes: vec!["/echo"], ..options() }, routes()).await;
    for method in ["OPTIONS", "POST"] {
        let ask = async |path: &str| {
            let head =
                format!("{method} {path} HTTP/1.1\r\nhost: pond\r\norigin: http://page\r\ncontent-length: 0\r\n\r\n");
            pond.ask(&head).await
        };
        let named = ask("/echo").await;
        assert_eq!(named.header("access-control-allow-origin"), Some("http://page"), "{method}");
        assert_eq!(named.header("access-control-allow-credentials"), Some("true"), "{method}");
        assert_eq!(named.header("vary"), Some("origin"), "{method}");
        let any = ask("/nowhere").await;
        assert_eq!(any.header("access-control-allow-origin"), Some("*"), "{method}");
        assert_eq!(any.header("access-control-allow-credentials"), None, "{method}");
    }
}

#[tokio::test]
async fn readiness_is_told_apart_from_life() {
    let readiness = Readiness::starting();
    let pond = Pond::start(Options { readiness: readiness.clone(), ..options() }, routes()).await;
    assert_eq!(pond.get("/livez").await.status, 200);
    assert_eq!(pond.get("/readyz").await.status, 503);
    readiness.set_ready();
    assert_eq!(pond.get("/readyz").await.status, 200);
}

#[tokio::test]
async fn metrics_name_the_route_and_never_the_path() {
    let pond = Pond::start(options(), routes()).await;
    pond.get("/feed/timeline/anna?api_key=key-1&token=secret-1").await;
    pond.get("/nowhere/anna").await;
    pond.ask("BREW / HTTP/1.1\r\nhost: pond\r\n\r\n").await;
    let answer = pond.get("/metrics").await;
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = answer.text();
    for expected in [
        r#"millpond_http_requests_total{route="/feed/{group}/{id}",method="GET",status="2xx"} 1"#,
        r#"millpond_http_requests_total{route="unmatched",method="GET",status="4xx"} 1"#,
        r#"millpond_http_requests_total{route="/",method="OTHER",status="4xx"} 1"#,
        r#"millpond_http_request_duration_seconds_count{route="/feed/{group}/{id}",method="GET"} 1"#,
        "millpond_http_connections_total 4\n",
        "millpond_http_requests_in_flight 1\n",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    for private in ["anna", "key-1", "secret-1"] {
        assert!(!text.contains(private), "{private}");
    }
}
