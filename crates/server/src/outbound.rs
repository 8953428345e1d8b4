//! The one way to call somebody else's server: guarded, bounded, and never a redirect away.
//!
//! Addresses come from an app's settings, so whoever may change them must not reach what only this machine can reach. The
//! host is looked up here, and only addresses of the public Internet, or allowed ones, are connected to.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use http::HeaderMap;
use ipnet::IpNet;
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};

/// How long the other server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How much of an answer is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

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
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.0.clone();
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            let open: Vec<SocketAddr> = found.filter(|address| guard.is_open(address.ip())).collect();
            if open.is_empty() {
                return Err(Box::new(Error::Closed(host)) as Box<dyn std::error::Error + Send + Sync>);
            }
            Ok(Box::new(open.into_iter()) as Addrs)
        })
    }
}

struct Guarded(Arc<Guard>);

/// Calls other servers.
#[derive(Debug, Clone)]
pub(crate) struct Outbound {
    client: reqwest::Client,
    guard: Arc<Guard>,
}

impl Outbound {
    /// Calls the public Internet, and what is in `allowed`.
    ///
    /// # Errors
    /// When the machine's certificates cannot be read.
    pub(crate) fn new(allowed: Vec<IpNet>) -> anyhow::Result<Self> {
        let guard = Arc::new(Guard::new(allowed));
        let client = reqwest::Client::builder()
            .dns_resolver(Arc::new(Guarded(guard.clone())))
            // Where an answer points to was never checked, so nobody goes there.
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(concat!("millpond/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Outbound { client, guard })
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
        let call = self.client.post(url).headers(headers).body(body).timeout(timeout);
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

    /// Reads at most the first `max` bytes of `url`.
    ///
    /// # Errors
    /// When the address may not be called, or does not answer within `timeout`.
    pub(crate) async fn get(&self, url: &str, max: usize, timeout: Duration) -> Result<Page, Error> {
        let call = self.client.get(self.check(url)?).timeout(timeout);
        let mut response = call.send().await?;
        let answer = Answer { status: response.status().as_u16() };
        let kind = response.headers().get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().to_ascii_lowercase();
        let mut body = Vec::new();
        while body.len() < max
            && let Some(piece) = response.chunk().await?
        {
            body.extend_from_slice(&piece[..piece.len().min(max - body.len())]);
        }
        Ok(Page { answer, kind, body })
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
    use super::*;

    #[test]
    fn only_the_public_internet_and_what_is_allowed_may_be_called() {
        let outbound = Outbound::new(vec!["192.168.7.0/24".parse().unwrap()]).unwrap();
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

    #[tokio::test]
    async fn a_name_of_this_machine_may_not_be_called() {
        let outbound = Outbound::new(Vec::new()).unwrap();
        let called = outbound.post("http://localhost:1/", HeaderMap::new(), Vec::new(), CONNECT_TIMEOUT).await;
        let error = format!("{:?}", called.unwrap_err());
        assert!(error.contains("Closed"), "{error}");
    }
}
