//! Stored bodies as answers, a piece at a time: a package is never in memory as a whole.

use std::io::{self, Write};

use axum::body::{Body, Bytes};
use tokio::sync::mpsc;

use crate::{
    blobs::Reader,
    package::{Encryptor, Recipient},
    surroundings::Surroundings,
};

const PIECE_BYTES: usize = 64 << 10;
/// The pieces that wait for a slow client.
const PIECES: usize = 4;

/// What `reader` reads, encrypted for `recipient` if there is one, off the threads that answer calls. A body that was
/// changed on disk breaks the answer off.
pub(super) fn body(reader: Reader, recipient: Option<Recipient>, surroundings: Surroundings) -> Body {
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(PIECES);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = send(reader, Pieces(&sender), recipient.as_ref(), &surroundings) {
            // Who has gone hears nothing.
            let _ = sender.blocking_send(Err(error));
        }
    });
    let pieces = futures_util::stream::unfold(receiver, async |mut receiver| {
        let piece = receiver.recv().await?;
        Some((piece, receiver))
    });
    Body::from_stream(pieces)
}

fn send(
    mut reader: Reader,
    pieces: Pieces<'_>,
    recipient: Option<&Recipient>,
    surroundings: &Surroundings,
) -> io::Result<()> {
    let mut pieces = io::BufWriter::with_capacity(PIECE_BYTES, pieces);
    match recipient {
        None => {
            io::copy(&mut reader, &mut pieces)?;
        }
        Some(recipient) => {
            let mut encryptor = Encryptor::new(&mut pieces, recipient, surroundings)?;
            io::copy(&mut reader, &mut encryptor)?;
            encryptor.finish()?;
        }
    }
    pieces.flush()
}

/// Takes pieces to the answer; waits while the client is slow.
struct Pieces<'a>(&'a mpsc::Sender<io::Result<Bytes>>);

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
