//! Where pictures are processed: off the threads that answer, few at a time, within a bound on memory.

use images::{BYTES_MAX, Picture, Refused, Shape, cost, measure, process};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::blobs::Blobs;

/// Pictures that are processed at a time.
const AT_ONCE_MAX: usize = 4;
/// Pictures that may wait; one more is told to come again.
const WAITING_MAX: usize = 64;
/// The memory for what is decoded at a time, in MiB; one picture never needs more, whatever it says.
const MEMORY_MIB_MAX: u32 = 768;

/// Who waits or works.
static WAITING: Semaphore = Semaphore::const_new(WAITING_MAX);
/// Who works.
static AT_ONCE: Semaphore = Semaphore::const_new(AT_ONCE_MAX);
/// What they may take.
static MEMORY_MIB: Semaphore = Semaphore::const_new(MEMORY_MIB_MAX as usize);

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It cannot be processed.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The file is not there.
    #[error("the file is gone")]
    Gone,
    /// Too many are waiting.
    #[error("too many pictures are being processed; try again in a moment")]
    Busy,
    /// Its bytes could not be read or written.
    #[error(transparent)]
    Failed(#[from] std::io::Error),
    /// What is known of it could not be read or written.
    #[error(transparent)]
    Stored(#[from] domain::Error),
}

/// Makes the picture in the file `blob` anew in another shape.
///
/// # Errors
/// [`Error`].
pub(crate) async fn reshape(blobs: &Blobs, blob: &str, shape: Shape) -> Result<Picture, Error> {
    let _waiting = WAITING.try_acquire().map_err(|_| Error::Busy)?;
    let _at_work = taken(AT_ONCE.acquire().await);
    let bytes = blobs.read(blob, BYTES_MAX + 1).await?.ok_or(Error::Gone)?;
    let (bytes, mib) = run(move || {
        let mib = cost(&measure(&bytes)?, &shape).div_ceil(1 << 20);
        Ok((bytes, mib))
    })
    .await?;
    let mib = u32::try_from(mib).unwrap_or(u32::MAX).clamp(1, MEMORY_MIB_MAX);
    let _memory = taken(MEMORY_MIB.acquire_many(mib).await);
    run(move || process(&bytes, &shape)).await
}

async fn run<T: Send + 'static>(work: impl FnOnce() -> Result<T, Refused> + Send + 'static) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        // A decoder that gave up in its own way; it holds nothing.
        Err(_) => Err(Refused::Broken("it cannot be decoded".to_owned()).into()),
    }
}

fn taken<E: std::fmt::Debug>(permit: Result<SemaphorePermit<'static>, E>) -> SemaphorePermit<'static> {
    permit.expect("these are never closed")
}
