//! Whether a token is one that the API would take.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

/// The code of the refusal, if it is refused at `now_secs`.
pub(super) fn refusal(token: &str, secret: &str, now_secs: i64) -> Option<i64> {
    let Some((signed, signature)) = token.rsplit_once('.') else { return Some(5) };
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return Some(5) };
    if hmac::verify(&key, signed.as_bytes(), &signature).is_err() {
        return Some(43);
    }
    let payload = signed.split('.').nth(1).and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok()).unwrap_or_default();
    let claims: Value = serde_json::from_slice(&payload).unwrap_or_default();
    if claims["exp"].as_i64().is_some_and(|exp| exp < now_secs) {
        return Some(40);
    }
    claims["iat"].as_i64().is_some_and(|iat| iat > now_secs).then_some(41)
}
