//! Running a transaction again after a conflict, for callers that cannot hand their work in as a closure.

use crate::error::Error;
use crate::limits::WRITE_ATTEMPTS_MAX;
use crate::store::Store;
use crate::transaction::Transaction;
use crate::turn::Turn;

/// The attempts at one transaction: begin, do the work, commit, and begin again as long as `commit` says so.
pub struct Attempts {
    store: Store,
    made: u32,
    turn: Turn,
}

impl Store {
    /// Attempts at a transaction; what [`Store::write`] does, in the caller's hands.
    pub fn attempts(&self) -> Attempts {
        Attempts { store: self.clone(), made: 0, turn: Turn::default() }
    }
}

impl Attempts {
    /// Begins the next attempt.
    pub fn begin(&mut self) -> Transaction {
        self.made += 1;
        self.store.begin()
    }

    /// Commits the attempt: `true` when it is done, `false` when another commit interfered and the work must be done
    /// again. A transaction that wrote nothing is not committed at all.
    ///
    /// # Errors
    /// [`Error::Contended`] after too many attempts; whatever cannot be mended by another.
    pub async fn commit(&mut self, tx: Transaction) -> Result<bool, Error> {
        if tx.is_empty() {
            return Ok(true);
        }
        match self.store.commit_or_resolve(tx, &self.turn).await {
            Ok(_) => {
                self.turn = Turn::default();
                Ok(true)
            }
            Err(error) if error.is_retryable() && self.made < WRITE_ATTEMPTS_MAX => {
                self.store.await_turn(self.made + 1, &mut self.turn).await;
                Ok(false)
            }
            Err(error) if error.is_retryable() => Err(Error::Contended { attempts: self.made }),
            Err(error) => Err(error),
        }
    }
}
