//! What differs between APIs, as data: paths, names of parameters, the meaning of answers (§22). One file per dialect.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::words::words;

words! {
    /// A class of calls; limits are per class.
    Endpoint {
        /// `GET /users`.
        0 QueryUsers = "query_users",
        /// `GET /users/{id}/export`.
        1 ExportUser = "export_user",
        /// `GET /moderation/user_report`.
        2 UserReport = "user_report",
        /// `POST /users/delete`.
        3 DeleteUsers = "delete_users",
        /// `GET /tasks/{id}`.
        4 GetTask = "get_task",
        /// `POST /export/users`.
        5 ExportUsers = "export_users",
        /// `POST /feeds/users/{id}/export`.
        6 FeedsExport = "feeds_export",
        /// `POST /feeds/users/{id}/delete`.
        7 FeedsDelete = "feeds_delete",
    }
}

words! {
    /// What an answer, or the lack of one, means for us.
    Meaning {
        /// It worked.
        0 Ok = "ok",
        /// There is no such thing.
        1 NotFound = "not_found",
        /// The limit is reached; the call was not executed.
        2 RateLimited = "rate_limited",
        /// The other side is in trouble; whether the call was executed is not known.
        3 Trouble = "trouble",
        /// The other side asks for patience.
        4 Unavailable = "unavailable",
        /// Nothing was sent.
        5 Unsent = "unsent",
        /// It was sent, and no answer came.
        6 Lost = "lost",
        /// An answer that cannot be read.
        7 BadResponse = "bad_response",
        /// The token is refused for its time.
        8 ClockRefused = "clock_refused",
        /// The key is not known.
        9 KeyUnknown = "key_unknown",
        /// The signature is refused.
        10 SecretWrong = "secret_wrong",
        /// The app is suspended.
        11 Suspended = "suspended",
        /// The call is not allowed to this key.
        12 Forbidden = "forbidden",
        /// The call is refused as wrong.
        13 Rejected = "rejected",
        /// The body, or the answer, is too large.
        14 TooLarge = "too_large",
        /// The answer points elsewhere.
        15 Redirected = "redirected",
        /// The call does not exist there.
        16 EndpointMissing = "endpoint_missing",
    }
}

impl Endpoint {
    /// The method of its calls.
    pub(crate) fn method(self) -> &'static str {
        match self {
            Endpoint::QueryUsers | Endpoint::ExportUser | Endpoint::UserReport | Endpoint::GetTask => "GET",
            Endpoint::DeleteUsers | Endpoint::ExportUsers | Endpoint::FeedsExport | Endpoint::FeedsDelete => "POST",
        }
    }
}

/// What a job's status means.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TaskWord {
    Waiting,
    Completed,
    Failed,
}

/// A dialect.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dialect {
    pub(crate) name: String,
    pub(crate) default_base_url: String,
    paths: BTreeMap<String, String>,
    pub(crate) user_report_parameter: String,
    /// Hosts of its own from which files are fetched; one that begins with a dot means all below it.
    #[serde(default)]
    pub(crate) file_hosts: Vec<String>,
    task_words: BTreeMap<String, TaskWord>,
    answers: Vec<Rule>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    status: (u16, u16),
    #[serde(default)]
    codes: Vec<i64>,
    has_envelope: Option<bool>,
    #[serde(deserialize_with = "meaning")]
    meaning: Meaning,
}

/// Why a dialect file is none.
#[derive(Debug, thiserror::Error)]
pub enum DialectError {
    /// It is not in the form of one.
    #[error("the dialect file is wrong: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It lacks a path.
    #[error("the dialect file has no path for `{0}`")]
    NoPath(Endpoint),
}

fn meaning<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Meaning, D::Error> {
    let word = String::deserialize(deserializer)?;
    Meaning::parse(&word).ok_or_else(|| serde::de::Error::custom(format!("no meaning `{word}`")))
}

impl Dialect {
    /// Reads a dialect file.
    ///
    /// # Errors
    /// [`DialectError`].
    pub fn parse(text: &str) -> Result<Self, DialectError> {
        let dialect: Dialect = serde_json::from_str(text)?;
        let missing = Endpoint::ALL.iter().find(|endpoint| !dialect.paths.contains_key(endpoint.word()));
        missing.map_or(Ok(dialect), |endpoint| Err(DialectError::NoPath(*endpoint)))
    }

    /// The dialects that come with the connector.
    pub fn built_in() -> Vec<Dialect> {
        let files = [include_str!("dialects/stream_v2.json"), include_str!("dialects/millpond.json")];
        files.map(|file| Dialect::parse(file).expect("the files are tested")).into()
    }

    /// The path of a class of calls, as a template.
    pub(crate) fn path(&self, endpoint: Endpoint) -> &str {
        &self.paths[endpoint.word()]
    }

    /// What an answer means. The first rule that fits decides.
    pub(crate) fn meaning(&self, status: u16, code: Option<i64>) -> Meaning {
        let fits = |rule: &&Rule| {
            (rule.status.0..=rule.status.1).contains(&status)
                && (rule.codes.is_empty() || code.is_some_and(|code| rule.codes.contains(&code)))
                && rule.has_envelope.is_none_or(|has| has == code.is_some())
        };
        self.answers.iter().find(fits).map_or(Meaning::BadResponse, |rule| rule.meaning)
    }

    /// What a job's status means; nothing for a word that nobody knows.
    pub(crate) fn task_word(&self, word: &str) -> Option<TaskWord> {
        self.task_words.get(word).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_mean_what_the_table_says() {
        let dialect = &Dialect::built_in()[0];
        let cases = [
            (200, None, Meaning::Ok),
            (302, None, Meaning::Redirected),
            (400, Some(4), Meaning::Rejected),
            (401, Some(2), Meaning::KeyUnknown),
            (401, Some(43), Meaning::SecretWrong),
            (401, Some(40), Meaning::ClockRefused),
            (403, Some(99), Meaning::Suspended),
            (403, Some(17), Meaning::Forbidden),
            (404, Some(16), Meaning::NotFound),
            (404, None, Meaning::EndpointMissing),
            (408, Some(23), Meaning::Trouble),
            (413, None, Meaning::TooLarge),
            (429, Some(9), Meaning::RateLimited),
            (500, Some(-1), Meaning::Trouble),
            (503, None, Meaning::Unavailable),
            (199, None, Meaning::BadResponse),
        ];
        for (status, code, meaning) in cases {
            assert_eq!(dialect.meaning(status, code), meaning, "{status} {code:?}");
        }
    }

    #[test]
    fn a_dialect_needs_every_path() {
        let text = include_str!("dialects/stream_v2.json").replace("\"get_task\"", "\"got_task\"");
        assert!(matches!(Dialect::parse(&text), Err(DialectError::NoPath(Endpoint::GetTask))));
        assert!(Dialect::parse("{}").is_err());
    }
}
