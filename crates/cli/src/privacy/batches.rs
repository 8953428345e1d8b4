//! `batch`: many requests from a file.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{
    Ended,
    args::{Batch, Output, RunBatch},
    asking, files,
    here::{Here, in_path},
    print,
};
use crate::output;

/// Between two looks at a batch.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Runs a verb.
pub(super) async fn run(here: &Here, command: Batch) -> Result<Ended> {
    match command {
        Batch::Run(run) => start(here, &run).await,
        Batch::Status { id } => match here.call("GET", &format!("/v1/batches/{}", in_path(&id)), None).await? {
            Ok(shown) => {
                here.show(&shown, line)?;
                Ok(ended(&shown))
            }
            Err(ended) => Ok(ended),
        },
        Batch::Rows { id, status } => {
            match here.pages(&format!("/v1/batches/{}/rows", in_path(&id)), &[("status", &status)]).await? {
                Ok(all) => here.show(&all, |all| print::list(&all["data"]).iter().try_for_each(row)),
                Err(ended) => Ok(ended),
            }
        }
        Batch::Pause { id } => change(here, &id, "pause").await,
        Batch::Resume { id } => change(here, &id, "resume").await,
        Batch::Cancel { id } => change(here, &id, "cancel").await,
        Batch::Report { id, out } => report(here, &id, out.as_deref()).await,
    }
}

async fn change(here: &Here, id: &str, action: &str) -> Result<Ended> {
    match here.call("POST", &format!("/v1/batches/{}/{action}", in_path(id)), None).await? {
        Ok(shown) => here.show(&shown, line),
        Err(ended) => Ok(ended),
    }
}

/// A row in a line.
fn row(row: &Value) -> Result<()> {
    let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let words = ["status", "outcome", "reason", "request_id", "external_id", "error"].map(text);
    let told: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    output::line(&format!("{} {}", row["row"], told.join(" · ")))
}

async fn start(here: &Here, run: &RunBatch) -> Result<Ended> {
    let patience = asking::time(&run.wait)?;
    let bytes = std::fs::read(&run.file).with_context(|| format!("cannot read {}", run.file.display()))?;
    let is_table = run.file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    let media_type = if is_table { "text/csv" } else { "application/x-ndjson" };
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("i_know", &run.i_know.to_string());
    query.extend_pairs(run.kind.as_ref().map(|kind| ("type", kind)));
    query.extend_pairs(run.max_deletions_per_hour.map(|most| ("max_deletions_per_hour", most.to_string())));
    let path = format!("/v1/batches?{}", query.finish());
    let made = match here.send("POST", &path, bytes, media_type).await? {
        Ok(made) => made,
        Err(ended) => return Ok(ended),
    };
    let id = made["id"].as_str().unwrap_or_default().to_owned();
    let until = Instant::now() + patience;
    loop {
        let shown = match here.call("GET", &format!("/v1/batches/{}", in_path(&id)), None).await? {
            Ok(shown) => shown,
            Err(ended) => return Ok(ended),
        };
        let goes_on = matches!(shown["state"].as_str(), Some("checking" | "running"));
        if !goes_on || Instant::now() >= until {
            here.show(&shown, line)?;
            if here.is_local && goes_on {
                eprintln!("It goes on when `millpond privacy serve` runs.");
            }
            return Ok(ended(&shown));
        }
        here.progress(&text(&shown));
        tokio::time::sleep(LOOK_EVERY.min(until.saturating_duration_since(Instant::now()))).await;
    }
}

async fn report(here: &Here, id: &str, out: Option<&Path>) -> Result<Ended> {
    let path = format!("/v1/batches/{}/report.csv", in_path(id));
    let Some(mut download) = here.download("GET", &path, None).await? else {
        return here.nothing(&format!("there is no batch `{id}`"));
    };
    if let Some(out) = out {
        let saved = files::save(out, download).await?;
        return here.show(&saved.shown(), |_| output::line(&saved.to_string()));
    }
    if here.output == Output::Json {
        let rows = here.pages(&format!("/v1/batches/{}/rows", in_path(id)), &[]).await?;
        return rows.map_or_else(Ok, |rows| here.show(&rows, |_| Ok(())));
    }
    while let Some(piece) = download.piece().await? {
        output::bytes(&piece)?;
    }
    Ok(Ended::Done)
}

/// A batch in a line.
fn text(batch: &Value) -> String {
    let progress = &batch["progress"];
    let count = |name: &str| progress[name].as_u64().unwrap_or(0);
    let done = count("complete") + count("no_records") + count("failed") + count("canceled");
    let why = batch["reason"].as_str().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let eta = progress["eta_s"].as_u64().map(|secs| format!(" · {secs} s left")).unwrap_or_default();
    format!(
        "{} {}{why} · {done} of {} done · {} complete · {} without records · {} failed · {} held{eta}",
        batch["id"].as_str().unwrap_or_default(),
        batch["state"].as_str().unwrap_or_default(),
        count("total"),
        count("complete"),
        count("no_records"),
        count("failed"),
        count("held"),
    )
}

/// A batch in a line, and what can be done about it.
fn line(batch: &Value) -> Result<()> {
    output::line(&text(batch))?;
    remedy(batch).map_or(Ok(()), |remedy| output::line(&format!("  → millpond privacy batch {remedy}")))
}

fn remedy(batch: &Value) -> Option<String> {
    let id = batch["id"].as_str().unwrap_or_default();
    let is_over = matches!(batch["state"].as_str(), Some("completed" | "canceled"));
    match batch["reason"].as_str() {
        Some("share_too_large") => Some(format!("resume {id}, if so many of the users are meant; or cancel {id}")),
        Some("share_unknown") => {
            Some(format!("resume {id}, if it is known how many of the users these are; or cancel {id}"))
        }
        _ if is_over && batch["progress"]["failed"] != 0 => Some(format!("report {id}, which says why rows failed")),
        _ => None,
    }
}

fn ended(batch: &Value) -> Ended {
    let progress = &batch["progress"];
    match batch["state"].as_str() {
        Some("completed") if progress["failed"] == 0 => Ended::Done,
        Some("completed" | "canceled") => Ended::Failed,
        Some("held" | "paused") => Ended::NeedsDecision,
        _ if progress["held"].as_u64() > Some(0) && progress["queued"] == 0 && progress["processing"] == 0 => {
            Ended::NeedsDecision
        }
        _ => Ended::Processing,
    }
}
