//! What can be checked: packages, certificates, the audit log, and the whole.

use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use connector::{audit, package, signing};
use serde_json::json;

use super::{
    Ended,
    args::{Audit, Output},
    here::Here,
};
use crate::output;

/// `packages verify`.
pub(super) fn package(file: &Path, form: Output) -> Result<Ended> {
    let opened = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    match package::verify(opened) {
        Ok(whole) => {
            match form {
                Output::Json => output::json(&json!({
                    "ok": true, "request_id": whole.request_id, "complete": whole.is_complete, "files": whole.files,
                    "public_key": whole.public_key,
                }))?,
                Output::Human => {
                    let complete = if whole.is_complete { "complete" } else { "INCOMPLETE" };
                    let (id, files, key) = (whole.request_id, whole.files, whole.public_key);
                    output::line(&format!("whole · {complete} · {id} · {files} files · signed with {key}"))?;
                }
            }
            Ok(Ended::Done)
        }
        Err(error) => {
            if form == Output::Json {
                output::json(&json!({"ok": false, "detail": error.to_string()}))?;
            }
            eprintln!("error: {error}");
            Ok(Ended::NotIntact)
        }
    }
}

/// The file of a signature: beside what it signs.
pub(super) fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".sig");
    name.into()
}

/// `certificate verify`.
pub(super) fn certificate(file: &Path, signature: Option<&Path>, form: Output) -> Result<Ended> {
    let read = |path: &Path| std::fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let bytes = read(file)?;
    let beside = signature.map_or_else(|| beside(file), Path::to_owned);
    let signature = String::from_utf8(read(&beside)?).unwrap_or_default();
    let key = connector::package::signed_with(&bytes).unwrap_or_default();
    let is_whole = signing::verify(&bytes, &signature, &key);
    match form {
        Output::Json => output::json(&json!({"ok": is_whole, "public_key": key}))?,
        Output::Human if is_whole => output::line(&format!("whole · signed with {key}"))?,
        Output::Human => eprintln!("error: the signature does not fit the certificate"),
    }
    Ok(if is_whole { Ended::Done } else { Ended::NotIntact })
}

/// `audit verify FILE`.
pub(super) fn exported(file: &Path, is_mirror: bool, form: Output) -> Result<Ended> {
    let opened = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    let opened = BufReader::new(opened);
    let checked = if is_mirror { audit::verify_mirror(opened) } else { audit::verify_export(opened) };
    match checked.with_context(|| format!("cannot read {}", file.display()))? {
        Ok(log) => {
            let (entries, hash) = (log.entries, log.hash);
            match (form, log.public_key) {
                (Output::Json, key) => {
                    output::json(&json!({"ok": true, "entries": entries, "hash": hash, "public_key": key}))?;
                }
                (Output::Human, Some(key)) => output::line(&format!("whole · {entries} entries · signed with {key}"))?,
                (Output::Human, None) => {
                    output::line(&format!("whole · {entries} entries · nobody signed the end, which is {hash}"))?;
                }
            }
            Ok(Ended::Done)
        }
        Err(broken) => {
            if form == Output::Json {
                output::json(&json!({"ok": false, "first_bad_seq": broken.seq}))?;
            }
            eprintln!("error: {broken}");
            Ok(Ended::NotIntact)
        }
    }
}

/// `audit`.
pub(super) async fn audit(here: &Here, command: &Audit) -> Result<Ended> {
    if let Audit::Export = command {
        let log = here.download("GET", "/v1/audit/export", None).await?;
        let mut log = log.context("the service does not hand out its audit log")?;
        while let Some(piece) = log.piece().await? {
            output::bytes(&piece)?;
        }
        return Ok(Ended::Done);
    }
    let shown = match here.call("POST", "/v1/audit/verify", None).await? {
        Ok(shown) => shown,
        Err(ended) => return Ok(ended),
    };
    here.show(&shown, |shown| match shown["first_bad_seq"].as_u64() {
        Some(seq) => output::line(&format!("broken at entry {seq}")),
        None => output::line(&format!("whole · {} entries", shown["entries"])),
    })?;
    Ok(if shown["ok"] == true { Ended::Done } else { Ended::NotIntact })
}
