//! Tokens of the chat API (chat §2.1, §2.2).

use ids::{Timestamp, UserId};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, errors::ErrorKind};
use serde::Deserialize;
use serde_json::Value;
use wire::chat::error::Code;

use super::error::{Error, Result};

/// How far the clocks of two machines may differ, in seconds.
const LEEWAY_SECONDS: i64 = 60;
/// How long past its expiry a token is still taken, in seconds.
const EXPIRY_LEEWAY_SECONDS: i64 = 5;
/// The longest token that is looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// What a token says; everything else in it is ignored.
#[derive(Deserialize, Debug)]
struct Claims {
    user_id: Option<Value>,
    exp: Option<Value>,
    nbf: Option<Value>,
    iat: Option<Value>,
}

/// A token whose signature is right.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    /// The user; none for the app's own server.
    pub(crate) user: Option<UserId>,
    /// When it was made, in seconds.
    pub(crate) made_at: Option<i64>,
    expires_at: Option<i64>,
    valid_from: Option<i64>,
}

impl Token {
    /// The token in the text.
    ///
    /// # Errors
    /// 5 when it is malformed or uses another algorithm, 43 when it is signed with another secret, 42 when a date in it
    /// cannot be read.
    pub(crate) fn verify(text: &str, secret: &str) -> Result<Self> {
        Self::read(text, secret, true)
    }

    /// The token in the text, whoever signed it, for apps that do not check (chat §2.1); it must name a user.
    ///
    /// # Errors
    /// 5 when it is malformed or names nobody, 42 when a date in it cannot be read.
    pub(crate) fn unverified(text: &str) -> Result<Self> {
        let token = Self::read(text, "", false)?;
        match token.user {
            Some(_) => Ok(token),
            None => Err(Error::new(Code::Authentication, "a token that is not signed must name a user in user_id")),
        }
    }

    fn read(text: &str, secret: &str, is_checked: bool) -> Result<Self> {
        if text.len() > TOKEN_BYTES_MAX {
            return Err(Error::new(Code::Authentication, "the token is too long"));
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.required_spec_claims.clear();
        // Times are checked in `Token::check`, on the clock that the server is handed.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        let key = DecodingKey::from_secret(secret.as_bytes());
        let decoded = match is_checked {
            true => jsonwebtoken::decode::<Claims>(text, &key, &validation),
            false => jsonwebtoken::dangerous::insecure_decode::<Claims>(text),
        };
        let claims = match decoded {
            Ok(decoded) => decoded.claims,
            Err(error) if matches!(error.kind(), ErrorKind::InvalidSignature) => {
                return Err(Error::new(Code::TokenSignature, "Token signature is invalid"));
            }
            Err(_) => return Err(Error::new(Code::Authentication, "the token is not a JWT signed with HS256")),
        };
        let user = match claims.user_id {
            None | Some(Value::Null) => None,
            Some(Value::String(id)) => Some(user(&id)?),
            Some(_) => return Err(Error::new(Code::Authentication, "user_id in the token must be a string")),
        };
        let (expires_at, valid_from, made_at) = (seconds(claims.exp)?, seconds(claims.nbf)?, seconds(claims.iat)?);
        Ok(Token { user, made_at, expires_at, valid_from })
    }

    /// Checks that the token is valid at `now`, in seconds since 1970.
    ///
    /// # Errors
    /// 40 when it expired, 41 when it begins later, 42 when it was made later.
    pub(crate) fn check(&self, now: i64) -> Result<()> {
        if self.expires_at.is_some_and(|at| now >= at.saturating_add(EXPIRY_LEEWAY_SECONDS)) {
            return Err(Error::new(Code::TokenExpired, "JWTAuth error: token has expired"));
        }
        let is_later = |at: i64| at > now.saturating_add(LEEWAY_SECONDS);
        if self.valid_from.is_some_and(is_later) {
            return Err(Error::new(Code::TokenNotValidYet, "JWTAuth error: token not valid yet (nbf)"));
        }
        if self.made_at.is_some_and(is_later) {
            return Err(Error::new(Code::TokenBeforeIssued, "JWTAuth error: token used before issue at (iat)"));
        }
        Ok(())
    }

    /// Checks that the token was not revoked with all that were made before `moment`.
    ///
    /// # Errors
    /// 40 when it was: clients then ask for a new one.
    pub(crate) fn check_revoked(&self, moment: Option<Timestamp>) -> Result<()> {
        let Some(moment) = moment else { return Ok(()) };
        let is_newer = self.made_at.is_some_and(|at| at.saturating_mul(1_000_000) >= moment.micros());
        if is_newer { Ok(()) } else { Err(Error::new(Code::TokenExpired, "the token was revoked")) }
    }
}

fn user(id: &str) -> Result<UserId> {
    UserId::parse(id).map_err(|error| Error::new(Code::Authentication, error.to_string()))
}

fn seconds(claim: Option<Value>) -> Result<Option<i64>> {
    match claim {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => Ok(number.as_f64().map(|seconds| seconds as i64)),
        Some(_) => Err(Error::new(Code::TokenBeforeIssued, "a date in the token is not a number")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::auth::sign;

    fn verify(secret: &str, token: &str) -> std::result::Result<Option<String>, Code> {
        let token = Token::verify(token, secret).map_err(|error| error.code)?;
        Ok(token.user.map(|user| user.to_string()))
    }

    fn check(claims: &Value, now: i64) -> std::result::Result<(), Code> {
        Token::verify(&sign("s", claims), "s").and_then(|token| token.check(now)).map_err(|error| error.code)
    }

    #[test]
    fn tokens_of_the_contract_verify() {
        let head = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
        for (secret, rest, user) in [
            ("top-secret", "e30.-hJRcjmUOcS0P-Pllpe8gnOtMINmm7Ktebd3eKUroAc", None),
            ("top-secret", "eyJ1c2VyX2lkIjoiamFjayJ9.pO3Fa8TJnPXsl62-XHK94S8hFk6dUz_2Q9au6H5xBSQ", Some("jack")),
            ("secret", "eyJ1c2VyX2lkIjoidG9tbWFzbyJ9.v-x-jt3ZnBXXbQ0GoWloIZtVnat2IE74U1a4Yuxd63M", Some("tommaso")),
            (
                "secret",
                "eyJleHAiOjE1NjY5NDEyNzIsImlhdCI6MTU2Njk0MTI3MiwidXNlcl9pZCI6InRvbW1hc28ifQ.3HY2O_7o5ZjZ-6KCXLzyPpHZOlNEDy6_m3iNb5DKAMY",
                Some("tommaso"),
            ),
        ] {
            assert_eq!(verify(secret, &format!("{head}.{rest}")), Ok(user.map(str::to_owned)), "{rest}");
        }
        for claims in [json!({ "server": true }), json!({ "server": "true" })] {
            assert_eq!(verify("s", &sign("s", &claims)), Ok(None));
        }
    }

    #[test]
    fn each_fault_has_its_code() {
        assert_eq!(verify("s", "nonsense"), Err(Code::Authentication));
        assert_eq!(verify("s", "eyJhbGciOiJub25lIn0.e30."), Err(Code::Authentication));
        assert_eq!(verify("s", &sign("other", &json!({}))), Err(Code::TokenSignature));
        assert_eq!(verify("s", &sign("s", &json!({ "iat": "soon" }))), Err(Code::TokenBeforeIssued));
        assert_eq!(check(&json!({ "exp": 1000 }), 1000 + EXPIRY_LEEWAY_SECONDS), Err(Code::TokenExpired));
        assert_eq!(check(&json!({ "exp": 1000 }), 1000), Ok(()));
        assert_eq!(check(&json!({ "nbf": 2000 }), 1000), Err(Code::TokenNotValidYet));
        assert_eq!(check(&json!({ "iat": 2000 }), 1000), Err(Code::TokenBeforeIssued));
        assert_eq!(check(&json!({ "iat": 1001, "nbf": 1001 }), 1000), Ok(()));
    }

    #[test]
    fn a_token_without_a_date_or_from_before_is_revoked() {
        let revoked = |claims| {
            let token = Token::verify(&sign("s", &claims), "s").unwrap();
            token.check_revoked(Some(Timestamp::from_micros(1_000_000_000))).is_err()
        };
        assert!(revoked(json!({ "user_id": "a" })) && revoked(json!({ "user_id": "a", "iat": 999 })));
        assert!(!revoked(json!({ "user_id": "a", "iat": 1000 })));
    }
}
