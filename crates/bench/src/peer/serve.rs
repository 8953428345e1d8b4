//! The accept loop that the peers share: plain HTTP/1.1, nothing else.

use std::convert::Infallible;
use std::future::Future;
use std::io::Write;
use std::net::SocketAddr;

use anyhow::Result;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// An answer whose body is in memory.
pub(super) type Answer = Response<Full<Bytes>>;

/// Accepts connections for ever; `handler` is made anew for each.
pub(super) async fn serve<M, H, F>(listen: SocketAddr, make: M) -> Result<()>
where
    M: Fn() -> H,
    H: Fn(Request<Incoming>) -> F + Send + 'static,
    F: Future<Output = Result<Answer, Infallible>> + Send + 'static,
{
    let listener = TcpListener::bind(listen).await?;
    writeln!(std::io::stdout(), "ready http://{}", listener.local_addr()?)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = service_fn(make());
        tokio::spawn(async move {
            // A connection that the client has closed is no failure of the peer.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
