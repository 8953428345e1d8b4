//! What people read.

use anyhow::Result;
use serde_json::Value;

use crate::output;

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// `a · b · c`, without what is empty.
fn joined(parts: &[&str]) -> String {
    parts.iter().copied().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// A request in one line.
pub(super) fn request_line(one: &Value) -> Result<()> {
    let line = joined(&[text(&one["type"]), text(&one["status"]), text(&one["outcome"]), text(&one["reason"])]);
    output::line(&format!("{} {line} · due {}", text(&one["id"]), text(&one["due_at"])))
}

/// A request with its parts.
pub(super) fn request(one: &Value) -> Result<()> {
    request_line(one)?;
    for execution in list(&one["executions"]) {
        let next = text(&execution["next_attempt_at"]);
        let next = if next.is_empty() { String::new() } else { format!("next check {next}") };
        let task = text(&execution["task_id"]);
        let task = if task.is_empty() { String::new() } else { format!("task {task}") };
        let (status, phase, reason) =
            (text(&execution["status"]), text(&execution["phase"]), text(&execution["reason"]));
        output::line(&format!(
            "  {} {}",
            text(&execution["integration"]),
            joined(&[status, phase, reason, &task, &next])
        ))?;
        for target in list(&execution["targets"]) {
            let mark = if target["selected"] == true { "" } else { " (not meant)" };
            output::line(&format!("    {}. {}{mark}", target["n"], text(&target["masked"])))?;
        }
        for task in list(&execution["sub_tasks"]).iter().filter(|task| task["last_error"].is_object()) {
            let error = &task["last_error"];
            let (class, message) = (text(&error["class"]), text(&error["message"]));
            output::line(&format!("    {} {}", text(&task["kind"]), joined(&[text(&task["status"]), class, message])))?;
        }
    }
    Ok(())
}

/// What a request waits for, in one line; nothing if it does not wait.
pub(super) fn waits(one: &Value) -> String {
    let waiting = list(&one["executions"]).iter().filter(|execution| execution["next_attempt_at"].is_string());
    let lines = waiting.map(|execution| {
        let next = format!("next check {}", text(&execution["next_attempt_at"]));
        joined(&[text(&execution["status"]), text(&execution["phase"]), text(&execution["reason"]), &next])
    });
    lines.collect::<Vec<_>>().join("; ")
}

/// The steps of a connection test.
pub(super) fn report(report: &Value) -> Result<()> {
    for step in list(&report["steps"]) {
        let mark = match text(&step["status"]) {
            "ok" => "✔",
            "failed" => "✘",
            "warning" => "!",
            _ => "-",
        };
        let (name, call) = (text(&step["step"]), text(&step["call"]));
        let told = match text(&step["code"]) {
            "" => format!(
                "{} {} ms",
                step["http"].as_u64().map_or(String::new(), |http| http.to_string()),
                step["latency_ms"]
            ),
            code => format!("{code}: {}", text(&step["message"])),
        };
        output::line(&format!("{mark} {name} {call:<20} {}", told.trim()))?;
    }
    if let Some(note) = report["note"].as_str() {
        output::line(note)?;
    }
    Ok(())
}

/// An integration in one line.
pub(super) fn integration(one: &Value) -> Result<()> {
    let (name, health, url) = (text(&one["name"]), text(&one["health"]), text(&one["base_url"]));
    output::line(&format!("{} {}", text(&one["id"]), joined(&[name, health, text(&one["health_reason"]), url])))
}

/// An integration with its settings.
pub(super) fn settings(one: &Value) -> Result<()> {
    integration(one)?;
    let known = ["async_deletion_behavior", "email_field", "throttle", "delete_options", "policies", "poll"];
    let more = ["erasure_ledger", "include_feeds", "include_files", "file_hosts", "redact_others", "raw"];
    let most = ["async_export_fallback", "export_before_delete"];
    for name in known.into_iter().chain(more).chain(most) {
        match &one[name] {
            Value::Object(fields) => {
                for (field, value) in fields {
                    output::line(&format!("  {name}.{field} = {value}"))?;
                }
            }
            value => output::line(&format!("  {name} = {value}"))?,
        }
    }
    output::line(&format!(
        "  capabilities: {}",
        list(&one["capabilities"]).iter().map(text).collect::<Vec<_>>().join(", ")
    ))?;
    list(&one["warnings"]).iter().try_for_each(|warning| output::line(&format!("  warning: {}", text(warning))))
}

/// The elements of a list.
pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
