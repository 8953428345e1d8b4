//! How long what is known of people is kept once their requests are done (§4.5), as operators set it. It is stored, so that
//! no process that opens the directory goes by another number.

use minicbor::{Decode, Encode};
use store::Transaction;

use crate::{
    Connector, Error, Result,
    audit::{self, Draft},
    error::failed,
    keyspace::{HERE, RETENTION},
};

const DAY: i64 = 24 * 3600 * 1_000_000;
/// The longest retention, in days: ten years.
pub const DAYS_MAX: u32 = 3650;

/// What is kept for how long after a request is done, in days.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Retention {
    /// Packages and what they were made of.
    #[n(0)]
    pub packages_days: u32,
    /// Identifiers and everything else, by destroying the request's key.
    #[n(1)]
    pub identifiers_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Retention { packages_days: 7, identifiers_days: 30 }
    }
}

impl Retention {
    /// How long packages are kept, in microseconds.
    pub(crate) fn packages(self) -> i64 {
        i64::from(self.packages_days) * DAY
    }

    /// How long identifiers are kept, in microseconds.
    pub(crate) fn identifiers(self) -> i64 {
        i64::from(self.identifiers_days) * DAY
    }

    fn check(self) -> Result<()> {
        for (field, days) in [("packages_days", self.packages_days), ("identifiers_days", self.identifiers_days)] {
            if !(1..=DAYS_MAX).contains(&days) {
                return Err(Error::invalid(field, format!("must be 1 to {DAYS_MAX} days")));
            }
        }
        if self.packages_days > self.identifiers_days {
            let message = "must not be longer than `identifiers_days`: a package opens with the same key";
            return Err(Error::invalid("packages_days", message));
        }
        Ok(())
    }
}

impl Connector {
    /// How long what is known of people is kept.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn retention(&self) -> Result<Retention> {
        Ok(RETENTION.get(&mut self.store.read(), HERE, &()).await?.unwrap_or_default())
    }

    /// Changes it, for what is there already too: the next sweep goes by it.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub async fn set_retention(&self, packages_days: Option<u32>, identifiers_days: Option<u32>) -> Result<Retention> {
        let now = self.surroundings.now();
        let written = self.store.write(async |tx: &mut Transaction| {
            let before = RETENTION.get(tx, HERE, &()).await?.unwrap_or_default();
            let after = Retention {
                packages_days: packages_days.unwrap_or(before.packages_days),
                identifiers_days: identifiers_days.unwrap_or(before.identifiers_days),
            };
            after.check()?;
            RETENTION.put(tx, HERE, &(), &after);
            let draft = Draft::for_caller("retention.changed", "connector");
            let draft = draft.with("packages_days", after.packages_days);
            audit::record(tx, &draft.with("identifiers_days", after.identifiers_days), now).await?;
            Ok(after)
        });
        written.await.map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_kept_no_longer_than_the_key_that_opens_them() {
        let kept = |packages_days, identifiers_days| Retention { packages_days, identifiers_days }.check();
        assert!(Retention::default().check().is_ok() && kept(30, 30).is_ok());
        assert!(kept(31, 30).is_err() && kept(0, 30).is_err() && kept(1, DAYS_MAX + 1).is_err());
    }
}
