//! `backup`, `restore` and `check`: the data directory as a whole.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use server::front::SystemClock;
use store::{Options, Store};

use crate::args::{Backup, Check, Compact, Data, Restore};
use crate::output;

/// How much of a backup is read or written at a time.
const BUFFER_BYTES: usize = 1 << 20;

/// Writes the data directory to a file, which appears only when it is whole.
pub(crate) fn backup(args: &Backup) -> Result<()> {
    let file = &args.file;
    ensure!(!file.exists(), "{} exists; choose another name, or remove it first", file.display());
    let store = open(&args.data)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let unfinished =
        tempfile::NamedTempFile::new_in(folder).with_context(|| format!("cannot write to {}", folder.display()))?;
    let progress = Progress::new("written");
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, &unfinished);
    let summary = store.dump(&mut out, &mut |rows| progress.rows(rows))?;
    out.flush().with_context(|| format!("cannot write {}", file.display()))?;
    drop(out);
    unfinished.as_file().sync_all().with_context(|| format!("cannot write {}", file.display()))?;
    unfinished.persist_noclobber(file).with_context(|| format!("cannot write {}", file.display()))?;
    progress.finish();
    report(args.json, "backed up", summary.rows, summary.bytes)
}

/// Makes the data directory from a backup.
pub(crate) fn restore(args: &Restore) -> Result<()> {
    let mut input = read(&args.file)?;
    let progress = Progress::new("restored");
    let dir = &args.data.data_dir;
    let summary = Store::restore(dir, &mut input, &Options::default(), &mut |rows| progress.rows(rows))
        .with_context(|| format!("cannot restore {} into {}", args.file.display(), dir.display()))?;
    progress.finish();
    report(args.json, "restored", summary.rows, summary.bytes)
}

/// Reads everything once.
pub(crate) fn check(args: &Check) -> Result<()> {
    if let Some(file) = &args.backup {
        let summary = Store::check_dump(&mut read(file)?).with_context(|| format!("in {}", file.display()))?;
        return report(args.json, "whole", summary.rows, summary.bytes);
    }
    let store = open(&args.data)?;
    let progress = Progress::new("checked");
    let summary = store.check(&mut |rows| progress.rows(rows))?;
    progress.finish();
    report(args.json, "whole", summary.rows, summary.bytes)
}

/// Writes the tables anew without what was removed, and empties the journal.
pub(crate) async fn compact(args: Compact) -> Result<()> {
    let store = open(&args.data)?;
    let before = size(&args.data.data_dir)?;
    server::compaction::compact(&store, &SystemClock).await?;
    // Closing leaves nothing in the journal.
    drop(store);
    let after = size(&args.data.data_dir)?;
    if args.json {
        return output::json(&json!({ "outcome": "compacted", "bytes_before": before, "bytes": after }));
    }
    output::line(&format!("compacted: {after} bytes, {before} before"))
}

/// The bytes of all files below `dir`.
fn size(dir: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let entry = entry?;
        let about = entry.metadata()?;
        bytes += if about.is_dir() { size(&entry.path())? } else { about.len() };
    }
    Ok(bytes)
}

/// Opens a data directory that is there; a command that reads makes none.
pub(crate) fn open(data: &Data) -> Result<Store> {
    let dir = &data.data_dir;
    ensure!(dir.is_dir(), "there is no data directory {}; name it with --data-dir", dir.display());
    Store::open(dir, &Options::default()).context("the data directory cannot be opened")
}

fn read(file: &Path) -> Result<BufReader<File>> {
    let opened = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(BufReader::with_capacity(BUFFER_BYTES, opened))
}

fn report(is_json: bool, outcome: &str, rows: u64, bytes: u64) -> Result<()> {
    if is_json {
        return output::json(&json!({ "outcome": outcome, "rows": rows, "bytes": bytes }));
    }
    output::line(&format!("{outcome}: {rows} rows, {bytes} bytes"))
}

/// A count of rows on a terminal; nothing elsewhere.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new(done: &'static str) -> Self {
        let bar = ProgressBar::new_spinner().with_message(done);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {human_pos} rows {msg} ({per_sec})") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    pub(crate) fn rows(&self, rows: u64) {
        self.0.set_position(rows);
    }

    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
