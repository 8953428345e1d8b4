//! Response compression: only for those who ask, and only where it pays.

use std::io;

use async_compression::Level;
use async_compression::tokio::bufread::{BrotliEncoder, GzipEncoder, ZlibEncoder};
use axum::body::Body;
use axum::response::Response;
use futures_util::TryStreamExt as _;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body::Body as _;
use tokio::io::AsyncRead;
use tokio_util::io::{ReaderStream, StreamReader};

/// The size of one compressed piece.
const PIECE_BYTES: usize = 16 * 1024;
/// Brotli's effort: beyond it the server's time costs more than the bytes saved.
const BROTLI_LEVEL: i32 = 3;

/// An encoding that this server writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Brotli,
    Gzip,
    Deflate,
}

impl Encoding {
    const ALL: [Self; 3] = [Self::Gzip, Self::Brotli, Self::Deflate];

    fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
        }
    }
}

/// The encoding that `headers` ask for: the highest quality, and of equals the one that is cheapest to write.
pub(crate) fn asked(headers: &HeaderMap) -> Option<Encoding> {
    let mut best: Option<(Encoding, u16)> = None;
    let listed = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let wishes: Vec<(&str, u16)> = listed.flat_map(|value| value.split(',')).filter_map(wish).collect();
    for encoding in Encoding::ALL {
        let quality = quality(&wishes, encoding.name());
        if quality > best.map_or(0, |(_, quality)| quality) {
            best = Some((encoding, quality));
        }
    }
    best.map(|(encoding, _)| encoding)
}

fn quality(wishes: &[(&str, u16)], name: &str) -> u16 {
    let of = |wanted: &str| wishes.iter().find(|(wish, _)| wish.eq_ignore_ascii_case(wanted)).map(|(_, q)| *q);
    of(name).or_else(|| of("*")).unwrap_or(0)
}

/// One element of `Accept-Encoding`: its name and its quality in thousandths.
fn wish(element: &str) -> Option<(&str, u16)> {
    let mut parts = element.split(';');
    let name = parts.next()?.trim();
    let quality = parts.find_map(|part| part.trim().strip_prefix("q=").map(str::trim));
    let thousandths = match quality {
        None => 1000,
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1000")]
        Some(text) => (text.parse::<f32>().ok()?.clamp(0.0, 1.0) * 1000.0) as u16,
    };
    (!name.is_empty()).then_some((name, thousandths))
}

/// Compresses `response`, if its kind and size make it worthwhile.
pub(crate) fn compressed(mut response: Response, encoding: Encoding, min_bytes: u64) -> Response {
    if !pays(&response, min_bytes) {
        return response;
    }
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::ACCEPT_RANGES);
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    response.map(|body| encoded(body, encoding))
}

fn pays(response: &Response, min_bytes: u64) -> bool {
    let size = response.body().size_hint();
    let is_large = size.exact().is_none_or(|bytes| bytes >= min_bytes);
    let is_whole = response.status() != StatusCode::PARTIAL_CONTENT;
    let headers = response.headers();
    is_large && is_whole && !headers.contains_key(header::CONTENT_ENCODING) && is_text(headers)
}

/// Text compresses well; an event stream is text whose pieces must not wait for each other.
fn is_text(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let is_listed = matches!(kind, "application/json" | "application/javascript" | "application/xml" | "image/svg+xml");
    is_listed || kind.ends_with("+json") || (kind.starts_with("text/") && kind != "text/event-stream")
}

fn encoded(body: Body, encoding: Encoding) -> Body {
    let reader = StreamReader::new(body.into_data_stream().map_err(io::Error::other));
    match encoding {
        Encoding::Brotli => streamed(BrotliEncoder::with_quality(reader, Level::Precise(BROTLI_LEVEL))),
        Encoding::Gzip => streamed(GzipEncoder::with_quality(reader, Level::Fastest)),
        Encoding::Deflate => streamed(ZlibEncoder::with_quality(reader, Level::Fastest)),
    }
}

fn streamed(encoder: impl AsyncRead + Send + 'static) -> Body {
    Body::from_stream(ReaderStream::with_capacity(encoder, PIECE_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wishes_of_the_client_decide() {
        let asked = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, value.parse().unwrap());
            asked(&headers).map(Encoding::name)
        };
        assert_eq!(asked("gzip, deflate, br"), Some("gzip"));
        assert_eq!(asked("gzip;q=0.5, br;q=0.9"), Some("br"));
        assert_eq!(asked("deflate"), Some("deflate"));
        assert_eq!(asked("gzip;q=0, *"), Some("br"));
        assert_eq!(asked("gzip;q=0"), None);
        assert_eq!(asked("identity"), None);
        assert_eq!(asked("zstd, ;q=x,"), None);
    }

    #[test]
    fn only_text_is_compressed() {
        for (kind, expected) in [
            ("application/json", true),
            ("application/json; charset=utf-8", true),
            ("application/problem+json", true),
            ("text/html", true),
            ("text/event-stream", false),
            ("image/png", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
            assert_eq!(is_text(&headers), expected, "{kind}");
        }
    }
}
