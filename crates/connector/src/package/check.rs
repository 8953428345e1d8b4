//! Whether a package is what its manifest says: `packages verify`.

use std::{
    collections::BTreeSet,
    io::{self, Read, Seek},
};

use aws_lc_rs::digest;
use zip::ZipArchive;

use super::{Error, manifest::Manifest, seal};
use crate::{keys::hex, signing};

/// What stands beside the manifest.
const BESIDE: [&str; 3] = ["manifest.json", "manifest.json.sig", "public-key.pem"];
/// The largest manifest that is read, in bytes.
const MANIFEST_BYTES_MAX: u64 = 64 << 20;

/// A package that is whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// The request.
    pub request_id: String,
    /// Whether it holds everything that was asked.
    pub is_complete: bool,
    /// Files beside the manifest.
    pub files: usize,
    /// The key that signed it, in base64: compare it with the one that you know.
    pub public_key: String,
}

/// Checks signature, hashes, missing and extra files, and then every byte of the archive around them.
///
/// # Errors
/// [`Error`].
pub fn verify(mut archive: impl Read + Seek) -> Result<Summary, Error> {
    let summary = check_files(&mut archive)?;
    let is_as_signed = seal::verify(&mut archive, &summary.public_key).map_err(unreadable)?;
    if is_as_signed { Ok(summary) } else { Err(Error::Repacked) }
}

fn check_files(archive: impl Read + Seek) -> Result<Summary, Error> {
    let mut zip = ZipArchive::new(archive).map_err(unreadable)?;
    let mut names = BTreeSet::new();
    for index in 0..zip.len() {
        let file = zip.by_index_raw(index).map_err(unreadable)?;
        let name = file.name().map_err(unreadable)?.into_owned();
        if !names.insert(name.clone()) {
            return Err(Error::Extra(name));
        }
    }
    let mut text = |name: &str| {
        let file = zip.by_name(name).map_err(|_| Error::Missing(name.to_owned()))?;
        let mut text = String::new();
        let read = file.take(MANIFEST_BYTES_MAX).read_to_string(&mut text);
        read.map_err(|_| Error::Changed(name.to_owned()))?;
        Ok(text)
    };
    let (manifest, signature, pem) = (text(BESIDE[0])?, text(BESIDE[1])?, text(BESIDE[2])?);
    let public_key = signing::public_key_of(&pem).ok_or(Error::Signature)?;
    if !signing::verify(manifest.as_bytes(), &signature, &public_key) {
        return Err(Error::Signature);
    }
    let manifest: Manifest = serde_json::from_str(&manifest).map_err(unreadable)?;
    for file in &manifest.files {
        let entry = zip.by_name(&file.path).map_err(|_| Error::Missing(file.path.clone()))?;
        let changed = || Error::Changed(file.path.clone());
        let (hash, bytes) = hashed(entry, file.bytes).map_err(|_| changed())?;
        if hash != file.sha256 || bytes != file.bytes {
            return Err(changed());
        }
    }
    let named = |name: &String| BESIDE.contains(&name.as_str()) || manifest.files.iter().any(|file| file.path == *name);
    if let Some(extra) = names.iter().find(|name| !named(name)) {
        return Err(Error::Extra(extra.clone()));
    }
    let (request_id, is_complete) = (manifest.request_id, manifest.complete);
    Ok(Summary { request_id, is_complete, files: manifest.files.len(), public_key })
}

fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::Unreadable(error.to_string())
}

/// The hash and length of an entry; no more than one byte beyond what it should have is read.
fn hashed(entry: impl Read, bytes: u64) -> io::Result<(String, u64)> {
    let mut entry = entry.take(bytes + 1);
    let mut hash = digest::Context::new(&digest::SHA256);
    let mut buffer = vec![0; 64 * 1024];
    let mut total = 0;
    loop {
        let count = entry.read(&mut buffer)?;
        if count == 0 {
            return Ok((hex(hash.finish().as_ref()), total));
        }
        hash.update(&buffer[..count]);
        total += count as u64;
    }
}
