//! What operators decide about a request: cancel, approve, choose, retry, extend, destroy (§15.3 without its HTTP).

use store::Transaction;

use super::{Connector, load_request};
use crate::{
    Error, Result,
    audit::{self, Draft},
    deadlines,
    engine::{self, PUT_OFF, Run},
    error::failed,
    executions::{self, Execution, Phase, SubTask, TaskKind, TaskStatus},
    keys,
    keyspace::{self, HERE, LOOKUP, REQUEST},
    leases,
    requests::{GivenIdentifier, Kind, Request, Verification},
    status::{Change, Facts, Reason, Status},
};

impl Connector {
    /// Withdraws a request before anything irreversible was sent.
    ///
    /// # Errors
    /// [`Error::Irreversible`]; [`Error::Status`] when it is final.
    pub async fn cancel(&self, request: &str, actor: &str) -> Result<()> {
        self.decide(request, actor, "request.canceled", |execution| {
            if execution.is_irreversible {
                return Err(Error::Irreversible);
            }
            execution.next_run_at = None;
            apply(execution, Change::Cancel(Reason::Withdrawn))
        })
        .await
    }

    /// Lets a held request run: `verified`, `approved`, `resumed` in one.
    ///
    /// # Errors
    /// [`Error::Status`] when it is not held.
    pub async fn release(&self, request: &str, actor: &str) -> Result<()> {
        let now = self.surroundings.now();
        self.decide(request, actor, "request.released", |execution| {
            if execution.state.status() == Status::Held {
                execution.approved.extend(execution.state.reason());
                apply(execution, Change::Queue)?;
                execution.next_run_at = Some(now);
            }
            Ok(())
        })
        .await
    }

    /// Notes that it was verified who asks, and lets the request go on if it waited for that.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it is done.
    pub async fn verify(&self, request: &str, verification: &Verification, actor: &str) -> Result<()> {
        let now = self.surroundings.now();
        let written = self.store.write(async |tx: &mut Transaction| {
            let mut record = load_request(tx, request).await?;
            record.verification = Some(verification.clone());
            REQUEST.put(tx, HERE, &record.id, &record);
            audit::record(tx, &Draft::by(actor, "request.verified", request).of_request(request), now).await?;
            Ok(record.state.reason())
        });
        match written.await.map_err(failed)? {
            Some(Reason::VerificationRequired) => self.release(request, actor).await,
            _ => Ok(()),
        }
    }

    /// Approves a held request; under the rule of four eyes nobody approves their own.
    ///
    /// # Errors
    /// [`Error::Conflict`].
    pub async fn approve(&self, request: &str, actor: &str) -> Result<()> {
        let record = self.request(request).await?;
        let mut tx = self.store.read();
        for id in &record.executions {
            let execution = executions::load(&mut tx, id).await?;
            let integration = crate::integrations::load(&mut tx, &execution.integration).await?;
            if integration.policies.four_eyes && record.requested_by == actor {
                return Err(Error::Conflict("nobody approves a request of their own; ask somebody else".to_owned()));
            }
        }
        drop(tx);
        self.release(request, actor).await
    }

    /// Refuses a held request.
    ///
    /// # Errors
    /// [`Error::Status`] when it is not held.
    pub async fn deny(&self, request: &str, actor: &str) -> Result<()> {
        self.decide(request, actor, "request.denied", |execution| {
            execution.next_run_at = None;
            apply(execution, Change::Cancel(Reason::Denied))
        })
        .await
    }

    /// Stops a request until it is released.
    ///
    /// # Errors
    /// [`Error::Status`] when it is final.
    pub async fn hold(&self, request: &str, actor: &str) -> Result<()> {
        self.decide(request, actor, "request.held", |execution| {
            execution.next_run_at = None;
            apply(execution, Change::Hold(Reason::Paused))
        })
        .await
    }

    /// Says which of the matches are meant, by their numbers in [`Detail`](super::Detail), and goes on.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a number that is none; [`Error::Status`] when it is not held.
    pub async fn select_targets(&self, execution: &str, numbers: &[usize], actor: &str) -> Result<()> {
        let selected = self.between_steps(execution, |run| {
            if run.execution.state.status() != Status::Held {
                return Err(Error::Conflict("the request is not held".to_owned()));
            }
            run.select(numbers)?;
            run.execution.approved.push(Reason::MultipleMatches);
            run.change(Change::Queue)?;
            run.execution.next_run_at = Some(run.now());
            Ok(true)
        });
        selected.await?;
        self.record(Draft::by(actor, "request.targets_selected", execution).with("count", numbers.len())).await
    }

    /// Starts what failed anew, and tries now what waits for its next attempt; the waits begin with the shortest again. No
    /// call goes earlier than the limit of the other side lets it.
    ///
    /// # Errors
    /// [`Error::Conflict`] when nothing failed and nothing waits to be tried again.
    pub async fn retry(&self, request: &str, actor: &str) -> Result<()> {
        let record = self.request(request).await?;
        let mut count = 0;
        for id in &record.executions {
            let started = self.between_steps(id, |run| {
                match run.execution.state.status() {
                    Status::Failed => run.start_anew()?,
                    Status::Retrying => run.try_now(),
                    // Nothing would ever go on with it otherwise.
                    Status::Processing if run.execution.next_run_at.is_none() => run.try_now(),
                    _ => return Ok(false),
                }
                Ok(true)
            });
            count += u32::from(started.await?);
        }
        if count == 0 {
            return Err(Error::Conflict("nothing of this request failed or waits to be tried again".to_owned()));
        }
        self.record(Draft::by(actor, "request.retried", request).of_request(request)).await
    }

    /// Extends the deadline, once.
    ///
    /// # Errors
    /// [`Error::Deadline`].
    pub async fn extend(&self, request: &str, reason: &str, actor: &str) -> Result<Request> {
        let now = self.surroundings.now();
        let written = self.store.write(async |tx: &mut Transaction| {
            let mut record = load_request(tx, request).await?;
            let was_extended = record.extended_due_at.is_some();
            let (regulation, received_at) = (record.regulation, record.received_at);
            let given = (was_extended, reason);
            let due_at = deadlines::extended_due_at(regulation, received_at, record.due_at, given, now)?;
            record.extended_due_at = Some(due_at);
            // There is more time now: the same shares of it are warned of anew.
            record.warned_percent = 0;
            REQUEST.put(tx, HERE, &record.id, &record);
            audit::record(tx, &Draft::by(actor, "request.extended", request).of_request(request), now).await?;
            Ok(record)
        });
        written.await.map_err(failed)
    }

    /// The requests for an identifier.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find(&self, identifier: &GivenIdentifier) -> Result<Vec<Request>> {
        let mut tx = self.store.read();
        let hash = self.pepper.hash(identifier.normal().as_bytes());
        let range = LOOKUP.prefix(HERE, &(hash,));
        let mut requests = Vec::new();
        for ((_, id), ()) in keyspace::all(&mut tx, &LOOKUP, range).await? {
            requests.push(load_request(&mut tx, &id).await?);
        }
        Ok(requests)
    }

    /// Destroys what is stored of the person of a final request: the data key first, then the blobs (§4.5).
    ///
    /// # Errors
    /// [`Error::Conflict`] when it is not final.
    pub async fn shred(&self, request: &str) -> Result<()> {
        let now = self.surroundings.now();
        let written = self.store.write(async |tx: &mut Transaction| {
            let mut record = load_request(tx, request).await?;
            let mut blobs = Vec::new();
            for id in &record.executions {
                let execution = executions::load(tx, id).await?;
                if !execution.state.status().is_final() || execution.is_background {
                    return Err(Error::Conflict("the request is not done".to_owned()));
                }
                blobs.extend(executions::artifacts(tx, id).await?.into_iter().map(|(_, artifact)| artifact.blob));
            }
            keys::shred(tx, request);
            for identifier in &record.identifiers {
                LOOKUP.delete(tx, HERE, &(identifier.lookup.clone(), request.to_owned()));
            }
            record.is_shredded = true;
            REQUEST.put(tx, HERE, &record.id, &record);
            audit::record(tx, &Draft::system("request.shredded", request).of_request(request), now).await?;
            Ok(blobs)
        });
        for blob in written.await.map_err(failed)? {
            self.blobs.remove(&blob)?;
        }
        Ok(())
    }

    /// What ties a later deletion to exactly the users that a dry run showed.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the request is no finished dry run.
    pub async fn confirm_token(&self, request: &str) -> Result<String> {
        let record = self.request(request).await?;
        let is_done = record.is_dry_run && record.state.status() == Status::Complete;
        let ([id], true) = (record.executions.as_slice(), is_done) else {
            return Err(Error::Conflict("only a finished dry run on one integration gives a token".to_owned()));
        };
        let execution = executions::load(&mut self.store.read(), id).await?;
        Ok(Run::begin(self, execution, None).await?.target_set())
    }

    /// Changes every execution of a request that is not final, between two of its steps.
    async fn decide(
        &self,
        request: &str,
        actor: &str,
        action: &'static str,
        change: impl Fn(&mut Execution) -> Result<()> + Send + Sync,
    ) -> Result<()> {
        let record = self.request(request).await?;
        let now = self.surroundings.now();
        let change = &change;
        self.once_released(async |tx: &mut Transaction| {
            for id in &record.executions {
                if leases::is_claimed(tx, id, now).await? {
                    return Ok(None);
                }
            }
            let mut count = 0;
            for id in &record.executions {
                let mut execution = executions::load(tx, id).await?;
                if !execution.state.status().is_final() {
                    change(&mut execution)?;
                    engine::put(tx, &execution).await?;
                    count += 1;
                } else if execution.is_irreversible && action == "request.canceled" {
                    return Err(Error::Irreversible);
                }
            }
            if count == 0 {
                return Err(Error::Conflict("the request is done".to_owned()));
            }
            audit::record(tx, &Draft::by(actor, action, request).of_request(request), now).await?;
            engine::roll_up(tx, request, now).await?;
            Ok(Some(()))
        })
        .await?;
        self.followers.tell(request);
        self.tell_due(now);
        Ok(())
    }

    /// Changes an execution under a claim of its own, if `change` says so; answers whether it did.
    async fn between_steps(&self, execution: &str, change: impl FnOnce(&mut Run<'_>) -> Result<bool>) -> Result<bool> {
        let lease = self.claim_one(execution).await?;
        let changed = async {
            let execution = executions::load(&mut self.store.read(), execution).await?;
            let mut run = Run::begin(self, execution, Some(&lease)).await?;
            let is_changed = change(&mut run)?;
            if is_changed {
                run.finish().await?;
            }
            Ok(is_changed)
        };
        match changed.await {
            Ok(true) => {
                self.news.notify_one();
                Ok(true)
            }
            unchanged => {
                self.give_back(&lease).await?;
                unchanged
            }
        }
    }
}

/// Whether feeds data was left alone because that of somebody else could not be deleted.
fn is_put_off(task: &SubTask) -> bool {
    task.kind == TaskKind::FeedsDelete && task.status == TaskStatus::Skipped && task.note.as_deref() == Some(PUT_OFF)
}

/// Changes the status of an execution.
pub(super) fn apply(execution: &mut Execution, change: Change) -> Result<()> {
    let facts = Facts { is_irreversible: execution.is_irreversible };
    Ok(execution.state.apply(change, facts)?)
}

impl Run<'_> {
    /// Leaves out every target but these.
    fn select(&mut self, numbers: &[usize]) -> Result<()> {
        let count = self.targets_count();
        if numbers.is_empty() || numbers.iter().any(|number| *number >= count) {
            return Err(Error::invalid("targets", "must be numbers of matches"));
        }
        for number in 0..count {
            self.target_mut(number).is_excluded = !numbers.contains(&number);
        }
        Ok(())
    }

    /// Tries again at once, as patiently as at first, what waits for that.
    fn try_now(&mut self) {
        let generation = self.execution.generation;
        let waiting: Vec<u32> = self.tasks().filter(|(_, task)| task.is_open()).map(|(order, _)| order).collect();
        for order in waiting {
            let task = self.task_mut(order);
            (task.generation, task.failures, task.failing_since) = (generation, 0, None);
        }
        self.session.look_again();
        self.wait(0);
    }

    /// Does again what was given up; what was brought stays.
    fn start_anew(&mut self) -> Result<()> {
        // Whoever waits for it sees it run: a job that is watched in the background is none any more.
        self.execution.is_background = false;
        self.change(Change::Queue)?;
        self.execution.generation += 1;
        self.try_now();
        let generation = self.execution.generation;
        let again: Vec<u32> = self
            .tasks()
            .filter(|(_, task)| {
                (task.status == TaskStatus::Failed && task.kind != TaskKind::Package) || is_put_off(task)
            })
            .map(|(order, _)| order)
            .collect();
        let was_deleting = matches!(self.execution.phase, Phase::Submit | Phase::Poll | Phase::Verify);
        let deletes_again = self.execution.kind == Kind::Deletion && was_deleting;
        for order in again {
            let kind = self.task(order).kind;
            let is_of_feeds = kind == TaskKind::FeedsDelete;
            if deletes_again && !is_of_feeds && kind != TaskKind::Reread {
                self.task_mut(order).note = Some("done again".to_owned());
                continue;
            }
            // Somebody else may have the id by now, which is looked at before feeds data is deleted again.
            let status = if is_of_feeds { TaskStatus::Uncertain } else { TaskStatus::Pending };
            let task = self.task_mut(order);
            (task.status, task.generation, task.failures, task.failing_since) = (status, generation, 0, None);
            task.upstream_task_id = task.upstream_task_id.take().filter(|_| !is_of_feeds);
        }
        if matches!(self.execution.phase, Phase::Export | Phase::Report | Phase::Package | Phase::Done) && !was_deleting
        {
            // The package is made anew when everything is there.
            self.execution.phase = Phase::Export;
        }
        if deletes_again {
            // A job that was watched in the background is nothing to wait for: what it did is found out.
            let watched = |(_, task): &(u32, &SubTask)| task.kind == TaskKind::PollTask && task.is_open();
            let watched: Vec<u32> = self.tasks().filter(watched).map(|(order, _)| order).collect();
            for order in watched {
                self.end(order, TaskStatus::Skipped, Some("done again"));
            }
            let now = self.now();
            if let Some(submission) = &mut self.execution.submission {
                (submission.first_at, submission.resubmissions) = (now, 0);
            }
            self.execution.clean_rounds = 0;
            self.execution.round = 0;
            for number in 0..self.targets_count() {
                let target = self.target_mut(number);
                (target.is_gone, target.sent_by) = (false, None);
            }
            self.delete_again();
        }
        Ok(())
    }

    /// Plans the deletion anew, unless it is still planned because something before it failed.
    fn delete_again(&mut self) {
        self.execution.phase = Phase::Submit;
        if self.tasks().any(|(_, task)| task.kind == TaskKind::DeleteUsers && task.is_open()) {
            return;
        }
        // What was sent before may have worked after all, which is found out; if nothing was, the targets are looked at.
        let was_sent = self.execution.is_irreversible;
        if !was_sent {
            self.add(TaskKind::Reread, None);
        }
        let status = if was_sent { TaskStatus::Uncertain } else { TaskStatus::Pending };
        self.add(TaskKind::DeleteUsers, None).status = status;
    }
}
