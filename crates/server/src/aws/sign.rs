//! Signature Version 4 of Amazon's services, for a `POST` without a query.

use aws_lc_rs::{digest, hmac};
use ids::Timestamp;

/// The algorithm, as the header names it.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The headers that are signed, in their order.
const SIGNED: &str = "content-type;host;x-amz-date";

/// What is signed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    /// The host, with its port if it has one.
    pub(crate) host: &'a str,
    /// The path, encoded.
    pub(crate) path: &'a str,
    /// The body.
    pub(crate) body: &'a [u8],
    /// Its type.
    pub(crate) content_type: &'a str,
    /// The region.
    pub(crate) region: &'a str,
    /// `sqs` or `sns`.
    pub(crate) service: &'a str,
}

/// An access key.
#[derive(Clone, Copy)]
pub(crate) struct Secrets<'a> {
    /// Its id.
    pub(crate) key: &'a str,
    /// Its secret.
    pub(crate) secret: &'a str,
}

/// Headers that say who calls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Signed {
    /// `X-Amz-Date`.
    pub(crate) date: String,
    /// `Authorization`.
    pub(crate) authorization: String,
}

/// Signs a request at `now`.
pub(crate) fn sign(request: &Request<'_>, secrets: Secrets<'_>, now: Timestamp) -> Signed {
    let date = now.strftime("%Y%m%dT%H%M%SZ").expect("the format is in the source");
    let day = &date[..8];
    let Request { host, path, body, content_type, region, service } = *request;
    let headers = format!("content-type:{content_type}\nhost:{host}\nx-amz-date:{date}\n");
    let canonical = format!("POST\n{path}\n\n{headers}\n{SIGNED}\n{}", hash(body));
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let to_sign = format!("{ALGORITHM}\n{date}\n{scope}\n{}", hash(canonical.as_bytes()));
    let signature = hex(key(secrets.secret, day, region, service).as_ref(), to_sign.as_bytes());
    let credential = format!("{}/{scope}", secrets.key);
    let authorization = format!("{ALGORITHM} Credential={credential}, SignedHeaders={SIGNED}, Signature={signature}");
    Signed { date, authorization }
}

/// The key of a day, a region and a service.
fn key(secret: &str, day: &str, region: &str, service: &str) -> hmac::Tag {
    let first = mac(format!("AWS4{secret}").as_bytes(), day.as_bytes());
    let second = mac(first.as_ref(), region.as_bytes());
    let third = mac(second.as_ref(), service.as_bytes());
    mac(third.as_ref(), b"aws4_request")
}

fn mac(key: &[u8], message: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message)
}

fn hex(key: &[u8], message: &[u8]) -> String {
    text(mac(key, message).as_ref())
}

fn hash(body: &[u8]) -> String {
    text(digest::digest(&digest::SHA256, body).as_ref())
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_that_of_amazons_example() {
        let key = key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830", "us-east-1", "iam");
        assert_eq!(text(key.as_ref()), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
    }

    #[test]
    fn the_signature_hangs_on_all_that_is_signed() {
        let request = Request {
            host: "sqs.us-east-1.amazonaws.com",
            path: "/1/q",
            body: b"Action=SendMessage",
            content_type: "application/x-www-form-urlencoded; charset=utf-8",
            region: "us-east-1",
            service: "sqs",
        };
        let secrets = Secrets { key: "AKID", secret: "s" };
        let now = Timestamp::from_micros(1_440_938_160_000_000);
        let signed = sign(&request, secrets, now);
        assert_eq!(signed.date, "20150830T123600Z");
        let start = "AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/sqs/aws4_request, \
                     SignedHeaders=content-type;host;x-amz-date, Signature=";
        assert!(signed.authorization.starts_with(start), "{}", signed.authorization);
        for other in [
            Request { path: "/1/r", ..request },
            Request { body: b"Action=Delete", ..request },
            Request { region: "eu-west-1", ..request },
            Request { host: "x", ..request },
        ] {
            assert_ne!(sign(&other, secrets, now).authorization, signed.authorization);
        }
        assert_ne!(sign(&request, Secrets { secret: "t", ..secrets }, now).authorization, signed.authorization);
    }
}
