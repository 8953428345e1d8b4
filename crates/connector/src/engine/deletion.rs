//! Deletion (§11, §12): the intent is committed, the call is sent, its job is watched; what is unsure is found out.

use serde_json::{Value, json};

use super::{
    finding::{Found, query, users},
    run::Run,
};
use crate::{
    Result,
    executions::{Phase, Submission, TARGETS_MAX, TaskKind, TaskStatus},
    integrations::Behavior,
    requests::Flag,
    status::{Change, Outcome, Reason, Status},
    upstream::{Answer, Call, Endpoint, Meaning, Next, TaskWord, next},
};

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// The waits before a failed job is asked for again.
const RESUBMIT_AFTER: [i64; 3] = [15 * MINUTE, HOUR, 6 * HOUR];
const TIMEOUT: i64 = 14 * DAY;
/// How long a job that is given up is still watched.
const WATCH: i64 = 60 * DAY;
/// The wait before it is looked whether anything is left.
const SETTLE: i64 = 10 * SECOND;

/// What the other side has of the frozen users.
pub(super) enum Fate {
    Absent,
    Present,
    Changed,
}

impl Run<'_> {
    pub(super) fn plan_deletion(&mut self) -> Result<()> {
        let meant = self.target_ids()?;
        if self.request.is_dry_run && !meant.is_empty() {
            self.plan_counting(&meant);
            return Ok(());
        }
        if self.ends_with_the_look(&meant)? {
            return Ok(());
        }
        let is_approved = self.execution.approved.contains(&Reason::ApprovalRequired);
        if self.integration.policies.needs_approval && !is_approved {
            return self.change(Change::Hold(Reason::ApprovalRequired));
        }
        let grace = i64::from(self.integration.policies.cooling_off_secs) * SECOND;
        if grace > 0 && !self.execution.approved.contains(&Reason::CoolingOff) {
            self.change(Change::Hold(Reason::CoolingOff))?;
            self.wait(grace);
            return Ok(());
        }
        // A deletion that was previewed is for exactly the users that were shown.
        if self.execution.confirmed.as_ref().is_some_and(|confirmed| *confirmed != self.target_set()) {
            return self.change(Change::Hold(Reason::IdentityChanged));
        }
        if self.integration.contents.export_before_delete && self.execution.phase == Phase::Resolve {
            return self.plan_access();
        }
        assert!(meant.len() <= TARGETS_MAX as usize, "more matches than a call may delete are held before");
        self.add(TaskKind::Reread, None);
        if self.integration.includes_feeds() {
            // Before the account, which is needed to ask for them.
            for (number, _) in meant {
                self.add(TaskKind::FeedsDelete, Some(number));
            }
        }
        self.add(TaskKind::DeleteUsers, None);
        self.execution.phase = Phase::Submit;
        Ok(())
    }

    /// The set of targets, as a hash.
    pub(crate) fn target_set(&self) -> String {
        let meant = self.targets.iter().filter(|target| !target.is_excluded);
        let mut prints: Vec<&str> = meant.map(|target| target.fingerprint.as_str()).collect();
        prints.sort_unstable();
        crate::keys::sha256(prints.join(",").as_bytes())
    }

    /// What became of these targets, by number.
    pub(super) async fn fates(
        &mut self,
        order: u32,
        left: &[(usize, String)],
    ) -> Result<Option<(Vec<(usize, Fate)>, Answer)>> {
        let ids: Vec<&str> = left.iter().map(|(_, id)| id.as_str()).collect();
        let call = query(&json!({"id": {"$in": ids}}));
        let Some(answer) = self.call(order, &call, None, &[]).await? else { return Ok(None) };
        let Some(found) = users(&answer).filter(|found| found.iter().all(|user| ids.contains(&user.id.as_str())))
        else {
            self.retry(order, &call, &answer.unreadable("the answer is not the users that were asked for"))?;
            return Ok(None);
        };
        let fate = |(number, id): &(usize, String)| {
            let fate = match found.iter().find(|user| user.id == *id) {
                None | Some(Found { is_deleted: true, .. }) => Fate::Absent,
                Some(user) if user.created_at == self.targets[*number].created_at => Fate::Present,
                Some(_) => Fate::Changed,
            };
            (*number, fate)
        };
        Ok(Some((left.iter().map(fate).collect(), answer)))
    }

    /// The targets that are not known to be gone.
    pub(super) fn not_gone(&self) -> Result<Vec<(usize, String)>> {
        let mut left = self.target_ids()?;
        left.retain(|(number, _)| !self.targets[*number].is_gone);
        Ok(left)
    }

    /// Looks at the targets once more: whoever is another person now is not deleted.
    pub(super) async fn reread(&mut self, order: u32) -> Result<()> {
        let left = self.not_gone()?;
        let Some((fates, _)) = self.fates(order, &left).await? else { return Ok(()) };
        if fates.iter().any(|(_, fate)| matches!(fate, Fate::Changed)) {
            return self.change(Change::Hold(Reason::IdentityChanged));
        }
        let is_nobody_left = fates.iter().all(|(_, fate)| matches!(fate, Fate::Absent));
        for (number, _) in fates.iter().filter(|(_, fate)| matches!(fate, Fate::Absent)) {
            self.target_mut(*number).is_gone = true;
        }
        self.end(order, TaskStatus::Complete, None);
        if is_nobody_left && !self.execution.is_irreversible {
            self.skip_the_rest("gone");
            self.execution.phase = Phase::Done;
            return self.change(Change::Complete(Outcome::NoRecordsFound, None));
        }
        Ok(())
    }

    /// The body of the deletion: frozen users that are not known to be gone, and nobody else.
    fn deletion(&mut self) -> Result<Call> {
        let options = self.integration.delete_options.clone();
        let form = *self.execution.files_form.get_or_insert(options.files_forms[0]);
        let ids: Vec<String> = self.together()?.into_iter().map(|(_, id)| id).collect();
        let files = form.json();
        let mut body = json!({
            "user_ids": ids,
            "user": options.user.word(),
            "messages": options.messages.word(),
            "conversations": options.conversations.word(),
            "calls": options.calls.word(),
            "files": files,
        });
        if let Some(owner) = &options.new_channel_owner_id {
            body["new_channel_owner_id"] = owner.as_str().into();
        }
        self.execution.options = Some(options);
        Ok(Call::post(Endpoint::DeleteUsers, &body))
    }

    /// Sends the deletion, or finds out what became of the last time.
    pub(super) async fn delete_users(&mut self, order: u32) -> Result<()> {
        // `sending` without an answer: the process ended in between.
        if matches!(self.task(order).status, TaskStatus::Sending | TaskStatus::Uncertain) {
            return self.reconcile(order).await;
        }
        let call = self.deletion()?;
        if !self.may_call(&call)? {
            return Ok(());
        }
        let was_irreversible = self.execution.is_irreversible;
        let hash = call.intent_hash(&self.session.dialect);
        self.execution.is_irreversible = true;
        self.execution.behavior.get_or_insert(self.integration.async_deletion_behavior);
        let task = self.task_mut(order);
        (task.status, task.intent_hash) = (TaskStatus::Sending, Some(hash.clone()));
        self.audit("deletion.sending", |draft| draft.with("body_sha256", &hash));
        // T1: from here on a crash leaves `sending`, which is found out and never simply repeated.
        self.save().await?;
        let answer = self.send(order, &call, None).await;
        // T2 is the commit of this step.
        match answer.meaning {
            Meaning::Ok => match answer.json().and_then(|body| body["task_id"].as_str().map(str::to_owned)) {
                Some(task_id) if !task_id.is_empty() => self.accepted(order, Some(task_id)),
                _ => self.unsure(order, &call, &answer.unreadable("an acceptance without a task id")),
            },
            Meaning::NotFound => {
                self.task_mut(order).status = TaskStatus::Uncertain;
                Ok(())
            }
            Meaning::Rejected => {
                self.execution.is_irreversible = was_irreversible;
                self.refused(order, &answer)
            }
            Meaning::TooLarge => {
                self.execution.is_irreversible = was_irreversible;
                self.too_many(order, &answer, Reason::Rejected)
            }
            Meaning::Trouble | Meaning::Unavailable | Meaning::Lost | Meaning::BadResponse => {
                self.unsure(order, &call, &answer)
            }
            _ => {
                // It was not executed.
                self.execution.is_irreversible = was_irreversible;
                self.task_mut(order).status = TaskStatus::Retrying;
                let next = next(self.failing(order, &answer, true), &self.connector.surroundings);
                self.follow(order, &call, &answer, next)
            }
        }
    }

    /// Whether it arrived must be found out; even when patience is at its end, once.
    fn unsure(&mut self, order: u32, call: &Call, answer: &Answer) -> Result<()> {
        let next = match next(self.failing(order, answer, true), &self.connector.surroundings) {
            Next::GiveUp(reason) if self.task(order).failures > 0 => Next::GiveUp(reason),
            Next::GiveUp(_) => Next::Reconcile(self.now()),
            next => next,
        };
        self.follow(order, call, answer, next)
    }

    /// The other form of `files` is tried; never a deletion without files.
    fn refused(&mut self, order: u32, answer: &Answer) -> Result<()> {
        let forms = self.integration.delete_options.files_forms.clone();
        let at = forms.iter().position(|form| Some(*form) == self.execution.files_form).unwrap_or(0);
        match forms.get(at + 1) {
            Some(form) => {
                self.execution.files_form = Some(*form);
                let failure = self.failure(Reason::Rejected, answer);
                let task = self.task_mut(order);
                (task.status, task.last_error) = (TaskStatus::Pending, Some(failure));
                Ok(())
            }
            None => {
                self.execution.files_form = None;
                self.too_many(order, answer, Reason::FilesOptionRefused)
            }
        }
    }

    /// Fewer users go together; one alone is given up.
    fn too_many(&mut self, order: u32, answer: &Answer, reason: Reason) -> Result<()> {
        if !self.halve()? {
            self.give_up(order, reason, answer);
            return Ok(());
        }
        let failure = self.failure(reason, answer);
        let task = self.task_mut(order);
        (task.status, task.last_error) = (TaskStatus::Pending, Some(failure));
        Ok(())
    }

    /// The deletion is under way.
    fn accepted(&mut self, order: u32, task_id: Option<String>) -> Result<()> {
        let now = self.now();
        let before = self.execution.submission.take();
        let sent = self.task(order).intent_hash.clone();
        let body_sha256 = sent.or_else(|| before.as_ref().map(|before| before.body_sha256.clone())).unwrap_or_default();
        let first_at = before.as_ref().map_or(now, |before| before.first_at);
        let resubmissions = before.as_ref().map_or(0, |before| before.resubmissions);
        let polls = 0;
        let is_known = task_id.is_some();
        let was_lost = !is_known || before.is_some_and(|before| before.was_lost);
        self.task_mut(order).upstream_task_id.clone_from(&task_id);
        self.audit("deletion.accepted", |draft| draft.with("task_id", task_id.as_deref().unwrap_or("unknown")));
        self.execution.submission = Some(Submission {
            task_id,
            at: now,
            body_sha256,
            polls,
            resubmissions,
            last_word: None,
            first_at,
            deleted_counts: None,
            was_lost,
        });
        self.end(order, TaskStatus::Complete, None);
        if is_known {
            self.sent_together(order)?;
            self.add(TaskKind::PollTask, None);
            self.execution.phase = Phase::Poll;
            self.wait_for_poll();
        } else if !self.send_the_rest()? {
            self.begin_verification(SETTLE);
        }
        let is_all = self.together()?.is_empty();
        let completes = is_all && self.execution.behavior == Some(Behavior::CompleteOnSubmit);
        if completes && !self.execution.is_background {
            let next = self.execution.next_run_at;
            self.change(Change::Complete(Outcome::Submitted, None))?;
            self.execution.is_background = true;
            self.execution.next_run_at = next;
        }
        Ok(())
    }

    /// Finds out whether a lost deletion arrived (§4.3).
    async fn reconcile(&mut self, order: u32) -> Result<()> {
        self.task_mut(order).status = TaskStatus::Uncertain;
        let left = self.together()?;
        let Some((fates, _)) = self.fates(order, &left).await? else {
            // The question failed, and the doubt stays.
            if self.task(order).is_open() {
                self.task_mut(order).status = TaskStatus::Uncertain;
            }
            return Ok(());
        };
        for (number, _) in fates.iter().filter(|(_, fate)| matches!(fate, Fate::Absent)) {
            self.target_mut(*number).is_gone = true;
        }
        let has = |wanted: fn(&Fate) -> bool| fates.iter().any(|(_, fate)| wanted(fate));
        if has(|fate| matches!(fate, Fate::Changed)) {
            self.audit("deletion.reconciled", |draft| draft.with("found", "identity_changed"));
            return self.change(Change::Hold(Reason::IdentityChanged));
        }
        if has(|fate| matches!(fate, Fate::Present)) {
            self.audit("deletion.reconciled", |draft| draft.with("found", "not_accepted"));
            self.task_mut(order).status = TaskStatus::Pending;
            return Ok(());
        }
        self.audit("deletion.reconciled", |draft| draft.with("found", "accepted"));
        self.accepted(order, None)
    }

    /// When the job is looked at next, by the schedule of the integration; once a day when it is only watched.
    fn wait_for_poll(&mut self) {
        let now = self.now();
        let Some(submission) = &self.execution.submission else { return };
        let elapsed = now.micros() - submission.at.micros();
        let poll = self.integration.watching.poll;
        let is_given_up = self.execution.state.status() == Status::Failed;
        let wait = if is_given_up { DAY } else { poll.wait(elapsed, submission.polls) };
        let spread = poll.spread(wait);
        let chance = self.connector.surroundings.below((2 * spread).unsigned_abs().max(1));
        self.wait(wait - spread + i64::try_from(chance).unwrap_or(0));
    }

    /// Looks how far the job is.
    pub(super) async fn poll_task(&mut self, order: u32) -> Result<()> {
        let submission = self.execution.submission.clone().expect("a job is awaited after a submission");
        let task_id = submission.task_id.clone().unwrap_or_default();
        let call = Call::get(Endpoint::GetTask, &task_id);
        let Some(answer) = self.call(order, &call, None, &[Meaning::NotFound]).await? else { return Ok(()) };
        self.task_mut(order).status = TaskStatus::AwaitingRemote;
        if let Some(submission) = &mut self.execution.submission {
            submission.polls += 1;
        }
        if answer.meaning == Meaning::NotFound {
            return self.resubmit(order, "the job is not known there", HOUR);
        }
        let body = answer.json().unwrap_or_default();
        let word = body["status"].as_str().unwrap_or_default().to_owned();
        let meaning = self.session.dialect.task_word(&word);
        if meaning.is_none() && submission.last_word.as_ref() != Some(&word) {
            self.audit("task.unknown_word", |draft| draft.with("polls", submission.polls));
        }
        if let Some(submission) = &mut self.execution.submission {
            submission.last_word = meaning.is_some().then_some(word.clone());
        }
        match meaning {
            Some(TaskWord::Completed) => {
                if let Some(submission) = &mut self.execution.submission {
                    submission.deleted_counts = deleted_counts(&body);
                }
                self.end(order, TaskStatus::Complete, None);
                self.task_completed()
            }
            Some(TaskWord::Failed) => {
                let said = said(&body);
                let turn = submission.resubmissions as usize;
                self.resubmit(order, &said, RESUBMIT_AFTER.get(turn).copied().unwrap_or(0))
            }
            Some(TaskWord::Waiting) | None => self.go_on_waiting(order, &answer),
        }
    }

    fn task_completed(&mut self) -> Result<()> {
        if self.send_the_rest()? {
            return Ok(());
        }
        let is_hard = self.execution.options.as_ref().is_some_and(crate::integrations::DeleteOptions::is_hard);
        let reason = match (is_hard, self.integration.watching.verify_erasure) {
            (true, true) => {
                self.begin_verification(SETTLE);
                return Ok(());
            }
            (true, false) => Reason::NotVerified,
            (false, _) => Reason::NotHard,
        };
        if is_hard {
            self.remember_erased()?;
        }
        self.execution.phase = Phase::Done;
        self.execution.next_run_at = None;
        let is_late = self.execution.state.reason() == Some(Reason::TaskTimeout);
        let was_background = std::mem::take(&mut self.execution.is_background);
        if was_background && !is_late {
            return Ok(());
        }
        self.change(Change::Complete(Outcome::Submitted, Some(reason)))
    }

    /// The job failed or is lost: whoever is still there is asked for again, up to three times.
    fn resubmit(&mut self, order: u32, why: &str, wait: i64) -> Result<()> {
        let why = self.scrubbed(why);
        let submission = self.execution.submission.as_mut().expect("a job is awaited after a submission");
        if submission.resubmissions as usize >= RESUBMIT_AFTER.len() {
            self.task_mut(order).last_error =
                Some(crate::executions::Failure { reason: Reason::TaskFailed, http: None, code: None, message: why });
            self.end(order, TaskStatus::Failed, None);
            return Ok(());
        }
        submission.resubmissions += 1;
        self.end(order, TaskStatus::Skipped, Some(&why));
        self.unsend_last();
        // Whether it was executed in part is found out before it is sent again.
        self.add(TaskKind::DeleteUsers, None).status = TaskStatus::Uncertain;
        self.execution.phase = Phase::Submit;
        self.wait(wait);
        Ok(())
    }

    fn go_on_waiting(&mut self, order: u32, answer: &Answer) -> Result<()> {
        let now = self.now();
        let first_at = self.execution.submission.as_ref().map_or(now, |submission| submission.first_at);
        let elapsed = now.micros() - first_at.micros();
        if elapsed >= DAY && self.execution.flag(Flag::TaskSlow) {
            self.announce("task.slow", &[("after", "24h")]);
        }
        if elapsed >= TIMEOUT && self.execution.flag(Flag::Attention) {
            self.announce("task.slow", &[("after", "14d"), ("flag", Flag::Attention.word())]);
        }
        let ends_at = self.request.due().max(first_at.plus_micros(TIMEOUT));
        let is_given_up = self.execution.state.status() == Status::Failed;
        if now >= ends_at && !is_given_up && !self.execution.is_background {
            self.change(Change::Fail(Outcome::Partial, Reason::TaskTimeout))?;
            self.execution.is_background = true;
        }
        if now >= ends_at.plus_micros(WATCH) {
            self.give_up(order, Reason::TaskTimeout, answer);
            self.execution.is_background = false;
            self.execution.next_run_at = None;
            return Ok(());
        }
        self.wait_for_poll();
        Ok(())
    }
}

/// How much a job says that it deleted, by kind.
fn deleted_counts(body: &Value) -> Option<std::collections::BTreeMap<String, u64>> {
    let counts = body["result"]["deleted_counts"].as_object()?;
    Some(counts.iter().filter_map(|(kind, count)| Some((kind.clone(), count.as_u64()?))).collect())
}

/// What a failed job says about itself.
pub(super) fn said(body: &Value) -> String {
    let error = &body["error"];
    let text = error["description"].as_str().or(error["message"].as_str()).or(error.as_str());
    text.unwrap_or("the job failed").to_owned()
}
