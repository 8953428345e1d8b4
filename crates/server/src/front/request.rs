//! What the front adds to every request: when it started, its id, who is at the other end.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use http::{HeaderMap, HeaderName, HeaderValue};

/// The header that carries the request id, both ways.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The header by which client libraries name themselves; logged, never trusted.
pub(super) const STREAM_CLIENT: HeaderName = HeaderName::from_static("x-stream-client");

/// When the front took up this request; a request extension.
#[derive(Debug, Clone, Copy)]
pub struct Started(pub Instant);

/// The address at the other end of the connection; a request extension, absent without a socket.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// The id of this request, the client's own if it sent a sane one; a request extension.
#[derive(Debug, Clone)]
pub struct RequestId(pub(super) HeaderValue);

impl RequestId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

/// Makes request ids: a prefix drawn once per process, then a count.
#[derive(Debug)]
pub(super) struct Ids {
    prefix: u64,
    next: AtomicU64,
}

impl Ids {
    const LENGTH_MAX: usize = 128;

    pub(super) fn new() -> Self {
        // Ids need not be secret; without a random source they are only less distinct between processes.
        Self { prefix: getrandom::u64().unwrap_or_default(), next: AtomicU64::new(0) }
    }

    /// The id the client sent, or a new one.
    pub(super) fn of(&self, headers: &HeaderMap) -> RequestId {
        match headers.get(REQUEST_ID) {
            Some(sent) if Self::is_sane(sent.as_bytes()) => RequestId(sent.clone()),
            _ => RequestId(self.generate()),
        }
    }

    fn is_sane(id: &[u8]) -> bool {
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
        !id.is_empty() && id.len() <= Self::LENGTH_MAX && id.iter().all(is_plain)
    }

    fn generate(&self) -> HeaderValue {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        let mut text = [b'-'; 29];
        let mut write = |at: usize, width: usize, value: u64| {
            for digit in 0..width {
                text[at + width - 1 - digit] = DIGITS[(value >> (4 * digit)) as usize & 15];
            }
        };
        write(0, 16, self.prefix);
        write(17, 12, count);
        HeaderValue::from_bytes(&text).unwrap_or_else(|_| HeaderValue::from_static("none"))
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
        assert!(Ids::is_sane(ids.generate().as_bytes()));
    }

    #[test]
    fn only_short_and_plain_ids_are_accepted() {
        for (id, is_sane) in [("a-1_b.c:d", true), ("", false), ("a b", false), ("<x>", false)] {
            assert_eq!(Ids::is_sane(id.as_bytes()), is_sane, "{id}");
        }
        assert!(!Ids::is_sane(&[b'a'; 129]));
    }
}
