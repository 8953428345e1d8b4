//! Stored bodies: files beside the store, sealed in chunks, named by the hash of their sealed bytes (§4.1).
//!
//! **Invariant:** a blob that a row names is whole and synced; a file that ends in `.part` is named by nothing.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    digest,
};
use zeroize::Zeroizing;

use crate::{
    Result,
    error::file,
    keys::{KEY_BYTES, hex},
};

/// The bytes of a body that are sealed together.
const CHUNK_BYTES: usize = 64 * 1024;
const TAG_BYTES: usize = 16;

/// The folder of the blobs.
#[derive(Clone, Debug)]
pub(crate) struct Blobs {
    dir: PathBuf,
}

/// What a finished blob is.
pub(crate) struct Written {
    pub(crate) blob: String,
    pub(crate) key: Zeroizing<[u8; KEY_BYTES]>,
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
}

/// A blob that is being written.
pub(crate) struct Writer {
    out: BufWriter<File>,
    path: PathBuf,
    dir: PathBuf,
    sealing: LessSafeKey,
    key: Zeroizing<[u8; KEY_BYTES]>,
    chunk: Vec<u8>,
    chunks: u64,
    bytes: u64,
    body_hash: digest::Context,
    sealed_hash: digest::Context,
    is_kept: bool,
}

/// Reads a blob's body.
pub(crate) struct Reader {
    input: BufReader<File>,
    sealing: LessSafeKey,
    /// The chunk at hand, and how much of it was read.
    chunk: Vec<u8>,
    at: usize,
    chunks: u64,
    is_done: bool,
}

impl Blobs {
    /// Opens the folder, and removes what a crash left unfinished.
    pub(crate) fn open(dir: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&dir).map_err(file(&dir))?;
        for entry in std::fs::read_dir(&dir).map_err(file(&dir))? {
            let path = entry.map_err(file(&dir))?.path();
            if path.extension().is_some_and(|extension| extension == "part") {
                std::fs::remove_file(&path).map_err(file(&path))?;
            }
        }
        Ok(Blobs { dir })
    }

    /// Begins a blob under a fresh key; `name` tells unfinished ones apart.
    pub(crate) fn create(&self, name: &str, key: [u8; KEY_BYTES]) -> Result<Writer> {
        let path = self.dir.join(format!("{name}.part"));
        let out = BufWriter::new(File::create(&path).map_err(file(&path))?);
        Ok(Writer {
            out,
            path,
            dir: self.dir.clone(),
            sealing: sealing(&key),
            key: Zeroizing::new(key),
            chunk: Vec::with_capacity(CHUNK_BYTES + TAG_BYTES),
            chunks: 0,
            bytes: 0,
            body_hash: digest::Context::new(&digest::SHA256),
            sealed_hash: digest::Context::new(&digest::SHA256),
            is_kept: false,
        })
    }

    /// The files of all blobs.
    pub(crate) fn paths(&self) -> Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(&self.dir).map_err(file(&self.dir))? {
            let folder = entry.map_err(file(&self.dir))?.path();
            if folder.is_dir() {
                for entry in std::fs::read_dir(&folder).map_err(file(&folder))? {
                    paths.push(entry.map_err(file(&folder))?.path());
                }
            }
        }
        paths.sort_unstable();
        Ok(paths)
    }

    /// Reads the blob.
    pub(crate) fn read(&self, blob: &str, key: &[u8]) -> Result<Reader> {
        let path = self.path(blob);
        let input = BufReader::new(File::open(&path).map_err(file(&path))?);
        let key = key.try_into().map_err(|_| crate::keys::Error::Damaged)?;
        Ok(Reader { input, sealing: sealing(key), chunk: Vec::new(), at: 0, chunks: 0, is_done: false })
    }

    /// Removes the blob, if it is there.
    pub(crate) fn remove(&self, blob: &str) -> Result<()> {
        let path = self.path(blob);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(file(&path)(error)),
            _ => Ok(()),
        }
    }

    fn path(&self, blob: &str) -> PathBuf {
        path_of(&self.dir, blob)
    }
}

fn path_of(dir: &Path, blob: &str) -> PathBuf {
    dir.join(blob.get(..2).unwrap_or("00")).join(blob)
}

fn sealing(key: &[u8; KEY_BYTES]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("the key has the right length"))
}

/// Each chunk has its number as nonce, under a key that seals one blob; the last one says so, so none can be cut off.
fn nonce(chunk: u64, is_last: bool) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[..8].copy_from_slice(&chunk.to_be_bytes());
    bytes[8] = u8::from(is_last);
    Nonce::assume_unique_for_key(bytes)
}

impl Writer {
    fn flush_chunk(&mut self, is_last: bool) -> io::Result<()> {
        let sealed = self.sealing.seal_in_place_append_tag(nonce(self.chunks, is_last), Aad::empty(), &mut self.chunk);
        sealed.map_err(|_| io::Error::other("a chunk cannot be sealed"))?;
        self.sealed_hash.update(&self.chunk);
        self.out.write_all(&self.chunk)?;
        self.chunk.clear();
        self.chunks += 1;
        Ok(())
    }

    /// Syncs the blob and gives it its name.
    pub(crate) fn finish(mut self) -> Result<Written> {
        let path = self.path.clone();
        let failed = || file(path.clone());
        self.flush_chunk(true).map_err(failed())?;
        self.out.flush().map_err(failed())?;
        self.out.get_ref().sync_all().map_err(failed())?;
        let blob = hex(self.sealed_hash.clone().finish().as_ref());
        let target = path_of(&self.dir, &blob);
        let folder = target.parent().unwrap_or(&self.dir).to_owned();
        std::fs::create_dir_all(&folder).map_err(file(&folder))?;
        std::fs::rename(&self.path, &target).map_err(failed())?;
        for dir in [&folder, &self.dir] {
            File::open(dir).and_then(|dir| dir.sync_all()).map_err(file(dir))?;
        }
        self.is_kept = true;
        let sha256 = hex(self.body_hash.clone().finish().as_ref());
        Ok(Written { blob, key: self.key.clone(), sha256, bytes: self.bytes })
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.chunk.len() == CHUNK_BYTES {
            self.flush_chunk(false)?;
        }
        let taken = &bytes[..bytes.len().min(CHUNK_BYTES - self.chunk.len())];
        self.chunk.extend_from_slice(taken);
        self.body_hash.update(taken);
        self.bytes += taken.len() as u64;
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.is_kept {
            // What stays is removed when the folder is opened again.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Reader {
    fn next_chunk(&mut self) -> io::Result<()> {
        self.chunk.clear();
        self.at = 0;
        let limit = (CHUNK_BYTES + TAG_BYTES) as u64;
        self.input.by_ref().take(limit).read_to_end(&mut self.chunk)?;
        self.is_done = io::BufRead::fill_buf(&mut self.input)?.is_empty();
        let opened = self.sealing.open_in_place(nonce(self.chunks, self.is_done), Aad::empty(), &mut self.chunk);
        let length = opened.map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a stored body was changed"))?.len();
        self.chunk.truncate(length);
        self.chunks += 1;
        Ok(())
    }
}

impl Read for Reader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.chunk.len() && !self.is_done {
            self.next_chunk()?;
        }
        let count = out.len().min(self.chunk.len() - self.at);
        out[..count].copy_from_slice(&self.chunk[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(blobs: &Blobs, body: &[u8]) -> Written {
        let mut writer = blobs.create("test", [7; KEY_BYTES]).unwrap();
        writer.write_all(body).unwrap();
        writer.finish().unwrap()
    }

    fn read(blobs: &Blobs, written: &Written) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        blobs.read(&written.blob, &written.key[..]).unwrap().read_to_end(&mut body)?;
        Ok(body)
    }

    #[test]
    fn a_body_of_any_length_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path().to_owned()).unwrap();
        for length in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES] {
            let body = vec![b'x'; length];
            let written = written(&blobs, &body);
            assert_eq!(read(&blobs, &written).unwrap(), body, "{length}");
            assert_eq!(written.sha256, crate::keys::sha256(&body));
        }
    }

    #[test]
    fn a_changed_or_cut_blob_does_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path().to_owned()).unwrap();
        let written = written(&blobs, &vec![b'x'; 2 * CHUNK_BYTES]);
        let path = blobs.path(&written.blob);
        let sealed = std::fs::read(&path).unwrap();
        assert!(!sealed.windows(8).any(|window| window == b"xxxxxxxx"));
        let mut flipped = sealed.clone();
        flipped[100] ^= 1;
        for bad in [flipped, sealed[..CHUNK_BYTES + TAG_BYTES].to_vec()] {
            std::fs::write(&path, bad).unwrap();
            assert!(read(&blobs, &written).is_err());
        }
    }

    #[test]
    fn what_was_not_finished_is_gone_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("crash.part"), b"x").unwrap();
        Blobs::open(dir.path().to_owned()).unwrap();
        assert!(!dir.path().join("crash.part").exists());
    }
}
