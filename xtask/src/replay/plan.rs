//! What is done, in which order: batches of posts, each followed by the follows that they give rise to.
//!
//! - An author posts to `user:<author>`, with `to` = `repo:<repo>` and a `notification:<co-author>` each.
//! - `timeline:<author>` follows `repo:<repo>` once the author has worked on it.
//! - It also follows `user:<other>` for each author met there. Committing to a repository, one meets the
//!   [`MET_MAX`] other authors who committed to it most recently before. A timeline follows [`FOLLOWS_MAX`] authors
//!   at most.
//! - One event in [`LATE_EVERY`] arrives a batch late, so that activities older than a follow come after it.
//!
//! Within a batch the posts may arrive in any order, and likewise the follows of different timelines: no row depends
//! on it. Between the two there is a barrier, so that copy limits have one right answer.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::events::Event;
use crate::api::Follow;

const MET_MAX: usize = 10;
const FOLLOWS_MAX: usize = 200;
const LATE_EVERY: usize = 41;

/// Follows of one request; the API takes 2,500.
const FOLLOWS_PER_REQUEST: usize = 500;

/// Posts that may happen in any order, then follows.
#[derive(Default)]
pub(crate) struct Batch {
    /// Indices of events.
    pub(crate) posts: Vec<usize>,
    /// One list for each request. All follows of one timeline stand in one request, in their order.
    pub(crate) follows: Vec<Vec<Follow>>,
}

/// Every batch, in order.
pub(crate) struct Plan {
    pub(crate) batches: Vec<Batch>,
}

impl Plan {
    pub(crate) fn new(events: &[Event]) -> Self {
        let mut acquaintances = Acquaintances::default();
        let batches = arrivals(events.len())
            .into_iter()
            .map(|posts| {
                let follows = acquaintances.after(posts.iter().map(|&index| &events[index]));
                Batch { posts, follows: into_requests(follows) }
            })
            .collect();
        Self { batches }
    }

    pub(crate) fn posts(&self) -> usize {
        self.batches.iter().map(|batch| batch.posts.len()).sum()
    }

    pub(crate) fn follows(&self) -> usize {
        self.batches.iter().flat_map(|batch| &batch.follows).map(Vec::len).sum()
    }

    pub(crate) fn requests(&self) -> usize {
        self.posts() + self.batches.iter().map(|batch| batch.follows.len()).sum::<usize>()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} posts and {} follows in {} batches", self.posts(), self.follows(), self.batches.len())
    }
}

/// The feed that an event is posted to, and the feeds that it is addressed to.
pub(crate) fn feeds(event: &Event) -> (String, Vec<String>) {
    let mut to = vec![format!("repo:{}", event.repo)];
    to.extend(event.with.iter().map(|author| format!("notification:{author}")));
    (format!("user:{}", event.actor), to)
}

/// Splits events 0 to `count` into batches; some come one batch late.
fn arrivals(count: usize) -> Vec<Vec<usize>> {
    let size = (count / 30).clamp(20, 250);
    let mut batches = vec![Vec::new(); count.div_ceil(size)];
    let last = batches.len().saturating_sub(1);
    for index in 0..count {
        let is_late = index % LATE_EVERY == LATE_EVERY / 2;
        batches[(index / size + usize::from(is_late)).min(last)].push(index);
    }
    batches
}

/// Who has worked on what, and whom each author knows.
#[derive(Default)]
struct Acquaintances {
    /// The most recent authors of each repository, the last one first.
    recent: HashMap<String, Vec<String>>,
    followed: HashMap<String, HashSet<String>>,
}

impl Acquaintances {
    /// The follows that `events` give rise to.
    fn after<'a>(&mut self, events: impl Iterator<Item = &'a Event>) -> Vec<Follow> {
        let mut follows = Vec::new();
        for event in events {
            let recent = self.recent.entry(event.repo.clone()).or_default();
            let met = recent.iter().filter(|author| **author != event.actor).map(|author| format!("user:{author}"));
            let targets: Vec<String> = std::iter::once(format!("repo:{}", event.repo)).chain(met).collect();
            recent.retain(|author| *author != event.actor);
            recent.insert(0, event.actor.clone());
            recent.truncate(MET_MAX);
            self.follow(&event.actor, targets, &mut follows);
        }
        follows
    }

    fn follow(&mut self, author: &str, targets: Vec<String>, follows: &mut Vec<Follow>) {
        let followed = self.followed.entry(author.to_owned()).or_default();
        for target in targets {
            let has_room = followed.len() < FOLLOWS_MAX || target.starts_with("repo:");
            if has_room && followed.insert(target.clone()) {
                follows.push(Follow { source: format!("timeline:{author}"), target });
            }
        }
    }
}

/// Packs follows into requests without dividing a timeline.
fn into_requests(mut follows: Vec<Follow>) -> Vec<Vec<Follow>> {
    follows.sort_by(|one, other| one.source.cmp(&other.source));
    let mut requests: Vec<Vec<Follow>> = Vec::new();
    for group in follows.chunk_by(|one, other| one.source == other.source) {
        match requests.last_mut() {
            Some(request) if request.len() + group.len() <= FOLLOWS_PER_REQUEST => request.extend_from_slice(group),
            _ => requests.push(group.to_vec()),
        }
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(actor: &str, repo: &str) -> Event {
        let time = "2024-12-13T09:45:44.000000".into();
        Event { actor: actor.into(), verb: "commit".into(), object: "o".into(), repo: repo.into(), time, with: vec![] }
    }

    #[test]
    fn an_author_follows_the_repository_and_whoever_was_there_before() {
        let events = [commit("amy", "pond"), commit("bob", "pond"), commit("amy", "pond")];
        let plan = Plan::new(&events);
        let follows: Vec<String> = plan.batches[0]
            .follows
            .iter()
            .flatten()
            .map(|follow| format!("{} {}", follow.source, follow.target))
            .collect();
        let expected =
            ["timeline:amy repo:pond", "timeline:amy user:bob", "timeline:bob repo:pond", "timeline:bob user:amy"];
        assert_eq!(follows, expected);
    }

    #[test]
    fn every_event_arrives_once_and_some_late() {
        let batches = arrivals(600);
        let mut all: Vec<usize> = batches.iter().flatten().copied().collect();
        all.sort_unstable();
        assert_eq!(all, (0..600).collect::<Vec<_>>());
        let late = LATE_EVERY / 2;
        assert!(!batches[late / 20].contains(&late) && batches[late / 20 + 1].contains(&late));
    }
}
