//! TLS before HTTP: the handshake of a connection.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig, server::TlsStream};

/// What every TLS connection begins with: the type of a record that holds a handshake.
const HANDSHAKE: u8 = 0x16;
/// What somebody hears who speaks HTTP here.
const PLAIN: &str = "this address speaks TLS; call it with https://\n";
/// How much of what such a caller sent is taken before the end: a socket closed with bytes unread takes the answer back.
const DRAINED_READS_MAX: usize = 16;
const DRAINED_BYTES: usize = 4096;

/// Shakes hands, or tells a caller without TLS what is expected. The caller of this sets the deadline.
///
/// # Errors
/// When there is no TLS, or none that both ends agree on.
pub(crate) async fn handshake(config: Arc<ServerConfig>, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    let mut first = [0];
    if stream.peek(&mut first).await? == 1 && first[0] != HANDSHAKE {
        explain(stream).await?;
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the peer speaks no TLS"));
    }
    TlsAcceptor::from(config).accept(stream).await
}

async fn explain(mut stream: TcpStream) -> io::Result<()> {
    let length = PLAIN.len();
    let head = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8";
    stream.write_all(format!("{head}\r\ncontent-length: {length}\r\n\r\n{PLAIN}").as_bytes()).await?;
    stream.shutdown().await?;
    let mut rest = vec![0; DRAINED_BYTES];
    for _ in 0..DRAINED_READS_MAX {
        if stream.read(&mut rest).await? == 0 {
            break;
        }
    }
    Ok(())
}
