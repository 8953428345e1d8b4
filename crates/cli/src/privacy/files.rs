//! Files that are fetched: a piece at a time, and there under their name only when they are whole.

use std::{
    fmt,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use connector::{http::Download, signing::Fingerprint};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

/// A file that was fetched.
pub(super) struct Saved {
    path: PathBuf,
    bytes: u64,
    sha256: String,
}

impl Saved {
    /// As JSON.
    pub(super) fn shown(&self) -> Value {
        json!({"file": self.path.display().to_string(), "bytes": self.bytes, "sha256": self.sha256})
    }
}

impl fmt::Display for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sha256 {}", self.path.display(), self.sha256)
    }
}

/// Writes what comes to `path`, which only its owner may read. It is written under another name beside it, so that
/// whatever was there stays until all of it is on disk, and nothing half is ever there, nor left when somebody
/// interrupts it.
pub(super) async fn save(path: &Path, mut download: Download) -> Result<Saved> {
    let cannot = || format!("cannot write {}", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut unfinished = tempfile::NamedTempFile::new_in(folder).with_context(cannot)?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (mut hash, mut bytes) = (Fingerprint::default(), 0);
    loop {
        let piece = tokio::select! {
            piece = download.piece() => piece.with_context(cannot)?,
            _ = terminate.recv() => None.context("interrupted").with_context(cannot)?,
            _ = interrupt.recv() => None.context("interrupted").with_context(cannot)?,
        };
        let Some(piece) = piece else { break };
        hash.update(&piece);
        bytes += piece.len() as u64;
        unfinished.write_all(&piece).with_context(cannot)?;
    }
    unfinished.as_file().sync_all().with_context(cannot)?;
    unfinished.persist(path).with_context(cannot)?;
    File::open(folder).and_then(|folder| folder.sync_all()).with_context(cannot)?;
    Ok(Saved { path: path.to_owned(), bytes, sha256: hash.finish() })
}
