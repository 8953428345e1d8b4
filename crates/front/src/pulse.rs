//! The life signs of one connection: what it waits for, since when, and until when it may.
//!
//! One timer per connection covers every wait on the peer. Reads, writes and requests only note the time; the
//! connection's task works out the next deadline from the notes, and arms its timer again only if that came nearer.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::Options;
use crate::caps::Permit;

/// How long each wait may last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadlines {
    first_byte: Duration,
    header: Duration,
    idle: Duration,
    write_stall: Duration,
}

impl From<&Options> for Deadlines {
    fn from(options: &Options) -> Self {
        Self {
            first_byte: options.first_byte_deadline,
            header: options.header_deadline,
            idle: options.idle_deadline,
            write_stall: options.write_stall_deadline,
        }
    }
}

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    FirstByte,
    Header,
    NextRequest,
    PeerReads,
}

/// The notes about one connection. Times are microseconds since `base`, plus one so that zero means "not so".
#[derive(Debug)]
pub(crate) struct Pulse {
    base: Instant,
    base_coarse: Duration,
    deadlines: Deadlines,
    in_flight: AtomicU32,
    has_spoken: AtomicBool,
    is_http2: AtomicBool,
    header_since: AtomicU64,
    quiet_since: AtomicU64,
    stalled_since: AtomicU64,
}

impl Pulse {
    pub(crate) fn new(deadlines: Deadlines) -> Arc<Self> {
        Arc::new(Self {
            base: Instant::now(),
            base_coarse: coarse_now(),
            deadlines,
            in_flight: AtomicU32::new(0),
            has_spoken: AtomicBool::new(false),
            is_http2: AtomicBool::new(false),
            header_since: AtomicU64::new(0),
            quiet_since: AtomicU64::new(0),
            stalled_since: AtomicU64::new(0),
        })
    }

    /// The current wait and when it ends; `None` while only this server is at work.
    pub(crate) fn deadline(&self) -> Option<(Wait, Instant)> {
        let (wait, since, patience) = self.wait()?;
        Some((wait, self.base + Duration::from_micros(since.saturating_sub(1)) + patience))
    }

    fn wait(&self) -> Option<(Wait, u64, Duration)> {
        let stalled_since = self.stalled_since.load(Relaxed);
        if stalled_since != 0 {
            return Some((Wait::PeerReads, stalled_since, self.deadlines.write_stall));
        }
        if self.in_flight.load(Relaxed) > 0 {
            return None;
        }
        if !self.has_spoken.load(Relaxed) {
            return Some((Wait::FirstByte, 0, self.deadlines.first_byte));
        }
        let header_since = self.header_since.load(Relaxed);
        // Between HTTP/2 requests bytes flow too (pings, window updates): only silence of requests counts there.
        if header_since != 0 && !self.is_http2.load(Relaxed) {
            return Some((Wait::Header, header_since, self.deadlines.header));
        }
        Some((Wait::NextRequest, self.quiet_since.load(Relaxed), self.deadlines.idle))
    }

    /// A request begins; it is in flight until the guard is dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Relaxed);
        self.header_since.store(0, Relaxed);
        InFlight(Arc::clone(self))
    }

    fn note_read(&self) {
        self.has_spoken.store(true, Relaxed);
        if self.in_flight.load(Relaxed) == 0 && self.header_since.load(Relaxed) == 0 {
            self.header_since.store(self.now(), Relaxed);
        }
    }

    fn note_written(&self) {
        self.stalled_since.store(0, Relaxed);
        self.quiet_since.store(self.now(), Relaxed);
    }

    fn note_stalled(&self) {
        if self.stalled_since.load(Relaxed) == 0 {
            self.stalled_since.store(self.now(), Relaxed);
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(coarse_now().saturating_sub(self.base_coarse).as_micros()).unwrap_or(u64::MAX - 1) + 1
    }
}

/// The system's monotonic clock to a few milliseconds: enough for deadlines, and several times cheaper to read.
fn coarse_now() -> Duration {
    let now = clock_gettime(ClockId::MonotonicCoarse);
    let part = |value: i64| u64::try_from(value).unwrap_or_default();
    Duration::from_secs(part(now.tv_sec)) + Duration::from_nanos(part(now.tv_nsec))
}

/// A request in flight.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Pulse>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.quiet_since.store(self.0.now(), Relaxed);
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}

/// A socket that notes its life signs and holds the permit of its connection.
#[derive(Debug)]
pub(crate) struct Watched<S> {
    socket: S,
    pulse: Arc<Pulse>,
    /// How much of the HTTP/2 preface has been seen; `None` once that question is settled.
    preface_seen: Option<usize>,
    permit: Permit,
}

impl<S> Watched<S> {
    pub(crate) fn new(socket: S, pulse: Arc<Pulse>, permit: Permit) -> Self {
        Self { socket, pulse, preface_seen: Some(0), permit }
    }

    /// The socket, and the permit of its connection.
    pub(crate) fn into_parts(self) -> (S, Permit) {
        (self.socket, self.permit)
    }

    fn note_read(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if let Some(seen) = self.preface_seen {
            self.compare_preface(seen, bytes);
        }
        self.pulse.note_read();
    }

    fn compare_preface(&mut self, seen: usize, bytes: &[u8]) {
        const START: &[u8] = b"PRI ";
        let expected = &START[seen..];
        let length = expected.len().min(bytes.len());
        self.preface_seen = None;
        if expected[..length] == bytes[..length] {
            if length == expected.len() {
                self.pulse.is_http2.store(true, Relaxed);
            } else {
                self.preface_seen = Some(seen + length);
            }
        }
    }

    fn note_write(&self, outcome: &Poll<io::Result<usize>>) {
        match outcome {
            Poll::Ready(_) => self.pulse.note_written(),
            Poll::Pending => self.pulse.note_stalled(),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let outcome = Pin::new(&mut self.socket).poll_read(cx, buf);
        if outcome.is_ready() {
            self.note_read(&buf.filled()[before..]);
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.note_write(&outcome);
        outcome
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.socket).poll_write_vectored(cx, slices);
        self.note_write(&outcome);
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caps::Caps;

    fn pulse() -> Arc<Pulse> {
        Pulse::new(Deadlines::from(&Options::default()))
    }

    fn wait(pulse: &Pulse) -> Option<Wait> {
        pulse.wait().map(|(wait, ..)| wait)
    }

    fn watched(pulse: &Arc<Pulse>) -> Watched<tokio::io::Empty> {
        let permit = Caps::new(&Options::default(), Arc::default()).admit([127, 0, 0, 1].into()).unwrap();
        Watched::new(tokio::io::empty(), Arc::clone(pulse), permit)
    }

    #[test]
    fn a_connection_waits_for_one_thing_at_a_time() {
        let pulse = pulse();
        assert_eq!(wait(&pulse), Some(Wait::FirstByte));
        pulse.note_read();
        assert_eq!(wait(&pulse), Some(Wait::Header));
        let request = pulse.begin();
        assert_eq!(wait(&pulse), None);
        drop(request);
        assert_eq!(wait(&pulse), Some(Wait::NextRequest));
        pulse.note_stalled();
        assert_eq!(wait(&pulse), Some(Wait::PeerReads));
        pulse.note_written();
        assert_eq!(wait(&pulse), Some(Wait::NextRequest));
    }

    #[test]
    fn http2_is_known_by_its_preface_however_it_is_cut() {
        for pieces in [&["PRI * HTTP/2.0"][..], &["P", "RI", " *"]] {
            let pulse = pulse();
            let mut socket = watched(&pulse);
            pieces.iter().for_each(|piece| socket.note_read(piece.as_bytes()));
            assert_eq!(wait(&pulse), Some(Wait::NextRequest), "{pieces:?}");
        }
        let pulse = pulse();
        let mut socket = watched(&pulse);
        ["P", "UT /"].iter().for_each(|piece| socket.note_read(piece.as_bytes()));
        assert_eq!(wait(&pulse), Some(Wait::Header));
    }
}
