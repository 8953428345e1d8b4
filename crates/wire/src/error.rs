//! Errors of the feeds API (feeds-v1 §3).

use serde::Serialize;
use serde_json::{Map, Value};

/// Where every error points to.
pub const MORE_INFO: &str = "https://getstream.io/docs/api_error_responses";

/// What kind of error it is: the number and the name that clients look at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Code {
    /// The server failed.
    Internal,
    /// The API key is unknown or missing.
    ApiKey,
    /// The input breaks a rule.
    Input,
    /// A custom field has a bad name.
    CustomField,
    /// A feed group does not exist.
    FeedConfig,
    /// The app is suspended.
    SiteSuspended,
    /// Too many calls.
    RateLimit,
    /// There is no such ranking method.
    MissingRanking,
    /// A ranking method cannot be evaluated.
    Ranking,
    /// An aggregation format cannot be read.
    BrokenFormat,
    /// What the call names does not exist.
    DoesNotExist,
    /// The caller may not do that, or the path does not know the method.
    NotAllowed,
    /// The body is too large.
    TooLarge,
    /// The id is taken.
    Taken,
}

impl Code {
    /// Every code, for tests that walk them.
    pub const ALL: [Code; 14] = [
        Code::Internal,
        Code::ApiKey,
        Code::Input,
        Code::CustomField,
        Code::FeedConfig,
        Code::SiteSuspended,
        Code::RateLimit,
        Code::MissingRanking,
        Code::Ranking,
        Code::BrokenFormat,
        Code::DoesNotExist,
        Code::NotAllowed,
        Code::TooLarge,
        Code::Taken,
    ];

    /// The number in the body.
    pub fn number(self) -> i32 {
        match self {
            Code::Internal => -1,
            Code::ApiKey => 2,
            Code::Input => 4,
            Code::CustomField => 5,
            Code::FeedConfig => 6,
            Code::SiteSuspended => 7,
            Code::RateLimit => 9,
            Code::Ranking => 11,
            Code::MissingRanking => 12,
            Code::BrokenFormat => 14,
            Code::DoesNotExist => 16,
            Code::NotAllowed => 17,
            Code::TooLarge => 18,
            Code::Taken => 22,
        }
    }

    /// The HTTP status that usually goes with it.
    pub fn status(self) -> u16 {
        match self {
            Code::Internal => 500,
            Code::ApiKey | Code::SiteSuspended => 401,
            Code::Input | Code::CustomField | Code::FeedConfig => 400,
            Code::MissingRanking | Code::Ranking | Code::BrokenFormat => 400,
            Code::RateLimit => 429,
            Code::DoesNotExist => 404,
            Code::NotAllowed => 403,
            Code::TooLarge => 413,
            Code::Taken => 409,
        }
    }

    /// The name in the body; clients make their exception of it.
    pub fn exception(self) -> &'static str {
        match self {
            Code::Internal => "InternalException",
            Code::ApiKey => "ApiKeyException",
            Code::Input => "InputException",
            Code::CustomField => "CustomFieldException",
            Code::FeedConfig => "FeedConfigException",
            Code::SiteSuspended => "SiteSuspendedException",
            Code::RateLimit => "RateLimitReached",
            Code::MissingRanking => "MissingRankingException",
            Code::Ranking => "RankingException",
            Code::BrokenFormat => "JinjaRuntimeException",
            Code::DoesNotExist => "DoesNotExistException",
            Code::NotAllowed => "NotAllowedException",
            Code::Taken => "ConflictException",
            Code::TooLarge => "PayloadTooLargeException",
        }
    }
}

/// The body of an error; `duration` is added when it is sent.
#[derive(Serialize, Debug)]
pub struct Error {
    /// What is wrong, in words.
    pub detail: String,
    /// The HTTP status again.
    pub status_code: u16,
    /// [`Code::number`].
    pub code: i32,
    /// [`Code::exception`].
    pub exception: &'static str,
    /// [`MORE_INFO`].
    pub more_info: &'static str,
    /// Field → messages, when fields were wrong.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub exception_fields: Map<String, Value>,
}
