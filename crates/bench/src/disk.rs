//! The limit of a durable acknowledgement: one small append and one `fdatasync`.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;

/// About the size of a stored activity.
const RECORD: [u8; 256] = [b'.'; 256];

/// A file on the filesystem of the data, to append to.
pub(crate) struct Disk {
    file: File,
}

impl Disk {
    /// A new file in `folder`.
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        Ok(Self { file: File::create(folder.join("fdatasync"))? })
    }

    /// How long one append and its sync take, in microseconds, `count` times.
    ///
    /// It blocks the calling thread, as it would have to in any program: nothing else is to run meanwhile.
    pub(crate) fn sync_us(&mut self, count: usize) -> Result<Vec<f64>> {
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            let since = Instant::now();
            self.file.write_all(&RECORD)?;
            self.file.sync_data()?;
            times.push(since.elapsed().as_secs_f64() * 1e6);
        }
        Ok(times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sync_follows_an_append() {
        let folder = tempfile::tempdir().unwrap();
        let mut disk = Disk::new(folder.path()).unwrap();
        assert_eq!(disk.sync_us(3).unwrap().len(), 3);
        assert_eq!(std::fs::metadata(folder.path().join("fdatasync")).unwrap().len(), 768);
    }
}
