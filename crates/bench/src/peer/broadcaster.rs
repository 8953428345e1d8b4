//! The raw WebSocket broadcaster: what one peer sends reaches all of them, itself too, and nothing is looked at.

use std::io::Write;
use std::net::SocketAddr;

use anyhow::Result;
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_tungstenite::accept_async_with_config;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// Frames that wait for a slow peer.
const WAITING_MAX: usize = 1024;
/// What tungstenite reads at once; its own choice is 128 KiB for each peer.
const READ_BYTES: usize = 1024;

/// Listens, and broadcasts.
pub(super) async fn run(listen: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind(listen).await?;
    writeln!(std::io::stdout(), "ready http://{}", listener.local_addr()?)?;
    let (everybody, _) = broadcast::channel(WAITING_MAX);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let everybody = everybody.clone();
        tokio::spawn(async move {
            // A peer that is gone is no failure of the others.
            let _ = serve(stream, &everybody).await;
        });
    }
}

async fn serve(stream: TcpStream, everybody: &broadcast::Sender<Utf8Bytes>) -> Result<()> {
    let config = WebSocketConfig::default().read_buffer_size(READ_BYTES);
    let mut socket = accept_async_with_config(stream, Some(config)).await?;
    let mut told = everybody.subscribe();
    loop {
        tokio::select! {
            frame = socket.next() => match frame {
                Some(Ok(Message::Text(text))) => drop(everybody.send(text)),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                Some(Ok(_)) => {}
            },
            text = told.recv() => match text {
                Ok(text) => socket.send(Message::Text(text)).await?,
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Ok(()),
            },
        }
    }
}
