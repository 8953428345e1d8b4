//! How far a batch is, counted from its rows.

use super::Row;
use crate::{
    requests::Request,
    status::{Outcome, Status},
};

/// How far a batch is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Rows that had no turn yet, or whose request was not picked up.
    pub queued: u32,
    /// Requests that run.
    pub processing: u32,
    /// Requests that are complete and found somebody.
    pub complete: u32,
    /// Requests that are complete and found nobody.
    pub no_records: u32,
    /// Rows that are wrong, and requests that failed.
    pub failed: u32,
    /// Requests that wait for a person.
    pub held: u32,
    /// Rows and requests that were withdrawn.
    pub canceled: u32,
}

impl Progress {
    /// Rows that are done.
    pub fn done(&self) -> u32 {
        self.complete + self.no_records + self.failed + self.canceled
    }

    /// Counts a row.
    pub(super) fn count(&mut self, row: &Row, request: Option<&Request>, is_canceled: bool) {
        let state = request.map(|request| &request.state);
        let field = match state.map(|state| (state.status(), state.outcome())) {
            None if row.problem.is_some() => &mut self.failed,
            None if is_canceled => &mut self.canceled,
            None | Some((Status::Received | Status::Queued, _)) => &mut self.queued,
            Some((Status::Held, _)) => &mut self.held,
            Some((Status::Processing | Status::Retrying, _)) => &mut self.processing,
            Some((Status::Complete, Some(Outcome::NoRecordsFound))) => &mut self.no_records,
            Some((Status::Complete, _)) => &mut self.complete,
            Some((Status::Failed, _)) => &mut self.failed,
            Some((Status::Canceled, _)) => &mut self.canceled,
        };
        *field += 1;
    }
}
