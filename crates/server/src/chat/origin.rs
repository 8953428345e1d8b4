//! How a call came: what an app's servers are told of it as `request_info` (chat §13).

use std::net::IpAddr;

use domain::chat::events::Origin;
use http::{Extensions, HeaderMap, header};
use wire::chat::hooks::RequestInfo;

use super::gate::Caller;
use crate::front::Started;

/// How a call of `caller` came.
pub(super) fn of(caller: &Caller, headers: &HeaderMap, extensions: &Extensions) -> Origin {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Origin {
        user: match caller {
            Caller::User(user, _) => Some(user.clone()),
            Caller::Server | Caller::Anonymous => None,
        },
        is_server: matches!(caller, Caller::Server),
        ip: address(headers, extensions).map(|ip| ip.to_string()).unwrap_or_default(),
        user_agent: Origin::shortened(text(header::USER_AGENT.as_str())),
        sdk: Origin::shortened(text("x-stream-client")),
        ext: Origin::shortened(text("x-stream-ext")),
    }
}

/// The address from which a call came.
pub(super) fn address(headers: &HeaderMap, extensions: &Extensions) -> Option<IpAddr> {
    let peer = extensions.get::<Started>().and_then(Started::peer)?.ip().to_canonical();
    let forwarded = headers.get("x-forwarded-for").and_then(|value| value.to_str().ok());
    Some(behind_proxy(peer, forwarded.unwrap_or_default()))
}

/// The address of the client: that of `peer`, unless it is on this machine and says for whom it speaks.
///
/// Only a proxy on this machine is believed, and of what it forwards only what it added itself: the last address.
fn behind_proxy(peer: IpAddr, forwarded: &str) -> IpAddr {
    let last = forwarded.rsplit(',').next().unwrap_or_default().trim();
    match last.parse() {
        Ok(client) if peer.is_loopback() => client,
        _ => peer,
    }
}

/// The same as an app's servers are told it.
pub(crate) fn request_info(origin: &Origin) -> RequestInfo<'_> {
    RequestInfo {
        kind: if origin.is_server { "server" } else { "client" },
        ip: &origin.ip,
        user_agent: &origin.user_agent,
        sdk: &origin.sdk,
        ext: &origin.ext,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_on_this_machine_is_believed_and_nobody_else() {
        let (here, there): (IpAddr, IpAddr) = ("127.0.0.1".parse().unwrap(), "192.0.2.7".parse().unwrap());
        let client: IpAddr = "198.51.100.4".parse().unwrap();
        assert_eq!(behind_proxy(here, "10.0.0.1, 198.51.100.4"), client);
        assert_eq!(behind_proxy(there, "198.51.100.4"), there);
        assert_eq!(behind_proxy(here, ""), here);
        assert_eq!(behind_proxy(here, "198.51.100.4, unknown"), here);
    }
}
