//! Whether everything is in order: clock, disk, key, audit log, connections, deadlines (§18).

use std::path::Path;

use crate::{Connector, Result, audit, integrations::Health, keys};

/// Below this there is too little room on the disk, in bytes.
const FREE_BYTES_MIN: u64 = 1 << 30;
/// Beyond this a clock is wrong, in microseconds (§14).
const SKEW_MAX: i64 = 30 * 1_000_000;
const PAGE: usize = 200;

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What: `clock`, `disk`, `key`, `lock`, `audit`, `overdue`, or `integration` with its name.
    pub what: String,
    /// Whether it is in order.
    pub is_fine: bool,
    /// What was found, and what to do.
    pub told: String,
}

impl Finding {
    fn new(what: &str, is_fine: bool, told: impl Into<String>) -> Self {
        Finding { what: what.to_owned(), is_fine, told: told.into() }
    }
}

impl Connector {
    /// Looks at everything; each integration is tested.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn examine(&self) -> Result<Vec<Finding>> {
        let mut findings = vec![
            // It could not have been opened otherwise.
            Finding::new("lock", true, "this process owns the data directory"),
            disk(&self.dir),
            self.examine_key().await,
            match audit::verify(&self.store).await? {
                Ok(entries) => Finding::new("audit", true, format!("the chain of {entries} entries is whole")),
                Err(broken) => Finding::new("audit", false, broken.to_string()),
            },
        ];
        let mut skew = 0;
        for integration in self.integrations().await? {
            if integration.health == Health::Disabled {
                continue;
            }
            let with_delete = integration.capabilities.iter().any(|one| one == "delete");
            let report = self.test_integration(&integration.id, with_delete).await?;
            let offset = self.session(&integration).await?.offset();
            skew = if offset.abs() > i64::abs(skew) { offset } else { skew };
            let what = format!("integration {}", integration.name);
            findings.push(match report.verdict() {
                None => Finding::new(&what, true, "connected"),
                Some(finding) => Finding::new(&what, false, finding.message),
            });
        }
        findings.push(clock(skew));
        findings.push(self.overdue().await?);
        Ok(findings)
    }

    async fn examine_key(&self) -> Finding {
        let id = self.ring.current().id().to_owned();
        match keys::verify(&self.store, &self.ring).await {
            Ok(count) => Finding::new("key", true, format!("key {id} opens all {count} data keys")),
            Err(error) => Finding::new("key", false, error.to_string()),
        }
    }

    async fn overdue(&self) -> Result<Finding> {
        let now = self.surroundings.now();
        let (mut open, mut overdue, mut after) = (0, 0, None::<String>);
        loop {
            let page = self.requests(&crate::Filter::default(), after.as_deref(), PAGE).await?;
            for request in page.requests.iter().filter(|request| !request.state.status().is_final()) {
                open += 1;
                overdue += usize::from(request.due() < now);
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        Ok(Finding::new("overdue", overdue == 0, format!("{overdue} of {open} open requests are overdue")))
    }
}

fn clock(skew: i64) -> Finding {
    let secs = skew / 1_000_000;
    Finding::new("clock", skew.abs() <= SKEW_MAX, format!("{secs} s from the clocks of the integrations"))
}

fn disk(dir: &Path) -> Finding {
    match rustix::fs::statvfs(dir) {
        Ok(about) => {
            let free = about.f_bavail.saturating_mul(about.f_frsize);
            Finding::new("disk", free >= FREE_BYTES_MIN, format!("{} MiB free", free >> 20))
        }
        Err(error) => Finding::new("disk", false, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_may_be_half_a_minute_off_either_way() {
        for (skew, is_fine) in [(0, true), (SKEW_MAX, true), (-SKEW_MAX - 1, false), (600 * 1_000_000, false)] {
            assert_eq!(clock(skew).is_fine, is_fine, "{skew}");
        }
    }
}
