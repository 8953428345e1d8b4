//! Makes the next step of whatever is due: at most one call of the other side, then one commit of what came of it.
//!
//! **Invariant:** one step of an execution runs at a time, under a lease, and operators' decisions wait for its end.

mod access;
mod counting;
mod deletion;
mod feeds;
mod files;
mod finding;
mod paging;
mod run;
mod together;
mod verification;

use std::sync::Arc;

use futures_util::StreamExt as _;
use ids::Timestamp;
use store::{Direction, Limit, Transaction};

use crate::{
    Connector, Error, Result,
    audit::{self, Draft},
    error::failed,
    executions::{self, Phase, TaskKind},
    keyspace::{DUE, EXECUTION, HERE},
    leases::Lease,
    requests::Kind,
    status::{Change, Outcome, Reason, Status},
};

pub(crate) use feeds::PUT_OFF;
pub(crate) use finding::{query, users};
pub(crate) use paging::{PAGE, Paging};
pub(crate) use run::{Run, due_key, put, roll_up};

/// Steps that run at the same time.
const STEPS_MAX: usize = 4;
/// How long what cannot be gone on with as things are is left alone, in microseconds.
pub(crate) const PUT_OFF_FOR: i64 = 15 * 60 * 1_000_000;

impl Connector {
    /// Makes one step of each execution that is due; answers how many there were.
    ///
    /// # Errors
    /// When the store or the folder of blobs fails. What the other side does wrong is no error: it is stored.
    pub async fn run_due(&self) -> Result<usize> {
        let due = self.due(self.surroundings.now()).await?;
        let leases = self.claim_due(&due).await?;
        let steps = leases.into_iter().map(|lease| async move { self.step(&lease).await });
        let results: Vec<Result<()>> = futures_util::stream::iter(steps).buffer_unordered(STEPS_MAX).collect().await;
        let count = results.len();
        results.into_iter().collect::<Result<()>>()?;
        Ok(count + self.run_replays().await?)
    }

    /// When something is due next.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn next_due(&self) -> Result<Option<Timestamp>> {
        Ok([self.next_step().await?, self.next_replay().await?].into_iter().flatten().min())
    }

    /// When a step is due next.
    pub(crate) async fn next_step(&self) -> Result<Option<Timestamp>> {
        let first = Limit { rows: 1, ..Limit::PAGE };
        let mut range = DUE.range(HERE);
        let look = self.due.look(&mut range);
        let page = DUE.scan(&mut self.store.read(), HERE, range, Direction::Forward, first).await?;
        if let Some((first, ())) = page.rows.first() {
            self.due.found(&look, DUE.key(HERE, first));
        }
        Ok(page.rows.first().map(|((at, _), ())| Timestamp::from_micros(i64::try_from(*at).unwrap_or(i64::MAX))))
    }

    async fn due(&self, now: Timestamp) -> Result<Vec<String>> {
        let mut range = DUE.before(HERE, &(due_key(now) + 1, String::new()));
        let look = self.due.look(&mut range);
        let page = DUE.scan(&mut self.store.read(), HERE, range, Direction::Forward, Limit::PAGE).await?;
        if let Some((first, ())) = page.rows.first() {
            self.due.found(&look, DUE.key(HERE, first));
        }
        Ok(page.rows.into_iter().map(|((_, id), ())| id).collect())
    }

    /// Tells the workers of an execution that is due at `at`, once that is committed.
    pub(crate) fn tell_due(&self, at: Timestamp) {
        self.due.tell(DUE.key(HERE, &(due_key(at), String::new())));
        self.news.notify_one();
    }

    /// The lock of one batch or search.
    pub(crate) fn lock(&self, id: &str) -> Arc<tokio::sync::Mutex<()>> {
        self.locks.lock().entry(id.to_owned()).or_default().clone()
    }

    /// Makes the step that was claimed. When the claim is lost, whoever has it now goes on.
    pub(crate) async fn step(&self, lease: &Lease) -> Result<()> {
        match self.under(lease, self.make_step(lease)).await {
            Err(Error::LeaseLost) => Ok(()),
            Err(error) if error.is_of_one_request() => self.put_off(lease).await,
            made => made,
        }
    }

    /// Leaves an execution alone for a while that cannot be gone on with as it is: it holds up no other one.
    async fn put_off(&self, lease: &Lease) -> Result<()> {
        let now = self.surroundings.now();
        let written = self.store.write(async |tx: &mut Transaction| {
            lease.settle(tx, None).await?;
            let Some(mut execution) = EXECUTION.get(tx, HERE, &lease.execution().to_owned()).await? else {
                return Ok(());
            };
            execution.next_run_at = Some(now.plus_micros(PUT_OFF_FOR));
            run::put(tx, &execution).await?;
            let draft = Draft::system("execution.put_off", &execution.id).of_request(&execution.request);
            audit::record(tx, &draft, now).await?;
            Ok(())
        });
        let written = written.await.map_err(failed);
        self.released.notify_waiters();
        match written {
            Err(Error::LeaseLost) => Ok(()),
            written => written,
        }
    }

    async fn make_step(&self, lease: &Lease) -> Result<()> {
        let execution = executions::load(&mut self.store.read(), lease.execution()).await?;
        if let (Phase::Poll, Some(planned)) = (execution.phase, execution.next_run_at) {
            self.counters.polled(self.surroundings.now().micros() - planned.micros());
        }
        let mut run = Run::begin(self, execution, Some(lease)).await?;
        run.execution.next_run_at = Some(self.surroundings.now());
        // The days of grace are over.
        if run.execution.state.status() == Status::Held && run.execution.state.reason() == Some(Reason::CoolingOff) {
            run.execution.approved.push(Reason::CoolingOff);
            run.change(Change::Queue)?;
        }
        if matches!(run.execution.state.status(), Status::Queued | Status::Retrying) {
            run.change(Change::Process)?;
        }
        run.step().await?;
        run.finish().await
    }
}

impl Run<'_> {
    /// The next step of the flow.
    async fn step(&mut self) -> Result<()> {
        // Without what comes before it, a deletion is not sent.
        if let (Phase::Submit, Some(reason)) = (self.execution.phase, self.failed_task()) {
            return self.fail(reason);
        }
        let Some(order) = self.next_task() else { return self.advance().await };
        match self.task(order).kind {
            TaskKind::Resolve => self.resolve(order).await?,
            TaskKind::ExportUser => self.export_user(order).await?,
            TaskKind::UserReport => self.user_report(order).await?,
            TaskKind::ExportAsync => self.export_async(order).await?,
            TaskKind::FeedsExport => self.export_feeds(order).await?,
            TaskKind::FeedsDelete => self.delete_feeds(order).await?,
            TaskKind::ListFiles => self.list_files(order)?,
            TaskKind::FetchFile => self.fetch_file(order).await?,
            TaskKind::Package => self.package(order).await?,
            TaskKind::CountExport => self.count_export(order).await?,
            TaskKind::CountReports => self.count_reports(order).await?,
            TaskKind::Reread => self.reread(order).await?,
            TaskKind::DeleteUsers => self.delete_users(order).await?,
            TaskKind::PollTask => self.poll_task(order).await?,
            TaskKind::Verify => self.check(order).await?,
        }
        if self.next_task().is_none() && self.is_running() { self.advance().await } else { Ok(()) }
    }

    /// Plans what comes after the sub-tasks that are done.
    async fn advance(&mut self) -> Result<()> {
        match (self.execution.phase, self.execution.kind) {
            (Phase::Resolve, kind) => {
                if let Some(reason) = self.failed_task() {
                    return self.fail(reason);
                }
                if self.holds_for_matches()? {
                    return Ok(());
                }
                match kind {
                    Kind::Access => self.plan_access(),
                    Kind::Deletion => self.plan_deletion(),
                }
            }
            (Phase::Export, _) => {
                self.plan_package();
                Ok(())
            }
            (Phase::Package | Phase::Done, Kind::Access) if self.is_running() => self.finish_access(),
            // Without the whole package nothing is deleted.
            (Phase::Package, Kind::Deletion) => match self.failed_task() {
                Some(reason) => self.fail(reason),
                None => self.plan_deletion(),
            },
            (Phase::Preview, _) if self.is_running() => self.change(Change::Complete(Outcome::Preview, None)),
            (Phase::Submit | Phase::Poll, _) => match self.failed_task() {
                Some(reason) => self.fail(reason),
                None => Ok(()),
            },
            (Phase::Verify, _) => self.judge().await,
            (Phase::Package | Phase::Report | Phase::Preview | Phase::Done, _) => {
                self.execution.next_run_at = None;
                Ok(())
            }
        }
    }
}
