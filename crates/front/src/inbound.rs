//! Request bodies on their way in: how large, how slow, and in which encoding they may come.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use async_compression::tokio::bufread::{GzipDecoder, ZlibDecoder};
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use http::{HeaderMap, Request, header};
use http_body::{Body as _, Frame, SizeHint};
use parking_lot::Mutex;
use tokio::io::AsyncRead;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::io::{ReaderStream, StreamReader};

use crate::{Options, Refusal};

/// How much is decompressed at a time; a bomb is found after one such piece beyond the limit.
const PIECE_BYTES: usize = 16 * 1024;

/// What was wrong with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    TooLarge,
    TooSlow,
    Malformed,
}

impl Fault {
    /// Why it is refused on a route that takes `max_bytes`.
    pub(crate) fn refusal(self, max_bytes: u64) -> Refusal {
        match self {
            Self::TooLarge => Refusal::TooLarge { max_bytes },
            Self::TooSlow => Refusal::TooSlow,
            Self::Malformed => Refusal::MalformedEncoding,
        }
    }
}

/// Why a body is refused before a byte of it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    Fault(Fault),
    UnknownEncoding,
}

/// What the body of one request turned out to be; the body writes it, the response reads it.
#[derive(Debug)]
pub(crate) struct Report {
    fault: AtomicU8,
    max_bytes: u64,
    /// What nobody read of it, once it was given up.
    rest: Mutex<Option<Body>>,
}

impl Report {
    fn new(max_bytes: u64) -> Arc<Self> {
        Arc::new(Self { fault: AtomicU8::new(0), max_bytes, rest: Mutex::default() })
    }

    /// Notes a fault; the first one stays.
    fn note(&self, fault: Fault) {
        // A failure means that there is an earlier fault, the cause of this one.
        let _ = self.fault.compare_exchange(0, fault as u8 + 1, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// What nobody read of the body, if it was given up before its end.
    pub(crate) fn rest(&self) -> Option<Body> {
        self.rest.lock().take()
    }

    /// The fault, if there was one.
    pub(crate) fn fault(&self) -> Option<Fault> {
        match self.fault.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(Fault::TooLarge),
            2 => Some(Fault::TooSlow),
            _ => Some(Fault::Malformed),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Encoding {
    Gzip,
    Deflate,
}

/// Puts the limits around the body of `request`, or refuses it by its headers alone.
pub(crate) fn guard(
    request: &mut Request<Body>,
    options: &Options,
    max_bytes: u64,
) -> Result<Option<Arc<Report>>, Refused> {
    if request.body().is_end_stream() {
        return Ok(None);
    }
    let encoding = encoding(request.headers())?;
    if request.body().size_hint().lower() > max_bytes {
        return Err(Refused::Fault(Fault::TooLarge));
    }
    let report = Report::new(max_bytes);
    let body = std::mem::take(request.body_mut());
    let body = Body::new(Guarded::new(body, &report, Some(Pace::new(options))));
    *request.body_mut() = match encoding {
        None => body,
        Some(encoding) => Body::new(Guarded::new(decoded(body, encoding), &report, None)),
    };
    if encoding.is_some() {
        request.headers_mut().remove(header::CONTENT_ENCODING);
        request.headers_mut().remove(header::CONTENT_LENGTH);
    }
    // Ours is the only limit: without this the extractors of axum stop at 2 MB.
    DefaultBodyLimit::disable().apply(request);
    Ok(Some(report))
}

fn encoding(headers: &HeaderMap) -> Result<Option<Encoding>, Refused> {
    let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refused::UnknownEncoding);
    }
    match value.to_str().map(|name| name.trim().to_ascii_lowercase()).as_deref() {
        Ok("" | "identity") => Ok(None),
        Ok("gzip" | "x-gzip") => Ok(Some(Encoding::Gzip)),
        Ok("deflate") => Ok(Some(Encoding::Deflate)),
        _ => Err(Refused::UnknownEncoding),
    }
}

fn decoded(body: Body, encoding: Encoding) -> Body {
    let reader = StreamReader::new(body.into_data_stream().map_err(io::Error::other));
    match encoding {
        Encoding::Gzip => {
            let mut decoder = GzipDecoder::new(reader);
            decoder.multiple_members(true);
            streamed(decoder)
        }
        Encoding::Deflate => streamed(ZlibDecoder::new(reader)),
    }
}

fn streamed(decoder: impl AsyncRead + Send + 'static) -> Body {
    Body::from_stream(ReaderStream::with_capacity(decoder, PIECE_BYTES))
}

/// A body that counts its bytes and, on the wire, watches its pace. What nobody reads of it is left to its report.
struct Guarded {
    body: Body,
    has_ended: bool,
    left_bytes: u64,
    report: Arc<Report>,
    pace: Option<Pace>,
}

impl Guarded {
    fn new(body: Body, report: &Arc<Report>, pace: Option<Pace>) -> Self {
        Self { body, has_ended: false, left_bytes: report.max_bytes, report: Arc::clone(report), pace }
    }

    fn fail(&self, fault: Fault) -> axum::Error {
        self.report.note(fault);
        axum::Error::new(io::Error::other(format!("the request body is refused: {fault:?}")))
    }

    fn take(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, axum::Error> {
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        if length > self.left_bytes {
            return Err(self.fail(Fault::TooLarge));
        }
        self.left_bytes -= length;
        if let Some(pace) = &mut self.pace {
            pace.progressed(length);
        }
        Ok(frame)
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if self.pace.is_some() && !self.has_ended && !self.body.is_end_stream() {
            let rest = std::mem::take(&mut self.body);
            *self.report.rest.lock() = Some(rest);
        }
    }
}

impl http_body::Body for Guarded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(this.take(frame))),
            // Decoding fails only on malformed input; on the wire a failure is the connection's, noted by nobody.
            Poll::Ready(Some(Err(_))) if this.pace.is_none() => Poll::Ready(Some(Err(this.fail(Fault::Malformed)))),
            Poll::Ready(other) => {
                this.has_ended = true;
                Poll::Ready(other)
            }
            Poll::Pending => match this.pace.as_mut().map(|pace| pace.poll_exhausted(cx)) {
                Some(Poll::Ready(())) => Poll::Ready(Some(Err(this.fail(Fault::TooSlow)))),
                _ => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// How long a body has kept us waiting since it last brought enough bytes.
///
/// Only waiting counts: a handler that takes its time does not make its client slow.
struct Pace {
    deadline: Duration,
    bytes: u64,
    brought_bytes: u64,
    waited: Duration,
    waiting_since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    fn new(options: &Options) -> Self {
        Self {
            deadline: options.body_progress_deadline,
            bytes: options.body_progress_bytes,
            brought_bytes: 0,
            waited: Duration::ZERO,
            waiting_since: None,
            timer: None,
        }
    }

    fn progressed(&mut self, bytes: u64) {
        if let Some(since) = self.waiting_since.take() {
            self.waited += since.elapsed();
        }
        self.brought_bytes += bytes;
        if self.brought_bytes >= self.bytes {
            (self.brought_bytes, self.waited) = (0, Duration::ZERO);
        }
    }

    fn poll_exhausted(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.waiting_since.is_none() {
            let now = Instant::now();
            self.waiting_since = Some(now);
            let due = now + self.deadline.saturating_sub(self.waited);
            match &mut self.timer {
                Some(timer) => timer.as_mut().reset(due),
                None => self.timer = Some(Box::pin(sleep_until(due))),
            }
        }
        self.timer.as_mut().map_or(Poll::Pending, |timer| timer.as_mut().poll(cx))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_encodings_are_read() {
        let parse = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_ENCODING, value.parse().unwrap());
            encoding(&headers).map(|found| format!("{found:?}")).unwrap_or_else(|_| "unsupported".to_owned())
        };
        assert_eq!(parse("GZIP"), "Some(Gzip)");
        assert_eq!(parse("deflate"), "Some(Deflate)");
        assert_eq!(parse("identity"), "None");
        assert_eq!(parse("br"), "unsupported");
        assert_eq!(parse("gzip, gzip"), "unsupported");
    }

    async fn poll_once(pace: &mut Pace) -> Poll<()> {
        std::future::poll_fn(|cx| Poll::Ready(pace.poll_exhausted(cx))).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_trickle_runs_out_of_patience_and_a_steady_body_does_not() {
        let options = Options { body_progress_deadline: Duration::from_secs(10), ..Options::default() };
        let mut steady = Pace::new(&options);
        let mut trickle = Pace::new(&options);
        for _ in 0..20 {
            assert!(poll_once(&mut steady).await.is_pending());
            let _ = poll_once(&mut trickle).await;
            tokio::time::advance(Duration::from_secs(1)).await;
            steady.progressed(1024);
            trickle.progressed(1);
        }
        assert!(poll_once(&mut trickle).await.is_ready());
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_handler_does_not_make_its_client_slow() {
        let mut pace = Pace::new(&Options::default());
        pace.progressed(1);
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert!(poll_once(&mut pace).await.is_pending());
    }
}
