//! How much there is of the users whom a preview shows, by kind (§15.3): read and counted, and nothing of it kept.

use serde_json::Value;

use super::run::Run;
use crate::{
    Result,
    blobs::Written,
    executions::{Phase, TaskKind, TaskStatus},
    package,
    upstream::{Call, Endpoint, Meaning},
};

/// What an answer that is not counted may mean: it is too much for one answer, or not for this key.
const NOT_COUNTED: [Meaning; 4] = [Meaning::NotFound, Meaning::Rejected, Meaning::TooLarge, Meaning::Forbidden];

impl Run<'_> {
    /// Plans the calls that are counted, for each target.
    pub(super) fn plan_counting(&mut self, meant: &[(usize, String)]) {
        for (number, _) in meant {
            self.add(TaskKind::CountExport, Some(*number));
            self.add(TaskKind::CountReports, Some(*number));
        }
        self.execution.phase = Phase::Preview;
    }

    /// Counts what a user wrote.
    pub(super) async fn count_export(&mut self, order: u32) -> Result<()> {
        let (_, id) = self.target_of(order)?;
        let call = Call::get(Endpoint::ExportUser, &id);
        let mut blob = self.new_blob()?;
        let Some(answer) = self.call(order, &call, Some(&mut blob), &NOT_COUNTED).await? else { return Ok(()) };
        if answer.meaning != Meaning::Ok {
            self.end(order, TaskStatus::Skipped, Some("not counted"));
            return Ok(());
        }
        let written = blob.finish()?;
        let counted = self.counted(&written);
        self.connector.blobs.remove(&written.blob)?;
        match counted? {
            Some(counts) => {
                for (kind, count) in ["messages", "files", "reactions"].into_iter().zip(counts) {
                    self.add_count(kind, count);
                }
                self.end(order, TaskStatus::Complete, None);
                Ok(())
            }
            None => self.retry(order, &call, &answer.unreadable("the export is not whole JSON")),
        }
    }

    /// Messages, the files that they name, and reactions of an export; nothing if it cannot be read.
    fn counted(&self, written: &Written) -> Result<Option<[u64; 3]>> {
        let blobs = &self.connector.blobs;
        let mut files = 0;
        let messages = package::each(blobs.read(&written.blob, &written.key[..])?, "messages", |raw| {
            let message: Value = serde_json::from_str(raw.get())?;
            files += message["attachments"].as_array().map_or(0, |attachments| attachments.len() as u64);
            Ok(())
        });
        let reactions = package::each(blobs.read(&written.blob, &written.key[..])?, "reactions", |_| Ok(()));
        Ok(messages.ok().zip(reactions.ok()).map(|(messages, reactions)| [messages, files, reactions]))
    }

    /// Counts what was said against a user.
    pub(super) async fn count_reports(&mut self, order: u32) -> Result<()> {
        let (_, id) = self.target_of(order)?;
        let parameter = self.session.dialect.user_report_parameter.clone();
        let call = Call::get(Endpoint::UserReport, &id).with(&parameter, &id);
        let Some(answer) = self.call(order, &call, None, &NOT_COUNTED).await? else { return Ok(()) };
        match (answer.meaning, answer.json()) {
            (Meaning::Ok, Some(report)) => {
                self.add_count("reports", package::entries(&report));
                self.end(order, TaskStatus::Complete, None);
                Ok(())
            }
            (Meaning::Ok, None) => self.retry(order, &call, &answer.unreadable("the report is not JSON")),
            _ => {
                self.end(order, TaskStatus::Skipped, Some("not counted"));
                Ok(())
            }
        }
    }

    fn add_count(&mut self, kind: &str, count: u64) {
        *self.execution.counts.entry(kind.to_owned()).or_default() += count;
    }
}
