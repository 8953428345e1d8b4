//! What the front adds to every request: when it started, its id, who is at the other end.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use http::{HeaderMap, HeaderName, HeaderValue};

/// The header that carries the request id, both ways.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The header by which client libraries name themselves; logged, never trusted.
pub(crate) const STREAM_CLIENT: HeaderName = HeaderName::from_static("x-stream-client");

/// When a request came, under which id and from where: the one extension that the front gives every request.
#[derive(Debug, Clone)]
pub struct Started(
    /// When the front took it up.
    pub Instant,
    pub(crate) RequestId,
    pub(crate) Option<SocketAddr>,
);

impl Started {
    pub(crate) fn now(ids: &Ids, headers: &HeaderMap, peer: Option<SocketAddr>) -> Self {
        Self(Instant::now(), ids.of(headers), peer)
    }

    /// The id of the request, the client's own if it sent a sane one.
    #[must_use]
    pub fn id(&self) -> &str {
        self.1.as_str()
    }

    /// The address at the other end of the connection; none without a socket.
    #[must_use]
    pub fn peer(&self) -> Option<SocketAddr> {
        self.2
    }
}

/// The id of a request. One that is made here stays in place until a header needs it.
#[derive(Debug, Clone)]
pub(crate) enum RequestId {
    Sent(HeaderValue),
    Made([u8; Ids::MADE_LENGTH]),
}

impl RequestId {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Sent(value) => value.to_str().unwrap_or_default(),
            Self::Made(text) => std::str::from_utf8(text).unwrap_or_default(),
        }
    }

    pub(crate) fn to_header(&self) -> HeaderValue {
        match self {
            Self::Sent(value) => value.clone(),
            Self::Made(text) => HeaderValue::from_bytes(text).unwrap_or_else(|_| HeaderValue::from_static("none")),
        }
    }
}

/// Makes request ids: a prefix drawn once per process, then a count.
#[derive(Debug)]
pub(crate) struct Ids {
    prefix: u64,
    next: AtomicU64,
}

impl Ids {
    const LENGTH_MAX: usize = 128;
    /// Sixteen digits, a dash, twelve digits.
    const MADE_LENGTH: usize = 29;

    pub(crate) fn new() -> Self {
        // Ids need not be secret; without a random source they are only less distinct between processes.
        Self { prefix: getrandom::u64().unwrap_or_default(), next: AtomicU64::new(0) }
    }

    /// The id the client sent, or a new one.
    pub(crate) fn of(&self, headers: &HeaderMap) -> RequestId {
        match headers.get(REQUEST_ID) {
            Some(sent) if Self::is_sane(sent.as_bytes()) => RequestId::Sent(sent.clone()),
            _ => RequestId::Made(self.make()),
        }
    }

    fn is_sane(id: &[u8]) -> bool {
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
        !id.is_empty() && id.len() <= Self::LENGTH_MAX && id.iter().all(is_plain)
    }

    fn make(&self) -> [u8; Self::MADE_LENGTH] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        let mut text = [b'-'; Self::MADE_LENGTH];
        let mut write = |at: usize, width: usize, value: u64| {
            for digit in 0..width {
                text[at + width - 1 - digit] = DIGITS[(value >> (4 * digit)) as usize & 15];
            }
        };
        write(0, 16, self.prefix);
        write(17, 12, count);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_ids_are_distinct_and_sane() {
        let ids = Ids { prefix: 0xab, next: AtomicU64::new(15) };
        assert_eq!(ids.of(&HeaderMap::new()).as_str(), "00000000000000ab-00000000000f");
        assert_eq!(ids.of(&HeaderMap::new()).as_str(), "00000000000000ab-000000000010");
        assert!(Ids::is_sane(&ids.make()));
    }

    #[test]
    fn only_short_and_plain_ids_are_accepted() {
        for (id, is_sane) in [("a-1_b.c:d", true), ("", false), ("a b", false), ("<x>", false)] {
            assert_eq!(Ids::is_sane(id.as_bytes()), is_sane, "{id}");
        }
        assert!(!Ids::is_sane(&[b'a'; 129]));
    }
}
