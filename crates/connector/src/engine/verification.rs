//! Proof of erasure (§13): every target is looked for again in every way that there is, and a certificate is signed.

use serde_json::{Value, json};

use super::{
    finding::{filter, query, users},
    run::Run,
};
use crate::{
    Result, audit,
    executions::{Check, Phase, SubTask, TaskKind, TaskStatus},
    requests::Flag,
    status::{Change, Outcome, Reason},
    upstream::{Call, Endpoint, Meaning},
};

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
/// The waits before it is looked again for what is still there.
const LOOK_AGAIN_AFTER: [i64; 5] = [MINUTE, 5 * MINUTE, 30 * MINUTE, 360 * MINUTE, 1440 * MINUTE];
/// Clean rounds that are needed when the answer to the deletion was lost, and the time between them.
const CONFIRMATIONS: u32 = 3;
const BETWEEN_CONFIRMATIONS: i64 = 10 * MINUTE;
const RESIDUE: &str = "still there";
const RE_REGISTERED: &str = "re-registered";

/// What this API does not reach is named, not implied.
const SCOPE: &[&str] = &[
    "Group calls are not deleted by this API.",
    "Backups of the service are outside this API.",
    "Webhooks that were delivered before the deletion are outside this API.",
    "Moderation logs may be kept by the service.",
];

impl Run<'_> {
    /// Plans a round of checks.
    pub(super) fn begin_verification(&mut self, wait: i64) {
        self.execution.phase = Phase::Verify;
        self.execution.round += 1;
        self.execution.residue.clear();
        for number in 0..self.targets.len() {
            if !self.targets[number].is_excluded {
                for check in [Check::User, Check::Export, Check::Report] {
                    self.add_check(check, Some(number), None);
                }
            }
        }
        for identifier in 0..self.request.identifiers.len() {
            self.add_check(Check::Identifier, None, Some(identifier));
        }
        self.wait(wait);
    }

    /// Makes one check.
    pub(super) async fn check(&mut self, order: u32) -> Result<()> {
        match self.task(order).check {
            Some(Check::Identifier) => self.check_identifier(order).await,
            Some(Check::User) => self.check_user(order).await,
            Some(Check::Export) => self.check_content(order, Endpoint::ExportUser).await,
            Some(Check::Report) | None => self.check_content(order, Endpoint::UserReport).await,
        }
    }

    fn checked(&self, order: u32) -> Result<(usize, String)> {
        let number = self.task(order).target.unwrap_or(0) as usize;
        Ok((number, self.target_id(number)?))
    }

    async fn check_user(&mut self, order: u32) -> Result<()> {
        let (number, id) = self.checked(order)?;
        let call = query(&json!({"id": {"$eq": id}}));
        let Some(answer) = self.call(order, &call, None, &[]).await? else { return Ok(()) };
        let Some(found) = users(&answer) else {
            return self.retry(order, &call, &answer.unreadable("the answer is not a list of users"));
        };
        match found.iter().find(|user| user.id == id) {
            None => {
                self.target_mut(number).is_gone = true;
                self.end(order, TaskStatus::Complete, None);
            }
            Some(user) if user.created_at == self.targets[number].created_at => self.residue(order, number),
            Some(_) => {
                self.execution.flag(Flag::ReRegistered);
                self.end(order, TaskStatus::Complete, Some(RE_REGISTERED));
            }
        }
        Ok(())
    }

    fn residue(&mut self, order: u32, number: usize) {
        let what = self.task(order).check.unwrap_or(Check::User);
        self.execution.residue.push(format!("{what} of subject {}", number + 1));
        self.end(order, TaskStatus::Complete, Some(RESIDUE));
    }

    /// Whether another person has this id now: what is there is theirs.
    fn is_re_registered(&self, number: usize) -> bool {
        let round = self.execution.round;
        self.tasks().any(|(_, task)| {
            task.round == round
                && task.target == u32::try_from(number).ok()
                && task.note.as_deref() == Some(RE_REGISTERED)
        })
    }

    async fn check_content(&mut self, order: u32, endpoint: Endpoint) -> Result<()> {
        let (number, id) = self.checked(order)?;
        if self.is_re_registered(number) {
            self.end(order, TaskStatus::Skipped, Some(RE_REGISTERED));
            return Ok(());
        }
        let mut call = Call::get(endpoint, &id);
        if endpoint == Endpoint::UserReport {
            let parameter = self.session.dialect.user_report_parameter.clone();
            call = call.with(&parameter, &id);
        }
        let Some(answer) = self.call(order, &call, None, &[Meaning::NotFound]).await? else { return Ok(()) };
        // A report without anything of the person is as good as none; one that cannot be read proves nothing.
        let is_none = match (answer.meaning, endpoint) {
            (Meaning::NotFound, _) => true,
            (_, Endpoint::UserReport) => match answer.json() {
                Some(body) => !mentions(&body, &id),
                None => return self.retry(order, &call, &answer.unreadable("the report is not JSON")),
            },
            _ => false,
        };
        if is_none {
            self.end(order, TaskStatus::Complete, None);
        } else {
            self.residue(order, number);
        }
        Ok(())
    }

    async fn check_identifier(&mut self, order: u32) -> Result<()> {
        let identifiers = self.request.open(&self.key)?;
        let identifier = &identifiers[self.task(order).identifier.unwrap_or(0) as usize];
        let call = query(&filter(identifier, &self.integration.email_field));
        let Some(answer) = self.call(order, &call, None, &[]).await? else { return Ok(()) };
        let Some(found) = users(&answer) else {
            return self.retry(order, &call, &answer.unreadable("the answer is not a list of users"));
        };
        for (number, id) in self.target_ids()? {
            let is_same = |created_at: &str| created_at == self.targets[number].created_at;
            if found.iter().any(|user| user.id == id && is_same(&user.created_at)) {
                self.residue(order, number);
                return Ok(());
            }
        }
        self.end(order, TaskStatus::Complete, None);
        Ok(())
    }

    /// What the round of checks says.
    pub(super) async fn judge(&mut self) -> Result<()> {
        if let Some(reason) = self.failed_task() {
            return self.fail(reason);
        }
        if !self.execution.residue.is_empty() {
            self.execution.clean_rounds = 0;
            self.connector.counters.found_residue();
            let turn = self.execution.round as usize - 1;
            return match LOOK_AGAIN_AFTER.get(turn) {
                Some(wait) => {
                    self.begin_verification(*wait);
                    Ok(())
                }
                None => self.fail(Reason::ResidualData),
            };
        }
        self.execution.clean_rounds += 1;
        let was_lost = self.execution.submission.as_ref().is_none_or(|submission| submission.was_lost);
        let needed = if was_lost { CONFIRMATIONS } else { 1 };
        if self.execution.clean_rounds < needed {
            self.begin_verification(BETWEEN_CONFIRMATIONS);
            return Ok(());
        }
        self.certify().await?;
        self.remember_erased()?;
        self.execution.phase = Phase::Done;
        self.execution.next_run_at = None;
        let is_late = self.execution.state.reason() == Some(Reason::TaskTimeout);
        if self.execution.is_background && !is_late {
            // What was said stays; the evidence is there.
            self.execution.is_background = false;
            self.audit("deletion.verified", |draft| draft);
            return Ok(());
        }
        self.execution.is_background = false;
        self.change(Change::Complete(Outcome::Erased, None))
    }

    /// Signs what was seen.
    async fn certify(&mut self) -> Result<()> {
        let head = audit::head(&mut self.connector.store.read()).await?;
        let certificate = self.certificate(head.as_ref());
        let text = serde_json::to_string_pretty(&certificate).expect("a certificate is JSON");
        let signature = self.connector.signer.sign(text.as_bytes());
        let order = self.execution.sub_tasks.saturating_sub(1);
        self.keep_bytes("erasure-certificate.json", text.as_bytes(), order)?;
        self.keep_bytes("erasure-certificate.json.sig", signature.as_bytes(), order)?;
        let page = crate::package::certificate_page(&certificate);
        let signature = self.connector.signer.sign(page.as_bytes());
        self.keep_bytes("erasure-certificate.html", page.as_bytes(), order)?;
        self.keep_bytes("erasure-certificate.html.sig", signature.as_bytes(), order)?;
        self.audit("deletion.certified", |draft| draft.with("sha256", crate::keys::sha256(text.as_bytes())));
        Ok(())
    }

    /// What is not reached, with whom the channels of the person went to.
    fn scope(&self) -> Vec<String> {
        let owner = self.execution.options.as_ref().and_then(|options| options.new_channel_owner_id.as_deref());
        let owner = owner.unwrap_or("an id that the service made, such as delete-user-…");
        let channels = format!("Channels that the person owned with others stay, and belong to {owner} now.");
        std::iter::once(channels).chain(SCOPE.iter().map(|line| (*line).to_owned())).collect()
    }

    /// What was done, and when.
    fn timeline(&self) -> Vec<Value> {
        let is_told = |task: &SubTask| !matches!(task.kind, TaskKind::Verify);
        let done = self.tasks().filter(|(_, task)| is_told(task) && task.ended_at.is_some());
        done.map(|(_, task)| {
            json!({
                "at": task.ended_at.map(|at| at.rfc3339().to_string()),
                "what": task.kind.word(),
                "status": task.status.word(),
                "task_id": task.upstream_task_id,
                "body_sha256": task.intent_hash,
                "attempts": task.attempts,
            })
        })
        .collect()
    }

    /// What the service says that it deleted, by kind, where it says so.
    fn deleted_counts(&self) -> Value {
        let counts = self.execution.submission.as_ref().and_then(|submission| submission.deleted_counts.as_ref());
        counts.map_or(Value::Null, |counts| json!(counts))
    }

    /// The jobs that deleted feeds data.
    fn feeds_task_ids(&self) -> Vec<&str> {
        let of_feeds = self.tasks().filter(|(_, task)| task.kind == TaskKind::FeedsDelete);
        of_feeds.filter_map(|(_, task)| task.upstream_task_id.as_deref()).collect()
    }

    fn certificate(&self, head: Option<&audit::Head>) -> Value {
        let submission = self.execution.submission.as_ref();
        let options = self.execution.options.as_ref().map(|options| {
            json!({
                "user": options.user.word(),
                "messages": options.messages.word(),
                "conversations": options.conversations.word(),
                "calls": options.calls.word(),
                "files": self.execution.files_form.map(crate::integrations::FilesForm::word),
                "new_channel_owner_id": options.new_channel_owner_id,
            })
        });
        let checks = self.tasks().filter(|(_, task)| task.kind == TaskKind::Verify);
        let checks: Vec<Value> = checks
            .map(|(_, task)| {
                json!({
                    "check": task.check.map(Check::word),
                    "subject": task.target.map(|number| number + 1),
                    "round": task.round,
                    "at": task.ended_at.map(|at| at.rfc3339().to_string()),
                    "status": task.answer_status,
                    "answer_sha256": task.answer_sha256,
                    "found": task.note,
                })
            })
            .collect();
        let subjects: Vec<&str> = self.request.identifiers.iter().map(|one| one.lookup.as_str()).collect();
        json!({
            "schema": "millpond.privacy.erasure/1",
            "request_id": self.request.id,
            "subject_refs": subjects,
            "integration": {"name": self.integration.name, "host": self.session.address.host()},
            "submitted_at": submission.map(|submission| submission.first_at.rfc3339().to_string()),
            "task_id": submission.and_then(|submission| submission.task_id.as_deref()),
            "feeds_task_ids": self.feeds_task_ids(),
            "body_sha256": submission.map(|submission| submission.body_sha256.as_str()),
            "options": options,
            "checks": checks,
            "issued_at": self.now().rfc3339().to_string(),
            "audit": head.map(|head| json!({"seq": head.seq, "hash": head.hash})),
            "audit_seqs": self.execution.audit_seqs,
            "scope": self.scope(),
            "timeline": self.timeline(),
            "deleted_counts": self.deleted_counts(),
            "public_key": self.connector.signer.public_key(),
        })
    }
}

/// Whether some text in `value` is the id.
fn mentions(value: &Value, id: &str) -> bool {
    match value {
        Value::String(text) => text == id,
        Value::Array(items) => items.iter().any(|item| mentions(item, id)),
        Value::Object(fields) => fields.values().any(|field| mentions(field, id)),
        _ => false,
    }
}
