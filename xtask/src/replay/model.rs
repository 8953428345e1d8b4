//! What every feed must hold, worked out the slow and obvious way: a post is copied to each follower, a follow copies
//! the newest activities of its target.
//!
//! An activity that reaches a timeline by several ways is one row; its origin is the way by which it came first. One that is
//! posted comes from the feed that it is added to before it comes from its targets. Where one request still brings it by
//! several ways at once, the contract leaves open which of them shows.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::events::Event;
use super::ids::ActivityKey;
use super::plan::{self, Plan};

/// How many activities a follow copies when the request does not say.
const COPY_LIMIT_DEFAULT: usize = 100;

/// One expected row of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) event: usize,
    /// The feeds that brought it first; none for a row of the feed's own.
    pub(crate) origins: Vec<String>,
}

/// How an activity came to a timeline.
struct Arrival {
    moment: Moment,
    origins: Vec<String>,
}

/// The number of the request, and whether it is by a target of what that posts.
type Moment = (usize, bool);

#[derive(Default)]
struct Feed {
    /// What was posted to this feed or addressed to it, in the order of time.
    own: BTreeSet<(ActivityKey, usize)>,
    /// What came by a follow.
    copies: HashMap<usize, Arrival>,
    followers: Vec<String>,
}

impl Feed {
    fn copy(&mut self, event: usize, origin: &str, moment: Moment) {
        let arrival = self.copies.entry(event).or_insert(Arrival { moment, origins: Vec::new() });
        if arrival.moment == moment {
            arrival.origins.push(origin.to_owned());
        }
    }
}

/// All feeds after the whole plan.
pub(crate) struct Model {
    feeds: HashMap<String, Feed>,
    keys: Vec<ActivityKey>,
    timelines: Vec<String>,
    /// Counts the requests.
    moment: usize,
}

impl Model {
    /// Carries out `plan`, one thing after another.
    pub(crate) fn of(events: &[Event], plan: &Plan) -> Self {
        let key = |event: &Event| ActivityKey::new(&event.object, &event.time).expect("loading has checked each id");
        let keys = events.iter().map(key).collect();
        let mut model = Self { feeds: HashMap::new(), keys, timelines: Vec::new(), moment: 0 };
        for batch in &plan.batches {
            for &index in &batch.posts {
                model.post(&events[index], index);
            }
            for request in &batch.follows {
                model.moment += 1;
                for follow in request {
                    model.follow(&follow.source, &follow.target);
                }
            }
        }
        let authors: HashSet<String> = events.iter().map(|event| format!("timeline:{}", event.actor)).collect();
        model.timelines = authors.into_iter().collect();
        model.timelines.sort_unstable();
        model
    }

    fn post(&mut self, event: &Event, index: usize) {
        self.moment += 1;
        let (feed, targets) = plan::feeds(event);
        self.place(index, &feed, false);
        for target in targets {
            self.place(index, &target, true);
        }
    }

    fn place(&mut self, index: usize, feed: &str, is_target: bool) {
        let posted = self.feeds.entry(feed.to_owned()).or_default();
        posted.own.insert((self.keys[index], index));
        for follower in posted.followers.clone() {
            self.feeds.entry(follower).or_default().copy(index, feed, (self.moment, is_target));
        }
    }

    fn follow(&mut self, source: &str, target: &str) {
        let followed = self.feeds.entry(target.to_owned()).or_default();
        followed.followers.push(source.to_owned());
        let newest: Vec<usize> = followed.own.iter().rev().take(COPY_LIMIT_DEFAULT).map(|(_, index)| *index).collect();
        let follower = self.feeds.entry(source.to_owned()).or_default();
        for index in newest {
            follower.copy(index, target, (self.moment, false));
        }
    }

    /// The timelines of all authors.
    pub(crate) fn timelines(&self) -> &[String] {
        &self.timelines
    }

    /// Every feed that reads as a flat list of activities: timelines, users, repositories.
    pub(crate) fn flat_feeds(&self) -> Vec<String> {
        let posted = self.feeds.keys().filter(|feed| feed.starts_with("user:") || feed.starts_with("repo:"));
        let mut feeds: Vec<String> = posted.chain(&self.timelines).cloned().collect();
        feeds.sort_unstable();
        feeds
    }

    /// How many rows came by a follow.
    pub(crate) fn copies(&self) -> usize {
        self.feeds.values().map(|feed| feed.copies.len()).sum()
    }

    /// The rows of `feed`, newest first.
    pub(crate) fn rows(&self, feed: &str) -> Vec<Row> {
        let Some(feed) = self.feeds.get(feed) else { return Vec::new() };
        let own = feed.own.iter().map(|(_, index)| Row { event: *index, origins: Vec::new() });
        let copies = feed.copies.iter().map(|(index, arrival)| Row { event: *index, origins: arrival.origins.clone() });
        let mut rows: Vec<Row> = own.chain(copies).collect();
        rows.sort_unstable_by_key(|row| std::cmp::Reverse(self.keys[row.event]));
        rows
    }

    /// The id that the activity of an event must have.
    pub(crate) fn id(&self, event: usize) -> String {
        self.keys[event].id()
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::Batch;
    use super::*;
    use crate::api::Follow;

    fn commit(number: usize) -> Event {
        let (minute, second) = (number / 60, number % 60);
        Event {
            actor: "amy".into(),
            verb: "commit".into(),
            object: format!("commit:{number}"),
            repo: "pond".into(),
            time: format!("2024-12-13T09:{minute:02}:{second:02}.000000"),
            with: vec![],
        }
    }

    fn follow(target: &str) -> Follow {
        Follow { source: "timeline:bob".into(), target: target.into() }
    }

    /// The events of a timeline, newest first, with where each came from.
    fn timeline(events: &[Event], batches: Vec<Batch>) -> Vec<(usize, String)> {
        let rows = Model::of(events, &Plan { batches }).rows("timeline:bob").into_iter();
        rows.map(|row| (row.event, row.origins.join(" "))).collect()
    }

    #[test]
    fn a_follow_copies_the_newest_hundred_and_what_comes_later() {
        let events: Vec<Event> = (0..130).map(commit).collect();
        let before = Batch { posts: (0..120).collect(), follows: vec![vec![follow("user:amy")]] };
        let after = Batch { posts: (120..130).collect(), follows: vec![] };
        let rows = timeline(&events, vec![before, after]);
        assert_eq!(rows.iter().map(|(event, _)| *event).collect::<Vec<_>>(), (20..130).rev().collect::<Vec<_>>());
    }

    #[test]
    fn what_arrives_by_two_ways_is_one_row_and_came_by_the_first() {
        let events: Vec<Event> = (0..2).map(commit).collect();
        let repo_first = vec![vec![follow("repo:pond")], vec![follow("user:amy")]];
        let before = Batch { posts: vec![0], follows: repo_first };
        let after = Batch { posts: vec![1], follows: vec![] };
        let rows = timeline(&events, vec![before, after]);
        assert_eq!(rows, [(1, "user:amy".to_owned()), (0, "repo:pond".to_owned())]);
    }
}
