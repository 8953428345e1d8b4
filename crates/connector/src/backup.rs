//! The connector in one file: its rows as the store dumps them, and its stored bodies, sealed as they lie on disk.
//!
//! A backup holds no key: it opens with the key-encryption key alone, which is to be kept elsewhere. After a restore no
//! deletion is sent again blindly: whatever was under way is found out first, as after any crash (§4.3).

use std::{
    fs::File,
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

use store::{DumpError, Options, Store};
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter, write::SimpleFileOptions};

use crate::{Connector, Error, Result, error::file, keys::hex};

/// The folders of a data directory.
const STORE: &str = "store";
const BLOBS: &str = "blobs";
/// The rows.
const ROWS: &str = "store.dump";
/// What the names of stored bodies begin with.
const BODIES: &str = "bodies/";

/// What a backup holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Rows of the store.
    pub rows: u64,
    /// Stored bodies.
    pub bodies: u64,
}

impl Connector {
    /// Writes everything to `out`.
    ///
    /// # Errors
    /// When the store, a stored body or `out` fails.
    pub fn backup(&self, out: impl Write + Seek) -> Result<Summary> {
        let mut zip = ZipWriter::new(out);
        let options = |method| {
            let options = SimpleFileOptions::default().compression_method(method).large_file(true);
            options.last_modified_time(DateTime::default())
        };
        let failed = |error: zip::result::ZipError| file("the backup")(io::Error::other(error));
        // The rows first: a body that they name is there before them, and one that comes later is only too much.
        zip.start_file(ROWS, options(CompressionMethod::Deflated)).map_err(failed)?;
        let rows = self.store.dump(&mut zip, &mut |_| {}).map_err(dumped)?.rows;
        let mut bodies = 0;
        for path in self.blobs.paths()? {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            zip.start_file(format!("{BODIES}{name}"), options(CompressionMethod::Stored)).map_err(failed)?;
            let mut body = File::open(&path).map_err(file(&path))?;
            io::copy(&mut body, &mut zip).map_err(file(&path))?;
            bodies += 1;
        }
        zip.finish().map_err(failed)?;
        Ok(Summary { rows, bodies })
    }
}

/// Makes the data directory `dir`, which must be empty, from a backup.
///
/// # Errors
/// [`Error::Conflict`] when `dir` has a connector in it already, of which nothing is touched, or when the backup is damaged:
/// each stored body has the hash of its bytes as its name.
pub fn restore(backup: impl Read + Seek, dir: &Path) -> Result<Summary> {
    if [STORE, BLOBS].iter().any(|name| dir.join(name).exists()) {
        return Err(Error::Conflict(
            "there is a connector in it already; restore into a directory of its own".to_owned(),
        ));
    }
    let damaged = |why: &str| Error::Conflict(format!("the backup is damaged: {why}"));
    let mut zip = ZipArchive::new(backup).map_err(|error| damaged(&error.to_string()))?;
    let names = (0..zip.len()).map(|at| Some(zip.name_for_index(at)?.ok()?.into_owned()));
    let names: Option<Vec<String>> = names.collect();
    let names = names.ok_or_else(|| damaged("a name cannot be read"))?;
    std::fs::create_dir_all(dir).map_err(file(dir))?;
    let mut bodies = 0;
    for name in names.iter().filter(|name| *name != ROWS) {
        let hash = name.strip_prefix(BODIES).filter(|hash| is_hash(hash));
        let hash = hash.ok_or_else(|| damaged("it holds a file that no connector wrote"))?;
        let entry = zip.by_name(name).map_err(|error| damaged(&error.to_string()))?;
        if !put_body(entry, hash, &dir.join(BLOBS))? {
            return Err(damaged("a stored body was changed"));
        }
        bodies += 1;
    }
    let mut rows = zip.by_name(ROWS).map_err(|error| damaged(&error.to_string()))?;
    let summary = Store::restore(&dir.join(STORE), &mut rows, &Options::default(), &mut |_| {}).map_err(dumped)?;
    Ok(Summary { rows: summary.rows, bodies })
}

fn is_hash(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Writes a body under its name; whether it is what its name says.
fn put_body(mut body: impl Read, hash: &str, blobs: &Path) -> Result<bool> {
    let folder: PathBuf = blobs.join(&hash[..2]);
    std::fs::create_dir_all(&folder).map_err(file(&folder))?;
    let path = folder.join(hash);
    let mut out = Hashed { out: File::create(&path).map_err(file(&path))?, hash: context() };
    io::copy(&mut body, &mut out).map_err(file(&path))?;
    out.out.sync_all().map_err(file(&path))?;
    Ok(hex(out.hash.finish().as_ref()) == hash)
}

fn context() -> aws_lc_rs::digest::Context {
    aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256)
}

struct Hashed {
    out: File,
    hash: aws_lc_rs::digest::Context,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.hash.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn dumped(error: DumpError) -> Error {
    file("the rows of the backup")(io::Error::other(error))
}
