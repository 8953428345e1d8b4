//! One step of an execution: what it has read, what it changes, and the commit of both.

mod calls;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Arc;

use ids::Timestamp;
use serde_json::{Value, json};
use store::Transaction;

use crate::{
    Connector, Result,
    audit::{self, Draft},
    blobs::Written,
    error::failed,
    executions::{self, Artifact, Attempt, Check, Execution, Failure, Phase, SubTask, Target, TaskKind, TaskStatus},
    integrations::{self, Health, Integration, Ledger},
    keys::{DataKey, Place},
    keyspace::{ARTIFACT, ATTEMPT, DUE, EXECUTION, HERE, INTEGRATION, LIMIT, REQUEST, SUB_TASK, TARGET},
    leases::Lease,
    redact::scrub,
    replays,
    requests::Request,
    status::{self, Change, Facts, Outcome, Reason, Status},
    upstream::{Answer, Session},
};

const DAY: i64 = 24 * 3600 * 1_000_000;

/// A step under way.
pub(crate) struct Run<'a> {
    pub(crate) connector: &'a Connector,
    /// Under which it commits; without one it only looks.
    lease: Option<&'a Lease>,
    pub(crate) execution: Execution,
    pub(crate) request: Request,
    pub(crate) integration: Integration,
    pub(crate) key: DataKey,
    pub(crate) session: Arc<Session>,
    tasks: BTreeMap<u32, SubTask>,
    pub(crate) targets: Vec<Target>,
    pub(crate) artifacts: BTreeMap<String, Artifact>,
    changed: Changed,
}

/// What the commit has to write beside the execution.
#[derive(Default)]
struct Changed {
    tasks: BTreeSet<u32>,
    targets: BTreeSet<usize>,
    artifacts: BTreeSet<String>,
    attempts: BTreeMap<(u32, u32), Attempt>,
    audits: Vec<Draft>,
    /// Events, each with the entry of the audit log that tells the same.
    events: Vec<(Draft, Value)>,
    limits: BTreeSet<crate::upstream::Endpoint>,
    health: Option<(Health, Option<String>)>,
    /// The ids of the erased, each with whether the id itself is kept, sealed.
    erased: Vec<(String, bool)>,
}

/// A due time as a key.
pub(crate) fn due_key(at: Timestamp) -> u64 {
    u64::try_from(at.micros()).unwrap_or(0)
}

/// Brings the request up to its executions.
pub(crate) async fn roll_up(tx: &mut Transaction, id: &str, now: Timestamp) -> Result<Request> {
    let mut request = crate::connector::load_request(tx, id).await?;
    let mut states = Vec::new();
    for execution in &request.executions {
        states.push(executions::load(tx, execution).await?.state);
    }
    let state = status::roll_up(&states);
    if state != request.state {
        let draft = Draft::system("request.status", id).of_request(id).with("status", state.status());
        let seq = audit::record(tx, &draft, now).await?;
        request.finished_at = state.status().is_final().then_some(now);
        request.state = state;
        REQUEST.put(tx, HERE, &request.id, &request);
        crate::hooks::tell(tx, &request, seq, now).await?;
        crate::opendsr::tell(tx, &request, seq, now).await?;
    }
    Ok(request)
}

impl<'a> Run<'a> {
    pub(crate) async fn begin(
        connector: &'a Connector,
        execution: Execution,
        lease: Option<&'a Lease>,
    ) -> Result<Run<'a>> {
        let mut tx = connector.store.read();
        let request = crate::connector::load_request(&mut tx, &execution.request).await?;
        let integration = integrations::load(&mut tx, &execution.integration).await?;
        let key = connector.ring.load(&mut tx, &request.id).await?;
        let tasks = executions::sub_tasks(&mut tx, &execution.id).await?.into_iter().collect();
        let targets = executions::targets(&mut tx, &execution.id).await?;
        let artifacts = executions::artifacts(&mut tx, &execution.id).await?.into_iter().collect();
        let session = connector.session(&integration).await?;
        let changed = Changed::default();
        Ok(Run { connector, lease, execution, request, integration, key, session, tasks, targets, artifacts, changed })
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.connector.surroundings.now()
    }

    /// The first sub-task that is not done.
    pub(crate) fn next_task(&self) -> Option<u32> {
        self.tasks.iter().find(|(_, task)| task.is_open()).map(|(order, _)| *order)
    }

    pub(crate) fn task(&self, order: u32) -> &SubTask {
        &self.tasks[&order]
    }

    /// All sub-tasks, in order.
    pub(crate) fn tasks(&self) -> impl Iterator<Item = (u32, &SubTask)> {
        self.tasks.iter().map(|(order, task)| (*order, task))
    }

    pub(crate) fn task_mut(&mut self, order: u32) -> &mut SubTask {
        self.changed.tasks.insert(order);
        self.tasks.get_mut(&order).expect("a sub-task that was looked up is there")
    }

    pub(crate) fn target_mut(&mut self, number: usize) -> &mut Target {
        self.changed.targets.insert(number);
        &mut self.targets[number]
    }

    /// Adds a sub-task after all others.
    pub(crate) fn add(&mut self, kind: TaskKind, target: Option<usize>) -> &mut SubTask {
        let order = self.execution.sub_tasks;
        self.execution.sub_tasks += 1;
        let mut task = SubTask::new(kind, self.execution.generation);
        task.target = target.map(|number| u32::try_from(number).expect("targets are counted"));
        self.tasks.insert(order, task);
        self.task_mut(order)
    }

    /// Adds a check of a round.
    pub(crate) fn add_check(&mut self, check: Check, target: Option<usize>, identifier: Option<usize>) {
        let round = self.execution.round;
        let task = self.add(TaskKind::Verify, target);
        (task.check, task.round) = (Some(check), round);
        task.identifier = identifier.map(|number| u32::try_from(number).expect("identifiers are few"));
    }

    /// Adds a target; answers its number.
    pub(crate) fn add_target(&mut self, id: &str, mut target: Target) -> usize {
        let number = self.targets.len();
        target.sealed_id = self.key.seal(self.target_place(&number.to_string()), id.as_bytes());
        self.targets.push(target);
        self.changed.targets.insert(number);
        self.execution.targets += 1;
        number
    }

    /// The id of a target.
    pub(crate) fn target_id(&self, number: usize) -> Result<String> {
        Ok(self.key.open_text(self.target_place(&number.to_string()), &self.targets[number].sealed_id)?)
    }

    /// The numbers and ids of the targets that are meant.
    pub(crate) fn target_ids(&self) -> Result<Vec<(usize, String)>> {
        let meant = (0..self.targets.len()).filter(|number| !self.targets[*number].is_excluded);
        meant.map(|number| Ok((number, self.target_id(number)?))).collect()
    }

    /// Completes what needs no further call, because nobody is meant or only a look was asked for; whether it did.
    pub(super) fn ends_with_the_look(&mut self, meant: &[(usize, String)]) -> Result<bool> {
        let (phase, outcome) = match (meant.is_empty(), self.request.is_dry_run) {
            (true, _) => (Phase::Done, Outcome::NoRecordsFound),
            (false, true) => (Phase::Preview, Outcome::Preview),
            (false, false) => return Ok(false),
        };
        self.execution.phase = phase;
        self.change(Change::Complete(outcome, None))?;
        Ok(true)
    }

    pub(crate) fn connector(&self) -> &'a Connector {
        self.connector
    }

    pub(crate) fn request(&self) -> &Request {
        &self.request
    }

    pub(crate) fn integration(&self) -> &Integration {
        &self.integration
    }

    /// The host that is asked.
    pub(crate) fn host(&self) -> String {
        self.session.address.host()
    }

    pub(crate) fn data_key(&self) -> &DataKey {
        &self.key
    }

    pub(crate) fn target(&self, number: usize) -> &Target {
        &self.targets[number]
    }

    /// The stored bodies, by name.
    pub(crate) fn artifacts(&self) -> impl Iterator<Item = (&str, &Artifact)> {
        self.artifacts.iter().map(|(name, artifact)| (name.as_str(), artifact))
    }

    /// How many users matched.
    pub(crate) fn targets_count(&self) -> usize {
        self.targets.len()
    }

    fn target_place<'p>(&'p self, field: &'p str) -> Place<'p> {
        Place { table: "target", row: &self.execution.id, field }
    }

    /// Names a stored body.
    pub(crate) fn keep(&mut self, name: String, written: &Written, order: u32) {
        let place = Place { table: "artifact", row: &self.execution.id, field: &name };
        let sealed_key = self.key.seal(place, &written.key[..]);
        let (blob, sha256) = (written.blob.clone(), written.sha256.clone());
        self.artifacts.insert(name.clone(), Artifact { blob, sealed_key, sha256, bytes: written.bytes, order });
        self.changed.artifacts.insert(name);
    }

    /// Stores a small body.
    pub(crate) fn keep_bytes(&mut self, name: &str, bytes: &[u8], order: u32) -> Result<()> {
        let mut writer = self.new_blob()?;
        writer.write_all(bytes).map_err(crate::error::file("blobs"))?;
        let written = writer.finish()?;
        self.keep(name.to_owned(), &written, order);
        Ok(())
    }

    pub(crate) fn new_blob(&self) -> Result<crate::blobs::Writer> {
        let machine = &self.connector.surroundings;
        self.connector.blobs.create(&machine.id(""), machine.bytes())
    }

    pub(crate) fn audit(&mut self, action: &'static str, detail: impl Fn(Draft) -> Draft) {
        let draft = Draft::system(action, &self.execution.id).of_request(&self.request.id);
        self.changed.audits.push(detail(draft));
    }

    /// Tells operators and receivers of events something about the request.
    pub(crate) fn announce(&mut self, action: &'static str, facts: &[(&'static str, &str)]) {
        let mut draft = Draft::system(action, &self.execution.id).of_request(&self.request.id);
        let mut data = json!({
            "request_id": self.request.id,
            "external_id": self.request.external_id,
            "integration_id": self.execution.integration,
        });
        for (name, value) in facts {
            draft = draft.with(name, value);
            data[*name] = (*value).into();
        }
        self.changed.events.push((draft, data));
    }

    /// Notes in the ledger that the users are erased, as its mode says.
    pub(crate) fn remember_erased(&mut self) -> Result<()> {
        for (_, id) in self.target_ids()? {
            match self.integration.watching.ledger {
                Ledger::Off => {}
                Ledger::Hash => self.changed.erased.push((id, false)),
                Ledger::Encrypted => self.changed.erased.push((id, true)),
            }
        }
        Ok(())
    }

    /// Whether the flow goes on now.
    pub(crate) fn is_running(&self) -> bool {
        self.execution.is_background || self.execution.state.status() == Status::Processing
    }

    /// Changes the status; in the background it stays what was said.
    pub(crate) fn change(&mut self, change: Change) -> Result<()> {
        let facts = Facts { is_irreversible: self.execution.is_irreversible };
        if self.execution.is_background && !matches!(change, Change::Complete(..)) {
            return Ok(());
        }
        let before = self.execution.state.status();
        self.execution.state.apply(change, facts)?;
        let state = self.execution.state.clone();
        if state.status().is_final() || state.status() == Status::Held {
            self.execution.next_run_at = None;
        }
        if before != state.status() {
            let reason = state.reason().map(Reason::word).unwrap_or_default();
            self.audit("execution.status", |draft| draft.with("status", state.status()).with("reason", reason));
        }
        Ok(())
    }

    /// Stops for good; what was done before says how.
    pub(crate) fn fail(&mut self, reason: Reason) -> Result<()> {
        if self.execution.is_background {
            self.execution.flag(crate::requests::Flag::PostCompletionFailure);
            self.execution.is_background = false;
            self.execution.next_run_at = None;
            self.announce("request.post_completion_failure", &[("reason", reason.word())]);
            return Ok(());
        }
        let did_something = self.execution.is_irreversible
            || self.tasks.values().any(|task| {
                let brings = matches!(
                    task.kind,
                    TaskKind::ExportUser | TaskKind::UserReport | TaskKind::ExportAsync | TaskKind::FeedsExport
                );
                brings && task.status == TaskStatus::Complete
            });
        let outcome = if did_something { Outcome::Partial } else { Outcome::None };
        self.change(Change::Fail(outcome, reason))
    }

    /// Why a sub-task of this generation was given up.
    pub(crate) fn failed_task(&self) -> Option<Reason> {
        let failed =
            |task: &&SubTask| task.status == TaskStatus::Failed && task.generation == self.execution.generation;
        let task = self.tasks.values().find(failed)?;
        Some(task.last_error.as_ref().map_or(Reason::Incomplete, |error| error.reason))
    }

    /// Goes on at `at`.
    pub(crate) fn wait_until(&mut self, at: Timestamp) {
        self.execution.next_run_at = Some(at);
    }

    pub(crate) fn wait(&mut self, micros: i64) {
        self.wait_until(self.now().plus_micros(micros));
    }

    /// Ends a sub-task.
    pub(crate) fn end(&mut self, order: u32, status: TaskStatus, note: Option<&str>) {
        let now = self.now();
        let task = self.task_mut(order);
        task.status = status;
        task.ended_at = Some(now);
        task.note = note.map(str::to_owned);
    }

    /// Ends every sub-task that is not done.
    pub(crate) fn skip_the_rest(&mut self, why: &str) {
        while let Some(order) = self.next_task() {
            self.end(order, TaskStatus::Skipped, Some(why));
        }
    }

    /// Ends a sub-task as given up.
    pub(crate) fn give_up(&mut self, order: u32, reason: Reason, answer: &Answer) {
        let failure = self.failure(reason, answer);
        self.task_mut(order).last_error = Some(failure);
        self.end(order, TaskStatus::Failed, None);
    }

    /// What is kept of an answer that was not hoped for.
    pub(crate) fn failure(&self, reason: Reason, answer: &Answer) -> Failure {
        let message = self.scrubbed(&answer.message);
        Failure { reason, http: answer.status, code: answer.code, message }
    }

    /// What the other side said, without those whom the request is about.
    pub(crate) fn scrubbed(&self, said: &str) -> String {
        let targets = (0..self.targets.len()).filter_map(|number| self.target_id(number).ok());
        let given = self.request.open(&self.key).unwrap_or_default();
        let given = given.into_iter().map(|one| one.value.expose().clone());
        let names: Vec<String> = targets.chain(given).collect();
        scrub(said, &names.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Commits what there is, and goes on with the step.
    pub(crate) async fn save(&mut self) -> Result<()> {
        let until = self.connector.lease_end();
        self.commit(Some(until)).await?;
        self.lease.inspect(|lease| lease.renewed(until));
        Ok(())
    }

    /// Commits the step, and gives its claim back.
    pub(crate) async fn finish(&mut self) -> Result<()> {
        self.commit(None).await?;
        self.connector.released.notify_waiters();
        Ok(())
    }

    /// Commits what there is, if the claim is still ours; it is held until `until` then, or ends.
    async fn commit(&mut self, until: Option<Timestamp>) -> Result<()> {
        let lease = self.lease.expect("a run without a lease only looks");
        let changed = std::mem::take(&mut self.changed);
        let now = self.now();
        let (execution, id) = (&self.execution, &self.execution.id);
        let (tasks, targets, artifacts, session) = (&self.tasks, &self.targets, &self.artifacts, &self.session);
        let changed = &changed;
        let written = self.connector.store.write(async |tx: &mut Transaction| {
            lease.settle(tx, until).await?;
            for order in &changed.tasks {
                SUB_TASK.put(tx, HERE, &(id.clone(), *order), &tasks[order]);
            }
            for number in &changed.targets {
                let key = (id.clone(), u32::try_from(*number).expect("targets are counted"));
                TARGET.put(tx, HERE, &key, &targets[*number]);
            }
            for name in &changed.artifacts {
                ARTIFACT.put(tx, HERE, &(id.clone(), name.clone()), &artifacts[name]);
            }
            for ((order, number), attempt) in &changed.attempts {
                ATTEMPT.put(tx, HERE, &(id.clone(), *order, *number), attempt);
            }
            for endpoint in &changed.limits {
                if let Some(limit) = session.limit(*endpoint) {
                    LIMIT.put(tx, HERE, &(execution.integration.clone(), endpoint.word().to_owned()), &limit);
                }
            }
            if let Some((health, why)) = &changed.health {
                let mut integration = integrations::load(tx, &execution.integration).await?;
                // What an operator switched off stays off.
                if integration.health != Health::Disabled {
                    integrations::set_health(tx, &mut integration, *health, why.clone(), now).await?;
                }
                INTEGRATION.put(tx, HERE, &integration.id, &integration);
            }
            if !changed.erased.is_empty() {
                let key = self.connector.ring.load(tx, &execution.integration).await?;
                for (id, is_kept) in &changed.erased {
                    let row = (execution.integration.clone(), self.connector.erased_hash(id));
                    replays::remember(tx, row, is_kept.then_some((id.as_str(), &key)), now);
                }
            }
            let mut audit_seqs = execution.audit_seqs.clone();
            for draft in &changed.audits {
                let seq = audit::record(tx, draft, now).await?;
                if draft.action.contains("deletion.") {
                    audit_seqs.push(seq);
                }
            }
            put(tx, &Execution { audit_seqs: audit_seqs.clone(), ..execution.clone() }).await?;
            for (draft, data) in &changed.events {
                let seq = audit::record(tx, draft, now).await?;
                crate::hooks::announce(tx, draft.action, &execution.request, data, seq, now).await?;
            }
            roll_up(tx, &execution.request, now).await?;
            Ok(audit_seqs)
        });
        self.execution.audit_seqs = written.await.map_err(failed)?;
        if let Some(at) = self.execution.next_run_at {
            self.connector.due.tell(DUE.key(HERE, &(due_key(at), String::new())));
        }
        self.connector.followers.tell(&self.execution.request);
        Ok(())
    }
}

/// Writes an execution and when it is due.
///
/// **Invariant:** what may run is due some time: nothing else would ever go on with it. Whoever commits this says so to
/// [`Connector::tell_due`].
pub(crate) async fn put(tx: &mut Transaction, execution: &Execution) -> Result<()> {
    let runs = matches!(execution.state.status(), Status::Queued | Status::Processing | Status::Retrying);
    debug_assert!(!runs || execution.next_run_at.is_some(), "an execution runs and is never due: {execution:?}");
    if let Some(before) = EXECUTION.get(tx, HERE, &execution.id).await?.and_then(|before| before.next_run_at) {
        DUE.delete(tx, HERE, &(due_key(before), execution.id.clone()));
    }
    if let Some(at) = execution.next_run_at {
        DUE.put(tx, HERE, &(due_key(at), execution.id.clone()), &());
    }
    EXECUTION.put(tx, HERE, &execution.id, execution);
    Ok(())
}
