//! What an answer must be, byte for byte, except for the one place that differs each time: `duration`.

use anyhow::{Context, Result, bail, ensure};

use crate::http::Response;

/// The longest `duration` that is believed.
const DURATION_MAX: usize = 24;
/// Where the value of `duration` starts.
const DURATION: &[u8] = b"\"duration\":\"";

/// The answer that a request must get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expected {
    status: u16,
    before: Vec<u8>,
    /// What follows the `duration`; `None` when the body has none and is `before` alone.
    after: Option<Vec<u8>>,
}

impl Expected {
    /// Exactly this body.
    pub(crate) fn exactly(status: u16, body: &[u8]) -> Self {
        Self { status, before: body.to_vec(), after: None }
    }

    /// This body with any `duration` in the place of its own.
    pub(crate) fn with_duration(status: u16, body: &[u8]) -> Result<Self> {
        let value = memchr::memmem::rfind(body, DURATION).context("the body has no `duration`")? + DURATION.len();
        let length = memchr::memchr(b'"', &body[value..]).context("the `duration` does not end")?;
        Ok(Self { status, before: body[..value].to_vec(), after: Some(body[value + length..].to_vec()) })
    }

    /// Checks status, length and every byte.
    pub(crate) fn check(&self, response: &Response<'_>) -> Result<()> {
        if response.status == self.status && self.is_body(response.body) {
            return Ok(());
        }
        self.explain(response)
    }

    fn is_body(&self, body: &[u8]) -> bool {
        let Some(after) = &self.after else { return body == self.before };
        let fixed = self.before.len() + after.len();
        (fixed..=fixed + DURATION_MAX).contains(&body.len())
            && body.starts_with(&self.before)
            && body.ends_with(after)
            && is_duration(&body[self.before.len()..body.len() - after.len()])
    }

    #[cold]
    fn explain(&self, response: &Response<'_>) -> Result<()> {
        ensure!(
            response.status == self.status,
            "status {} instead of {}: {}",
            response.status,
            self.status,
            excerpt(response.body, 0)
        );
        let differs = self.before.iter().zip(response.body).take_while(|(expected, got)| expected == got).count();
        bail!(
            "a wrong body: {} bytes that differ at byte {differs}: `{}` instead of `{}`",
            response.body.len(),
            excerpt(response.body, differs),
            excerpt(&self.before, differs)
        )
    }
}

/// Digits, a point and a unit.
fn is_duration(value: &[u8]) -> bool {
    value.first().is_some_and(u8::is_ascii_digit)
        && value.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'.' || !byte.is_ascii())
}

/// Some of `bytes` around `at`, for a message.
pub(crate) fn excerpt(bytes: &[u8], at: usize) -> String {
    let start = at.saturating_sub(20).min(bytes.len());
    let end = (at + 60).min(bytes.len());
    String::from_utf8_lossy(&bytes[start..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"results":[{"id":"a","duration":"custom"}],"next":"","duration":"1.25ms"}"#;

    fn check(expected: &Expected, status: u16, body: &str) -> Result<()> {
        expected.check(&Response { status, body: body.as_bytes() })
    }

    #[test]
    fn only_the_duration_may_differ() {
        let expected = Expected::with_duration(200, BODY).unwrap();
        let text = std::str::from_utf8(BODY).unwrap();
        check(&expected, 200, text).unwrap();
        check(&expected, 200, &text.replace("1.25ms", "12.5ms")).unwrap();
        check(&expected, 200, &text.replace("1.25ms", "999.999µs")).unwrap();
    }

    #[test]
    fn a_wrong_body_is_caught() {
        let expected = Expected::with_duration(200, BODY).unwrap();
        let text = std::str::from_utf8(BODY).unwrap();
        for wrong in [
            text.replace("\"a\"", "\"b\""),
            text.replace("custom", "1.25ms"),
            text.replace("1.25ms", ""),
            text.replace("1.25ms", "1\",\"x\":\"ms"),
            text.replace("1.25ms", "1.2500000000000000000000000ms"),
            text.replace("}],", "},{}],"),
            text.trim_end_matches('}').to_owned(),
            String::new(),
        ] {
            assert!(check(&expected, 200, &wrong).is_err(), "{wrong}");
        }
        let error = check(&expected, 200, &text.replace("\"a\"", "\"b\"")).unwrap_err().to_string();
        assert!(error.contains("differ at byte 19"), "{error}");
    }

    #[test]
    fn a_wrong_status_is_caught() {
        let error = check(&Expected::exactly(201, b"{}"), 200, "{}").unwrap_err();
        assert_eq!(error.to_string(), "status 200 instead of 201: {}");
    }

    #[test]
    fn an_exact_body_has_no_hole() {
        let expected = Expected::exactly(200, b"ok");
        check(&expected, 200, "ok").unwrap();
        assert!(check(&expected, 200, "ok ").is_err());
        assert!(check(&expected, 200, "o").is_err());
    }

    #[test]
    fn a_reference_without_duration_is_refused() {
        assert!(Expected::with_duration(200, b"{}").is_err());
    }
}
