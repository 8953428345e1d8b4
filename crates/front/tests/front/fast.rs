//! Endpoints that go past the router get all that the others get.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::Response;
use axum::routing::get;
use front::{Fast, FastAnswer, Options};
use http::{Method, Request};

use crate::pond::{Pond, options};

/// One endpoint that says what it was sent.
struct Mill;

impl Fast for Mill {
    fn endpoints(&self) -> Vec<(Method, &'static str)> {
        vec![(Method::GET, "/mill/{wheel}"), (Method::POST, "/mill/{wheel}")]
    }

    fn choose(&self, method: &Method, path: &str) -> Option<usize> {
        let index = [Method::GET, Method::POST].iter().position(|known| known == method)?;
        path.starts_with("/mill/").then_some(index)
    }

    fn answer(&self, endpoint: usize, request: Request<Body>, started: Instant) -> FastAnswer {
        assert_ne!(request.uri().path(), "/mill/jammed", "a wheel that does not even begin to turn");
        Box::pin(async move {
            assert_ne!(request.uri().path(), "/mill/broken", "a broken wheel");
            assert!(started <= Instant::now());
            let length = to_bytes(request.into_body(), usize::MAX).await.map_or(0, |body| body.len());
            Ok(Response::new(Body::from(format!("{endpoint} {length}"))))
        })
    }
}

async fn pond() -> Pond {
    let router = Router::new().route("/mill/{wheel}", get(async || "router")).route("/", get(async || "pond"));
    Pond::start_with(Options { body_max_bytes: 100, ..options() }, Some(Arc::new(Mill)), router).await
}

#[tokio::test]
async fn a_fast_endpoint_goes_past_the_router_and_other_requests_do_not() {
    let pond = pond().await;
    let answer = pond.get_with("/mill/1", "x-request-id: me\r\n").await;
    assert_eq!((answer.text(), answer.header("x-request-id")), ("0 0", Some("me")));
    assert_eq!(pond.post("/mill/1", "", b"grain").await.text(), "1 5");
    assert_eq!(pond.get("/").await.text(), "pond");
    assert_eq!(pond.ask("PUT /mill/1 HTTP/1.1\r\nhost: pond\r\n\r\n").await.error(), (405, "wrong_method".to_owned()));
}

#[tokio::test]
async fn a_fast_endpoint_has_limits_ids_counts_and_survives_a_panic() {
    let pond = pond().await;
    assert_eq!(pond.post("/mill/1", "", &[0; 101]).await.error(), (413, "too_large".to_owned()));
    for path in ["/mill/broken", "/mill/jammed"] {
        let answer = pond.get_with(path, "origin: http://page\r\n").await;
        assert_eq!(answer.error(), (500, "panicked".to_owned()), "{path}");
        assert!(answer.header("x-request-id").is_some());
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    let labels = r#"route="/mill/{wheel}",method="GET",status="5xx""#;
    pond.counted(&format!("millpond_http_requests_total{{{labels}}} 2\n")).await;
}
