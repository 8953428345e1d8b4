//! A body on its way in: decompressed, counted and hashed, and never larger than allowed.

use std::io::Write;

use flate2::write::{GzDecoder, ZlibDecoder};
use reqwest::header::HeaderMap;

/// The largest body that compression may make of one byte.
const RATIO_MAX: u64 = 200;
/// Below this a body may be as dense as it likes.
const RATIO_FREE_BYTES: u64 = 1 << 20;

/// Where a decoded body goes, with its bounds.
pub(super) struct Sink<'a> {
    memory: Vec<u8>,
    file: Option<&'a mut (dyn Write + Send)>,
    hash: aws_lc_rs::digest::Context,
    bytes: u64,
    most: u64,
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.bytes += bytes.len() as u64;
        if self.bytes > self.most {
            return Err(std::io::Error::other("the answer is larger than allowed"));
        }
        self.hash.update(bytes);
        match &mut self.file {
            Some(file) => file.write_all(bytes)?,
            None => self.memory.extend_from_slice(bytes),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(super) enum Body<'a> {
    Plain(Sink<'a>),
    Gzip(GzDecoder<Sink<'a>>, u64),
    Deflate(ZlibDecoder<Sink<'a>>, u64),
}

pub(super) struct Done {
    pub(super) memory: Vec<u8>,
    pub(super) bytes: u64,
    pub(super) hash: aws_lc_rs::digest::Context,
    pub(super) failed: Option<String>,
}

impl<'a> Body<'a> {
    pub(super) fn new(encoding: Encoding, most: u64, file: Option<&'a mut (dyn Write + Send)>) -> Self {
        let hash = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        let sink = Sink { memory: Vec::new(), file, hash, bytes: 0, most };
        match encoding {
            Encoding::Identity => Body::Plain(sink),
            Encoding::Gzip => Body::Gzip(GzDecoder::new(sink), 0),
            Encoding::Deflate => Body::Deflate(ZlibDecoder::new(sink), 0),
        }
    }

    pub(super) fn take(&mut self, chunk: &[u8]) -> std::io::Result<()> {
        let (decoded, sent) = match self {
            Body::Plain(sink) => return sink.write_all(chunk),
            Body::Gzip(decoder, sent) => {
                decoder.write_all(chunk)?;
                (decoder.get_ref().bytes, sent)
            }
            Body::Deflate(decoder, sent) => {
                decoder.write_all(chunk)?;
                (decoder.get_ref().bytes, sent)
            }
        };
        *sent += chunk.len() as u64;
        if decoded > RATIO_FREE_BYTES && decoded > *sent * RATIO_MAX {
            return Err(std::io::Error::other("the answer is compressed beyond belief"));
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Done {
        let finished = match self {
            Body::Plain(sink) => Ok(sink),
            Body::Gzip(decoder, _) => decoder.finish(),
            Body::Deflate(decoder, _) => decoder.finish(),
        };
        match finished {
            Ok(sink) => Done { memory: sink.memory, bytes: sink.bytes, hash: sink.hash, failed: None },
            Err(error) => {
                let hash = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
                Done { memory: Vec::new(), bytes: 0, hash, failed: Some(format!("the answer is cut off: {error}")) }
            }
        }
    }
}

#[derive(Clone, Copy)]
pub(super) enum Encoding {
    Identity,
    Gzip,
    Deflate,
}

pub(super) fn encoding(headers: &HeaderMap) -> Encoding {
    match headers.get("content-encoding").map(|value| value.as_bytes().to_ascii_lowercase()).as_deref() {
        Some(b"gzip" | b"x-gzip") => Encoding::Gzip,
        Some(b"deflate") => Encoding::Deflate,
        _ => Encoding::Identity,
    }
}
