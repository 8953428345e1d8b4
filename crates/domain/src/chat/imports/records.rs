//! Imports and the files that wait for one, as they are stored.

use ids::Timestamp;
use minicbor::{Decode, Encode};

use super::{Terms, UPLOAD_MICROS};
use crate::tasks::Progress;

/// As what rows are counted of which nothing came.
pub(super) const FAILED: &str = "failed";

/// A place that a file can be uploaded to.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Upload {
    /// The file's name.
    #[n(0)]
    pub name: String,
    /// Since when there is the place.
    #[n(1)]
    pub created_at: Timestamp,
    /// How large the file is, once it is there.
    #[n(2)]
    pub bytes: Option<u64>,
}

impl Upload {
    /// Whether nobody used the place in time.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        now >= self.created_at.plus_micros(UPLOAD_MICROS)
    }
}

/// Where the bytes of the file are that was uploaded to `upload`.
pub fn file(app: u32, upload: &str) -> String {
    format!("imports/{app}/{upload}")
}

/// What is done with rows that are known already.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Mode {
    /// They stay.
    #[n(0)]
    Insert,
    /// The file's take their place.
    #[n(1)]
    Upsert,
}

/// How an import stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum State {
    /// Its file is there.
    #[n(0)]
    Uploaded,
    /// The file is looked at.
    #[n(1)]
    Analyzing,
    /// The file is none, and nothing of it was stored.
    #[n(2)]
    AnalyzeFailed,
    /// Its rows are stored.
    #[n(3)]
    Importing,
    /// All rows were looked at.
    #[n(4)]
    Completed,
    /// It was given up.
    #[n(5)]
    Failed,
}

impl State {
    /// Whether it stays so.
    pub fn is_final(self) -> bool {
        matches!(self, State::AnalyzeFailed | State::Completed | State::Failed)
    }
}

/// A turn of an import.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Turn {
    /// When.
    #[n(0)]
    pub at: Timestamp,
    /// How it stood before.
    #[n(1)]
    pub from: State,
    /// How it stood then.
    #[n(2)]
    pub to: State,
}

/// A row of which nothing came.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Failure {
    /// Its number in the file, from 1 on.
    #[n(0)]
    pub row: u64,
    /// Its type; empty where it has none.
    #[n(1)]
    pub kind: String,
    /// What is wrong with it.
    #[n(2)]
    pub reason: String,
}

/// An import of a file.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Import {
    /// Where the file was uploaded to.
    #[n(0)]
    pub upload: String,
    /// The file's name.
    #[n(1)]
    pub name: String,
    /// How large it is.
    #[n(2)]
    pub bytes: u64,
    /// What is done with what is known already.
    #[n(3)]
    pub mode: Mode,
    /// Whether own fields that a row does not name stay.
    #[n(4)]
    pub merges_custom: bool,
    /// How it stands.
    #[n(5)]
    pub state: State,
    /// How it came there.
    #[n(6)]
    pub history: Vec<Turn>,
    /// Since when there is it.
    #[n(7)]
    pub created_at: Timestamp,
    /// When it last turned.
    #[n(8)]
    pub updated_at: Timestamp,
    /// What became of how many rows: a type and an outcome.
    #[n(9)]
    pub counts: Vec<(String, u64)>,
    /// The first rows of which nothing came.
    #[n(10)]
    pub failures: Vec<Failure>,
    /// How many rows those are.
    #[n(11)]
    pub failure_count: u64,
}

impl Import {
    /// How its rows are stored.
    pub fn terms(&self) -> Terms {
        Terms { replaces: self.mode == Mode::Upsert, merges_custom: self.merges_custom }
    }

    /// Where the file's bytes are.
    pub fn file(&self, tenant: u32) -> String {
        file(tenant, &self.upload)
    }

    pub(super) fn turn(&mut self, state: State, now: Timestamp) {
        if self.state != state {
            self.history.push(Turn { at: now, from: self.state, to: state });
            (self.state, self.updated_at) = (state, now);
        }
    }

    /// Notes what came of its rows so far.
    pub(super) fn note(&mut self, progress: &Progress) {
        let (failed, counts): (Vec<_>, Vec<_>) = progress.counts.iter().cloned().partition(|(name, _)| name == FAILED);
        self.counts = counts;
        self.failure_count = failed.first().map_or(0, |(_, count)| *count);
        let failure = |(row, reason): &(String, String)| {
            let (row, kind) = row.split_once(' ').unwrap_or((row, ""));
            Failure { row: row.parse().unwrap_or_default(), kind: kind.to_owned(), reason: reason.clone() }
        };
        self.failures = progress.failed.iter().map(failure).collect();
    }
}
