//! Server tokens (§7.1): HS256, no claims beside the registered times.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{Secret, keys::mac};

/// `{"alg":"HS256","typ":"JWT"}`.
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
/// How far back a token says it was made.
const ISSUED_BEFORE_SECS: i64 = 5;
/// How long a token is good for.
pub(super) const GOOD_FOR_SECS: i64 = 300;

/// Signs a payload.
pub(super) fn signed(secret: &Secret, payload: &str) -> Secret {
    let text = format!("{HEADER}.{}", URL_SAFE_NO_PAD.encode(payload));
    let signature = URL_SAFE_NO_PAD.encode(mac(secret.expose().as_bytes(), text.as_bytes()));
    Secret::new(format!("{text}.{signature}"))
}

/// A server token made at `server_secs` by the other side's clock.
pub(super) fn timed(secret: &Secret, server_secs: i64) -> Secret {
    let payload = format!(r#"{{"iat":{},"exp":{}}}"#, server_secs - ISSUED_BEFORE_SECS, server_secs + GOOD_FOR_SECS);
    signed(secret, &payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a23_01_tokens_are_those_of_the_published_vectors() {
        let secret = Secret::new("top-secret".into());
        let vectors = [
            ("{}", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.-hJRcjmUOcS0P-Pllpe8gnOtMINmm7Ktebd3eKUroAc"),
            (
                r#"{"user_id":"jack"}"#,
                "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VyX2lkIjoiamFjayJ9.pO3Fa8TJnPXsl62-XHK94S8hFk6dUz_2Q9au6H5xBSQ",
            ),
        ];
        for (payload, token) in vectors {
            assert_eq!(signed(&secret, payload).expose(), token);
        }
    }

    #[test]
    fn a23_01_a_server_token_holds_its_times_alone() {
        let token = timed(&Secret::new("s".into()), 1000);
        let payload = token.expose().split('.').nth(1).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(payload).unwrap(), br#"{"iat":995,"exp":1300}"#);
    }
}
