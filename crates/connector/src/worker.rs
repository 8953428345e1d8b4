//! What runs all the time: due steps beside one another, until it is told to stop.
//!
//! **Invariant:** a step that waits for a slow answer holds up nothing but its own execution and its place among the
//! steps of its integration.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::{
    FutureExt as _, StreamExt as _,
    future::{BoxFuture, try_join},
    stream::FuturesUnordered,
};

use ids::Timestamp;

use crate::{
    Connector, Result, audit::Draft, engine::due_key, executions, executions::Phase, keyspace::DUE, keyspace::HERE,
};

/// The longest sleep: a clock that was changed is noticed after it.
const SLEEP_MAX: Duration = Duration::from_secs(1);
/// The shortest sleep: what is due and claimed elsewhere is not looked at without a pause.
const BREATH: Duration = Duration::from_millis(10);
/// Between two sweeps, in microseconds.
const SWEEP_EVERY: i64 = 3600 * 1_000_000;
/// Steps of one integration at the same time (§7.2).
const STEPS_PER_INTEGRATION: usize = 4;
/// Steps at the same time.
const STEPS_MAX: usize = 64;
/// The pages of due executions that are looked through at once for one that may run now; the next look goes on behind them.
const DUE_PAGES_MAX: usize = 16;
/// How long steps under way may go on after the signal to stop; what they were sending is found out at the next start.
const DRAIN: Duration = Duration::from_secs(25);

/// The steps under way.
#[derive(Default)]
struct Steps<'a> {
    futures: FuturesUnordered<BoxFuture<'a, (String, Result<()>)>>,
    /// The integration of each execution that has a step under way.
    running: BTreeMap<String, String>,
}

impl Steps<'_> {
    fn has_place(&self, integration: &str) -> bool {
        let beside = self.running.values().filter(|one| *one == integration).count();
        self.running.len() < STEPS_MAX && beside < STEPS_PER_INTEGRATION
    }

    /// Waits for the end of one; for ever if there is none.
    async fn ended(&mut self) -> Result<()> {
        match self.futures.next().await {
            Some((id, ended)) => {
                self.running.remove(&id);
                ended
            }
            None => std::future::pending().await,
        }
    }
}

impl Connector {
    /// Works until `stop` is done; steps under way are finished, or given up after a while.
    ///
    /// # Errors
    /// When the store or the folder of blobs fails.
    pub fn work<'c>(&'c self, stop: impl Future<Output = ()> + Send + 'c) -> BoxFuture<'c, Result<()>> {
        let stop: BoxFuture<'c, ()> = Box::pin(stop);
        Box::pin(self.work_until(stop))
    }

    async fn work_until(&self, mut stop: BoxFuture<'_, ()>) -> Result<()> {
        let mut aside = std::pin::pin!(try_join(self.work_aside(), self.keep_delivering()));
        let mut steps = Steps::default();
        loop {
            self.look_at_clock().await?;
            self.start_due(&mut steps).await?;
            let is_busy = !steps.running.is_empty();
            let nap = self.nap(is_busy).await?.max(BREATH);
            tokio::select! {
                () = &mut stop => break,
                failed = &mut aside => return failed.map(|((), ())| ()),
                ended = steps.ended() => ended?,
                () = tokio::time::sleep(nap) => {}
                () = self.news.notified() => {}
            }
            self.aside.notify_one();
            self.outbox.notify_one();
        }
        let finished = async {
            while !steps.running.is_empty() {
                steps.ended().await?;
            }
            Ok::<_, crate::Error>(())
        };
        tokio::time::timeout(DRAIN, finished).await.unwrap_or(Ok(()))?;
        self.record(Draft::system("connector.stopped", "connector")).await?;
        while self.mirror_audit().await? > 0 {}
        Ok(())
    }

    /// What goes on beside the steps: rows of batches become requests, backups of others are searched, what is old is swept
    /// away.
    async fn work_aside(&self) -> Result<()> {
        let mut swept_at = self.surroundings.now();
        loop {
            let now = self.surroundings.now();
            if now.micros() - swept_at.micros() >= SWEEP_EVERY {
                swept_at = now;
                self.sweep().await?;
            }
            self.checkpoint_due().await?;
            let ran = self.run_batches().await? + self.run_replays().await? + self.mirror_audit().await?;
            if ran == 0 {
                let nap = self.until(self.next_replay().await?);
                tokio::select! {
                    () = tokio::time::sleep(nap) => {}
                    () = self.aside.notified() => {}
                }
            }
        }
    }

    /// Starts the step of every due execution that has a place; answers how many there were.
    async fn start_due<'a>(&'a self, steps: &mut Steps<'a>) -> Result<usize> {
        let chosen = self.choose_due(steps).await?;
        let leases = self.claim_due(&chosen).await?;
        let is_ours = |id: &String| leases.iter().any(|lease| lease.execution() == id);
        steps.running.retain(|id, _| !chosen.contains(id) || is_ours(id));
        let started = leases.len();
        for lease in leases {
            let step = async move { (lease.execution().to_owned(), self.step(&lease).await) };
            steps.futures.push(step.boxed());
        }
        Ok(started)
    }

    /// The due executions that have a place, which is kept for them. Looks at jobs go before exports (§7.2): they are short,
    /// and somebody waits for them.
    async fn choose_due(&self, steps: &mut Steps<'_>) -> Result<Vec<String>> {
        let now = self.surroundings.now();
        let mut range = DUE.before(HERE, &(due_key(now) + 1, String::new()));
        let look = self.due.look(&mut range);
        // Those that were not looked at the last time come first this time.
        let rest = self.due_rest.lock().take().filter(|rest| (&range.start..&range.end).contains(&rest));
        let mut is_first = rest.is_none();
        range.start = rest.unwrap_or(range.start);
        let mut full = BTreeSet::new();
        let mut chosen = Vec::new();
        let mut tx = self.store.read();
        for _ in 0..DUE_PAGES_MAX {
            let page = DUE.scan(&mut tx, HERE, range.clone(), store::Direction::Forward, store::Limit::PAGE).await?;
            if let Some((first, ())) = page.rows.first().filter(|_| is_first) {
                self.due.found(&look, DUE.key(HERE, first));
            }
            is_first = false;
            let mut due = Vec::new();
            for ((_, id), ()) in page.rows.iter().filter(|((_, id), ())| !steps.running.contains_key(id)) {
                due.push(executions::load(&mut tx, id).await?);
            }
            due.sort_by_key(|execution| execution.phase != Phase::Poll);
            for execution in due {
                if steps.running.len() >= STEPS_MAX {
                    return Ok(chosen);
                }
                let integration = execution.integration;
                if full.contains(&integration) {
                    continue;
                }
                if !steps.has_place(&integration) {
                    full.insert(integration);
                    continue;
                }
                steps.running.insert(execution.id.clone(), integration);
                chosen.push(execution.id);
            }
            match page.rows.last().filter(|_| page.more) {
                Some((key, ())) => range.start = store::key::after(DUE.key(HERE, key)),
                None => return Ok(chosen),
            }
        }
        *self.due_rest.lock() = Some(range.start);
        Ok(chosen)
    }

    /// How long nothing new is due.
    async fn nap(&self, is_busy: bool) -> Result<Duration> {
        // What is due and has no place is started when a step ends.
        if is_busy {
            return Ok(SLEEP_MAX);
        }
        Ok(self.until(self.next_step().await?))
    }

    /// How long it is until `at`, within the longest sleep.
    fn until(&self, at: Option<Timestamp>) -> Duration {
        let now = self.surroundings.now();
        let left = at.map(|at| Duration::from_micros(u64::try_from(at.micros() - now.micros()).unwrap_or(0)));
        left.unwrap_or(SLEEP_MAX).min(SLEEP_MAX)
    }
}

#[cfg(test)]
mod tests {
    use store::Transaction;

    use super::*;
    use crate::{error::failed, executions::Execution, keyspace::EXECUTION, requests::Kind, trial};

    #[tokio::test]
    async fn however_many_wait_for_a_place_at_one_integration_others_have_their_turn() {
        let dir = tempfile::tempdir().unwrap();
        let (connector, _) = trial::connector(dir.path()).await;
        let now = connector.surroundings.now();
        let crowd = DUE_PAGES_MAX * store::Limit::PAGE.rows + 10;
        let all: Vec<usize> = (0..=crowd).collect();
        for some in all.chunks(500) {
            let written = connector.store.write(async |tx: &mut Transaction| {
                for number in some {
                    let integration = if *number == crowd { "int_small" } else { "int_crowded" };
                    let id = format!("exe_{number:06}");
                    let mut execution = Execution::new(id.clone(), "dsr_1", integration, Kind::Access, now);
                    execution.next_run_at = Some(now);
                    EXECUTION.put(tx, HERE, &id, &execution);
                    DUE.put(tx, HERE, &(due_key(now), id), &());
                }
                Ok(())
            });
            written.await.map_err(failed).unwrap();
        }
        let mut steps = Steps::default();
        let mut chosen = connector.choose_due(&mut steps).await.unwrap();
        assert_eq!(chosen.len(), STEPS_PER_INTEGRATION, "the places of the crowded one are taken");
        chosen.extend(connector.choose_due(&mut steps).await.unwrap());
        assert_eq!(chosen.last().unwrap(), &format!("exe_{crowd:06}"));
        assert!(connector.choose_due(&mut steps).await.unwrap().is_empty(), "the next look begins at the first again");
    }
}
