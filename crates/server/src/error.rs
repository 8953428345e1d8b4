//! What goes wrong, as status, code and message: the only place that turns broken rules into the API's errors.

use serde_json::{Map, Value};
use wire::error::{Code, MORE_INFO};

use crate::{
    auth,
    reply::{Reply, json_object},
};

/// What handlers answer.
pub type Result<T> = std::result::Result<T, Error>;

/// An error as the API tells it (feeds-v1 §3).
#[derive(Debug)]
pub struct Error {
    /// What kind it is.
    pub code: Code,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong, in words.
    pub detail: String,
    /// Field → messages.
    pub fields: Map<String, Value>,
}

impl Error {
    /// An error of this kind.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Error { code, status: code.status(), detail: detail.into(), fields: Map::new() }
    }

    /// The input breaks a rule.
    pub fn input(detail: impl Into<String>) -> Self {
        Self::new(Code::Input, detail)
    }

    /// These fields break rules.
    pub fn fields(fields: Map<String, Value>) -> Self {
        let names = fields.keys().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
        Error { fields, ..Self::input(format!("Errors for fields {names}")) }
    }

    /// One field breaks a rule.
    pub fn field(name: &str, rule: impl Into<String>) -> Self {
        Self::fields(Map::from_iter([(name.to_owned(), Value::from(vec![rule.into()]))]))
    }
}

impl From<domain::Error> for Error {
    fn from(error: domain::Error) -> Self {
        use domain::Error as Broken;
        match error {
            Broken::NoGroup(names) => {
                let names = names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
                Self::new(
                    Code::FeedConfig,
                    format!(
                        "The following feeds are not configured: {names}. This could be the cause of a typo, but otherwise \
                         you should configure them on the dashboard of this app."
                    ),
                )
            }
            Broken::FollowsItself(_) | Broken::NotFollowable(_) | Broken::TooManySpans { .. } | Broken::Unfit(_) => {
                Self::input(error.to_string())
            }
            // Chat's own; no function of feeds answers them.
            Broken::FeatureOff(_)
            | Broken::EventOff(_)
            | Broken::TooLong(_)
            | Broken::NestedReply
            | Broken::TooBig(_)
            | Broken::Cooldown { .. }
            | Broken::NameTaken(_)
            | Broken::Moderated(_)
            | Broken::NoAccessToChannels => Self::input(error.to_string()),
            Broken::NotAllowed(_) => auth::against_policy(),
            Broken::NoActivity(_) | Broken::NoApp(_) | Broken::Absent(_) => {
                Self::new(Code::DoesNotExist, error.to_string())
            }
            Broken::Taken(_) => Self::new(Code::Taken, error.to_string()),
            Broken::AppExists(_) => Error { status: 409, ..Self::input(error.to_string()) },
            Broken::BrokenFormat => Self::new(Code::BrokenFormat, error.to_string()),
            Broken::NoRanking(_) => Self::new(Code::MissingRanking, error.to_string()),
            Broken::Ranking(_) => Self::new(Code::Ranking, error.to_string()),
            Broken::Store(error) => Self::from(error),
        }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::TooLarge { .. } => Self::new(Code::TooLarge, error.to_string()),
            store::Error::Busy | store::Error::Contended { .. } => {
                Error { status: 503, ..Self::new(Code::Internal, "the server is busy; try again in a moment") }
            }
            _ => {
                tracing::error!(%error, "the store failed");
                Self::new(Code::Internal, "the server failed; its log says why")
            }
        }
    }
}

impl From<Error> for Reply {
    fn from(error: Error) -> Self {
        let body = wire::error::Error {
            detail: error.detail,
            status_code: error.status,
            code: error.code.number(),
            exception: error.code.exception(),
            more_info: MORE_INFO,
            exception_fields: error.fields,
        };
        Reply { status: error.status, body: json_object(&body) }
    }
}
