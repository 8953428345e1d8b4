//! The recorded commits: who did what to which repository, when, and with whom.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use flate2::read::GzDecoder;
use serde::Deserialize;

use crate::shell;

/// One commit or merge.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Event {
    pub(crate) actor: String,
    pub(crate) verb: String,
    pub(crate) object: String,
    pub(crate) repo: String,
    /// UTC without a zone, six fraction digits: the API's own form.
    pub(crate) time: String,
    /// The co-authors.
    #[serde(default)]
    pub(crate) with: Vec<String>,
}

/// Where the whole record is kept: beside the project, not in it.
pub(crate) fn default_path() -> Result<PathBuf> {
    let path = shell::root().join("../shared/data/commits.jsonl.gz");
    if !path.is_file() {
        bail!(
            "no recorded commits at {}; give a file with --data, one JSON object a line with actor, verb, object, \
             repo, time and with, such as the small cut in e2e/data/commits-small.jsonl",
            path.display()
        );
    }
    Ok(path)
}

/// The small cut that is part of the project; `e2e/data/README.md` says how it was made.
pub(crate) fn small_path() -> PathBuf {
    shell::root().join("e2e/data/commits-small.jsonl")
}

/// Reads at most `max` events.
pub(crate) fn read(path: &Path, max: Option<usize>) -> Result<Vec<Event>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let is_gzipped = path.extension().is_some_and(|extension| extension == "gz");
    let reader: Box<dyn Read> = if is_gzipped { Box::new(GzDecoder::new(file)) } else { Box::new(file) };
    let lines = BufReader::new(reader).lines().take(max.unwrap_or(usize::MAX));
    let events: Vec<Event> = lines
        .enumerate()
        .map(|(index, line)| {
            let line = line.with_context(|| format!("cannot read {}", path.display()))?;
            serde_json::from_str(&line).with_context(|| format!("{} line {}", path.display(), index + 1))
        })
        .collect::<Result<_>>()?;
    if events.is_empty() {
        bail!("{} holds no events", path.display());
    }
    Ok(events)
}
