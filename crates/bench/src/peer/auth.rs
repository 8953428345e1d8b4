//! The same check of the token as the subject makes: HS256, and a scope that covers the request.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};

use crate::token::Scope;

/// The key of the tokens and how they are checked.
pub(crate) struct Auth {
    key: DecodingKey,
    validation: Validation,
}

impl Auth {
    /// Tokens signed with `secret`.
    pub(crate) fn new(secret: &str) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.required_spec_claims.clear();
        Self { key: DecodingKey::from_secret(secret.as_bytes()), validation }
    }

    /// Whether `token` is genuine and allows reading this feed.
    pub(crate) fn allows_read(&self, token: &str, group: &str, id: &str) -> bool {
        let Ok(token) = jsonwebtoken::decode::<Scope>(token, &self.key, &self.validation) else { return false };
        let Scope { resource, action, feed_id } = token.claims;
        let is_this_feed = feed_id.strip_prefix(group).is_some_and(|rest| rest == id);
        covers(&resource, "feed") && covers(&action, "read") && (feed_id == "*" || is_this_feed)
    }
}

fn covers(claim: &str, wanted: &str) -> bool {
    claim == "*" || claim == wanted
}
