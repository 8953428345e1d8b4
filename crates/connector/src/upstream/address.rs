//! The base URL (§6.1): normalised once, and never one that would carry a token where it can be read.

use reqwest::Url;

/// What stands for an address without a path.
const DEFAULT_PATH: &str = "/api/v2/";
/// The hosts of another API, whose paths end in its version.
const FEEDS_PATH: &str = "/api/v1.0";

/// The base of every call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address(Url);

/// Why an address cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AddressError {
    /// It is no URL.
    #[error("is no URL")]
    NoUrl,
    /// It would send tokens in clear.
    #[error("must be https; http is for this machine alone, unless `allow_insecure` says otherwise")]
    Insecure,
    /// It has parts that a base must not have.
    #[error("must not have a user, a query or a fragment")]
    Parts,
}

impl Address {
    /// Reads a base URL; `allow_insecure` lets http through to any host.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn parse(text: &str, allow_insecure: bool) -> Result<Self, AddressError> {
        let mut url = Url::parse(text.trim()).map_err(|_| AddressError::NoUrl)?;
        let host = url.host_str().ok_or(AddressError::NoUrl)?;
        let is_loopback = host == "localhost"
            || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        match url.scheme() {
            "https" => {}
            "http" if is_loopback || allow_insecure => {}
            _ => return Err(AddressError::Insecure),
        }
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || url.query().is_some() || url.fragment().is_some() {
            return Err(AddressError::Parts);
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&if path.is_empty() { DEFAULT_PATH.to_owned() } else { format!("{path}/") });
        Ok(Address(url))
    }

    /// The URL of a path below the base; `{id}` in the template is `id`, escaped so that it stays one segment.
    pub(crate) fn join(&self, template: &str, id: &str) -> Url {
        let mut url = self.0.clone();
        let path = template.trim_start_matches('/').replace("{id}", &segment(id));
        url.set_path(&format!("{}/{path}", self.0.path().trim_end_matches('/')));
        url
    }

    /// The host, with its port.
    pub fn host(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Whether it is that of Feeds v1, which has none of these calls.
    pub(crate) fn is_feeds(&self) -> bool {
        self.0.path().starts_with(FEEDS_PATH)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// An id as a segment of a path. Every byte is escaped here: a parser of URLs would leave out tabs and line breaks, and
/// so make of one person's id another's.
fn segment(id: &str) -> String {
    match id {
        // These two would be steps and not names.
        "." => "%252E".to_owned(),
        ".." => "%252E%252E".to_owned(),
        id => id.bytes().map(escaped).collect(),
    }
}

fn escaped(byte: u8) -> String {
    let is_plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    if is_plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Result<String, AddressError> {
        Address::parse(text, false).map(|address| address.as_str().to_owned())
    }

    #[test]
    fn an_address_without_a_path_gets_that_of_the_api() {
        assert_eq!(address("https://chat.stream-io-api.com").unwrap(), "https://chat.stream-io-api.com/api/v2/");
        assert_eq!(address("https://example.com/x//").unwrap(), "https://example.com/x/");
        assert_eq!(address("http://127.0.0.1:8800").unwrap(), "http://127.0.0.1:8800/api/v2/");
    }

    #[test]
    fn tokens_travel_encrypted_or_not_at_all() {
        assert_eq!(address("http://example.com"), Err(AddressError::Insecure));
        assert_eq!(address("ftp://localhost"), Err(AddressError::Insecure));
        assert_eq!(address("http://127.0.0.1.evil.com"), Err(AddressError::Insecure));
        assert!(Address::parse("http://example.com", true).is_ok());
        assert!(address("http://[::1]:1").is_ok());
    }

    #[test]
    fn a_base_has_no_user_query_or_fragment() {
        for text in ["https://amy:x@example.com", "https://example.com/?a=b", "https://example.com/#x"] {
            assert_eq!(address(text), Err(AddressError::Parts));
        }
    }

    #[test]
    fn an_id_stays_one_segment_of_the_path() {
        let base = Address::parse("https://example.com", false).unwrap();
        let path = |id: &str| base.join("/users/{id}/export", id).path().to_owned();
        assert_eq!(path("jack"), "/api/v2/users/jack/export");
        assert_eq!(path("a/b?c#d e"), "/api/v2/users/a%2Fb%3Fc%23d%20e/export");
        assert_eq!(path("../../x"), "/api/v2/users/..%2F..%2Fx/export");
        assert_eq!(path("a\tmy\r\n\0é"), "/api/v2/users/a%09my%0D%0A%00%C3%A9/export", "and no other id");
        assert!(!path("..").contains("/users/../"), "{}", path(".."));
        assert_eq!(path("..").matches('/').count(), 5);
    }
}
