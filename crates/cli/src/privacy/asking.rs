//! Requests: made, waited for, decided about.

use std::{
    io::{BufRead as _, IsTerminal as _},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::{
    Ended,
    args::{Access, Asked, Delete, List, Output, Person, Select, Verb, Verify},
    files::Saved,
    here::{Here, in_path},
    managing, print, results, wrong,
};
use crate::output;

/// The longest that one call waits, in seconds.
pub(super) const WAIT_SECS_MAX: u64 = 30;
/// How long the first call waits, in seconds.
const FIRST_LOOK_SECS: u64 = 2;

fn no_time(text: &str) -> anyhow::Error {
    wrong(format!("`{text}` is no time; write 60, 5m or 1h"))
}

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
        _ => return Err(no_time(text)),
    };
    let number: u64 = number.parse().map_err(|_| no_time(text))?;
    let secs = number.checked_mul(secs).ok_or_else(|| wrong(format!("`{text}` is longer than time is")))?;
    Ok(Duration::from_secs(secs))
}

/// The same, in seconds.
pub(super) fn secs(text: &str) -> Result<u32> {
    u32::try_from(time(text)?.as_secs()).map_err(|_| wrong(format!("`{text}` is too long")))
}

/// The persons of a request.
pub(super) fn identifiers(person: &Person) -> Vec<Value> {
    let one = |category: &'static str| move |value: &String| json!({"category": category, "value": value});
    person.email.iter().map(one("email")).chain(person.user_id.iter().map(one("user_id"))).collect()
}

async fn body(here: &Here, kind: &str, person: &Person, asked: &Asked) -> Result<Result<Value, Ended>> {
    let mut integrations = Vec::new();
    for name in &asked.integration {
        match managing::id(here, name).await? {
            Ok(id) => integrations.push(id),
            Err(ended) => return Ok(Err(ended)),
        }
    }
    let verified = &asked.verified;
    let verification = verified.verified_by.as_ref().map(|by| {
        let (method, at) = (&verified.verification_method, &verified.verified_at);
        json!({"method": method, "verified_by": by, "verified_at": at, "evidence_ref": verified.evidence_ref})
    });
    Ok(Ok(json!({
        "type": kind,
        "identifiers": identifiers(person),
        "integrations": integrations,
        "regulation": asked.regulation,
        "days": asked.days,
        "received_at": asked.received_at,
        "external_id": asked.external_id,
        "verification": verification,
    })))
}

/// Waits for a request; answers what it came to.
pub(super) async fn settled(here: &Here, id: &str, patience: Duration) -> Result<Result<Value, Ended>> {
    let until = Instant::now() + patience;
    // The first look is a short one: whoever waits longer is told for what.
    let (mut told, mut longest) = (String::new(), FIRST_LOOK_SECS);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let prefer = format!("wait={}", left.as_secs().min(longest));
        let path = format!("/v1/requests/{}", in_path(id));
        let shown = match here.waiting("GET", &path, None, Some(&prefer)).await? {
            Ok(shown) => shown,
            Err(ended) => return Ok(Err(ended)),
        };
        let status = shown["status"].as_str().unwrap_or_default();
        let is_settled = matches!(status, "complete" | "failed" | "canceled" | "held");
        if is_settled || Instant::now() >= until {
            return Ok(Ok(shown));
        }
        let waits = print::waits(&shown);
        if waits != told {
            here.progress(&waits);
            told = waits;
        }
        longest = WAIT_SECS_MAX;
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
    let delivery = results::delivery(&access.delivery)?;
    let body = match body(here, "access", &access.person, &access.asked).await? {
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
    if let Some(out) = &access.out {
        let saved = results::save_package(here, &id, out, delivery.as_ref()).await?;
        if let Some(saved) = saved {
            let manifest = here.call("GET", &format!("/v1/requests/{id}/manifest"), None).await?;
            summary = manifest.ok().map(|manifest| counted(&manifest, &saved));
            shown["package"] = saved.shown();
        }
    }
    here.show(&shown, |shown| {
        print::request(shown)?;
        summary.map_or(Ok(()), |summary| output::line(&summary))
    })?;
    if access.out.is_some() && shown["package"].is_null() {
        if shown["outcome"] == "no_records_found" {
            eprintln!("Nobody was found, so there is no package and nothing was written.");
        } else {
            eprintln!(
                "There is no package yet, so nothing was written: `millpond privacy packages fetch {id} --out FILE`"
            );
        }
    }
    Ok(ended(&shown))
}

fn counted(manifest: &Value, saved: &Saved) -> String {
    let subjects = print::list(&manifest["subjects"]);
    let sum = |what: &str| subjects.iter().filter_map(|subject| subject["records"][what].as_u64()).sum::<u64>();
    let (users, messages, reports) = (subjects.len(), sum("messages"), sum("reports"));
    format!("{users} user(s) · {messages} messages · {reports} reports · {saved}")
}

/// `delete`: looks first, and deletes exactly what was shown.
pub(super) async fn delete(here: &Here, delete: &Delete) -> Result<Ended> {
    let patience = time(&delete.wait)?;
    let mut body = match body(here, "deletion", &delete.person, &delete.asked).await? {
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
    let ends_here = delete.dry_run || shown["outcome"] == "no_records_found";
    if ends_here || !delete.yes {
        here.show(&shown, |shown| {
            print::preview(shown)?;
            token.as_ref().map_or(Ok(()), |token| output::line(&format!("confirm with --confirm {token}")))
        })?;
    }
    // Several matches wait for a decision in the real request, as they do here.
    if ends_here {
        return Ok(Err(ended(&shown)));
    }
    if delete.yes || agrees(here)? { Ok(Ok(token)) } else { Ok(Err(Ended::NeedsDecision)) }
}

/// Asks on a terminal; whoever reads JSON is a program, which says so beforehand.
fn agrees(here: &Here) -> Result<bool> {
    if here.output == Output::Json || !std::io::stdin().is_terminal() {
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
        Verb::List(wanted) => return list(here, &wanted).await,
        Verb::Search(person) => return search(here, &person).await,
        Verb::Watch(watch) => {
            let shown = match settled(here, &watch.id, time(&watch.wait)?).await? {
                Ok(shown) => shown,
                Err(ended) => return Ok(ended),
            };
            here.show(&shown, print::request)?;
            return Ok(ended(&shown));
        }
        Verb::Status(one) => (one.id, "", None),
        Verb::Retry(one) => (one.id, "/retry", Some(json!({"reason": one.reason}))),
        Verb::Cancel(one) => (one.id, "/cancel", Some(json!({"reason": one.reason}))),
        Verb::Hold(one) => (one.id, "/hold", Some(json!({"reason": one.reason}))),
        Verb::Resume(one) => (one.id, "/resume", Some(json!({"reason": one.reason}))),
        Verb::Approve(one) => (one.id, "/approve", Some(json!({"reason": one.reason}))),
        Verb::Deny(one) => (one.id, "/deny", Some(json!({"reason": one.reason}))),
        Verb::End(one) => (one.id, "/end", Some(json!({"reason": one.reason}))),
        Verb::Verify(Verify { id, verified_by, method, verified_at, evidence_ref, reason }) => {
            let verified = json!({
                "verified_by": verified_by, "method": method, "verified_at": verified_at, "evidence_ref": evidence_ref,
                "reason": reason,
            });
            (id, "/verify", Some(verified))
        }
        Verb::Select(Select { id, targets, execution, reason }) => {
            (id, "/select-targets", Some(json!({"targets": targets, "execution": execution, "reason": reason})))
        }
        Verb::Extend { id, reason } => (id, "/extend", Some(json!({"reason": reason}))),
        _ => bail!("this verb is not about a request"),
    };
    let method = if action.is_empty() { "GET" } else { "POST" };
    match here.call(method, &format!("/v1/requests/{}{action}", in_path(&id)), body.as_ref()).await? {
        Ok(shown) if action.is_empty() => here.show(&shown, print::history),
        Ok(shown) => here.show(&shown, print::request),
        Err(ended) => Ok(ended),
    }
}

async fn list(here: &Here, wanted: &List) -> Result<Ended> {
    let integration = match &wanted.integration {
        Some(name) => match managing::id(here, name).await? {
            Ok(id) => Some(id),
            Err(ended) => return Ok(ended),
        },
        None => None,
    };
    let filters = [
        ("status", &wanted.status),
        ("type", &wanted.kind),
        ("integration", &integration),
        ("due_before", &wanted.due_before),
        ("external_id", &wanted.external_id),
        ("batch", &wanted.batch),
    ];
    match here.pages("/v1/requests", &filters).await? {
        Ok(all) => found(here, &all),
        Err(ended) => Ok(ended),
    }
}

/// The requests of a person: of each identifier, in turn.
async fn search(here: &Here, person: &Person) -> Result<Ended> {
    let mut all: Vec<Value> = Vec::new();
    for identifier in identifiers(person) {
        match here.call("POST", "/v1/requests/search", Some(&identifier)).await? {
            Ok(found) => {
                let new: Vec<Value> =
                    print::list(&found["data"]).iter().filter(|one| !all.contains(one)).cloned().collect();
                all.extend(new);
            }
            Err(ended) => return Ok(ended),
        }
    }
    found(here, &json!({"data": all, "next_cursor": null}))
}

/// Prints a list of requests; people are told when there are none.
fn found(here: &Here, all: &Value) -> Result<Ended> {
    if print::list(&all["data"]).is_empty() {
        here.progress("There are none.");
    }
    here.show(all, |all| print::list(&all["data"]).iter().try_for_each(print::request_line))
}
