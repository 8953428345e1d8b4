//! Errors of the chat API and of all that shares its shape (chat §3).

use std::collections::BTreeMap;

use serde::Serialize;

/// Where every error points to.
pub const MORE_INFO: &str = "https://getstream.io/chat/docs/api_errors_response";

/// What kind of error it is (chat §3.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Code {
    /// The server failed.
    Internal,
    /// The API key is missing or unknown.
    AccessKey,
    /// The input breaks a rule.
    Input,
    /// No good token.
    Authentication,
    /// The user name is taken.
    DuplicateUsername,
    /// Too many calls.
    RateLimited,
    /// What the call names does not exist.
    DoesNotExist,
    /// The caller may not do that.
    NotAllowed,
    /// The path does not take this method.
    WrongMethod,
    /// The channel type does not have this event.
    EventNotSupported,
    /// The channel type does not have this feature.
    FeatureNotSupported,
    /// The text is longer than the channel allows.
    MessageTooLong,
    /// A reply to a reply.
    MultipleNesting,
    /// The body, or the custom data in it, is too big.
    PayloadTooBig,
    /// The token has expired, or was revoked.
    TokenExpired,
    /// The token is not valid yet.
    TokenNotValidYet,
    /// The token was used before it was issued.
    TokenBeforeIssued,
    /// The token is signed with another secret.
    TokenSignature,
    /// A custom command has no place to go.
    CommandMissing,
    /// A custom command failed.
    CommandFailed,
    /// Slow mode: the next message must wait.
    Cooldown,
    /// Channels that the caller may not read.
    NoAccessToChannels,
    /// Moderation refused the message.
    Moderation,
    /// The app is suspended.
    AppSuspended,
    /// This version of Millpond cannot do that.
    NotAvailable,
}

impl Code {
    /// Every code, for tests that walk them.
    pub const ALL: [Code; 25] = [
        Code::Internal,
        Code::AccessKey,
        Code::Input,
        Code::Authentication,
        Code::DuplicateUsername,
        Code::RateLimited,
        Code::DoesNotExist,
        Code::NotAllowed,
        Code::WrongMethod,
        Code::EventNotSupported,
        Code::FeatureNotSupported,
        Code::MessageTooLong,
        Code::MultipleNesting,
        Code::PayloadTooBig,
        Code::TokenExpired,
        Code::TokenNotValidYet,
        Code::TokenBeforeIssued,
        Code::TokenSignature,
        Code::CommandMissing,
        Code::CommandFailed,
        Code::Cooldown,
        Code::NoAccessToChannels,
        Code::Moderation,
        Code::AppSuspended,
        Code::NotAvailable,
    ];

    /// The number in the body, and the HTTP status, which the body repeats.
    pub fn number_and_status(self) -> (i32, u16) {
        match self {
            Code::Internal => (-1, 500),
            Code::NotAvailable => (-1, 501),
            Code::AccessKey => (2, 401),
            Code::Input => (4, 400),
            Code::Authentication => (5, 401),
            Code::DuplicateUsername => (6, 400),
            Code::RateLimited => (9, 429),
            Code::DoesNotExist => (16, 404),
            Code::NotAllowed => (17, 403),
            Code::WrongMethod => (17, 405),
            Code::EventNotSupported => (18, 400),
            Code::FeatureNotSupported => (19, 400),
            Code::MessageTooLong => (20, 400),
            Code::MultipleNesting => (21, 400),
            Code::PayloadTooBig => (22, 413),
            Code::TokenExpired => (40, 401),
            Code::TokenNotValidYet => (41, 401),
            Code::TokenBeforeIssued => (42, 401),
            Code::TokenSignature => (43, 401),
            Code::CommandMissing => (44, 400),
            Code::CommandFailed => (45, 400),
            Code::Cooldown => (60, 403),
            Code::NoAccessToChannels => (70, 403),
            Code::Moderation => (73, 400),
            Code::AppSuspended => (99, 403),
        }
    }
}

/// The body of an error; `duration` is added when it is sent.
#[derive(Serialize, Debug)]
pub struct Error {
    /// The number of [`Code::number_and_status`].
    pub code: i32,
    /// `<operation> failed with error: "<reason>"`.
    pub message: String,
    /// The HTTP status again, in this spelling.
    #[serde(rename = "StatusCode")]
    pub status_code: u16,
    /// Field → what is wrong with it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub exception_fields: BTreeMap<String, String>,
    /// [`MORE_INFO`].
    pub more_info: &'static str,
    /// Always empty here; clients want a list.
    pub details: [i32; 0],
}
