//! What is left of somebody in a data directory: in the rows of the store, and in the files beside it (v2 §8 no. 30).
//!
//! `millpond check --residue` prints what this finds: where, and never what.

use std::{
    collections::{BTreeMap, HashSet, btree_map::Entry},
    io,
    path::{Path, PathBuf},
};

pub use domain::erasure::residue::{Found, Report as Rows, Residue as Row, Wanted};
use domain::{
    erasure::residue::{Needle, residue},
    files,
};
use ids::{AppId, UserId};
use store::Store;
use tokio::{
    fs::{self, File},
    io::AsyncReadExt,
};

/// How much of a file is looked at at a time.
const BUFFER_BYTES: usize = 1 << 20;

/// What is looked for: `user`, and `needles` besides, in `app` or in all apps.
///
/// # Errors
/// When `user` is not the id of a user.
pub fn wanted(user: &str, needles: Vec<String>, app: Option<u32>) -> Result<Wanted, ids::Malformed> {
    Ok(Wanted { user: UserId::parse(user)?, needles, app })
}

/// Why the walk ended early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed, or a row cannot be read.
    #[error(transparent)]
    Store(#[from] domain::Error),
    /// A file beside the store cannot be read.
    #[error("cannot read {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A file that should not be there after a hard deletion.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeftFile {
    /// Its path below the folder of files.
    pub path: String,
    /// What it was found by.
    pub found: InFile,
}

/// What a file was found by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum InFile {
    /// It names the user.
    User,
    /// It holds the text of this number, from 0.
    Needle(usize),
    /// No row knows it: its bytes were forgotten.
    Forgotten,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// In the rows.
    pub rows: Rows,
    /// In the files beside the store.
    pub files: Vec<LeftFile>,
    /// Files that were looked at.
    pub files_seen: u64,
}

impl Report {
    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        self.rows.residue.is_empty() && self.files.is_empty()
    }
}

/// Walks over the whole store and every file below `folder`; `looked` is told how many rows it has seen.
///
/// # Errors
/// When the store fails, or something cannot be read.
pub async fn find(
    store: &Store,
    folder: &Path,
    wanted: &Wanted,
    looked: &mut (dyn FnMut(u64) + Send),
) -> Result<Report, Error> {
    let mut report = Report { rows: residue(store, wanted, looked).await?, ..Report::default() };
    let mut made = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let failed = |source| Error::File { path: next.clone(), source };
        let mut entries = match fs::read_dir(&next).await {
            // There was never a file.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(failed)?,
        };
        while let Some(entry) = entries.next_entry().await.map_err(failed)? {
            match entry.file_type().await.map_err(failed)?.is_dir() {
                true => folders.push(entry.path()),
                false => look((store, &mut made), folder, &entry.path(), wanted, &mut report).await?,
            }
        }
    }
    report.files.sort_by(|a, b| (&a.path, a.found).cmp(&(&b.path, b.found)));
    Ok(report)
}

/// Ids of what was made of files, by app; read when it is first needed.
type Made = BTreeMap<u32, HashSet<String>>;

/// Looks at one file.
async fn look(
    (store, made): (&Store, &mut Made),
    folder: &Path,
    path: &Path,
    wanted: &Wanted,
    report: &mut Report,
) -> Result<(), Error> {
    let name = path.strip_prefix(folder).unwrap_or(path).to_string_lossy().into_owned();
    let mut parts = name.split('/');
    let (kind, app) = (parts.next().unwrap_or_default(), name.split('/').find_map(|part| part.parse().ok()));
    if wanted.app.is_some_and(|wanted| app.is_some_and(|app| app != wanted)) {
        return Ok(());
    }
    report.files_seen += 1;
    let mut note = |found| report.files.push(LeftFile { path: name.clone(), found });
    if kind == "uploads"
        && let (Some(app), Some(id)) = (app, name.rsplit('/').next())
        && !is_known(store, made, app, id).await?
    {
        note(InFile::Forgotten);
    }
    let mut wants: Vec<_> =
        wanted.needles.iter().enumerate().map(|(n, text)| (Needle::new(text), InFile::Needle(n))).collect();
    if kind == "exports" {
        // An upload may hold any text that looks like an id; an export names users as JSON does.
        wants.push((Needle::new(&format!("\"{}\"", wanted.user)), InFile::User));
    }
    for found in search(path, &wants).await.map_err(|source| Error::File { path: path.to_owned(), source })? {
        note(found);
    }
    Ok(())
}

/// Whether a row of the store says that this file is there, or that it is about to go.
async fn is_known(store: &Store, made: &mut Made, app: u32, id: &str) -> Result<bool, Error> {
    if files::is_known(&mut store.read(), AppId(app), id).await? {
        return Ok(true);
    }
    let made = match made.entry(app) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(unknown) => unknown.insert(files::made(&mut store.read(), AppId(app)).await?),
    };
    Ok(made.contains(id))
}

/// What of `wants` is in the file, which may be larger than memory.
async fn search(path: &Path, wants: &[(Needle, InFile)]) -> io::Result<Vec<InFile>> {
    let overlap = wants.iter().map(|(needle, _)| needle.bytes()).max().unwrap_or(0).saturating_sub(1);
    let (mut file, mut window, mut found) = (File::open(path).await?, Vec::new(), Vec::new());
    loop {
        // The end of what was read before: a text may stand across both.
        window.drain(..window.len().saturating_sub(overlap));
        let before = window.len();
        (&mut file).take(BUFFER_BYTES as u64).read_to_end(&mut window).await?;
        if window.len() == before {
            return Ok(found);
        }
        for (needle, kind) in wants {
            if !found.contains(kind) && needle.is_in(&window) {
                found.push(*kind);
            }
        }
    }
}
