//! The bare hyper server: the same bytes for everyone, after the request was read to its end.

use std::net::SocketAddr;

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response, StatusCode};

use super::serve::{Answer, serve};

/// Listens, and answers `body`.
pub(super) async fn run(listen: SocketAddr, body: Bytes, status: u16, content_type: &str) -> Result<()> {
    let status = StatusCode::from_u16(status)?;
    let content_type = HeaderValue::from_str(content_type)?;
    serve(listen, move || {
        let (body, content_type) = (body.clone(), content_type.clone());
        move |request| {
            let (body, content_type) = (body.clone(), content_type.clone());
            async move {
                read(request).await;
                Ok(answer(status, content_type, body))
            }
        }
    })
    .await
}

async fn read(request: Request<Incoming>) {
    if !request.body().is_end_stream() {
        // The bytes are not wanted, only the work of receiving them.
        let _ = request.into_body().collect().await;
    }
}

fn answer(status: StatusCode, content_type: HeaderValue, body: Bytes) -> Answer {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
