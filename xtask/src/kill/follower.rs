//! A client that follows and unfollows, one feed after another.

use anyhow::{Result, bail};

use crate::api::{Api, Error};
use crate::seed::Dice;

/// Above this many the follower only unfollows: its list stays quick to read.
const FOLLOWED_MAX: usize = 120;

/// A follower and all that it was told.
pub(super) struct Follower {
    feed: String,
    dice: Dice,
    /// What must be followed, oldest first.
    followed: Vec<String>,
    unanswered: Option<Change>,
    changes: usize,
    targets: u64,
}

#[derive(Clone)]
enum Change {
    Follow(String),
    Unfollow(String),
}

impl Follower {
    pub(super) fn new(number: u64, dice: Dice) -> Self {
        let feed = format!("timeline:follower-{number}");
        Self { feed, dice, followed: Vec::new(), unanswered: None, changes: 0, targets: 0 }
    }

    /// Follows and unfollows until the server is gone.
    pub(super) async fn write_until_unanswered(&mut self, api: &Api) -> Result<()> {
        loop {
            // Both changes may be sent again: the second time changes nothing.
            let change = self.unanswered.take().unwrap_or_else(|| self.change());
            let answer = match &change {
                Change::Follow(target) => api.follow(&self.feed, target).await,
                Change::Unfollow(target) => api.unfollow(&self.feed, target).await,
            };
            match answer {
                Ok(()) => self.note(change),
                Err(Error::Unanswered { .. }) => {
                    self.unanswered = Some(change);
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn change(&mut self) -> Change {
        let count = self.followed.len();
        if count >= FOLLOWED_MAX || (count > 0 && self.dice.below(4) == 0) {
            let index = usize::try_from(self.dice.below(count as u64)).expect("it is below a length");
            return Change::Unfollow(self.followed[index].clone());
        }
        self.targets += 1;
        Change::Follow(format!("user:target-{}", self.targets))
    }

    fn note(&mut self, change: Change) {
        self.changes += 1;
        match change {
            Change::Follow(target) => self.followed.push(target),
            Change::Unfollow(target) => self.followed.retain(|followed| *followed != target),
        }
    }

    /// Compares the list with what was acknowledged, and learns what became of the unanswered change.
    pub(super) async fn check(&mut self, api: &Api) -> Result<()> {
        let mut found = api.following(&self.feed).await?;
        found.reverse();
        let has_happened = self.unanswered.as_ref().is_some_and(|change| match change {
            Change::Follow(target) => found.contains(target),
            Change::Unfollow(target) => !found.contains(target),
        });
        if let Some(change) = self.unanswered.take_if(|_| has_happened) {
            self.note(change);
        }
        if found == self.followed {
            return Ok(());
        }
        bail!("{} follows {found:?}, oldest first, but what was acknowledged is {:?}", self.feed, self.followed)
    }

    pub(super) fn changes(&self) -> usize {
        self.changes
    }
}
