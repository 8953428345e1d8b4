//! What runs all the time: due steps, one after another, until it is told to stop.

use std::time::Duration;

use crate::{Connector, Result};

/// The longest sleep: a clock that was changed is noticed after it.
const SLEEP_MAX: Duration = Duration::from_secs(1);
/// Between two sweeps, in microseconds.
const SWEEP_EVERY: i64 = 3600 * 1_000_000;

impl Connector {
    /// Works until `stop` is done; a step under way is finished.
    ///
    /// # Errors
    /// When the store or the folder of blobs fails.
    pub async fn work(&self, stop: impl Future<Output = ()> + Send) -> Result<()> {
        let mut stop = std::pin::pin!(stop);
        let mut swept_at = self.surroundings.now();
        loop {
            let now = self.surroundings.now();
            if now.micros() - swept_at.micros() >= SWEEP_EVERY {
                swept_at = now;
                self.sweep().await?;
            }
            self.checkpoint_due().await?;
            let ran = self.run_due().await? + self.run_batches().await? + self.deliver_due().await?;
            let nap = if ran > 0 { Duration::ZERO } else { self.nap().await? };
            tokio::select! {
                () = &mut stop => return Ok(()),
                () = tokio::time::sleep(nap) => {}
                () = self.news.notified() => {}
            }
        }
    }

    async fn nap(&self) -> Result<Duration> {
        let now = self.surroundings.now();
        let next = self.next_due().await?;
        let left = next.map(|at| Duration::from_micros(u64::try_from(at.micros() - now.micros()).unwrap_or(0)));
        Ok(left.unwrap_or(SLEEP_MAX).min(SLEEP_MAX))
    }
}
