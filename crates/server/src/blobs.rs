//! Files beside the store: what is too large for rows, such as exports.
//!
//! Which files there are, whose they are and when they go is said by rows of the store. A file appears under its name only
//! when it is whole and synced; what a killed process began is begun anew, or goes with the file's removal.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::body::Body;
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::{
    fs::{self, File},
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufWriter},
};
use tokio_util::io::ReaderStream;

/// How much of a file is read or written at a time.
const BUFFER_BYTES: usize = 256 << 10;
/// What stands behind the name of a file that is being written.
const UNFINISHED: &str = ".part";

/// Where files are.
#[derive(Clone, Debug)]
pub enum Blobs {
    /// In memory, and forgotten with the process.
    Memory(Arc<Mutex<BTreeMap<String, Bytes>>>),
    /// Below this folder.
    Folder(PathBuf),
}

/// A file that is being written.
pub(crate) enum Draft {
    /// What is there of it, where it will be, and its name.
    Memory(Vec<u8>, Arc<Mutex<BTreeMap<String, Bytes>>>, String),
    /// The file, and where it will be.
    Folder(Box<BufWriter<File>>, PathBuf),
}

impl Blobs {
    /// Files that are forgotten with the process.
    pub fn memory() -> Self {
        Blobs::Memory(Arc::default())
    }

    /// Files below `folder`, which is made with the first of them.
    pub fn folder(folder: impl Into<PathBuf>) -> Self {
        Blobs::Folder(folder.into())
    }

    /// Begins the file `name`; one of that name stays until the new one is whole.
    pub(crate) async fn begin(&self, name: &str) -> io::Result<Draft> {
        Ok(match self {
            Blobs::Memory(files) => Draft::Memory(Vec::new(), files.clone(), name.to_owned()),
            Blobs::Folder(folder) => {
                let path = folder.join(name);
                fs::create_dir_all(parent(&path)).await?;
                let file = File::create(unfinished(&path)).await?;
                Draft::Folder(Box::new(BufWriter::with_capacity(BUFFER_BYTES, file)), path)
            }
        })
    }

    /// The length of the file `name` and its content, if it is there.
    pub(crate) async fn open(&self, name: &str) -> io::Result<Option<(u64, Body)>> {
        match self {
            Blobs::Memory(files) => {
                Ok(files.lock().get(name).map(|bytes| (bytes.len() as u64, Body::from(bytes.clone()))))
            }
            Blobs::Folder(folder) => {
                let file = match File::open(folder.join(name)).await {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                    file => file?,
                };
                let length = file.metadata().await?.len();
                Ok(Some((length, Body::from_stream(ReaderStream::with_capacity(file, BUFFER_BYTES)))))
            }
        }
    }

    /// At most the first `max` bytes of the file `name`, if it is there.
    pub(crate) async fn read(&self, name: &str, max: u64) -> io::Result<Option<Bytes>> {
        match self {
            Blobs::Memory(files) => {
                let bytes = files.lock().get(name).cloned();
                Ok(bytes.map(|bytes| bytes.slice(..bytes.len().min(usize::try_from(max).unwrap_or(usize::MAX)))))
            }
            Blobs::Folder(folder) => {
                let file = match File::open(folder.join(name)).await {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                    file => file?,
                };
                let mut bytes = Vec::new();
                file.take(max).read_to_end(&mut bytes).await?;
                Ok(Some(bytes.into()))
            }
        }
    }

    /// At most `max` bytes of the file `name` from `start` on, if it is there; none past its end.
    pub(crate) async fn read_from(&self, name: &str, start: u64, max: u64) -> io::Result<Option<Bytes>> {
        match self {
            Blobs::Memory(files) => {
                let bytes = files.lock().get(name).cloned();
                let at = |at: u64, bytes: &Bytes| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
                Ok(bytes.map(|bytes| bytes.slice(at(start, &bytes)..at(start.saturating_add(max), &bytes))))
            }
            Blobs::Folder(folder) => {
                let mut file = match File::open(folder.join(name)).await {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                    file => file?,
                };
                file.seek(io::SeekFrom::Start(start)).await?;
                let mut bytes = Vec::new();
                file.take(max).read_to_end(&mut bytes).await?;
                Ok(Some(bytes.into()))
            }
        }
    }

    /// Writes the whole file `name`.
    pub(crate) async fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut draft = self.begin(name).await?;
        draft.append(bytes).await?;
        draft.keep().await
    }

    /// Removes the file `name`, whole or not, if it is there.
    pub(crate) async fn remove(&self, name: &str) -> io::Result<()> {
        match self {
            Blobs::Memory(files) => {
                files.lock().remove(name);
            }
            Blobs::Folder(folder) => {
                let path = folder.join(name);
                for path in [unfinished(&path), path] {
                    match fs::remove_file(path).await {
                        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }
}

impl Draft {
    /// Writes more of it.
    pub(crate) async fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Draft::Memory(content, ..) => content.extend_from_slice(bytes),
            Draft::Folder(file, _) => file.write_all(bytes).await?,
        }
        Ok(())
    }

    /// It is whole: from now on it is there under its name, through a loss of power too.
    pub(crate) async fn keep(self) -> io::Result<()> {
        match self {
            Draft::Memory(content, files, name) => {
                files.lock().insert(name, content.into());
            }
            Draft::Folder(mut file, path) => {
                file.flush().await?;
                file.get_ref().sync_all().await?;
                fs::rename(unfinished(&path), &path).await?;
                File::open(parent(&path)).await?.sync_all().await?;
            }
        }
        Ok(())
    }
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(UNFINISHED);
    name.into()
}

fn parent(path: &Path) -> &Path {
    path.parent().expect("a name is joined to the folder")
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn read(blobs: &Blobs, name: &str) -> Option<String> {
        let (length, body) = blobs.open(name).await.unwrap()?;
        let bytes = body.collect().await.unwrap().to_bytes();
        assert_eq!(bytes.len() as u64, length);
        Some(String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_file_is_there_when_it_is_whole_until_it_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        for blobs in [Blobs::memory(), Blobs::folder(dir.path().join("files"))] {
            blobs.remove("7/a.txt").await.unwrap();
            let mut draft = blobs.begin("7/a.txt").await.unwrap();
            draft.append(b"skates ").await.unwrap();
            assert_eq!(read(&blobs, "7/a.txt").await, None);
            draft.append(b"and rests").await.unwrap();
            draft.keep().await.unwrap();
            assert_eq!(read(&blobs, "7/a.txt").await.as_deref(), Some("skates and rests"));
            drop(blobs.begin("7/a.txt").await.unwrap());
            assert_eq!(read(&blobs, "7/a.txt").await.as_deref(), Some("skates and rests"));
            assert_eq!(blobs.read("7/a.txt", 6).await.unwrap().as_deref(), Some(&b"skates"[..]));
            assert_eq!(blobs.read("7/b.txt", 6).await.unwrap(), None);
            assert_eq!(blobs.read_from("7/a.txt", 7, 3).await.unwrap().as_deref(), Some(&b"and"[..]));
            assert_eq!(blobs.read_from("7/a.txt", 70, 3).await.unwrap().as_deref(), Some(&b""[..]));
            assert_eq!(blobs.read_from("7/b.txt", 0, 3).await.unwrap(), None);
            blobs.remove("7/a.txt").await.unwrap();
            assert_eq!(read(&blobs, "7/a.txt").await, None);
        }
        let left = std::fs::read_dir(dir.path().join("files/7")).unwrap().count();
        assert_eq!(left, 0, "what was begun and not finished goes, too");
    }
}
