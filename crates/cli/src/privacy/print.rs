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

/// A moment without the parts of its seconds.
fn moment(value: &Value) -> String {
    match text(value).split_once('.') {
        Some((secs, _)) => format!("{secs}Z"),
        None => text(value).to_owned(),
    }
}

/// `word value`; nothing without a value.
fn told(word: &str, value: &str) -> String {
    if value.is_empty() { String::new() } else { format!("{word} {value}") }
}

/// A request with its parts, and what can be done about it.
pub(super) fn request(one: &Value) -> Result<()> {
    request_line(one)?;
    for execution in list(&one["executions"]) {
        let next = told("next check", &moment(&execution["next_attempt_at"]));
        let task = told("task", text(&execution["task_id"]));
        let (status, phase, reason) =
            (text(&execution["status"]), text(&execution["phase"]), text(&execution["reason"]));
        output::line(&format!(
            "  {} {}",
            text(&execution["integration"]),
            joined(&[status, phase, reason, &task, &verified(execution), &next])
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
    remedy(one).map_or(Ok(()), |remedy| output::line(&format!("  → {remedy}")))
}

/// How many checks of the last round saw that nothing is left, and of how many; nothing before there are any.
fn verified(execution: &Value) -> String {
    let checks = || list(&execution["sub_tasks"]).iter().filter(|task| task["kind"] == "verify");
    let last = checks().filter_map(|task| task["round"].as_u64()).max();
    let (mut all, mut done) = (0, 0);
    for check in checks().filter(|task| task["round"].as_u64() == last) {
        all += 1;
        done += u32::from(check["status"] == "complete" && check["note"] != "still there");
    }
    if all == 0 { String::new() } else { format!("verified {done}/{all}") }
}

/// What whoever reads it can do next.
fn remedy(one: &Value) -> Option<String> {
    let id = text(&one["id"]);
    let verb = |words: &str| Some(format!("millpond privacy {words}"));
    match (text(&one["status"]), text(&one["reason"])) {
        ("held", _) if one["dry_run"] == true => None,
        ("held", "multiple_matches") => verb(&format!("select {id} 1 2 …, with the numbers of those that are meant")),
        ("held", "identity_changed") => {
            verb(&format!("deny {id}; the id is somebody else's now, so ask anew if they are meant"))
        }
        ("held", "approval_required") => verb(&format!("approve {id}, or deny {id}")),
        ("held", "verification_required") => verb(&format!("verify {id} --by WHO --method HOW")),
        ("held", "cooling_off" | "paused") => verb(&format!("resume {id}, or cancel {id}")),
        ("failed", _) => verb(&format!("retry {id}, once the cause above is mended")),
        ("complete", _) if one["outcome"] == "erased" => verb(&format!("certificate fetch {id} --out erasure.json")),
        _ => None,
    }
}

/// A request with everything that was done for it, in order.
pub(super) fn history(one: &Value) -> Result<()> {
    request(one)?;
    for execution in list(&one["executions"]) {
        for task in list(&execution["sub_tasks"]) {
            happened(task)?;
        }
    }
    for decision in list(&one["decisions"]) {
        let (action, actor) = (text(&decision["action"]), text(&decision["actor"]));
        let line = joined(&[action, &told("by", actor), text(&decision["reason"])]);
        output::line(&format!("  {} {line}", moment(&decision["at"])))?;
    }
    Ok(())
}

/// A sub-task: each of its tries, and how it ended.
fn happened(task: &Value) -> Result<()> {
    let number = |value: &Value| value.as_u64().map(|number| number.to_string()).unwrap_or_default();
    let name = joined(&[text(&task["kind"]), &told("user", &number(&task["target"]))]);
    for attempt in list(&task["attempts"]) {
        let http = if attempt["http"].is_u64() { number(&attempt["http"]) } else { "no answer".to_owned() };
        let code = told("code", &attempt["code"].as_i64().map(|code| code.to_string()).unwrap_or_default());
        let call = joined(&[text(&attempt["path"]), &http, &code]);
        output::line(&format!("  {} {name} · {call}", moment(&attempt["started_at"])))?;
    }
    if task["ended_at"].is_string() {
        let end = joined(&[text(&task["status"]), text(&task["note"])]);
        output::line(&format!("  {} {name} · {end}", moment(&task["ended_at"])))?;
    }
    Ok(())
}

/// What a deletion would do, as a table.
pub(super) fn preview(one: &Value) -> Result<()> {
    request(one)?;
    if let Some(counts) = one["counts"].as_object() {
        for (kind, count) in counts {
            output::line(&format!("    {kind:<12} {count:>8}"))?;
        }
    }
    for call in list(&one["would_call"]) {
        output::line(&format!("    would call   {}", text(call)))?;
    }
    if let Some(secs) = one["estimated_s"].as_i64().filter(|secs| *secs > 0) {
        output::line(&format!("    takes        about {secs} s"))?;
    }
    list(&one["warnings"]).iter().try_for_each(|warning| output::line(&format!("    warning      {}", text(warning))))
}

/// What is known of a limit.
pub(super) fn limit(one: &Value) -> Result<()> {
    let used = one["utilisation"].as_f64().map(|share| format!("{:.0} % used", share * 100.0)).unwrap_or_default();
    let pace = match one["pace"].as_f64() {
        Some(pace) if pace < 1.0 => format!("at {:.0} % of the pace", pace * 100.0),
        _ => String::new(),
    };
    let limit = format!("{} in {} s", one["limit"], one["window_s"]);
    let left = one["remaining"].as_u64().map(|left| format!("{left} left")).unwrap_or_default();
    let until = told("until", &moment(&one["reset_at"]));
    output::line(&format!("{:<14} {}", text(&one["class"]), joined(&[&limit, &left, &until, &used, &pace])))
}

/// What a request waits for, in one line; nothing if it does not wait.
pub(super) fn waits(one: &Value) -> String {
    let waiting = list(&one["executions"]).iter().filter(|execution| execution["next_attempt_at"].is_string());
    let lines = waiting.map(|execution| {
        let next = told("next check", &moment(&execution["next_attempt_at"]));
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
