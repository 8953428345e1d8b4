//! The state machine that requests and executions share (§3), and how executions roll up to their request.
//!
//! **Invariant:** a status changes in [`State::apply`] alone; what is not in its table is refused.

use minicbor::{Decode, Encode};

use crate::words::words;

words! {
    /// Where a request or an execution stands.
    Status {
        /// Stored durably, not yet allowed to run.
        0 Received = "received",
        /// Waits for a human.
        1 Held = "held",
        /// May run, not picked up.
        2 Queued = "queued",
        /// Calls are running, or a job of the other side is awaited.
        3 Processing = "processing",
        /// Waits for a backoff, a reset of a limit or a connection.
        4 Retrying = "retrying",
        /// Everything asked was done, and verified where it can be.
        5 Complete = "complete",
        /// Stopped with work undone.
        6 Failed = "failed",
        /// Withdrawn before anything irreversible was sent.
        7 Canceled = "canceled",
    }
}

words! {
    /// What came of it.
    Outcome {
        /// Access found something.
        0 RecordsFound = "records_found",
        /// Nobody matched.
        1 NoRecordsFound = "no_records_found",
        /// Deleted, and seen to be gone.
        2 Erased = "erased",
        /// The deletion was accepted; nobody claims more.
        3 Submitted = "submitted",
        /// A dry run.
        4 Preview = "preview",
        /// Failed with some of it done.
        5 Partial = "partial",
        /// Failed with nothing done.
        6 None = "none",
    }
}

words! {
    /// Why something stands where it stands: stable codes.
    Reason {
        /// Nobody has verified who asks.
        0 VerificationRequired = "verification_required",
        /// Somebody must approve.
        1 ApprovalRequired = "approval_required",
        /// More users match than may be treated without a decision.
        2 MultipleMatches = "multiple_matches",
        /// An id now belongs to another account than when it was frozen.
        3 IdentityChanged = "identity_changed",
        /// The days of grace are running.
        4 CoolingOff = "cooling_off",
        /// An operator stopped it.
        5 Paused = "paused",
        /// The other side's limit is reached.
        6 RateLimited = "rate_limited",
        /// The other side is in trouble.
        7 UpstreamTrouble = "upstream_trouble",
        /// The other side cannot be reached.
        8 Unreachable = "unreachable",
        /// Whether a call arrived is not known; it is found out.
        9 Uncertain = "uncertain",
        /// The credentials are refused.
        10 IntegrationDisconnected = "integration_disconnected",
        /// A call is not allowed to this key.
        11 PermissionMissing = "permission_missing",
        /// The other side refuses the call as wrong.
        12 Rejected = "rejected",
        /// Answers that cannot be read.
        13 BadResponse = "bad_response",
        /// The other side points elsewhere, where the token must not go.
        14 Redirected = "redirected",
        /// The call does not exist there.
        15 EndpointMissing = "endpoint_missing",
        /// A list that never ends.
        16 PaginationLoop = "pagination_loop",
        /// Records that nobody asked for.
        17 FilterIgnored = "filter_ignored",
        /// Every form of the files option is refused.
        18 FilesOptionRefused = "files_option_refused",
        /// The deletion job failed, and again.
        19 TaskFailed = "task_failed",
        /// The deletion job did not end in time.
        20 TaskTimeout = "task_timeout",
        /// Something of the person is still there.
        21 ResidualData = "residual_data",
        /// The account is too large for every export.
        22 ExportTooLarge = "export_too_large",
        /// An artifact of the request cannot be had.
        23 Incomplete = "incomplete",
        /// The settings of the integration cannot erase (soft or pruning).
        24 NotHard = "not_hard",
        /// The 401s speak of a clock.
        25 ClockWrong = "clock_wrong",
        /// Withdrawn by whoever asked.
        26 Withdrawn = "withdrawn",
        /// Refused by an approver.
        27 Denied = "denied",
        /// The settings of the integration say that nobody looks whether anything is left.
        28 NotVerified = "not_verified",
    }
}

/// A change of status.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// A human must decide.
    Hold(Reason),
    /// It may run.
    Queue,
    /// It runs.
    Process,
    /// It waits, and goes on by itself.
    Retry(Reason),
    /// It is done.
    Complete(Outcome, Option<Reason>),
    /// It stopped.
    Fail(Outcome, Reason),
    /// It was withdrawn.
    Cancel(Reason),
}

/// What the state machine must know of the work behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Facts {
    /// A deletion has left, or may have left, this machine.
    pub is_irreversible: bool,
}

/// A refused change.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a request that is {from} cannot become {to}")]
pub struct Refused {
    /// The status it has.
    pub from: Status,
    /// The status it was to have.
    pub to: Status,
}

/// A status with its outcome and reason.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct State {
    #[n(0)]
    status: Status,
    #[n(1)]
    outcome: Option<Outcome>,
    #[n(2)]
    reason: Option<Reason>,
}

impl Status {
    /// Whether nothing more happens by itself.
    pub fn is_final(self) -> bool {
        matches!(self, Status::Complete | Status::Failed | Status::Canceled)
    }

    /// The words that people who come from DataGrail know.
    pub fn display_name(self) -> &'static str {
        match self {
            Status::Queued => "Not Started",
            Status::Received | Status::Held => "Pending",
            Status::Processing | Status::Retrying => "Processing – Request submitted",
            Status::Failed | Status::Canceled => "Error",
            Status::Complete => "Complete",
        }
    }
}

impl Change {
    fn to(self) -> Status {
        match self {
            Change::Hold(_) => Status::Held,
            Change::Queue => Status::Queued,
            Change::Process => Status::Processing,
            Change::Retry(_) => Status::Retrying,
            Change::Complete(..) => Status::Complete,
            Change::Fail(..) => Status::Failed,
            Change::Cancel(_) => Status::Canceled,
        }
    }
}

impl State {
    /// The first state.
    pub fn received() -> Self {
        State { status: Status::Received, outcome: None, reason: None }
    }

    /// The status.
    pub fn status(&self) -> Status {
        self.status
    }

    /// What came of it, when it is final.
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome
    }

    /// Why.
    pub fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// Changes the status, or refuses and changes nothing.
    ///
    /// # Errors
    /// [`Refused`] for every change that §3 does not list.
    pub fn apply(&mut self, change: Change, facts: Facts) -> Result<(), Refused> {
        use Status::{Canceled, Complete, Failed, Held, Processing, Queued, Received, Retrying};
        let (from, to) = (self.status, change.to());
        let is_allowed = match (from, to) {
            (Received, Held | Queued | Canceled) => true,
            (Held, Queued | Canceled | Failed) => to != Canceled || !facts.is_irreversible,
            (Queued, Processing | Held | Canceled) => to != Canceled || !facts.is_irreversible,
            (Processing, Retrying | Held | Complete | Failed) => true,
            (Retrying, Processing | Held | Failed) => true,
            (Processing | Retrying, Canceled) => !facts.is_irreversible,
            (Failed, Queued) => true,
            (Failed, Complete) => self.reason == Some(Reason::TaskTimeout),
            _ => false,
        };
        let outcome_fits = match change {
            Change::Complete(outcome, _) => !matches!(outcome, Outcome::Partial | Outcome::None),
            Change::Fail(outcome, _) => matches!(outcome, Outcome::Partial | Outcome::None),
            _ => true,
        };
        if !is_allowed || !outcome_fits {
            return Err(Refused { from, to });
        }
        let (outcome, reason) = match change {
            Change::Hold(reason) | Change::Retry(reason) | Change::Cancel(reason) => (None, Some(reason)),
            Change::Queue | Change::Process => (None, None),
            Change::Complete(outcome, reason) => (Some(outcome), reason),
            Change::Fail(outcome, reason) => (Some(outcome), Some(reason)),
        };
        *self = State { status: to, outcome, reason };
        Ok(())
    }
}

/// What a request is, given what its executions are.
pub fn roll_up(children: &[State]) -> State {
    use Status::{Canceled, Complete, Failed, Held, Processing, Queued, Received, Retrying};
    let with = |status: Status| children.iter().find(|child| child.status == status);
    let is_running = children.iter().any(|child| matches!(child.status, Queued | Processing | Retrying));
    if let (Some(failed), false) = (with(Failed), is_running) {
        let did_something = |child: &State| child.status == Complete || child.outcome == Some(Outcome::Partial);
        let outcome = if children.iter().any(did_something) { Outcome::Partial } else { Outcome::None };
        return State { status: Failed, outcome: Some(outcome), reason: failed.reason };
    }
    for status in [Held, Received, Processing, Retrying] {
        if let Some(child) = with(status) {
            return State { outcome: None, ..child.clone() };
        }
    }
    if with(Queued).is_some() {
        let status = if children.iter().all(|child| child.status == Queued) { Queued } else { Processing };
        return State { status, outcome: None, reason: None };
    }
    let complete: Vec<&State> = children.iter().filter(|child| child.status == Complete).collect();
    if complete.is_empty() {
        return State { status: Canceled, outcome: None, reason: with(Canceled).and_then(|child| child.reason) };
    }
    // What claims least decides between what was done; nothing found anywhere only if it is so everywhere.
    let order = [Outcome::Submitted, Outcome::Preview, Outcome::Erased, Outcome::RecordsFound, Outcome::NoRecordsFound];
    let first = order.iter().find_map(|outcome| complete.iter().find(|child| child.outcome == Some(*outcome)));
    (*first.unwrap_or(&complete[0])).clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            Just(Change::Hold(Reason::Paused)),
            Just(Change::Queue),
            Just(Change::Process),
            Just(Change::Retry(Reason::RateLimited)),
            Just(Change::Complete(Outcome::Erased, None)),
            Just(Change::Complete(Outcome::Partial, None)),
            Just(Change::Fail(Outcome::None, Reason::TaskFailed)),
            Just(Change::Fail(Outcome::None, Reason::TaskTimeout)),
            Just(Change::Fail(Outcome::Erased, Reason::TaskFailed)),
            Just(Change::Cancel(Reason::Withdrawn)),
        ]
    }

    fn walked(changes: Vec<(Change, bool)>) -> State {
        let mut state = State::received();
        for (change, is_irreversible) in changes {
            let _ = state.apply(change, Facts { is_irreversible });
        }
        state
    }

    fn state() -> impl Strategy<Value = State> {
        prop::collection::vec((change(), any::<bool>()), 0..8).prop_map(walked)
    }

    proptest! {
        #[test]
        fn what_is_complete_or_canceled_stays(state in state(), change in change(), irreversible in any::<bool>()) {
            let mut next = state.clone();
            let changed = next.apply(change, Facts { is_irreversible: irreversible });
            if matches!(state.status(), Status::Complete | Status::Canceled) {
                prop_assert!(changed.is_err());
                prop_assert_eq!(&next, &state);
            }
            if state.status() == Status::Failed && changed.is_ok() {
                let is_late = state.reason() == Some(Reason::TaskTimeout);
                prop_assert!(next.status() == Status::Queued || (is_late && next.status() == Status::Complete));
            }
        }

        #[test]
        fn nothing_that_may_have_deleted_is_canceled(mut state in state()) {
            let before = state.clone();
            let changed = state.apply(Change::Cancel(Reason::Withdrawn), Facts { is_irreversible: true });
            prop_assert!(changed.is_err() || before.status() == Status::Received);
        }

        #[test]
        fn an_outcome_says_whether_it_worked(state in state()) {
            match state.status() {
                Status::Complete => prop_assert!(!matches!(state.outcome(), None | Some(Outcome::Partial | Outcome::None))),
                Status::Failed => prop_assert!(matches!(state.outcome(), Some(Outcome::Partial | Outcome::None))),
                _ => prop_assert_eq!(state.outcome(), None),
            }
        }

        #[test]
        fn a_request_with_a_failed_part_is_never_complete(states in prop::collection::vec(state(), 1..6)) {
            let rolled = roll_up(&states);
            if states.iter().any(|child| child.status() == Status::Failed) {
                prop_assert_ne!(rolled.status(), Status::Complete);
            }
            if rolled.status().is_final() {
                prop_assert!(states.iter().all(|child| child.status().is_final() || child.status() == Status::Held
                    || child.status() == Status::Received));
            }
        }
    }

    #[test]
    fn what_claims_least_is_the_outcome_of_the_whole() {
        let done = |outcome| State { status: Status::Complete, outcome: Some(outcome), reason: None };
        let outcome = |children: &[State]| roll_up(children).outcome().unwrap();
        assert_eq!(outcome(&[done(Outcome::NoRecordsFound), done(Outcome::Erased)]), Outcome::Erased);
        assert_eq!(outcome(&[done(Outcome::Submitted), done(Outcome::Erased)]), Outcome::Submitted);
        assert_eq!(outcome(&[done(Outcome::NoRecordsFound)]), Outcome::NoRecordsFound);
    }

    #[test]
    fn siblings_of_a_failed_part_finish_first() {
        let failed = State { status: Status::Failed, outcome: Some(Outcome::None), reason: Some(Reason::TaskFailed) };
        let running = State { status: Status::Processing, outcome: None, reason: None };
        let done = State { status: Status::Complete, outcome: Some(Outcome::Erased), reason: None };
        assert_eq!(roll_up(&[failed.clone(), running]).status(), Status::Processing);
        let ended = roll_up(&[failed, done]);
        assert_eq!((ended.status(), ended.outcome()), (Status::Failed, Some(Outcome::Partial)));
    }
}
