//! Deletion of feeds data (§11.5): before the account goes, with a call and a job of its own for each person.
//!
//! **Invariant:** what fails here stops the deletion before the account is removed.

use serde_json::json;

use super::{
    deletion::{Fate, said},
    run::Run,
};
use crate::{
    Result,
    executions::{Failure, TaskStatus},
    status::{Change, Reason},
    upstream::{Call, Endpoint, Meaning, TaskWord},
};

const SECOND: i64 = 1_000_000;
/// The first wait for the job; it doubles.
const POLL_FIRST: i64 = 5 * SECOND;
const POLL_MOST: i64 = 300 * SECOND;
/// Two weeks of looks.
const POLLS_MAX: u32 = 4_100;
/// What is noted at a deletion that was not made because one before it failed.
pub(crate) const PUT_OFF: &str = "feeds data could not be deleted";

impl Run<'_> {
    /// Deletes what a user has in feeds, and waits until that is done.
    pub(super) async fn delete_feeds(&mut self, order: u32) -> Result<()> {
        match self.task(order).upstream_task_id.clone() {
            Some(task_id) => self.await_feeds(order, &task_id).await,
            None => self.send_feeds(order).await,
        }
    }

    async fn send_feeds(&mut self, order: u32) -> Result<()> {
        // Doing it twice does no harm, unless somebody else has the id by now.
        if matches!(self.task(order).status, TaskStatus::Sending | TaskStatus::Uncertain) {
            let left = self.not_gone()?;
            let Some((fates, _)) = self.fates(order, &left).await? else {
                // The question failed, and the doubt stays.
                if !self.task(order).is_open() {
                    return self.stop_before_the_account(order);
                }
                self.task_mut(order).status = TaskStatus::Uncertain;
                return Ok(());
            };
            if fates.iter().any(|(_, fate)| matches!(fate, Fate::Changed)) {
                return self.change(Change::Hold(Reason::IdentityChanged));
            }
        }
        let (number, id) = self.target_of(order)?;
        if self.target(number).is_gone {
            self.end(order, TaskStatus::Skipped, Some("gone"));
            return Ok(());
        }
        let call = Call::post_to(Endpoint::FeedsDelete, &id, &json!({"hard_delete": true}));
        if !self.may_call(&call)? {
            return Ok(());
        }
        let hash = call.intent_hash(&self.session.dialect);
        self.execution.is_irreversible = true;
        let task = self.task_mut(order);
        (task.status, task.intent_hash) = (TaskStatus::Sending, Some(hash.clone()));
        self.audit("feeds_deletion.sending", |draft| draft.with("body_sha256", &hash));
        self.save().await?;
        let answer = self.send(order, &call, None).await;
        match answer.meaning {
            Meaning::Ok => match answer.json().and_then(|body| body["task_id"].as_str().map(str::to_owned)) {
                Some(task_id) if !task_id.is_empty() => {
                    self.audit("feeds_deletion.accepted", |draft| draft.with("task_id", &task_id));
                    let task = self.task_mut(order);
                    (task.status, task.upstream_task_id) = (TaskStatus::AwaitingRemote, Some(task_id));
                    self.wait(POLL_FIRST);
                    Ok(())
                }
                _ => self.again(order, &call, &answer.unreadable("an acceptance without a task id")),
            },
            Meaning::NotFound => {
                self.end(order, TaskStatus::Skipped, Some("gone"));
                Ok(())
            }
            _ => self.again(order, &call, &answer),
        }
    }

    /// Tries again, or stops the whole deletion.
    fn again(&mut self, order: u32, call: &Call, answer: &crate::upstream::Answer) -> Result<()> {
        self.retry(order, call, answer)?;
        if self.task(order).status == TaskStatus::Failed {
            return self.stop_before_the_account(order);
        }
        if self.task(order).status == TaskStatus::Retrying && answer.meaning != Meaning::RateLimited {
            self.task_mut(order).status = TaskStatus::Uncertain;
        }
        Ok(())
    }

    fn stop_before_the_account(&mut self, order: u32) -> Result<()> {
        let reason = self.task(order).last_error.as_ref().map_or(Reason::TaskFailed, |error| error.reason);
        self.skip_the_rest(PUT_OFF);
        self.fail(reason)
    }

    async fn await_feeds(&mut self, order: u32, task_id: &str) -> Result<()> {
        let call = Call::get(Endpoint::GetTask, task_id);
        let Some(answer) = self.call(order, &call, None, &[Meaning::NotFound]).await? else {
            return if self.task(order).is_open() { Ok(()) } else { self.stop_before_the_account(order) };
        };
        let body = answer.json().unwrap_or_default();
        let word = body["status"].as_str().and_then(|word| self.session.dialect.task_word(word));
        let polls = self.task(order).attempts.saturating_sub(1);
        let (reason, message) = match word {
            Some(TaskWord::Completed) => {
                self.end(order, TaskStatus::Complete, None);
                return Ok(());
            }
            Some(TaskWord::Failed) => (Reason::TaskFailed, self.scrubbed(&said(&body))),
            _ if answer.meaning == Meaning::NotFound => (Reason::TaskFailed, "the job is not known there".to_owned()),
            _ if polls >= POLLS_MAX => (Reason::TaskTimeout, "the job does not end".to_owned()),
            _ => {
                self.task_mut(order).status = TaskStatus::AwaitingRemote;
                self.wait(POLL_FIRST.saturating_mul(1 << polls.min(10)).min(POLL_MOST));
                return Ok(());
            }
        };
        self.task_mut(order).last_error = Some(Failure { reason, http: answer.status, code: answer.code, message });
        self.end(order, TaskStatus::Failed, None);
        self.stop_before_the_account(order)
    }
}
