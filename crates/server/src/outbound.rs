//! The one way to call somebody else's server: guarded, bounded, and moved nowhere unseen.
//!
//! Addresses come from an app's settings, so whoever may change them must not reach what only this machine can reach. The
//! host is looked up here, and only addresses of the public Internet, or allowed ones, are connected to.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_compression::tokio::bufread::GzipDecoder;
use http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;
use reqwest::{
    Response, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use tokio::io::AsyncReadExt;

/// How long the other server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How much of an answer is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// How often a page may be moved.
const REDIRECTS_MAX: usize = 5;

/// Networks that are nobody's business, as text: this machine, private ones, and those with a purpose of their own.
const CLOSED: [&str; 24] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "fc00::/7",
    "fe80::/10",
];

/// Why a call did not come to an answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The address is not one to call.
    #[error("{0} is not an address that may be called")]
    Closed(String),
    /// The call failed.
    #[error("the call failed: {0}")]
    Failed(#[from] reqwest::Error),
    /// There was no answer in time.
    #[error("the page took too long")]
    Late,
    /// One page points to the other, and so on.
    #[error("the page was moved too often")]
    MovedTooOften,
    /// The answer is packed in a way that nobody asked for.
    #[error("the page is encoded by `{0}`")]
    Encoded(String),
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
}

impl Answer {
    /// Whether the other server took it.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// What was read.
#[derive(Debug)]
pub(crate) struct Page {
    /// How the other server answered.
    pub(crate) answer: Answer,
    /// Where it was in the end.
    pub(crate) url: Url,
    /// The type that it says it has; empty when it says none.
    pub(crate) kind: String,
    /// Its beginning.
    pub(crate) body: Vec<u8>,
}

/// Which addresses may be called.
#[derive(Debug)]
struct Guard {
    closed: Vec<IpNet>,
    allowed: Vec<IpNet>,
}

impl Guard {
    fn new(allowed: Vec<IpNet>) -> Self {
        let closed = CLOSED.iter().map(|net| net.parse().expect("the networks are in the source")).collect();
        Guard { closed, allowed }
    }

    fn is_open(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let is_in = |nets: &[IpNet]| nets.iter().any(|net| net.contains(&address));
        is_in(&self.allowed) || !(is_in(&self.closed) || address.is_multicast())
    }

    /// Those of the addresses that a name was found at that may be called.
    fn open(&self, host: &str, found: impl Iterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, Error> {
        let open: Vec<SocketAddr> = found.filter(|address| self.is_open(address.ip())).collect();
        if open.is_empty() { Err(Error::Closed(host.to_owned())) } else { Ok(open) }
    }
}

/// Where the answer from `url` says that its page is.
fn moved(url: &Url, response: &Response) -> Option<String> {
    let status = response.status().as_u16();
    let to = response.headers().get(header::LOCATION).filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308))?;
    Some(url.join(to.to_str().ok()?).ok()?.into())
}

async fn read(mut response: Response, url: Url, max: usize) -> Result<Page, Error> {
    let answer = Answer { status: response.status().as_u16() };
    let said = |name: HeaderName| response.headers().get(name).and_then(|value| value.to_str().ok());
    let kind = said(header::CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
    let encoding = said(header::CONTENT_ENCODING).unwrap_or_default().to_ascii_lowercase();
    let mut body = Vec::new();
    while body.len() < max
        && let Some(piece) = response.chunk().await?
    {
        body.extend_from_slice(&piece[..piece.len().min(max - body.len())]);
    }
    let body = match encoding.as_str() {
        "" | "identity" => body,
        "gzip" | "x-gzip" => unzipped(&body, max).await,
        // It was not asked to.
        _ => return Err(Error::Encoded(encoding)),
    };
    Ok(Page { answer, url, kind, body })
}

/// What of a body that some send zipped, asked or not, can be unzipped, at most `max` bytes.
async fn unzipped(body: &[u8], max: usize) -> Vec<u8> {
    let (mut unzipped, mut plain) = (GzipDecoder::new(body), Vec::new());
    let mut piece = [0; 8 * 1024];
    // What was cut at its end, or breaks off, is good until there.
    while let Ok(length @ 1..) = unzipped.read(&mut piece).await {
        plain.extend_from_slice(&piece[..length.min(max - plain.len())]);
        if plain.len() == max {
            break;
        }
    }
    plain
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.0.clone();
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            Ok(Box::new(guard.open(&host, found)?.into_iter()) as Addrs)
        })
    }
}

struct Guarded(Arc<Guard>);

/// Calls other servers.
#[derive(Debug, Clone)]
pub(crate) struct Outbound {
    /// Made for the first call: it reads the machine's certificates, hundreds of files, which took longer than all else of a start.
    client: Arc<OnceLock<reqwest::Client>>,
    guard: Arc<Guard>,
}

impl Outbound {
    /// Calls the public Internet, and what is in `allowed`.
    pub(crate) fn new(allowed: Vec<IpNet>) -> Self {
        Outbound { client: Arc::default(), guard: Arc::new(Guard::new(allowed)) }
    }

    /// What calls.
    ///
    /// # Errors
    /// When the machine's certificates cannot be read.
    fn client(&self) -> Result<&reqwest::Client, Error> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = reqwest::Client::builder()
            .dns_resolver(Arc::new(Guarded(self.guard.clone())))
            // Where an answer points to was never checked, so nobody goes there without a look at it.
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(concat!("millpond/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(self.client.get_or_init(|| client))
    }

    /// Posts `body` to `url`.
    ///
    /// # Errors
    /// When the address may not be called, or does not answer within `timeout`.
    pub(crate) async fn post(
        &self,
        url: &str,
        headers: HeaderMap,
        body: Vec<u8>,
        timeout: Duration,
    ) -> Result<Answer, Error> {
        let url = self.check(url)?;
        let call = self.client()?.post(url).headers(headers).body(body).timeout(timeout);
        let mut response = call.send().await?;
        let status = response.status().as_u16();
        let mut read = 0;
        // An answer that is read to its end leaves the connection for the next call.
        while read < ANSWER_BYTES_MAX
            && let Some(piece) = response.chunk().await?
        {
            read += piece.len();
        }
        Ok(Answer { status })
    }

    /// Posts `body` to `url`; the status, and the beginning of what was answered.
    ///
    /// # Errors
    /// When the address may not be called, or does not answer within `timeout`.
    pub(crate) async fn ask(
        &self,
        url: &str,
        headers: HeaderMap,
        body: Vec<u8>,
        timeout: Duration,
    ) -> Result<(u16, Vec<u8>), Error> {
        let url = self.check(url)?;
        let call = self.client()?.post(url.clone()).headers(headers).body(body).timeout(timeout);
        let page = read(call.send().await?, url, ANSWER_BYTES_MAX).await?;
        Ok((page.answer.status, page.body))
    }

    /// Reads at most the first `max` bytes of `url`, or of what it was moved to.
    ///
    /// # Errors
    /// When an address on the way may not be called, or there is no answer within `timeout`.
    pub(crate) async fn get(&self, url: &str, max: usize, timeout: Duration) -> Result<Page, Error> {
        tokio::time::timeout(timeout, self.follow(url, max)).await.map_err(|_| Error::Late)?
    }

    async fn follow(&self, url: &str, max: usize) -> Result<Page, Error> {
        let mut url = self.check(url)?;
        for _ in 0..=REDIRECTS_MAX {
            let response = self.client()?.get(url.clone()).send().await?;
            match moved(&url, &response) {
                // Where an answer points to is nobody's word but its own.
                Some(next) => url = self.check(&next)?,
                None => return read(response, url, max).await,
            }
        }
        Err(Error::MovedTooOften)
    }

    /// Names are checked when they are looked up; addresses are never looked up.
    fn check(&self, text: &str) -> Result<Url, Error> {
        let closed = || Error::Closed(text.to_owned());
        let url = Url::parse(text).map_err(|_| closed())?;
        let host = url.host_str().ok_or_else(closed)?;
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let is_open = literal.map_or(true, |address| self.guard.is_open(address));
        match matches!(url.scheme(), "http" | "https") && is_open {
            true => Ok(url),
            false => Err(closed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[test]
    fn only_the_public_internet_and_what_is_allowed_may_be_called() {
        let outbound = Outbound::new(vec!["192.168.7.0/24".parse().unwrap()]);
        for url in
            ["https://example.com/hook", "http://8.8.8.8/", "http://192.168.7.3:8080/", "https://[2606:4700::1]/"]
        {
            assert!(outbound.check(url).is_ok(), "{url}");
        }
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://10.1.2.3/",
            "http://192.168.8.3/",
            "http://169.254.169.254/latest/meta-data",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[fd00::1]/",
            "http://[fe80::1]/",
            "http://0.0.0.0/",
            "file:///etc/passwd",
            "nonsense",
        ] {
            assert!(matches!(outbound.check(url), Err(Error::Closed(_))), "{url}");
        }
    }

    #[test]
    fn a_private_address_is_closed_in_every_spelling() {
        let outbound = Outbound::new(Vec::new());
        let loopback = [
            "127.0.0.1",
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0x7F.0x0.0x0.0x1",
            "0177.0.0.1",
            "017700000001",
            "127.0.0.1.",
            "%31%32%37.0.0.1",
            "１２７.０.０.１",
            "127。0。0。1",
            "①②⑦.0.0.1",
            "user@127.0.0.1",
            "127.255.255.254",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[0:0:0:0:0:FFFF:127.0.0.1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "0",
            "[::]",
        ];
        let neighbours = [
            "10.0.0.1",
            "167772161",
            "012.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "0xc0a80001",
            "169.254.169.254",
            "2852039166",
            "0xa9.0xfe.0xa9.0xfe",
            "100.64.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "[::ffff:10.0.0.1]",
            "[::ffff:a9fe:a9fe]",
            "[64:ff9b::a00:1]",
            "[2002:a00:1::]",
            "[fd00::1]",
            "[fc00::1]",
            "[fe80::1]",
            "[ff02::1]",
            "[2001::1]",
            "[2001:db8::1]",
            "[fe80::1%25eth0]",
        ];
        for host in loopback.iter().chain(&neighbours) {
            for url in [format!("http://{host}/"), format!("https://{host}:8443/x"), format!("http:\\\\{host}\\")] {
                assert!(matches!(outbound.check(&url), Err(Error::Closed(_))), "{url}");
            }
        }
    }

    #[test]
    fn of_the_addresses_of_a_name_only_those_that_may_be_called_are() {
        let guard = Guard::new(Vec::new());
        let open = |found: &[&str]| {
            let found = found.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0));
            guard
                .open("pond.test", found)
                .map(|open| open.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>())
        };
        assert_eq!(
            open(&["127.0.0.1", "8.8.8.8", "::1", "10.0.0.1", "2606:4700::1"]).unwrap(),
            ["8.8.8.8", "2606:4700::1"]
        );
        for closed in [&["10.0.0.1"][..], &["::ffff:127.0.0.1", "fe80::1"], &[]] {
            assert!(matches!(open(closed), Err(Error::Closed(host)) if host == "pond.test"), "{closed:?}");
        }
    }

    #[tokio::test]
    async fn a_name_of_this_machine_may_not_be_called() {
        let outbound = Outbound::new(Vec::new());
        let called = outbound.post("http://localhost:1/", HeaderMap::new(), Vec::new(), CONNECT_TIMEOUT).await;
        let error = format!("{:?}", called.unwrap_err());
        assert!(error.contains("Closed"), "{error}");
    }

    /// A server on `address` that gives these answers, one for each connection; and where it is.
    async fn serving(address: &str, answers: Vec<Vec<u8>>) -> String {
        let listener = tokio::net::TcpListener::bind((address, 0)).await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            for answer in answers {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut request = [0; 4096];
                let _ = socket.read(&mut request).await.unwrap();
                let _ = socket.write_all(&answer).await;
            }
        });
        url
    }

    fn answer(head: &str, body: &[u8]) -> Vec<u8> {
        let length = body.len();
        let head = format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        [head.as_bytes(), body].concat()
    }

    async fn got(url: &str) -> Result<Page, Error> {
        let outbound = Outbound::new(vec!["127.0.0.1/32".parse().unwrap()]);
        outbound.get(url, 1000, Duration::from_secs(10)).await
    }

    #[tokio::test]
    async fn a_page_that_moved_is_followed_only_to_where_one_may_go() {
        let page = serving("127.0.0.1", vec![answer("200 OK", b"here")]).await;
        let to = |to: &str| vec![answer(&format!("302 Found\r\nLocation: {to}"), b"")];
        let moved = serving("127.0.0.1", to(&page)).await;
        let found = got(&moved).await.unwrap();
        assert_eq!((found.url.as_str(), found.body.as_slice()), (page.as_str(), &b"here"[..]));
        for closed in ["http://127.0.0.2:1/", "http://[::1]/", "http://169.254.169.254/", "file:///etc/passwd", "//0/"]
        {
            let moved = serving("127.0.0.1", to(closed)).await;
            assert!(matches!(got(&moved).await, Err(Error::Closed(_))), "{closed}");
        }
        let round = serving("127.0.0.1", vec![answer("301 Moved\r\nLocation: /", b""); REDIRECTS_MAX + 1]).await;
        assert!(matches!(got(&round).await, Err(Error::MovedTooOften)));
    }

    #[tokio::test]
    async fn no_more_is_read_or_unzipped_than_was_asked_for() {
        let long = serving("127.0.0.1", vec![answer("200 OK", &[b'x'; 5000])]).await;
        assert_eq!(got(&long).await.unwrap().body.len(), 1000);
        let mut zip = async_compression::tokio::write::GzipEncoder::new(Vec::new());
        zip.write_all(&vec![b'x'; 10_000_000]).await.unwrap();
        zip.shutdown().await.unwrap();
        let bomb = serving("127.0.0.1", vec![answer("200 OK\r\nContent-Encoding: gzip", &zip.into_inner())]).await;
        assert_eq!(got(&bomb).await.unwrap().body, [b'x'; 1000]);
        let odd = serving("127.0.0.1", vec![answer("200 OK\r\nContent-Encoding: br", b"x")]).await;
        assert!(matches!(got(&odd).await, Err(Error::Encoded(_))));
    }
}
