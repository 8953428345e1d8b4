//! Endpoints that go past the router get all that the others get.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::Response;
use axum::routing::get;
use front::{Fast, FastAnswer, Options, Started};
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

    fn answer(&self, endpoint: usize, request: Request<Body>) -> FastAnswer {
        Box::pin(async move {
            assert_ne!(request.uri().path(), "/mill/broken", "a broken wheel");
            let id = request.extensions().get::<Started>().unwrap().id().to_owned();
            let length = to_bytes(request.into_body(), usize::MAX).await.map_or(0, |body| body.len());
            Ok(Response::new(Body::from(format!("{endpoint} {id} {length}"))))
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
    assert_eq!(pond.get_with("/mill/1", "x-request-id: me\r\n").await.text(), "0 me 0");
    assert_eq!(pond.post("/mill/1", "x-request-id: me\r\n", b"grain").await.text(), "1 me 5");
    assert_eq!(pond.get("/").await.text(), "pond");
    assert_eq!(pond.ask("PUT /mill/1 HTTP/1.1\r\nhost: pond\r\n\r\n").await.error(), (405, "wrong_method".to_owned()));
}

#[tokio::test]
async fn a_fast_endpoint_has_limits_ids_counts_and_survives_a_panic() {
    let pond = pond().await;
    assert_eq!(pond.post("/mill/1", "", &[0; 101]).await.error(), (413, "too_large".to_owned()));
    let answer = pond.get_with("/mill/broken", "origin: http://page\r\n").await;
    assert_eq!(answer.error(), (500, "panicked".to_owned()));
    assert!(answer.header("x-request-id").is_some());
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let labels = r#"route="/mill/{wheel}",method="GET",status="5xx""#;
    pond.counted(&format!("millpond_http_requests_total{{{labels}}} 1\n")).await;
}
