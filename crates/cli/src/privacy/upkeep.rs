//! The verbs that look after the connector itself: `init`, `doctor`, `backup`, `restore`, `replay-erasures`.

use std::{
    fs::File,
    io::{BufReader, BufWriter, Write as _},
    path::Path,
    time::Instant,
};

use anyhow::{Context as _, Result, bail, ensure};
use connector::{backup, keys::Source, surroundings::Surroundings, tokens::Role};
use serde_json::{Value, json};

use super::{
    Ended,
    args::{Backup, Init, Output, Place, ReplayErasures, Restore, Retention},
    asking::{WAIT_SECS_MAX, ended, secs, settled, time},
    here::{self, Here},
    managing, print, wrong,
};
use crate::output;

/// `init`: a key if the named file is not there, the directory, and the first token.
pub(super) async fn init(place: &Place, init: &Init, form: Output) -> Result<Ended> {
    if place.server.is_some() {
        return Err(wrong("init makes a data directory here; leave --server out"));
    }
    if let Some(path) = place.kek_file.as_ref().filter(|path| !path.exists()) {
        Source::init(path, &Surroundings::system())?;
    }
    let kek_id = here::kek(place)?.id().to_owned();
    let connector = here::open(place).await?;
    if !connector.tokens().await?.is_empty() {
        bail!("{} has tokens already; `token create` makes more", place.data_dir.display());
    }
    let (token, text) = connector.create_token(&init.token_name, Role::SuperAdmin, None).await?;
    match form {
        Output::Json => output::json(&json!({
            "kek_id": kek_id, "data_dir": place.data_dir, "token_id": token.id, "token": text.expose(),
        }))?,
        Output::Human => {
            output::line(&format!("{} is ready · key {kek_id}", place.data_dir.display()))?;
            output::line(&format!("token {} (super_admin), shown this once: {}", token.id, text.expose()))?;
        }
    }
    Ok(Ended::Done)
}

/// `doctor`.
pub(super) async fn doctor(here: &Here) -> Result<Ended> {
    let shown = match here.call("POST", "/v1/doctor", None).await? {
        Ok(shown) => shown,
        Err(ended) => return Ok(ended),
    };
    here.show(&shown, |shown| {
        print::list(&shown["findings"]).iter().try_for_each(|finding| {
            let mark = if finding["ok"] == true { "✔" } else { "✘" };
            let (what, told) = (text(&finding["what"]), text(&finding["message"]));
            output::line(&format!("{mark} {what}: {told}"))
        })
    })?;
    Ok(if shown["ok"] == true { Ended::Done } else { Ended::Failed })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// `retention`.
pub(super) async fn retention(here: &Here, command: &Retention) -> Result<Ended> {
    const DAY: u32 = 24 * 3600;
    let days = |text: &Option<String>| -> Result<Option<u32>> {
        let Some(text) = text else { return Ok(None) };
        let secs = secs(text)?;
        if secs == 0 || !secs.is_multiple_of(DAY) {
            return Err(wrong(format!("`{text}` is no number of days; write 7d or 30d")));
        }
        Ok(Some(secs / DAY))
    };
    let answered = match command {
        Retention::Show => here.call("GET", "/v1/retention", None).await?,
        Retention::Set { packages, identifiers } => {
            let body = json!({"packages_days": days(packages)?, "identifiers_days": days(identifiers)?});
            here.call("PATCH", "/v1/retention", Some(&body)).await?
        }
    };
    match answered {
        Ok(shown) => here.show(&shown, |shown| {
            output::line(&format!("packages     {} days after a request is done", shown["packages_days"]))?;
            output::line(&format!("identifiers  {} days after a request is done", shown["identifiers_days"]))
        }),
        Err(ended) => Ok(ended),
    }
}

/// `backup`: of this directory; a service must be stopped first, as one process owns it.
pub(super) async fn back_up(place: &Place, command: &Backup, form: Output) -> Result<Ended> {
    if place.server.is_some() {
        return Err(wrong("backup reads the data directory itself; stop the service and leave --server out"));
    }
    ensure!(place.data_dir.is_dir(), "there is no data directory {}", place.data_dir.display());
    let path = &command.file;
    ensure!(!path.exists(), "{} exists; choose another name, or remove it first", path.display());
    let connector = here::open(place).await?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let cannot = || format!("cannot write {}", path.display());
    let unfinished = tempfile::NamedTempFile::new_in(folder).with_context(cannot)?;
    let mut out = BufWriter::new(unfinished.as_file());
    let summary = connector.backup(&mut out)?;
    out.flush().with_context(cannot)?;
    drop(out);
    unfinished.as_file().sync_all().with_context(cannot)?;
    unfinished.persist_noclobber(path).with_context(cannot)?;
    report(form, "backed up", summary)
}

/// `restore`.
pub(super) fn restore(place: &Place, command: &Restore, form: Output) -> Result<Ended> {
    let path = &command.file;
    let opened = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let dir = &place.data_dir;
    let summary = backup::restore(BufReader::new(opened), dir)
        .with_context(|| format!("cannot restore {} into {}", path.display(), dir.display()))?;
    report(form, "restored", summary)
}

fn report(form: Output, outcome: &str, summary: backup::Summary) -> Result<Ended> {
    let backup::Summary { rows, bodies } = summary;
    match form {
        Output::Json => output::json(&json!({"outcome": outcome, "rows": rows, "bodies": bodies}))?,
        Output::Human => output::line(&format!("{outcome}: {rows} rows, {bodies} stored bodies"))?,
    }
    Ok(Ended::Done)
}

/// `replay-erasures`: searches, then waits for the deletions that it asked for.
pub(super) async fn replay(here: &Here, command: &ReplayErasures) -> Result<Ended> {
    let until = Instant::now() + time(&command.wait)?;
    let mut integrations = Vec::new();
    for name in &command.integration {
        match managing::id(here, name).await? {
            Ok(id) => integrations.push(id),
            Err(ended) => return Ok(ended),
        }
    }
    let body = json!({"since": command.since, "integrations": integrations});
    let begun = match here.call("POST", "/v1/erasures/replay", Some(&body)).await? {
        Ok(begun) => begun,
        Err(ended) => return Ok(ended),
    };
    let mut worst = Ended::Done;
    let mut replays = Vec::new();
    for one in print::list(&begun["data"]) {
        let (replay, came_to) = match followed(here, text(&one["id"]), until).await? {
            Ok(followed) => followed,
            Err(ended) => return Ok(ended),
        };
        worst = if worst == Ended::Done { came_to } else { worst };
        replays.push(replay);
    }
    here.show(&json!({"data": replays, "next_cursor": null}), |shown| {
        print::list(&shown["data"]).iter().try_for_each(|one| {
            let (id, integration, status) = (text(&one["id"]), text(&one["integration"]), text(&one["status"]));
            let told = [("looked at", "looked_at"), ("back", "resurrected"), ("new people", "re_registered")];
            let told = told.map(|(word, field)| format!("{} {word}", one[field])).join(" · ");
            output::line(&format!("{id} {integration} · {status} · {told}"))
        })
    })?;
    Ok(worst)
}

/// Waits for a search and for the deletions that it asked for; answers the search and how all of it ended.
async fn followed(here: &Here, id: &str, until: Instant) -> Result<Result<(Value, Ended), Ended>> {
    let replay = loop {
        let left = until.saturating_duration_since(Instant::now());
        let prefer = format!("wait={}", left.as_secs().min(WAIT_SECS_MAX));
        let path = format!("/v1/erasures/replay/{id}");
        let shown = match here.waiting("GET", &path, None, Some(&prefer)).await? {
            Ok(shown) => shown,
            Err(ended) => return Ok(Err(ended)),
        };
        if !shown["finished_at"].is_null() || left.is_zero() {
            break shown;
        }
    };
    match text(&replay["status"]) {
        "complete" => {}
        "failed" => return Ok(Ok((replay, Ended::Failed))),
        _ => return Ok(Ok((replay, Ended::Processing))),
    }
    let mut worst = Ended::Done;
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/requests?batch={id}&limit=200{cursor}");
        let page = match here.call("GET", &path, None).await? {
            Ok(page) => page,
            Err(ended) => return Ok(Err(ended)),
        };
        for one in print::list(&page["data"]) {
            let left = until.saturating_duration_since(Instant::now());
            match settled(here, text(&one["id"]), left).await? {
                Ok(shown) if worst == Ended::Done => worst = ended(&shown),
                Ok(_) => {}
                Err(ended) => return Ok(Err(ended)),
            }
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(Ok((replay, worst))),
        }
    }
}
