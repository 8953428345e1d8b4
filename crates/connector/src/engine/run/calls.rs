//! The calls of a step: let through by the limit, noted as attempts, and followed up when they fail.

use std::io::Write;

use ids::Timestamp;

use super::{DAY, Run};
use crate::{
    Result,
    executions::{Attempt, TaskKind, TaskStatus},
    integrations::Health,
    requests::Kind,
    status::{Change, Reason},
    upstream::{Answer, Call, Endpoint, Failing, Gate, Made, Meaning, Next, next, reason, reopens_at},
};

impl Run<'_> {
    /// Makes the call of a sub-task, unless the limit says to wait. `None` says that the step is over: it waits, is
    /// tried again, or was given up.
    pub(crate) async fn call(
        &mut self,
        order: u32,
        call: &Call,
        sink: Option<&mut (dyn Write + Send)>,
        also: &[Meaning],
    ) -> Result<Option<Answer>> {
        if !self.may_call(call)? {
            return Ok(None);
        }
        let answer = self.send(order, call, sink).await;
        if answer.meaning == Meaning::Ok || also.contains(&answer.meaning) {
            return Ok(Some(answer));
        }
        self.retry(order, call, &answer)?;
        Ok(None)
    }

    /// Whether the limit lets the call go now, and the service can be reached.
    pub(crate) fn may_call(&mut self, call: &Call) -> Result<bool> {
        match self.session.gate(call.endpoint, self.now()) {
            Gate::Go => return Ok(true),
            Gate::Wait(until) => {
                self.connector.counters.throttled(until.micros() - self.now().micros());
                self.wait_until(until);
            }
            Gate::Closed(until) => {
                self.connector.counters.throttled(until.micros() - self.now().micros());
                self.wait_until(until);
                self.change(Change::Retry(Reason::RateLimited))?;
            }
            Gate::Away(until) => {
                self.wait_until(until);
                self.change(Change::Retry(Reason::Unreachable))?;
            }
        }
        Ok(false)
    }

    /// Makes the call and notes the attempt.
    pub(crate) async fn send(&mut self, order: u32, call: &Call, sink: Option<&mut (dyn Write + Send)>) -> Answer {
        let started_at = self.now();
        let session = self.session.clone();
        let connector = self.connector;
        let answer = session.call(&connector.http, call, sink, &connector.surroundings).await;
        connector.counters.called(call.endpoint, answer.status, self.now().micros() - started_at.micros());
        self.changed.limits.insert(call.endpoint);
        let task = self.task_mut(order);
        // That a question about it was answered says nothing of the call that deletes.
        let is_question = call.body.is_none() && matches!(task.kind, TaskKind::DeleteUsers | TaskKind::FeedsDelete);
        let is_its_own = !is_question || call.endpoint == Endpoint::GetTask;
        if answer.meaning == Meaning::Ok && is_its_own {
            (task.failures, task.failing_since) = (0, None);
        }
        let made = Made::call(&session.dialect, call, &answer, self.task(order).attempts + 1);
        self.note(order, made, started_at, &answer);
        let is_back = answer.meaning == Meaning::Ok && self.integration.health == Health::Disconnected;
        if is_back {
            self.changed.health = Some((Health::Connected, None));
        }
        answer
    }

    /// Fetches a file of at most `most` bytes, without any credentials, and notes the attempt. `kind` is what the log
    /// says instead of its address, which may name somebody.
    pub(crate) async fn fetch(
        &mut self,
        order: u32,
        kind: &'static str,
        url: &str,
        sink: &mut (dyn Write + Send),
        most: u64,
    ) -> Answer {
        let started_at = self.now();
        let answer = self.connector.http.download(url, sink, most).await;
        let task = self.task(order);
        let made = Made::fetch(kind, task.upstream_task_id.clone(), &answer, task.attempts + 1);
        self.note(order, made, started_at, &answer);
        answer
    }

    fn note(&mut self, order: u32, made: Made, started_at: Timestamp, answer: &Answer) {
        let headers = answer.headers;
        let attempt = Attempt {
            started_at,
            ended_at: Some(self.now()),
            path: made.path.clone(),
            http: answer.status,
            code: answer.code,
            bytes: answer.bytes,
            body_sha256: answer.sha256.clone(),
            limits: (headers.limit, headers.remaining, headers.reset_secs),
        };
        let task = self.task_mut(order);
        task.attempts = made.attempt;
        (task.answer_status, task.answer_bytes) = (answer.status, answer.bytes);
        task.answer_sha256.clone_from(&answer.sha256);
        self.changed.attempts.insert((order, made.attempt), attempt);
        self.audit("upstream.call", |draft| draft.with_all(made.details()));
    }

    /// What follows from an answer that was not hoped for.
    pub(crate) fn retry(&mut self, order: u32, call: &Call, answer: &Answer) -> Result<()> {
        let failing = self.failing(order, answer, false);
        let next = next(failing, &self.connector.surroundings);
        self.follow(order, call, answer, next)
    }

    pub(crate) fn failing(&self, order: u32, answer: &Answer, is_write: bool) -> Failing {
        let task = self.task(order);
        let day = self.execution.created_at.plus_micros(DAY);
        let patience = if self.execution.kind == Kind::Deletion { day.max(self.request.due()) } else { day };
        let waits_for_people =
            matches!(answer.meaning, Meaning::KeyUnknown | Meaning::SecretWrong | Meaning::Suspended);
        Failing {
            meaning: answer.meaning,
            failures: task.failures,
            since: task.failing_since.unwrap_or_else(|| self.now()),
            headers: answer.headers,
            offset: self.session.offset(),
            is_write,
            patience: if waits_for_people { self.request.due().max(day) } else { patience },
        }
    }

    pub(crate) fn follow(&mut self, order: u32, call: &Call, answer: &Answer, next: Next) -> Result<()> {
        let now = self.now();
        if answer.meaning == Meaning::RateLimited {
            let failing = self.failing(order, answer, false);
            let until = reopens_at(failing, &self.connector.surroundings);
            self.session.close(call.endpoint, now, until);
        }
        match answer.meaning {
            Meaning::KeyUnknown | Meaning::SecretWrong | Meaning::Suspended | Meaning::ClockRefused => {
                self.changed.health = Some((Health::Disconnected, Some(reason(answer.meaning).word().to_owned())));
            }
            Meaning::Forbidden => {
                self.changed.health = Some((Health::Degraded, Some(Reason::PermissionMissing.word().to_owned())));
            }
            _ => {}
        }
        let connector = self.connector;
        let task = self.task_mut(order);
        task.failures += 1;
        task.failing_since.get_or_insert(now);
        match next {
            Next::Retry(at, why) => {
                connector.counters.retried(why);
                let failure = self.failure(why, answer);
                let task = self.task_mut(order);
                (task.status, task.last_error) = (TaskStatus::Retrying, Some(failure));
                self.wait_until(at);
                self.change(Change::Retry(why))
            }
            Next::Reconcile(at) => {
                connector.counters.retried(Reason::Uncertain);
                let failure = self.failure(Reason::Uncertain, answer);
                let task = self.task_mut(order);
                (task.status, task.last_error) = (TaskStatus::Uncertain, Some(failure));
                self.wait_until(at);
                self.change(Change::Retry(Reason::Uncertain))
            }
            Next::GiveUp(why) => {
                self.give_up(order, why, answer);
                Ok(())
            }
        }
    }
}
