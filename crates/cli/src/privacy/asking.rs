//! Requests: made, waited for, decided about.

use std::{
    io::{BufRead as _, IsTerminal as _, Write as _},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use connector::package::Recipient;
use serde_json::{Value, json};

use super::{
    Ended,
    args::{Access, Delete, Person, Verb},
    here::Here,
    managing, print,
};
use crate::output;

/// The longest that one call waits, in seconds.
pub(super) const WAIT_SECS_MAX: u64 = 30;

/// `60`, `60s`, `5m`, `1h`.
pub(super) fn time(text: &str) -> Result<Duration> {
    let (number, unit) = match text.char_indices().find(|(_, c)| !c.is_ascii_digit()) {
        Some((at, _)) => text.split_at(at),
        None => (text, "s"),
    };
    let secs = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => bail!("`{text}` is no time; write 60, 5m or 1h"),
    };
    let number: u64 = number.parse().with_context(|| format!("`{text}` is no time; write 60, 5m or 1h"))?;
    Ok(Duration::from_secs(number * secs))
}

async fn body(here: &Here, person: &Person, kind: &str) -> Result<Result<Value, Ended>> {
    let one = |category: &'static str| move |value: &String| json!({"category": category, "value": value});
    let identifiers: Vec<Value> =
        person.email.iter().map(one("email")).chain(person.user_id.iter().map(one("user_id"))).collect();
    let mut integrations = Vec::new();
    for name in &person.integration {
        match managing::id(here, name).await? {
            Ok(id) => integrations.push(id),
            Err(ended) => return Ok(Err(ended)),
        }
    }
    Ok(Ok(json!({
        "type": kind,
        "identifiers": identifiers,
        "integrations": integrations,
        "regulation": person.regulation,
        "external_id": person.external_id,
    })))
}

/// Waits for a request; answers what it came to.
pub(super) async fn settled(here: &Here, id: &str, patience: Duration) -> Result<Result<Value, Ended>> {
    let until = Instant::now() + patience;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let prefer = format!("wait={}", left.as_secs().min(WAIT_SECS_MAX));
        let shown = match here.waiting("GET", &format!("/v1/requests/{id}"), None, Some(&prefer)).await? {
            Ok(shown) => shown,
            Err(ended) => return Ok(Err(ended)),
        };
        let status = shown["status"].as_str().unwrap_or_default();
        let is_settled = matches!(status, "complete" | "failed" | "canceled" | "held");
        if is_settled || Instant::now() >= until {
            return Ok(Ok(shown));
        }
    }
}

/// How the command ends with a request that came to this.
pub(super) fn ended(shown: &Value) -> Ended {
    match shown["status"].as_str() {
        Some("complete") => Ended::Done,
        Some("held") => Ended::NeedsDecision,
        Some("failed" | "canceled") => Ended::Failed,
        _ => Ended::Processing,
    }
}

/// `access`.
pub(super) async fn access(here: &Here, access: &Access) -> Result<Ended> {
    let patience = time(&access.wait)?;
    if let Some(recipient) = &access.recipient {
        Recipient::parse(recipient)?;
    }
    let body = match body(here, &access.person, "access").await? {
        Ok(body) => body,
        Err(ended) => return Ok(ended),
    };
    let made = match here.call("POST", "/v1/requests", Some(&body)).await? {
        Ok(made) => made,
        Err(ended) => return Ok(ended),
    };
    let id = made["id"].as_str().unwrap_or_default().to_owned();
    let mut shown = match settled(here, &id, patience).await? {
        Ok(shown) => shown,
        Err(ended) => return Ok(ended),
    };
    let mut summary = None;
    if let Some(out) = &access.out
        && let Some(bytes) = here.fetch(&package_path(&id, access.recipient.as_deref())).await?
    {
        write(out, &bytes)?;
        let manifest = here.call("GET", &format!("/v1/requests/{id}/manifest"), None).await?;
        summary = manifest.ok().map(|manifest| counted(&manifest, out));
        shown["package"] = json!({"file": out.display().to_string(), "bytes": bytes.len()});
    }
    here.show(&shown, |shown| {
        print::request(shown)?;
        summary.map_or(Ok(()), |summary| output::line(&summary))
    })?;
    Ok(ended(&shown))
}

fn package_path(id: &str, recipient: Option<&str>) -> String {
    let query = recipient.map(|recipient| format!("?recipient={recipient}")).unwrap_or_default();
    format!("/v1/requests/{id}/package{query}")
}

fn counted(manifest: &Value, out: &Path) -> String {
    let subjects = print::list(&manifest["subjects"]);
    let sum = |what: &str| subjects.iter().filter_map(|subject| subject["records"][what].as_u64()).sum::<u64>();
    let (users, messages, reports) = (subjects.len(), sum("messages"), sum("reports"));
    format!("{users} user(s) · {messages} messages · {reports} reports · {}", out.display())
}

pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    // It is somebody's data.
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(bytes));
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// `delete`: looks first, and deletes exactly what was shown.
pub(super) async fn delete(here: &Here, delete: &Delete) -> Result<Ended> {
    let patience = time(&delete.wait)?;
    let mut body = match body(here, &delete.person, "deletion").await? {
        Ok(body) => body,
        Err(ended) => return Ok(ended),
    };
    let token = match &delete.confirm {
        Some(token) => Some(token.clone()),
        None => match preview(here, delete, &body).await? {
            Ok(token) => token,
            Err(ended) => return Ok(ended),
        },
    };
    if let Some(token) = token {
        body["confirm_token"] = token.into();
    }
    let made = match here.call("POST", "/v1/requests", Some(&body)).await? {
        Ok(made) => made,
        Err(ended) => return Ok(ended),
    };
    let id = made["id"].as_str().unwrap_or_default();
    let shown = match settled(here, id, patience).await? {
        Ok(shown) => shown,
        Err(ended) => return Ok(ended),
    };
    here.show(&shown, print::request)?;
    if here.is_local && ended(&shown) == Ended::Processing {
        eprintln!("It goes on when `millpond privacy watch {id}` or `millpond privacy serve` runs.");
    }
    Ok(ended(&shown))
}

/// Shows what would be deleted; answers the token for it, or how the command ends.
async fn preview(here: &Here, delete: &Delete, body: &Value) -> Result<Result<Option<String>, Ended>> {
    let mut body = body.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("type");
        fields.remove("external_id");
    }
    let shown = match here.call("POST", "/v1/requests/preview", Some(&body)).await? {
        Ok(shown) => shown,
        Err(ended) => return Ok(Err(ended)),
    };
    let token = shown["confirm_token"].as_str().map(str::to_owned);
    let is_last = delete.dry_run || shown["outcome"] != "preview";
    if is_last || !delete.yes {
        here.show(&shown, |shown| {
            print::request(shown)?;
            token.as_ref().map_or(Ok(()), |token| output::line(&format!("confirm with --confirm {token}")))
        })?;
    }
    // Several matches wait for a decision in the real request, as they do here.
    if delete.dry_run || shown["outcome"] == "no_records_found" {
        return Ok(Err(ended(&shown)));
    }
    if delete.yes || agrees()? { Ok(Ok(token)) } else { Ok(Err(Ended::NeedsDecision)) }
}

/// Asks on a terminal.
fn agrees() -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        eprintln!("Nothing was deleted: add --yes, or --confirm with the token above.");
        return Ok(false);
    }
    eprint!("Delete this for good? Type yes: ");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim() == "yes")
}

/// What is about one request, or about the list of them.
pub(super) async fn about(here: &Here, verb: Verb) -> Result<Ended> {
    let (id, action, body) = match verb {
        Verb::List { status, kind } => return list(here, status.as_deref(), kind.as_deref()).await,
        Verb::Watch(watch) => {
            let shown = match settled(here, &watch.id, time(&watch.wait)?).await? {
                Ok(shown) => shown,
                Err(ended) => return Ok(ended),
            };
            here.show(&shown, print::request)?;
            return Ok(ended(&shown));
        }
        Verb::Status(one) => (one.id, "", None),
        Verb::Retry(one) => (one.id, "/retry", None),
        Verb::Cancel(one) => (one.id, "/cancel", None),
        Verb::Hold(one) => (one.id, "/hold", None),
        Verb::Resume(one) => (one.id, "/resume", None),
        Verb::Approve(one) => (one.id, "/approve", None),
        Verb::Deny(one) => (one.id, "/deny", None),
        Verb::Select { id, targets } => (id, "/select-targets", Some(json!({"targets": targets}))),
        Verb::Extend { id, reason } => (id, "/extend", Some(json!({"reason": reason}))),
        _ => bail!("this verb is not about a request"),
    };
    let method = if action.is_empty() { "GET" } else { "POST" };
    match here.call(method, &format!("/v1/requests/{id}{action}"), body.as_ref()).await? {
        Ok(shown) => here.show(&shown, print::request),
        Err(ended) => Ok(ended),
    }
}

async fn list(here: &Here, status: Option<&str>, kind: Option<&str>) -> Result<Ended> {
    let mut all = Vec::new();
    let mut cursor = None::<String>;
    loop {
        let mut path = "/v1/requests?limit=200".to_owned();
        for (name, value) in [("status", status), ("type", kind), ("cursor", cursor.as_deref())] {
            if let Some(value) = value {
                path.push_str(&format!("&{name}={value}"));
            }
        }
        let page = match here.call("GET", &path, None).await? {
            Ok(page) => page,
            Err(ended) => return Ok(ended),
        };
        all.extend(print::list(&page["data"]).to_vec());
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    here.show(&json!({"data": all, "next_cursor": null}), |all| {
        print::list(&all["data"]).iter().try_for_each(print::request_line)
    })
}
