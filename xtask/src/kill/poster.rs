//! A client that posts to its own feed, one activity after another.

use anyhow::{Result, bail};

use crate::api::{Activity, Api, Error, NewActivity};
use crate::seed::Dice;

/// The feed that some activities are also addressed to: they must be in both feeds or in none.
pub(super) const SQUARE: &str = "user:square";

/// The feed of the poster with this number.
pub(super) fn feed(number: u64) -> String {
    format!("user:poster-{number}")
}

/// A poster and all that it was told.
pub(super) struct Poster {
    number: u64,
    dice: Dice,
    /// What must be in the feed, oldest first.
    acknowledged: Vec<Known>,
    /// What was sent and not answered.
    unanswered: Option<Draft>,
    drafted: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    foreign_id: String,
    id: String,
    time: String,
}

#[derive(Clone)]
struct Draft {
    foreign_id: String,
    /// Given by half of the posters: these may send a draft again, and it must not double.
    time: Option<String>,
    is_to_the_square: bool,
}

impl Poster {
    pub(super) fn new(number: u64, dice: Dice) -> Self {
        Self { number, dice, acknowledged: Vec::new(), unanswered: None, drafted: 0 }
    }

    /// Posts until the server is gone.
    pub(super) async fn write_until_unanswered(&mut self, api: &Api) -> Result<()> {
        loop {
            let draft = self.unanswered.take().unwrap_or_else(|| self.draft());
            match self.post(api, &draft).await {
                Ok(activity) => self.acknowledged.push(known(activity)),
                Err(Error::Unanswered { .. }) => {
                    self.unanswered = Some(draft);
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn draft(&mut self) -> Draft {
        self.drafted += 1;
        let (number, count) = (self.number, self.drafted);
        let has_time = number.is_multiple_of(2);
        let (hour, minute, second) = (count / 3600 % 24, count / 60 % 60, count % 60);
        let time =
            has_time.then(|| format!("2024-05-{:02}T{hour:02}:{minute:02}:{second:02}.000000", 1 + count / 86_400));
        let is_to_the_square = self.dice.below(5) == 0;
        // The name tells which activities were addressed to the square, also after an unanswered request.
        let mark = if is_to_the_square { "square" } else { "own" };
        Draft { foreign_id: format!("{mark}-{number}-{count}"), time, is_to_the_square }
    }

    async fn post(&self, api: &Api, draft: &Draft) -> Result<Activity, Error> {
        let to = [SQUARE.to_owned()];
        let activity = NewActivity {
            actor: "poster",
            verb: "note",
            object: &draft.foreign_id,
            foreign_id: &draft.foreign_id,
            time: draft.time.as_deref(),
            to: if draft.is_to_the_square { &to } else { &[] },
            repo: None,
        };
        api.add(&feed(self.number), &activity).await
    }

    /// Compares the feed with what was acknowledged, and learns what became of the unanswered post.
    pub(super) async fn check(&mut self, api: &Api) -> Result<()> {
        let (found, _) = api.whole_feed(&feed(self.number)).await?;
        let mut found: Vec<Known> = found.into_iter().rev().map(known).collect();
        let late =
            self.unanswered.take_if(|draft| found.last().is_some_and(|last| last.foreign_id == draft.foreign_id));
        if late.is_some() {
            self.acknowledged.extend(found.last().cloned());
        } else {
            // Without a time of its own a draft cannot be sent again without the risk of doubling it.
            self.unanswered.take_if(|draft| draft.time.is_none());
        }
        if found == self.acknowledged {
            return Ok(());
        }
        let same = found.iter().zip(&self.acknowledged).take_while(|(found, known)| found == known).count();
        let expected = self.acknowledged.get(same);
        let lengths = (found.len(), self.acknowledged.len());
        let found = if same < found.len() { Some(found.swap_remove(same)) } else { None };
        bail!(
            "{} has {} activities where {} were acknowledged; number {same} from the oldest is {found:?} and must be {expected:?}",
            feed(self.number),
            lengths.0,
            lengths.1
        )
    }

    /// Where it posts.
    pub(super) fn feed(&self) -> String {
        feed(self.number)
    }

    /// What must be in the feed, oldest first.
    pub(super) fn foreign_ids(&self) -> impl Iterator<Item = String> {
        self.acknowledged.iter().map(|known| known.foreign_id.clone())
    }

    /// What must also be in the square.
    pub(super) fn foreign_ids_to_the_square(&self) -> impl Iterator<Item = String> {
        self.foreign_ids().filter(|foreign_id| foreign_id.starts_with("square-"))
    }
}

fn known(activity: Activity) -> Known {
    Known { foreign_id: activity.foreign_id, id: activity.id, time: activity.time }
}
