//! An answer that is too long for memory: its beginning is put on disk while the rest is made.
//!
//! It is whole before its first byte is sent, so an error still has its own answer, and no snapshot waits for a slow client.

use std::{fmt::Write as _, io, time::Instant};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use tokio::{
    fs::File,
    io::{AsyncSeekExt, AsyncWriteExt},
};
use tokio_util::io::ReaderStream;

/// What is kept in memory of one answer.
const MEMORY_BYTES: usize = 1 << 20;
/// How much of it is read from disk at a time.
const BUFFER_BYTES: usize = 64 << 10;

/// A JSON object that is being made.
#[derive(Debug, Default)]
pub(crate) struct Spool {
    /// The end of it.
    memory: Vec<u8>,
    /// What stands before that. The file has no name: it goes with the answer.
    file: Option<File>,
}

/// An answer that lacks only its `duration`, and is sent as it is read.
#[derive(Debug)]
pub(crate) struct Spooled(Spool);

impl Spool {
    /// Adds text as it is.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) async fn text(&mut self, text: &str) -> io::Result<()> {
        self.memory.extend_from_slice(text.as_bytes());
        self.flush_if_full().await
    }

    /// Adds a value.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) async fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.memory, value)?;
        self.flush_if_full().await
    }

    async fn flush_if_full(&mut self) -> io::Result<()> {
        if self.memory.len() < MEMORY_BYTES {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(File::from_std(tempfile::tempfile()?)),
        };
        file.write_all(&self.memory).await?;
        self.memory.clear();
        Ok(())
    }

    /// The object is whole but for its closing brace.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) async fn done(mut self) -> io::Result<Spooled> {
        if let Some(file) = &mut self.file {
            file.flush().await?;
            file.rewind().await?;
        }
        Ok(Spooled(self))
    }
}

impl Spooled {
    /// The response, with the time since `started`.
    pub(crate) fn finish(self, started: Instant) -> Response {
        let Spool { memory, file } = self.0;
        let millis = started.elapsed().as_secs_f64() * 1000.0;
        let mut end = String::new();
        write!(end, r#","duration":"{millis:.2}ms"}}"#).expect("writing to memory does not fail");
        let rest = [memory, end.into_bytes()].concat();
        let body = match file {
            None => Body::from(rest),
            Some(file) => {
                let begin = ReaderStream::with_capacity(file, BUFFER_BYTES);
                Body::from_stream(begin.chain(stream::iter([Ok(Bytes::from(rest))])))
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::OK;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn a_long_answer_is_sent_as_it_was_made_and_memory_holds_the_end_of_it_alone() {
        for items in [0, 3, 40_000] {
            let mut spool = Spool::default();
            spool.text(r#"{"list":["#).await.unwrap();
            for n in 0..items {
                let comma = if n == 0 { "" } else { "," };
                spool.text(comma).await.unwrap();
                spool.json(&format!("{n:0>100}")).await.unwrap();
                assert!(spool.memory.len() < MEMORY_BYTES + 200);
            }
            spool.text("]").await.unwrap();
            assert_eq!(spool.file.is_some(), items == 40_000);
            let response = spool.done().await.unwrap().finish(Instant::now());
            let bytes = response.into_body().collect().await.unwrap().to_bytes();
            let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(json["list"].as_array().unwrap().len(), items);
            assert!(
                json["list"]
                    .as_array()
                    .unwrap()
                    .last()
                    .is_none_or(|last| last.as_str().unwrap().ends_with(&(items - 1).to_string()))
            );
            assert!(json["duration"].is_string());
        }
    }
}
