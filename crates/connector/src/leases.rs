//! Who makes the next step of an execution (§4.2): a worker *claims* it; the claim is a row that ends by itself unless it
//! is renewed, and the commit of the step demands that the row is still there as it was.
//!
//! **Invariant:** a step commits only under the lease that it began with, and no byte of it leaves this machine by a
//! worker that knows its lease to have ended.

use std::{
    future::poll_fn,
    pin::pin,
    sync::atomic::{AtomicI64, Ordering},
    task::Poll,
    time::Duration,
};

use ids::Timestamp;
use minicbor::{Decode, Encode};
use store::{Body, Transaction};

use crate::{
    Connector, Error, Result,
    error::failed,
    executions,
    keyspace::{HERE, LEASE},
};

/// Between two renewals.
const RENEW_EVERY: Duration = Duration::from_secs(20);
/// How long a decision waits before it looks again whether a worker is done that told nobody.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a claim holds, in microseconds.
pub(crate) const HELD: i64 = 60 * 1_000_000;

/// A claim as it is stored.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct Claim {
    /// The fencing token: no two claims have the same.
    #[n(0)]
    token: u64,
    /// When it ends, unless it is renewed.
    #[n(1)]
    until: Timestamp,
}

/// The claim of a worker that is at work.
#[derive(Debug)]
pub(crate) struct Lease {
    execution: String,
    token: u64,
    until: AtomicI64,
}

/// Whether a worker is at a step of the execution: what changes it otherwise waits for the end of the step.
pub(crate) async fn is_claimed(tx: &mut Transaction, execution: &str, now: Timestamp) -> Result<bool> {
    Ok(LEASE.get(tx, HERE, &execution.to_owned()).await?.is_some_and(|claim| now < claim.until))
}

impl Lease {
    /// The execution that is claimed.
    pub(crate) fn execution(&self) -> &str {
        &self.execution
    }

    /// Whether it has ended at `now`, as far as its holder knows.
    fn has_ended(&self, now: Timestamp) -> bool {
        now.micros() >= self.until.load(Ordering::Relaxed)
    }

    /// Demands that the claim is still this one, and ends it or, with `until`, holds it longer.
    pub(crate) async fn settle(&self, tx: &mut Transaction, until: Option<Timestamp>) -> Result<()> {
        let claim = LEASE.get(tx, HERE, &self.execution).await?;
        if claim.is_none_or(|claim| claim.token != self.token) {
            return Err(Error::LeaseLost);
        }
        match until {
            Some(until) => LEASE.put(tx, HERE, &self.execution, &Claim { token: self.token, until }),
            None => LEASE.delete(tx, HERE, &self.execution),
        }
        Ok(())
    }

    /// Notes that a commit holds it longer.
    pub(crate) fn renewed(&self, until: Timestamp) {
        self.until.fetch_max(until.micros(), Ordering::Relaxed);
    }
}

impl Connector {
    /// Until when a claim holds that is made or renewed now.
    pub(crate) fn lease_end(&self) -> Timestamp {
        self.surroundings.now().plus_micros(HELD)
    }

    /// Forgets the claims of instances before this one: nobody is at work on them.
    pub(crate) async fn forget_claims(&self) -> Result<()> {
        self.store.clear(LEASE.range(HERE)).await?;
        Ok(())
    }

    /// Claims those executions that are due and nobody is at work on, in one commit.
    pub(crate) async fn claim_due(&self, executions: &[String]) -> Result<Vec<Lease>> {
        let now = self.surroundings.now();
        let is_due = |execution: &executions::Execution| execution.next_run_at.is_some_and(|at| at <= now);
        self.claim(executions, is_due).await
    }

    /// Claims one execution, as soon as nobody is at work on it.
    pub(crate) async fn claim_one(&self, execution: &str) -> Result<Lease> {
        let ids = [execution.to_owned()];
        loop {
            let mut released = pin!(self.released.notified());
            released.as_mut().enable();
            if let Some(lease) = self.claim(&ids, |_| true).await?.pop() {
                return Ok(lease);
            }
            // The worker may end without a word, and its claim by itself.
            let _ = tokio::time::timeout(LOOK_EVERY, released).await;
        }
    }

    async fn claim(
        &self,
        executions: &[String],
        is_wanted: impl Fn(&executions::Execution) -> bool + Send + Sync,
    ) -> Result<Vec<Lease>> {
        if executions.is_empty() {
            return Ok(Vec::new());
        }
        let (now, until) = (self.surroundings.now(), self.lease_end());
        let first = self.next_token.fetch_add(executions.len() as u64, Ordering::Relaxed);
        let is_wanted = &is_wanted;
        let claimed = self.store.write(async |tx: &mut Transaction| {
            let mut claimed = Vec::new();
            for (token, id) in (first..).zip(executions) {
                let is_free = !is_claimed(tx, id, now).await?;
                if is_free && is_wanted(&executions::load(tx, id).await?) {
                    LEASE.put(tx, HERE, id, &Claim { token, until });
                    claimed.push((id.clone(), token));
                }
            }
            Ok(claimed)
        });
        let lease = |(execution, token)| Lease { execution, token, until: AtomicI64::new(until.micros()) };
        Ok(claimed.await.map_err(failed)?.into_iter().map(lease).collect())
    }

    /// Gives a claim back under which nothing was done.
    pub(crate) async fn give_back(&self, lease: &Lease) -> Result<()> {
        let released = self.store.write(async |tx: &mut Transaction| lease.settle(tx, None).await);
        let released = released.await.map_err(failed);
        self.released.notify_waiters();
        match released {
            Err(Error::LeaseLost) => Ok(()),
            released => released,
        }
    }

    /// Runs a transaction that answers nothing as long as a worker is at a step in its way, and then once more.
    pub(crate) async fn once_released<T, F>(&self, mut body: F) -> Result<T>
    where
        T: Send,
        F: AsyncFnMut(&mut Transaction) -> Result<Option<T>> + for<'a> Body<'a, Option<T>, Error> + Send,
    {
        loop {
            let mut released = pin!(self.released.notified());
            released.as_mut().enable();
            if let Some(done) = self.store.write(&mut body).await.map_err(failed)? {
                return Ok(done);
            }
            // The worker may end without a word, and its claim by itself.
            let _ = tokio::time::timeout(LOOK_EVERY, released).await;
        }
    }

    /// Does the work of a step, and renews the claim meanwhile. It is not gone on with once the claim has ended.
    ///
    /// # Errors
    /// [`Error::LeaseLost`]; those of the work.
    pub(crate) async fn under<T>(&self, lease: &Lease, work: impl Future<Output = Result<T>>) -> Result<T> {
        let mut work = pin!(work);
        let work = poll_fn(|context| {
            if lease.has_ended(self.surroundings.now()) {
                return Poll::Ready(Err(Error::LeaseLost));
            }
            work.as_mut().poll(context)
        });
        tokio::select! {
            biased;
            done = work => done,
            lost = self.keep(lease) => Err(lost),
        }
    }

    /// Renews the claim for as long as it is ours; answers why it ended.
    async fn keep(&self, lease: &Lease) -> Error {
        loop {
            tokio::time::sleep(RENEW_EVERY).await;
            let until = self.lease_end();
            let renewed = self.store.write(async |tx: &mut Transaction| lease.settle(tx, Some(until)).await);
            match renewed.await.map_err(failed) {
                Ok(()) => lease.renewed(until),
                Err(error) => return error,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use testing::clock::HandClock;

    use super::*;
    use crate::{executions::Execution, keyspace::EXECUTION, requests::Kind, trial};

    const SECOND: i64 = 1_000_000;

    /// A connector, its clock, and an execution that is due.
    async fn here(dir: &std::path::Path) -> (Connector, HandClock, String) {
        let (connector, clock) = trial::connector(dir).await;
        let now = connector.surroundings.now();
        let id = "exe_1".to_owned();
        let written = connector.store.write(async |tx: &mut Transaction| {
            let mut execution = Execution::new(id.clone(), "dsr_1", "int_1", Kind::Access, now);
            execution.next_run_at = Some(now);
            EXECUTION.put(tx, HERE, &id, &execution);
            Ok::<_, Error>(())
        });
        written.await.unwrap();
        (connector, clock, id)
    }

    #[tokio::test]
    async fn nobody_else_has_what_is_claimed_until_the_claim_ends() {
        let dir = tempfile::tempdir().unwrap();
        let (connector, clock, id) = here(dir.path()).await;
        let ids = [id];
        let first = connector.claim_due(&ids).await.unwrap().pop().unwrap();
        assert!(connector.claim_due(&ids).await.unwrap().is_empty());
        clock.advance(HELD);
        let second = connector.claim_due(&ids).await.unwrap().pop().unwrap();
        assert!(second.token > first.token);
        let late = connector.store.write(async |tx: &mut Transaction| first.settle(tx, None).await);
        assert!(matches!(late.await.map_err(failed), Err(Error::LeaseLost)));
        connector.give_back(&first).await.unwrap();
        assert!(connector.claim_due(&ids).await.unwrap().is_empty(), "it gives back nothing but its own");
        connector.give_back(&second).await.unwrap();
        assert_eq!(connector.claim_due(&ids).await.unwrap().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_claim_is_renewed_for_as_long_as_its_work_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let (connector, clock, id) = here(dir.path()).await;
        let lease = connector.claim_one(&id).await.unwrap();
        let work = async {
            for _ in 0..20 {
                tokio::time::sleep(Duration::from_secs(15)).await;
                clock.advance(15 * SECOND);
            }
            Ok(())
        };
        connector.under(&lease, work).await.unwrap();
        assert!(connector.claim_due(&[id]).await.unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn work_whose_claim_ended_is_not_gone_on_with() {
        let dir = tempfile::tempdir().unwrap();
        let (connector, clock, id) = here(dir.path()).await;
        let lease = connector.claim_one(&id).await.unwrap();
        let work = async {
            clock.advance(HELD);
            tokio::task::yield_now().await;
            unreachable!("the claim has ended")
        };
        let lost: Result<()> = connector.under(&lease, work).await;
        assert!(matches!(lost, Err(Error::LeaseLost)));
    }
}
