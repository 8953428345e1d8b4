//! Who commits when, among those who lose again and again.
//!
//! Most commits go beside one another. Who has lost often waits for a turn: those who did would only make each other lose.
//! Newcomers, who have not lost yet, do so all the same; who loses to them, too, at last commits while nobody else does.

use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard, OwnedRwLockWriteGuard, RwLock, RwLockReadGuard};

use crate::limits::{ATTEMPTS_BESIDE_OTHERS, ATTEMPTS_NOT_ALONE};

/// The turns of a store.
#[derive(Default)]
pub(crate) struct Turns {
    /// Held by the one whose turn it is.
    often: Arc<Mutex<()>>,
    /// Held together by all who commit, while they do, or by the one who does so alone, from the beginning of its attempt.
    commits: Arc<RwLock<()>>,
}

/// What one writer holds of them.
#[derive(Default)]
pub(crate) struct Turn {
    often: Option<OwnedMutexGuard<()>>,
    alone: Option<OwnedRwLockWriteGuard<()>>,
}

impl Turns {
    /// Waits for what the writer's next attempt, its `attempt`th, needs; answers whether no pause is needed before it.
    pub(crate) async fn take(&self, attempt: u32, turn: &mut Turn) -> bool {
        if attempt > ATTEMPTS_BESIDE_OTHERS && turn.often.is_none() {
            turn.often = Some(self.often.clone().lock_owned().await);
            return true;
        }
        if attempt > ATTEMPTS_NOT_ALONE && turn.alone.is_none() {
            turn.alone = Some(self.commits.clone().write_owned().await);
        }
        turn.alone.is_some()
    }

    /// Waits until nobody commits alone, and keeps it so; whoever does that itself need not wait.
    pub(crate) async fn beside_others(&self, turn: &Turn) -> Option<RwLockReadGuard<'_, ()>> {
        if turn.alone.is_some() { None } else { Some(self.commits.read().await) }
    }
}
