//! Executions (§2): a request on one integration, the users that it means, its sub-tasks and their tries.

mod kinds;

use std::collections::BTreeMap;

use ids::Timestamp;
use minicbor::{Decode, Encode};
use store::Transaction;

use crate::{
    Error, Result,
    engine::Paging,
    integrations::{Behavior, FilesForm},
    keyspace::{self, ARTIFACT, EXECUTION, HERE, SUB_TASK, TARGET},
    requests::{Flag, Kind},
    status::{Reason, State},
};

pub use kinds::{Check, Phase, TaskKind, TaskStatus};

/// The most users of one execution, and of one call that deletes.
pub const TARGETS_MAX: u32 = 100;

/// What the last try of a sub-task ran into; without personal data.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Failure {
    /// The stable code.
    #[n(0)]
    pub reason: Reason,
    /// The HTTP status.
    #[n(1)]
    pub http: Option<u16>,
    /// The code of the other side.
    #[n(2)]
    pub code: Option<i64>,
    /// What it said, scrubbed.
    #[n(3)]
    pub message: String,
}

/// One call or local step.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct SubTask {
    /// What it does.
    #[n(0)]
    pub kind: TaskKind,
    /// For whom.
    #[n(1)]
    pub target: Option<u32>,
    /// Where it stands.
    #[n(2)]
    pub status: TaskStatus,
    /// Which explicit retry of the execution it belongs to.
    #[n(3)]
    pub generation: u32,
    /// The hash of what was about to be sent.
    #[n(4)]
    pub intent_hash: Option<String>,
    /// The job of the other side.
    #[n(5)]
    pub upstream_task_id: Option<String>,
    /// How often it was tried.
    #[n(6)]
    pub attempts: u32,
    /// How often in a row it failed.
    #[n(7)]
    pub failures: u32,
    /// When the first of these failures was.
    #[n(8)]
    pub failing_since: Option<Timestamp>,
    /// The last of them.
    #[n(9)]
    pub last_error: Option<Failure>,
    /// What a reader should know of it.
    #[n(10)]
    pub note: Option<String>,
    /// Which identifier it is about.
    #[n(11)]
    pub identifier: Option<u32>,
    /// Which round of checks it belongs to.
    #[n(12)]
    pub round: u32,
    /// When it ended.
    #[n(13)]
    pub ended_at: Option<Timestamp>,
    /// The hash of the answer that ended it.
    #[n(14)]
    pub answer_sha256: Option<String>,
    /// The HTTP status of that answer.
    #[n(15)]
    pub answer_status: Option<u16>,
    /// Bytes of that answer.
    #[n(16)]
    pub answer_bytes: u64,
    /// What a check looks at.
    #[n(17)]
    pub check: Option<Check>,
    /// Which file is fetched, by its number among those of the user.
    #[n(18)]
    pub file: Option<u32>,
}

/// One try of a sub-task: never bodies, never tokens.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Attempt {
    /// When it began.
    #[n(0)]
    pub started_at: Timestamp,
    /// When it ended; nothing while it is under way.
    #[n(1)]
    pub ended_at: Option<Timestamp>,
    /// The path, with its parts as templates.
    #[n(2)]
    pub path: String,
    /// The HTTP status.
    #[n(3)]
    pub http: Option<u16>,
    /// The code of the other side.
    #[n(4)]
    pub code: Option<i64>,
    /// The bytes of the answer.
    #[n(5)]
    pub bytes: u64,
    /// Their hash.
    #[n(6)]
    pub body_sha256: Option<String>,
    /// What the limit headers said: limit, remaining, reset.
    #[n(7)]
    pub limits: (Option<u64>, Option<u64>, Option<i64>),
}

/// A user as matched, frozen at resolution.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Target {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub(crate) sealed_id: Vec<u8>,
    /// When the account was made, as the other side spells it.
    #[n(1)]
    pub created_at: String,
    /// The identifiers that led here, by number.
    #[n(2)]
    pub matched_by: Vec<u32>,
    /// The hash of the profile.
    #[n(3)]
    pub fingerprint: String,
    /// Whether an operator left it out.
    #[n(4)]
    pub is_excluded: bool,
    /// Whether it was seen to be gone.
    #[n(5)]
    pub is_gone: bool,
    /// The sub-task whose call it went with.
    #[cbor(n(6), default)]
    pub(crate) sent_by: Option<u32>,
}

/// A body that was stored.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Artifact {
    /// The name of the blob: the hash of its sealed bytes.
    #[n(0)]
    pub blob: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(crate) sealed_key: Vec<u8>,
    /// The hash of the body.
    #[n(2)]
    pub sha256: String,
    /// Its length.
    #[n(3)]
    pub bytes: u64,
    /// The sub-task that brought it.
    #[n(4)]
    pub order: u32,
}

/// What is known of a deletion that was sent.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Submission {
    /// The job; nothing when the answer was lost.
    #[n(0)]
    pub task_id: Option<String>,
    /// When it was accepted.
    #[n(1)]
    pub at: Timestamp,
    /// The hash of the body.
    #[n(2)]
    pub body_sha256: String,
    /// How often the job was asked about since.
    #[n(3)]
    pub polls: u32,
    /// How often the job failed and the deletion was sent again.
    #[n(4)]
    pub resubmissions: u32,
    /// What the job said last.
    #[n(5)]
    pub last_word: Option<String>,
    /// When the first deletion was accepted.
    #[n(6)]
    pub first_at: Timestamp,
    /// What the job says that it deleted, by kind, where it says so.
    #[n(7)]
    pub deleted_counts: Option<BTreeMap<String, u64>>,
    /// Whether the answer to a call was lost, so that what became of it was found out.
    #[cbor(n(8), default)]
    pub was_lost: bool,
}

/// A request on one integration.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Execution {
    /// `exe_` and a ULID.
    #[n(0)]
    pub id: String,
    /// The request.
    #[n(1)]
    pub request: String,
    /// The integration.
    #[n(2)]
    pub integration: String,
    /// What is asked.
    #[n(3)]
    pub kind: Kind,
    /// Where it stands.
    #[n(4)]
    pub state: State,
    /// Where it is in its flow.
    #[n(5)]
    pub phase: Phase,
    /// How often it was started anew by hand.
    #[n(6)]
    pub generation: u32,
    /// When it goes on.
    #[n(7)]
    pub next_run_at: Option<Timestamp>,
    /// The behaviour that was in force when the deletion was submitted.
    #[n(8)]
    pub behavior: Option<Behavior>,
    /// Matched users.
    #[n(9)]
    pub targets: u32,
    /// Sub-tasks made so far.
    #[n(10)]
    pub sub_tasks: u32,
    /// Pages of matches read.
    #[n(11)]
    pub pages: u32,
    #[n(12)]
    pub(crate) sealed_cursor: Option<minicbor::bytes::ByteVec>,
    /// The deletion that was sent.
    #[n(13)]
    pub submission: Option<Submission>,
    /// The form of `files` in turn.
    #[n(14)]
    pub files_form: Option<FilesForm>,
    /// The round of checks.
    #[n(15)]
    pub round: u32,
    /// How many rounds in a row found nothing left.
    #[n(16)]
    pub clean_rounds: u32,
    /// What a reader must be told.
    #[n(17)]
    pub flags: Vec<Flag>,
    /// Whether a deletion may have left this machine.
    #[n(18)]
    pub is_irreversible: bool,
    /// When operators let it pass what held it.
    #[n(19)]
    pub approved: Vec<Reason>,
    /// When it was made.
    #[n(20)]
    pub created_at: Timestamp,
    /// The hash of the options that were sent.
    #[n(21)]
    pub options: Option<crate::integrations::DeleteOptions>,
    /// What remained at the last round of checks.
    #[n(22)]
    pub residue: Vec<String>,
    /// Whether the status is final and the work goes on in the background.
    #[n(23)]
    pub is_background: bool,
    /// The set of targets that a preview allowed, as a hash.
    #[n(24)]
    pub confirmed: Option<String>,
    /// The entries of the audit log about what was deleted.
    #[cbor(n(25), default)]
    pub audit_seqs: Vec<u64>,
    /// How matches are asked for.
    #[cbor(n(26), default)]
    pub(crate) paging: Paging,
    /// How many users go with one call that deletes, where the other side refused more.
    #[cbor(n(27), default)]
    pub(crate) together: Option<u32>,
    /// How much there is of the matches, by kind, where a preview counted.
    #[cbor(n(28), default)]
    pub counts: BTreeMap<String, u64>,
}

impl SubTask {
    /// A sub-task that has not begun.
    pub(crate) fn new(kind: TaskKind, generation: u32) -> Self {
        SubTask {
            kind,
            target: None,
            status: TaskStatus::Pending,
            generation,
            intent_hash: None,
            upstream_task_id: None,
            attempts: 0,
            failures: 0,
            failing_since: None,
            last_error: None,
            note: None,
            identifier: None,
            round: 0,
            ended_at: None,
            answer_sha256: None,
            answer_status: None,
            answer_bytes: 0,
            check: None,
            file: None,
        }
    }

    /// Whether there is something left to do.
    pub fn is_open(&self) -> bool {
        !matches!(self.status, TaskStatus::Complete | TaskStatus::Failed | TaskStatus::Skipped)
    }
}

impl Execution {
    /// An execution that was just asked for.
    pub(crate) fn new(id: String, request: &str, integration: &str, kind: Kind, now: Timestamp) -> Self {
        Execution {
            id,
            request: request.to_owned(),
            integration: integration.to_owned(),
            kind,
            state: State::received(),
            phase: Phase::Resolve,
            generation: 0,
            next_run_at: None,
            behavior: None,
            targets: 0,
            sub_tasks: 0,
            pages: 0,
            sealed_cursor: None,
            submission: None,
            files_form: None,
            round: 0,
            clean_rounds: 0,
            flags: Vec::new(),
            is_irreversible: false,
            approved: Vec::new(),
            created_at: now,
            options: None,
            residue: Vec::new(),
            is_background: false,
            confirmed: None,
            audit_seqs: Vec::new(),
            paging: Paging::default(),
            together: None,
            counts: BTreeMap::new(),
        }
    }

    /// Tells its readers something, once.
    pub(crate) fn flag(&mut self, flag: Flag) -> bool {
        let is_new = !self.flags.contains(&flag);
        if is_new {
            self.flags.push(flag);
        }
        is_new
    }
}

/// The execution, which must be there.
pub(crate) async fn load(tx: &mut Transaction, id: &str) -> Result<Execution> {
    EXECUTION.get(tx, HERE, &id.to_owned()).await?.ok_or_else(|| Error::missing("execution", id))
}

/// Its sub-tasks, in order.
pub(crate) async fn sub_tasks(tx: &mut Transaction, execution: &str) -> Result<Vec<(u32, SubTask)>> {
    let rows = keyspace::all(tx, &SUB_TASK, SUB_TASK.prefix(HERE, &(execution.to_owned(),))).await?;
    Ok(rows.into_iter().map(|((_, order), task)| (order, task)).collect())
}

/// The users that it means, in order.
pub(crate) async fn targets(tx: &mut Transaction, execution: &str) -> Result<Vec<Target>> {
    let rows = keyspace::all(tx, &TARGET, TARGET.prefix(HERE, &(execution.to_owned(),))).await?;
    Ok(rows.into_iter().map(|(_, target)| target).collect())
}

/// Its stored bodies, by name.
pub(crate) async fn artifacts(tx: &mut Transaction, execution: &str) -> Result<Vec<(String, Artifact)>> {
    let rows = keyspace::all(tx, &ARTIFACT, ARTIFACT.prefix(HERE, &(execution.to_owned(),))).await?;
    Ok(rows.into_iter().map(|((_, name), artifact)| (name, artifact)).collect())
}
