//! Records as the service shows them.

use ids::Timestamp;
use serde_json::{Value, json};

use crate::{
    Connector, Detail, Explained, Result,
    executions::{Attempt, SubTask},
    integrations::Integration,
    probe::{Report, Step},
    requests::{Flag, Request},
    status::{Reason, Status},
    tokens::Token,
    upstream::{Endpoint, LimitState},
};

pub(super) fn time(at: Option<Timestamp>) -> Value {
    at.map(|at| at.rfc3339_short().to_string()).into()
}

pub(super) fn integration(one: &Integration, hint: Option<&str>) -> Value {
    let (options, poll) = (&one.delete_options, &one.watching.poll);
    json!({
        "id": one.id,
        "name": one.name,
        "kind": "stream",
        "base_url": one.base_url,
        "dialect": one.dialect,
        "email_field": one.email_field,
        "async_deletion_behavior": one.async_deletion_behavior.word(),
        "delete_options": {
            "user": options.user.word(),
            "messages": options.messages.word(),
            "conversations": options.conversations.word(),
            "calls": options.calls.word(),
            "new_channel_owner_id": options.new_channel_owner_id,
            "files_forms": options.files_forms.iter().map(|form| form.json()).collect::<Vec<_>>(),
        },
        "throttle": {"target": f64::from(one.throttle_percent) / 100.0},
        "policies": {
            "multi_match_access": one.policies.multi_match_access.word(),
            "multi_match_delete": one.policies.multi_match_delete.word(),
            "approval": one.policies.needs_approval,
            "four_eyes": one.policies.four_eyes,
            "require_verification": one.policies.needs_verification,
            "cooling_off_s": one.policies.cooling_off_secs,
            "verify_erasure": one.watching.verify_erasure,
        },
        "poll": {
            "preset": poll.preset(),
            "first_s": poll.first_secs,
            "most_s": poll.most_secs,
            "after_an_hour_s": poll.after_hour_secs,
            "after_a_day_s": poll.after_day_secs,
            "spread": f64::from(poll.spread_percent) / 100.0,
        },
        "erasure_ledger": one.watching.ledger.word(),
        "warnings": one.warnings(),
        "include_feeds": one.contents.include_feeds,
        "include_files": one.contents.include_files,
        "file_hosts": one.contents.file_hosts,
        "redact_others": one.contents.redact_others,
        "raw": one.contents.raw,
        "async_export_fallback": one.contents.async_export_fallback,
        "export_before_delete": one.contents.export_before_delete,
        "health": one.health.word(),
        "health_reason": one.health_reason,
        "last_tested_at": time(one.last_tested_at),
        "capabilities": one.capabilities,
        "created_at": time(Some(one.created_at)),
        "credential": {"version": one.credential, "api_key": hint.map(|hint| format!("{hint}…"))},
        "product": "Request Manager",
        "request_types": ["access", "deletion"],
        "identifier_categories": ["email", "user_id"],
    })
}

fn step(step: &Step) -> Value {
    json!({
        "step": step.name,
        "call": step.what,
        "status": step.status.word(),
        "latency_ms": step.latency_ms,
        "http": step.http,
        "upstream_code": step.code,
        "code": step.finding.as_ref().map(|finding| finding.problem.word()),
        "message": step.finding.as_ref().map(|finding| finding.message.as_str()),
    })
}

pub(super) fn report(report: &Report) -> Value {
    let verdict = report.verdict();
    json!({
        "ok": report.is_ok(),
        "code": verdict.as_ref().map(|finding| finding.problem.word()),
        "message": verdict.map(|finding| finding.message),
        "note": report.note,
        "tested_at": time(Some(report.tested_at)),
        "steps": report.steps.iter().map(step).collect::<Vec<_>>(),
        "capabilities": report.capabilities,
    })
}

pub(super) fn limit((endpoint, limit): &(Endpoint, LimitState)) -> Value {
    json!({
        "class": endpoint.word(),
        "limit": limit.limit,
        "window_s": limit.window_secs,
        "remaining": limit.remaining,
        "reset_at": time(limit.reset_at),
        "pace": limit.factor() as f64 / 1000.0,
        "utilisation": limit.utilisation(),
    })
}

/// What people who come from DataGrail would read.
async fn display_name(connector: &Connector, request: &Request) -> Result<String> {
    let name = request.state.status().display_name();
    if request.state.status() != Status::Complete {
        return Ok(name.to_owned());
    }
    Ok(match connector.found(request).await? {
        0 => format!("{name} – No records found"),
        1 => format!("{name} – 1 record found"),
        found => format!("{name} – {found} records found"),
    })
}

/// What a request is, in short.
pub(super) async fn summary(connector: &Connector, request: &Request) -> Result<Value> {
    let identifiers = connector.masked(request).await?;
    let identifiers: Vec<Value> = identifiers
        .into_iter()
        .map(|(category, masked)| json!({"category": category.word(), "masked": masked}))
        .collect();
    let state = &request.state;
    Ok(json!({
        "id": request.id,
        "external_id": request.external_id,
        "type": request.kind.word(),
        "status": state.status().word(),
        "display_name": display_name(connector, request).await?,
        "outcome": state.outcome().map(crate::status::Outcome::word),
        "reason": state.reason().map(Reason::word),
        "dry_run": request.is_dry_run,
        "regulation": request.regulation.word(),
        "received_at": time(Some(request.received_at)),
        "due_at": time(Some(request.due_at)),
        "extended_due_at": time(request.extended_due_at),
        "acknowledge_by": time(crate::deadlines::acknowledge_by(request.regulation, request.received_at)),
        "created_at": time(Some(request.created_at)),
        "finished_at": time(request.finished_at),
        "requested_by": request.requested_by,
        "batch_id": request.batch,
        "verification": request.verification.as_ref().map(|one| json!({
            "method": one.method, "verified_at": time(Some(one.verified_at)), "verified_by": one.verified_by,
            "evidence_ref": one.evidence_ref,
        })),
        "identifiers": identifiers,
        "links": {"self": format!("/v1/requests/{}", request.id)},
    }))
}

/// A request with everything that is known of it.
pub(super) async fn request(connector: &Connector, request: &Request) -> Result<Value> {
    let mut shown = summary(connector, request).await?;
    let details = connector.details(&request.id).await?;
    shown["executions"] = details.iter().map(execution).collect();
    let decisions = connector.decisions(&request.id).await?;
    let decision = |one: &Explained| {
        json!({
            "at": time(Some(one.at)), "actor": one.actor, "action": one.action, "reason": one.reason,
        })
    };
    shown["decisions"] = decisions.iter().map(decision).collect();
    if request.is_dry_run && request.state.outcome() == Some(crate::status::Outcome::Preview) {
        shown["confirm_token"] = connector.confirm_token(&request.id).await.ok().into();
    }
    Ok(shown)
}

fn execution(detail: &Detail) -> Value {
    let one = &detail.execution;
    let targets: Vec<Value> = detail
        .targets
        .iter()
        .enumerate()
        .map(|(number, (masked, is_meant))| json!({"n": number + 1, "masked": masked, "selected": is_meant}))
        .collect();
    json!({
        "id": one.id,
        "integration": one.integration,
        "status": one.state.status().word(),
        "phase": one.phase.word(),
        "outcome": one.state.outcome().map(crate::status::Outcome::word),
        "reason": one.state.reason().map(Reason::word),
        "flags": one.flags.iter().map(|flag: &Flag| flag.word()).collect::<Vec<_>>(),
        "targets": targets,
        "next_attempt_at": time(one.next_run_at),
        "async_deletion_behavior": one.behavior.map(crate::integrations::Behavior::word),
        "task_id": one.submission.as_ref().and_then(|submission| submission.task_id.as_deref()),
        "submitted_at": time(one.submission.as_ref().map(|submission| submission.first_at)),
        "residue": one.residue,
        "counts": one.counts,
        "sub_tasks": detail.tasks.iter().map(sub_task).collect::<Vec<_>>(),
    })
}

fn sub_task((task, attempts): &(SubTask, Vec<Attempt>)) -> Value {
    json!({
        "kind": task.kind.word(),
        "target": task.target.map(|number| number + 1),
        "status": task.status.word(),
        "generation": task.generation,
        "round": task.round,
        "note": task.note,
        "ended_at": time(task.ended_at),
        "last_error": task.last_error.as_ref().map(|error| json!({
            "class": error.reason.word(), "http": error.http, "code": error.code, "message": error.message,
        })),
        "attempts": attempts.iter().map(attempt).collect::<Vec<_>>(),
    })
}

fn attempt(attempt: &Attempt) -> Value {
    json!({
        "started_at": time(Some(attempt.started_at)),
        "ended_at": time(attempt.ended_at),
        "path": attempt.path,
        "http": attempt.http,
        "code": attempt.code,
        "bytes": attempt.bytes,
        "sha256": attempt.body_sha256,
    })
}

pub(super) fn token(token: &Token) -> Value {
    json!({
        "id": token.id,
        "name": token.name,
        "role": token.role.word(),
        "created_at": time(Some(token.created_at)),
        "expires_at": time(token.expires_at),
    })
}
