//! A call that was made, as the audit log tells it (§19).

use super::{Answer, Call, Dialect, Meaning};

/// A call with what it came to. Nothing in it names a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Made {
    /// The path, with its parts as templates; of a file, which is where the service says, the kind.
    pub(crate) path: String,
    /// Which attempt it was; the first is 1.
    pub(crate) attempt: u32,
    /// The job that it asked about, or whose file it fetched.
    task_id: Option<String>,
    body_sha256: Option<String>,
    status: Option<u16>,
    code: Option<i64>,
    meaning: Meaning,
    answer_sha256: Option<String>,
    clock_refusals: u32,
}

impl Made {
    /// A call of the API.
    pub(crate) fn call(dialect: &Dialect, call: &Call, answer: &Answer, attempt: u32) -> Self {
        let body_sha256 = call.body.is_some().then(|| call.intent_hash(dialect));
        Made { body_sha256, task_id: call.task_id(), ..Made::new(dialect.path(call.endpoint), answer, attempt) }
    }

    /// The download of a file, of a job or none.
    pub(crate) fn fetch(kind: &str, task_id: Option<String>, answer: &Answer, attempt: u32) -> Self {
        Made { task_id, ..Made::new(kind, answer, attempt) }
    }

    fn new(path: &str, answer: &Answer, attempt: u32) -> Self {
        Made {
            path: path.to_owned(),
            attempt,
            task_id: None,
            body_sha256: None,
            status: answer.status,
            code: answer.code,
            meaning: answer.meaning,
            answer_sha256: answer.sha256.clone(),
            clock_refusals: answer.clock_refusals,
        }
    }

    /// What the log keeps of it: names and values.
    pub(crate) fn details(&self) -> impl Iterator<Item = (&'static str, String)> {
        let of_number = |number: Option<i64>| number.map(|number| number.to_string());
        let clock_refusals = (self.clock_refusals > 0).then(|| self.clock_refusals.to_string());
        let details = [
            ("path", Some(self.path.clone())),
            ("attempt", Some(self.attempt.to_string())),
            ("task_id", self.task_id.clone()),
            ("body_sha256", self.body_sha256.clone()),
            ("status", of_number(self.status.map(i64::from))),
            ("code", of_number(self.code)),
            ("meaning", Some(self.meaning.to_string())),
            ("answer_sha256", self.answer_sha256.clone()),
            ("clock_refusals", clock_refusals),
        ];
        details.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }
}
