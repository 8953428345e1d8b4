//! Where events may go: https, and never to an address inside, however its name resolves at the moment of the call.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};

use crate::{Error, Result};

/// The longest address of a receiver, in bytes.
pub(crate) const URL_BYTES_MAX: usize = 2_048;

/// The hosts inside that are allowed all the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard(Arc<Vec<String>>);

impl Guard {
    pub(crate) fn new(allowed: Vec<String>) -> Self {
        Guard(Arc::new(allowed))
    }

    fn allows(&self, host: &str) -> bool {
        self.0.iter().any(|allowed| allowed == host)
    }

    /// Looks at a URL as it is written.
    pub(crate) fn check(&self, url: &str) -> Result<()> {
        let invalid = |message: &str| Err(Error::invalid("url", message));
        if url.len() > URL_BYTES_MAX {
            return Err(Error::invalid("url", format!("must have at most {URL_BYTES_MAX} bytes")));
        }
        let Ok(url) = Url::parse(url) else { return invalid("is no URL") };
        let Some(host) = url.host_str() else { return invalid("has no host") };
        if self.allows(host) {
            return Ok(());
        }
        if url.scheme() != "https" || !url.username().is_empty() || url.password().is_some() {
            return invalid("must be https, without a user");
        }
        let literal = host.trim_matches(['[', ']']).parse::<IpAddr>();
        if host == "localhost" || literal.is_ok_and(|address| !is_public(address)) {
            return invalid("must not be an address inside; allow its host if it is meant");
        }
        Ok(())
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            if !guard.allows(&host) && found.iter().any(|address| !is_public(address.ip())) {
                return Err("the host is an address inside".into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the open network.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => {
            if let Some(mapped) = address.to_ipv4_mapped() {
                return is_public_v4(mapped);
            }
            // Only 2000::/3 is given out; inside it, documentation and the tunnels to IPv4.
            let [first, second, ..] = address.segments();
            let is_tunnel = first == 0x2002 || (first == 0x2001 && second < 0x0200);
            (first & 0xe000) == 0x2000 && !is_tunnel && (first, second) != (0x2001, 0x0db8)
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let is_shared = first == 100 && (64..128).contains(&second);
    let is_special = first == 0 || first >= 240 || (first == 192 && second == 0 && third == 0);
    let is_benchmark = first == 198 && (18..20).contains(&second);
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || is_shared
        || is_special
        || is_benchmark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_44_addresses_inside_are_refused() {
        let guard = Guard::new(vec!["hooks.internal".to_owned()]);
        for bad in [
            "http://example.com",
            "https://127.0.0.1/x",
            "https://10.1.2.3",
            "https://169.254.169.254/latest",
            "https://[::1]/",
            "https://[::ffff:192.168.0.1]/",
            "https://[fd00::1]/",
            "https://2130706433/",
            "https://localhost",
            "https://100.64.0.1",
            "https://user@example.com",
            "nothing",
        ] {
            assert!(guard.check(bad).is_err(), "{bad}");
        }
        let long = format!("https://example.com/{}", "x".repeat(URL_BYTES_MAX));
        assert!(guard.check(&long).is_err());
        assert!(guard.check(&long[..URL_BYTES_MAX]).is_ok());
        for good in ["https://example.com/hook", "https://93.184.216.34/", "http://hooks.internal/x"] {
            assert!(guard.check(good).is_ok(), "{good}");
        }
    }

    #[tokio::test]
    async fn check_44_a_name_that_leads_inside_is_refused_when_it_is_looked_up() {
        let name: Name = "localhost".parse().unwrap();
        assert!(Guard::default().resolve(name).await.is_err());
    }
}
