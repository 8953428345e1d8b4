//! Access (§9): what the user is, wrote, and was reported for, kept byte for byte as it came.

use std::io::BufReader;

use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::run::Run;
use crate::{
    Result,
    executions::{Phase, TaskKind, TaskStatus},
    requests::Flag,
    status::{Change, Outcome, Reason},
    upstream::{Call, Endpoint, Meaning, TaskWord},
};

/// Between two looks at an export job.
const EXPORT_POLL: i64 = 5_000_000;
const EXPORT_POLLS_MAX: u32 = 2_000;

impl Run<'_> {
    /// Plans the calls for each target, in order.
    pub(super) fn plan_access(&mut self) -> Result<()> {
        let meant = self.target_ids()?;
        if self.ends_with_the_look(&meant)? {
            return Ok(());
        }
        for (number, _) in meant {
            self.add(TaskKind::ExportUser, Some(number));
            self.add(TaskKind::UserReport, Some(number));
            if self.integration.includes_feeds() {
                self.add(TaskKind::FeedsExport, Some(number));
            }
            if self.integration.contents.include_files {
                self.add(TaskKind::ListFiles, Some(number));
            }
        }
        self.execution.phase = Phase::Export;
        Ok(())
    }

    pub(super) fn target_of(&self, order: u32) -> Result<(usize, String)> {
        let number = self.task(order).target.unwrap_or(0) as usize;
        Ok((number, self.target_id(number)?))
    }

    /// Fetches what a user wrote, straight into a sealed file.
    pub(super) async fn export_user(&mut self, order: u32) -> Result<()> {
        let (number, id) = self.target_of(order)?;
        let call = Call::get(Endpoint::ExportUser, &id);
        let mut blob = self.new_blob()?;
        let also = [Meaning::NotFound, Meaning::Rejected, Meaning::TooLarge];
        let Some(answer) = self.call(order, &call, Some(&mut blob), &also).await? else { return Ok(()) };
        match answer.meaning {
            Meaning::NotFound => self.gone(order),
            Meaning::Ok => {
                let written = blob.finish()?;
                if !self.is_json(&written)? {
                    self.connector.blobs.remove(&written.blob)?;
                    return self.retry(order, &call, &answer.unreadable("the export is not whole JSON"));
                }
                self.keep(format!("{number}/export.json"), &written, order);
                self.end(order, TaskStatus::Complete, None);
            }
            _ if !self.integration.contents.async_export_fallback => {
                self.give_up(order, Reason::ExportTooLarge, &answer)
            }
            _ => {
                // Too much for one answer: the other side makes a file of it.
                self.end(order, TaskStatus::Skipped, Some("too large for one answer; exported as a file"));
                self.add(TaskKind::ExportAsync, Some(number));
            }
        }
        Ok(())
    }

    fn is_json(&self, written: &crate::blobs::Written) -> Result<bool> {
        let reader = self.connector.blobs.read(&written.blob, &written.key[..])?;
        Ok(serde_json::from_reader::<_, IgnoredAny>(BufReader::new(reader)).is_ok())
    }

    /// The user vanished meanwhile: said, never silent.
    fn gone(&mut self, order: u32) {
        self.execution.flag(Flag::Gone);
        self.end(order, TaskStatus::Skipped, Some("gone"));
    }

    /// Fetches what was said against a user.
    pub(super) async fn user_report(&mut self, order: u32) -> Result<()> {
        let (number, id) = self.target_of(order)?;
        let parameter = self.session.dialect.user_report_parameter.clone();
        let call = Call::get(Endpoint::UserReport, &id).with(&parameter, &id);
        let Some(answer) = self.call(order, &call, None, &[Meaning::NotFound]).await? else { return Ok(()) };
        if answer.meaning == Meaning::NotFound {
            self.gone(order);
        } else if answer.json().is_none() {
            return self.retry(order, &call, &answer.unreadable("the report is not JSON"));
        } else {
            self.keep_bytes(&format!("{number}/moderation_report.json"), &answer.body, order)?;
            self.end(order, TaskStatus::Complete, None);
        }
        Ok(())
    }

    /// The export for large accounts: a job, then a file.
    pub(super) async fn export_async(&mut self, order: u32) -> Result<()> {
        let (number, id) = self.target_of(order)?;
        let start = Call::post(Endpoint::ExportUsers, &json!({"user_ids": [id]}));
        self.export_by_job(order, start, format!("{number}/async_export.jsonl")).await
    }

    /// The export of feeds data: a job, then a file.
    pub(super) async fn export_feeds(&mut self, order: u32) -> Result<()> {
        let (number, id) = self.target_of(order)?;
        let start = Call::post_to(Endpoint::FeedsExport, &id, &Value::Null);
        self.export_by_job(order, start, format!("{number}/feeds_export.jsonl")).await
    }

    /// Starts a job, looks how far it is, and fetches its file.
    async fn export_by_job(&mut self, order: u32, start: Call, name: String) -> Result<()> {
        let Some(task_id) = self.task(order).upstream_task_id.clone() else {
            let call = start;
            let refused = [Meaning::Rejected, Meaning::TooLarge, Meaning::NotFound];
            let Some(answer) = self.call(order, &call, None, &refused).await? else { return Ok(()) };
            let task_id = answer.json().and_then(|body| body["task_id"].as_str().map(str::to_owned));
            match (answer.meaning, task_id) {
                (Meaning::Ok, Some(task_id)) => {
                    let task = self.task_mut(order);
                    task.upstream_task_id = Some(task_id);
                    task.status = TaskStatus::AwaitingRemote;
                    self.wait(EXPORT_POLL);
                }
                (Meaning::NotFound, _) if call.endpoint == Endpoint::FeedsExport => self.gone(order),
                (Meaning::Ok, None) => return self.retry(order, &call, &answer.unreadable("no task id")),
                _ => self.give_up(order, self.refusal_of(order), &answer),
            }
            return Ok(());
        };
        let call = Call::get(Endpoint::GetTask, &task_id);
        let Some(answer) = self.call(order, &call, None, &[]).await? else { return Ok(()) };
        let body = answer.json().unwrap_or_default();
        let word = body["status"].as_str().and_then(|word| self.session.dialect.task_word(word));
        match (word, body["result"]["url"].as_str()) {
            (Some(TaskWord::Completed), Some(url)) => self.fetch_export(order, name, url).await,
            (Some(TaskWord::Failed), _) | (Some(TaskWord::Completed), None) => {
                self.give_up(order, self.refusal_of(order), &answer);
                Ok(())
            }
            _ if self.task(order).attempts > EXPORT_POLLS_MAX => {
                self.give_up(order, Reason::TaskTimeout, &answer);
                Ok(())
            }
            _ => {
                self.wait(EXPORT_POLL);
                Ok(())
            }
        }
    }

    /// Why a job that ends without a file brings nothing.
    fn refusal_of(&self, order: u32) -> Reason {
        match self.task(order).kind {
            TaskKind::FeedsExport => Reason::TaskFailed,
            _ => Reason::ExportTooLarge,
        }
    }

    async fn fetch_export(&mut self, order: u32, name: String, url: &str) -> Result<()> {
        let mut blob = self.new_blob()?;
        let most = self.connector.http.export_bytes_max();
        let answer = self.fetch(order, "export file", url, &mut blob, most).await;
        match answer.meaning {
            Meaning::Ok => {
                let written = blob.finish()?;
                self.keep(name, &written, order);
                self.end(order, TaskStatus::Complete, None);
                Ok(())
            }
            // The link has expired; the next look at the job gives a fresh one.
            Meaning::Forbidden if self.task(order).failures < 3 => {
                self.task_mut(order).failures += 1;
                self.wait(EXPORT_POLL);
                Ok(())
            }
            _ => {
                let call = Call::get(Endpoint::GetTask, "");
                self.retry(order, &call, &answer)?;
                Ok(())
            }
        }
    }

    pub(super) fn plan_package(&mut self) {
        self.add(TaskKind::Package, None);
        self.execution.phase = Phase::Package;
    }

    /// The calls that were given up or found nobody.
    pub(crate) fn gaps(&self) -> Vec<Value> {
        let is_gap = |status| matches!(status, TaskStatus::Failed | TaskStatus::Skipped);
        let gaps = self.tasks().filter(|(_, task)| is_gap(task.status) && task.kind != TaskKind::Package);
        let gap = |(_, task): (u32, &crate::executions::SubTask)| {
            let why = match (&task.note, &task.last_error) {
                (Some(note), _) => note.clone(),
                (None, Some(error)) => error.reason.word().to_owned(),
                (None, None) => "unknown".to_owned(),
            };
            json!({"what": task.kind.word(), "subject": task.target.map(|number| number + 1), "why": why})
        };
        gaps.map(gap).collect()
    }

    pub(super) fn finish_access(&mut self) -> Result<()> {
        self.execution.phase = Phase::Done;
        match self.failed_task() {
            Some(reason) => self.fail(reason),
            None => self.change(Change::Complete(Outcome::RecordsFound, None)),
        }
    }
}
