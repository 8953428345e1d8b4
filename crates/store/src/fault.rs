//! Failures on demand, for tests and the simulator.

use std::sync::Arc;

/// What goes wrong with one commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// The commit is refused as a conflict.
    Conflict,
    /// The commit does not happen, and the caller is not told.
    LoseRequest,
    /// The commit happens, and the caller is not told.
    LoseAnswer,
    /// The engine fails to write the commit's group.
    WriteFails,
}

/// Chooses the fault of each commit, by its number since the store was opened, from 0.
pub type Faults = Arc<dyn Fn(u64) -> Fault + Send + Sync>;
