//! What goes wrong, as the chat API tells it (chat §3).

use std::collections::BTreeMap;

use wire::chat::error::{Code, MORE_INFO};

use crate::reply::{Reply, json_object};

/// What handlers answer.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// An error as the chat API tells it.
#[derive(Debug)]
pub(crate) struct Error {
    /// What kind it is.
    pub(crate) code: Code,
    /// What is wrong, in words.
    pub(crate) reason: String,
    /// Field → what is wrong with it.
    pub(crate) fields: BTreeMap<String, String>,
}

impl Error {
    /// An error of this kind.
    pub(crate) fn new(code: Code, reason: impl Into<String>) -> Self {
        Error { code, reason: reason.into(), fields: BTreeMap::new() }
    }

    /// The input breaks a rule.
    pub(crate) fn input(reason: impl Into<String>) -> Self {
        Self::new(Code::Input, reason)
    }

    /// This version cannot do `what`.
    pub(crate) fn not_available(what: &str) -> Self {
        Self::new(Code::NotAvailable, format!("{what} is not available in this version of Millpond"))
    }

    /// One field breaks a rule.
    pub(crate) fn field(name: &str, rule: &str) -> Self {
        let reason = format!("{name} {rule}");
        Error { fields: BTreeMap::from([(name.to_owned(), rule.to_owned())]), ..Self::input(reason) }
    }

    /// The answer to a call of `operation`.
    pub(crate) fn reply(self, operation: &str) -> Reply {
        let body = self.body(operation);
        Reply { status: body.status_code, body: json_object(&body) }
    }

    /// The only frame of a socket that is refused: the error as answers have it, and once more in a member `error`, where
    /// some clients look for it (chat §9.4).
    pub(crate) fn frame(self, operation: &str) -> String {
        let body = format!("{},\"duration\":\"0.00ms\"", json_object(&self.body(operation)));
        format!("{{\"error\":{body}}},{}}}", &body[1..])
    }

    fn body(self, operation: &str) -> wire::chat::error::Error {
        let (code, status_code) = self.code.number_and_status();
        wire::chat::error::Error {
            code,
            message: format!("{operation} failed with error: \"{}\"", self.reason),
            status_code,
            exception_fields: self.fields,
            more_info: MORE_INFO,
            details: [],
        }
    }
}

impl From<domain::Error> for Error {
    fn from(error: domain::Error) -> Self {
        use domain::Error as Broken;
        let code = match &error {
            Broken::Absent(_) | Broken::NoActivity(_) | Broken::NoApp(_) => Code::DoesNotExist,
            Broken::NotAllowed(_) => Code::NotAllowed,
            Broken::Moderated(_) => Code::Moderation,
            Broken::FeatureOff(_) => Code::FeatureNotSupported,
            Broken::EventOff(_) => Code::EventNotSupported,
            Broken::TooLong(_) => Code::MessageTooLong,
            Broken::NestedReply => Code::MultipleNesting,
            Broken::TooBig(_) => Code::PayloadTooBig,
            Broken::Cooldown { .. } => Code::Cooldown,
            Broken::NameTaken(_) => Code::DuplicateUsername,
            Broken::NoAccessToChannels => Code::NoAccessToChannels,
            Broken::NoGroup(_)
            | Broken::FollowsItself(_)
            | Broken::NotFollowable(_)
            | Broken::TooManySpans { .. }
            | Broken::AppExists(_)
            | Broken::Taken(_)
            | Broken::BrokenFormat
            | Broken::NoRanking(_)
            | Broken::Ranking(_)
            | Broken::Unfit(_) => Code::Input,
            Broken::Store(_) => return Self::from_store(error),
        };
        Self::new(code, error.to_string())
    }
}

/// A file beside the store cannot be written or read.
impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        tracing::error!(%error, "the disk failed");
        Self::new(Code::Internal, "the server failed; its log says why")
    }
}

impl Error {
    fn from_store(error: domain::Error) -> Self {
        match error {
            domain::Error::Store(store::Error::TooLarge { .. }) => Self::new(Code::PayloadTooBig, error.to_string()),
            domain::Error::Store(store::Error::Busy | store::Error::Contended { .. }) => {
                Self::new(Code::Internal, "the server is busy; try again in a moment")
            }
            _ => {
                tracing::error!(%error, "the store failed");
                Self::new(Code::Internal, "the server failed; its log says why")
            }
        }
    }
}
