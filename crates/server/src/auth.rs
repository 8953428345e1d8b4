//! Who calls: tokens, their scopes, and what they allow (feeds-v1 §2).

use std::sync::Arc;

use ids::{FeedId, UserId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::Deserialize;
use serde_json::Value;
use wire::error::Code;

use crate::error::{Error, Result};

/// How long past its expiry a token is still taken, in seconds: the clocks of two machines differ.
const EXPIRY_LEEWAY_SECONDS: i64 = 5;
/// How far in the future a token may have been made, in seconds: phones' clocks differ more.
const FUTURE_LEEWAY_SECONDS: i64 = 60;
/// The longest token that is looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// What a token says; everything else in it is ignored.
#[derive(Deserialize, Debug)]
struct Claims {
    resource: Option<Value>,
    action: Option<Value>,
    feed_id: Option<Value>,
    user_id: Option<Value>,
    exp: Option<f64>,
    nbf: Option<f64>,
    iat: Option<f64>,
}

/// A token whose signature is right.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    /// Whom it speaks for.
    pub(crate) caller: Caller,
    expires_at: Option<i64>,
    valid_from: Option<i64>,
    made_at: Option<i64>,
}

/// Whom a token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The application's own server, within a scope.
    Server(Arc<Scope>),
    /// A user, within the policy of each feed group.
    User(UserId),
}

/// What a server token allows: each a list, or `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    resource: String,
    action: String,
    feed_id: String,
}

/// What a route is about, as scopes name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource {
    /// Activities by id.
    Activities,
    /// What users saw and did.
    Analytics,
    /// Who did what.
    AuditLogs,
    /// Things of collections.
    Collections,
    /// What is known of people.
    DataPrivacy,
    /// Feeds.
    Feed,
    /// The targets of a feed's activities.
    FeedTargets,
    /// Files and images.
    Files,
    /// Follows.
    Follower,
    /// Reports.
    Moderation,
    /// What is recommended.
    Personalization,
    /// Reactions.
    Reactions,
    /// Links that count.
    RedirectAndTrack,
    /// Users.
    Users,
}

impl Resource {
    /// The names in a scope that grant it.
    fn names(self) -> &'static [&'static str] {
        match self {
            Resource::Activities => &["activities"],
            Resource::Analytics => &["analytics"],
            Resource::AuditLogs => &["audit_logs"],
            Resource::Collections => &["collections"],
            Resource::DataPrivacy => &["data_privacy"],
            Resource::Feed => &["feed"],
            Resource::FeedTargets => &["feed_targets", "feed"],
            Resource::Files => &["files"],
            Resource::Follower => &["follower"],
            Resource::Moderation => &["moderation"],
            Resource::Personalization => &["personalization"],
            Resource::Reactions => &["reactions"],
            Resource::RedirectAndTrack => &["redirect_and_track"],
            Resource::Users => &["users"],
        }
    }
}

/// What a method does, as scopes name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// GET.
    Read,
    /// POST and PUT.
    Write,
    /// DELETE.
    Delete,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Action::Read => "read",
            Action::Write => "write",
            Action::Delete => "delete",
        }
    }
}

impl Scope {
    /// Whether it allows `action` on `resource`, of `feed` or, if there is none, of the whole app.
    pub(crate) fn allows(&self, resource: Resource, action: Action, feed: Option<&FeedId>) -> bool {
        self.allows_somewhere(resource, action) && self.covers(feed)
    }

    /// Whether it allows `action` on `resource`, whatever the feed.
    pub(crate) fn allows_somewhere(&self, resource: Resource, action: Action) -> bool {
        let has_resource = resource.names().iter().any(|name| contains(&self.resource, name));
        has_resource && contains(&self.action, action.name())
    }

    fn covers(&self, feed: Option<&FeedId>) -> bool {
        let mut listed = self.feed_id.split(',').map(str::trim);
        match feed {
            None => listed.any(|name| name == "*"),
            Some(feed) => listed.any(|name| {
                name == "*"
                    || name == feed.as_str()
                    || name.strip_prefix(feed.group()).is_some_and(|id| id == feed.id())
            }),
        }
    }
}

fn contains(list: &str, name: &str) -> bool {
    list.split(',').map(str::trim).any(|item| item == "*" || item == name)
}

/// Checks tokens of one app.
pub(crate) struct Verifier {
    key: DecodingKey,
    validation: Validation,
}

impl Verifier {
    /// Checks against `secret`. The algorithm is pinned; what the token's header says about it counts for nothing.
    pub(crate) fn new(secret: &str) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.required_spec_claims.clear();
        // Times are checked in `Token::check`, on the clock that the server is handed.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        Verifier { key: DecodingKey::from_secret(secret.as_bytes()), validation }
    }

    /// The token in the text.
    ///
    /// # Errors
    /// 403 when it is malformed, signed otherwise, or grants nothing (§2.5).
    pub(crate) fn verify(&self, text: &str) -> Result<Token> {
        if text.len() > TOKEN_BYTES_MAX || text.split('.').count() != 3 {
            return Err(refused("token contains an invalid number of segments"));
        }
        let claims = jsonwebtoken::decode::<Claims>(text, &self.key, &self.validation)
            .map_err(|_| refused("the token is malformed, or not signed with this app's secret"))?
            .claims;
        claims.token()
    }
}

impl Claims {
    fn token(self) -> Result<Token> {
        let seconds = |time: Option<f64>| time.map(|time| time as i64);
        let (expires_at, valid_from, made_at) = (seconds(self.exp), seconds(self.nbf), seconds(self.iat));
        Ok(Token { caller: self.caller()?, expires_at, valid_from, made_at })
    }

    /// A scope makes a server token, whatever user the token also names.
    fn caller(self) -> Result<Caller> {
        let text = |claim: Option<Value>| claim.and_then(|claim| claim.as_str().map(str::to_owned));
        if let (Some(resource), Some(action)) = (text(self.resource), text(self.action)) {
            let feed_id = text(self.feed_id).unwrap_or_else(|| "*".to_owned());
            return Ok(Caller::Server(Scope { resource, action, feed_id }.into()));
        }
        let Some(user) = text(self.user_id) else {
            return Err(refused("the token names neither a user nor a scope (resource and action)"));
        };
        UserId::parse(&user).map(Caller::User).map_err(|error| refused(error.to_string()))
    }
}

impl Token {
    /// Checks that the token is valid at `now`, in seconds since 1970.
    ///
    /// # Errors
    /// 403 when it expired or begins later.
    pub(crate) fn check(&self, now: i64) -> Result<()> {
        if self.expires_at.is_some_and(|at| now >= at.saturating_add(EXPIRY_LEEWAY_SECONDS)) {
            return Err(refused("the token has expired"));
        }
        let begins = self.valid_from.max(self.made_at);
        if begins.is_some_and(|at| at > now.saturating_add(FUTURE_LEEWAY_SECONDS)) {
            return Err(refused("the token is not valid yet"));
        }
        Ok(())
    }
}

/// Makes a token with these claims.
pub(crate) fn sign(secret: &str, claims: &Value) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).expect("claims are JSON, and HMAC takes any key")
}

/// 403 for a token that is not taken.
pub(crate) fn refused(detail: impl Into<String>) -> Error {
    Error::new(Code::NotAllowed, detail)
}

/// 403 for a scope that is too narrow (§2.2).
pub(crate) fn out_of_scope() -> Error {
    refused("You do not have permission to perform this action.")
}

/// 403 for what the policy does not allow a user (§2.4).
pub(crate) fn against_policy() -> Error {
    refused(
        "You do not have permission to do this, you got this error because there are no policies allowing this request on \
         this application. Please consult the documentation https://getstream.io/docs/",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn verify(secret: &str, token: &str) -> Option<Caller> {
        Verifier::new(secret).verify(token).ok().map(|token| token.caller)
    }

    fn user(id: &str) -> Option<Caller> {
        Some(Caller::User(UserId::parse(id).unwrap()))
    }

    fn scope(resource: &str, action: &str, feed_id: &str) -> Arc<Scope> {
        Scope { resource: resource.into(), action: action.into(), feed_id: feed_id.into() }.into()
    }

    #[test]
    fn tokens_of_the_contract_verify() {
        let head = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9";
        let vectors = [
            ("secret", "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoidXNlciJ9.vSdu-exEFUWts57olfk9X_I1CytXuXrRF7A0LpQmoaM".to_owned(), user("user")),
            ("secret", "eyJhbGciOiJIUzI1NiJ9.eyJjbGllbnQiOiJydWJ5IiwidGVzdGluZyI6dHJ1ZSwidXNlcl9pZCI6InVzZXIifQ.cDEffbaTeBO6HWH602wHA6RCKTo5K0gFR50vzfQdW8k".to_owned(), user("user")),
            ("top-secret", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VyX2lkIjoiamFjayJ9.pO3Fa8TJnPXsl62-XHK94S8hFk6dUz_2Q9au6H5xBSQ".to_owned(), user("jack")),
            ("secret", format!("{head}.eyJyZXNvdXJjZSI6IioiLCJhY3Rpb24iOiIqIiwiZmVlZF9pZCI6IioifQ.JLzxiezjRTarkHDNdi9R_HGJF1JbMQh2tFU8UFvonEk"), Some(Caller::Server(scope("*", "*", "*")))),
            ("secret", format!("{head}.eyJyZXNvdXJjZSI6ImZlZWQiLCJhY3Rpb24iOiIqIiwiZmVlZF9pZCI6ImZha2VfZmxhdF9mZWVkMTIzIn0.GpyB7wyOPPV7BrAsKR9U7Q7FiGCcJz8sGoZMPQjBtkM"), Some(Caller::Server(scope("feed", "*", "fake_flat_feed123")))),
            ("secret", format!("{head}.eyJ1c2VyX2lkIjoiYm9iX2pvaG5zb25fMSJ9.SZS5WCWaNlk3_vckQvi34ScZm71xHDcE7-5-pG75G1o"), user("bob_johnson_1")),
            ("secret", format!("{head}.eyJ1c2VyX2lkIjoiYm9iX2pvaG5zb25fMSIsInVzZXJfZ3JvdXAiOiJhZG1pbnMifQ.wFtAnBTsHgzHygI7dwochXc1q2QgmNoA46SniDqRe-k"), user("bob_johnson_1")),
            ("abcdefghijklmnop", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJyZXNvdXJjZSI6InBlcnNvbmFsaXphdGlvbixjb2xsZWN0aW9ucyIsImFjdGlvbiI6InJlYWQsZGVsZXRlIiwiZmVlZF9pZCI6InRpbWVsaW5lOm1lLHRpbWVsaW5lOnlvdSJ9.zWwZIdeWl2HCFvFPC9aMK4h832bmoQuifmUlyPq9knE".to_owned(), Some(Caller::Server(scope("personalization,collections", "read,delete", "timeline:me,timeline:you")))),
        ];
        for (secret, token, caller) in vectors {
            assert_eq!(verify(secret, &token), caller, "{token}");
        }
    }

    #[test]
    fn a_token_without_a_user_and_without_a_scope_is_refused() {
        let empty = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.-hJRcjmUOcS0P-Pllpe8gnOtMINmm7Ktebd3eKUroAc";
        assert_eq!(verify("top-secret", empty), None);
    }

    #[test]
    fn a_token_that_is_unsigned_or_signed_otherwise_is_refused() {
        let token = sign("secret", &json!({ "user_id": "bob" }));
        assert_eq!(verify("secret", &token), user("bob"));
        assert_eq!(verify("other", &token), None);
        let body = token.split('.').nth(1).unwrap();
        assert_eq!(verify("secret", &format!("eyJhbGciOiJub25lIn0.{body}.")), None, "alg none");
        assert_eq!(verify("secret", "a.b"), None);
        let stronger = Header::new(Algorithm::HS512);
        let key = EncodingKey::from_secret(b"secret");
        let token = jsonwebtoken::encode(&stronger, &json!({ "user_id": "bob" }), &key).unwrap();
        assert_eq!(verify("secret", &token), None, "another algorithm");
    }

    #[test]
    fn a_user_next_to_a_scope_does_not_make_a_user_token() {
        let token = sign("secret", &json!({ "resource": "*", "action": "*", "user_id": "bob" }));
        assert_eq!(verify("secret", &token), Some(Caller::Server(scope("*", "*", "*"))));
    }

    #[test]
    fn a_token_is_valid_between_its_times() {
        let valid = |claims: Value, now| Verifier::new("s").verify(&sign("s", &claims)).unwrap().check(now).is_ok();
        assert!(valid(json!({ "user_id": "bob", "exp": 1000 }), 999));
        assert!(!valid(json!({ "user_id": "bob", "exp": 1000 }), 1000 + EXPIRY_LEEWAY_SECONDS));
        assert!(!valid(json!({ "user_id": "bob", "nbf": 2000 }), 1000));
        assert!(!valid(json!({ "user_id": "bob", "iat": 2000.5 }), 1000));
        assert!(valid(json!({ "user_id": "bob", "iat": 1000, "nbf": 1000 }), 1000));
    }

    #[test]
    fn a_scope_names_a_feed_with_or_without_colon_or_in_a_list() {
        let feed = FeedId::parse("news:1234").unwrap();
        let covers = |feed_id: &str| scope("feed", "read", feed_id).allows(Resource::Feed, Action::Read, Some(&feed));
        for feed_id in ["*", "news1234", "news:1234", "user1, news1234"] {
            assert!(covers(feed_id), "{feed_id}");
        }
        for feed_id in ["news", "news12345", "user1234", ""] {
            assert!(!covers(feed_id), "{feed_id}");
        }
    }

    #[test]
    fn an_app_level_call_wants_a_scope_over_every_feed() {
        assert!(scope("*", "*", "*").allows(Resource::Activities, Action::Write, None));
        assert!(!scope("*", "*", "user1").allows(Resource::Activities, Action::Write, None));
    }

    #[test]
    fn a_scope_is_bound_to_its_resource_and_action() {
        let narrow = scope("follower", "read", "*");
        assert!(narrow.allows(Resource::Follower, Action::Read, None));
        assert!(!narrow.allows(Resource::Follower, Action::Write, None));
        assert!(!narrow.allows(Resource::Feed, Action::Read, None));
        assert!(scope("feed", "write", "*").allows(Resource::FeedTargets, Action::Write, None));
    }
}
