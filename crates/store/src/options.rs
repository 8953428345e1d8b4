//! How a store is opened.

use std::fmt;
use std::sync::Arc;

use crate::fault::Faults;

/// How a store is opened.
#[derive(Clone)]
pub struct Options {
    /// The memory for blocks read from disk, in bytes.
    pub cache_bytes: u64,
    /// The memory that recent writes may take before they are moved to a table on disk, in bytes.
    pub write_buffer_bytes: u64,
    /// Called when the engine failed and what the disk holds is unknown. It should not return: the default prints the
    /// reason and stops the process. If it returns, every later commit fails.
    pub on_fatal: Arc<dyn Fn(&str) + Send + Sync>,
    /// Failures on demand; `None` outside tests.
    pub faults: Option<Faults>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            cache_bytes: 256 << 20,
            write_buffer_bytes: 64 << 20,
            on_fatal: Arc::new(|reason| {
                eprintln!("millpond: stopping, because {reason}");
                std::process::abort();
            }),
            faults: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("cache_bytes", &self.cache_bytes)
            .field("write_buffer_bytes", &self.write_buffer_bytes)
            .finish_non_exhaustive()
    }
}
