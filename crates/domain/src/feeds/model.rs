//! The oracle of the timelines: a model that really copies every activity to every follower (feeds-v1 §4.6).

use std::collections::{BTreeMap, BTreeSet};

use ids::{ActivityId, FeedId};

/// Copies, as a server that fans out on write would keep them.
#[derive(Default, Debug)]
pub(super) struct Model {
    /// For each feed the copies that it holds: the activity, the followed feed that brought it, and when it arrived.
    copies: BTreeMap<FeedId, BTreeMap<(ActivityId, Option<FeedId>), Arrived>>,
    /// Follower, followed.
    follows: BTreeSet<(FeedId, FeedId)>,
    /// Targets of each activity.
    targets: BTreeMap<ActivityId, Vec<FeedId>>,
    steps: usize,
}

/// At which step, and of one step's arrivals, those by a target come after those by the feed it was added to.
type Arrived = (usize, bool);

impl Model {
    pub(super) fn add(&mut self, feed: &FeedId, id: ActivityId, to: &[FeedId]) {
        self.steps += 1;
        let known = self.targets.entry(id).or_default();
        for target in to {
            if !known.contains(target) {
                known.push(target.clone());
            }
        }
        self.place(feed, id, false);
        for target in to {
            self.place(target, id, true);
        }
    }

    pub(super) fn add_to_many(&mut self, feeds: &[FeedId], id: ActivityId) {
        self.steps += 1;
        self.targets.entry(id).or_default();
        for feed in feeds {
            self.put(feed, id);
        }
    }

    /// Puts the activity into the feed itself; answers whether it was not there.
    fn put(&mut self, feed: &FeedId, id: ActivityId) -> bool {
        let own = self.copies.entry(feed.clone()).or_default();
        let is_new = !own.contains_key(&(id, None));
        own.entry((id, None)).or_insert((self.steps, false));
        is_new
    }

    fn place(&mut self, feed: &FeedId, id: ActivityId, is_target: bool) {
        if !self.put(feed, id) {
            return;
        }
        for follower in self.followers(feed) {
            self.copy(&follower, id, feed, is_target);
        }
    }

    fn followers(&self, feed: &FeedId) -> Vec<FeedId> {
        self.follows.iter().filter(|(_, target)| target == feed).map(|(follower, _)| follower.clone()).collect()
    }

    fn copy(&mut self, to: &FeedId, id: ActivityId, origin: &FeedId, is_target: bool) {
        let arrived = (self.steps, is_target);
        self.copies.entry(to.clone()).or_default().entry((id, Some(origin.clone()))).or_insert(arrived);
    }

    pub(super) fn remove(&mut self, feed: &FeedId, id: ActivityId) {
        self.steps += 1;
        if !self.copies.get(feed).is_some_and(|copies| copies.contains_key(&(id, None))) {
            return;
        }
        let mut feeds = self.targets.insert(id, Vec::new()).unwrap_or_default();
        feeds.push(feed.clone());
        for feed in feeds {
            self.displace(&feed, id);
        }
    }

    fn displace(&mut self, feed: &FeedId, id: ActivityId) {
        self.copies.entry(feed.clone()).or_default().remove(&(id, None));
        for copies in self.copies.values_mut() {
            copies.remove(&(id, Some(feed.clone())));
        }
    }

    pub(super) fn retarget(&mut self, feed: &FeedId, id: ActivityId, targets: &[FeedId]) {
        self.steps += 1;
        if !self.copies.get(feed).is_some_and(|copies| copies.contains_key(&(id, None))) {
            return;
        }
        let before = self.targets.insert(id, targets.to_vec()).unwrap_or_default();
        for gone in before.iter().filter(|target| !targets.contains(target) && *target != feed) {
            self.displace(gone, id);
        }
        for new in targets.iter().filter(|target| !before.contains(target)) {
            self.place(new, id, true);
        }
    }

    pub(super) fn follow(&mut self, feed: &FeedId, target: &FeedId, copy_limit: usize) {
        self.steps += 1;
        if !self.follows.insert((feed.clone(), target.clone())) {
            return;
        }
        let own = self.copies.get(target).into_iter().flatten();
        let mut posted: Vec<_> = own.filter(|((_, origin), _)| origin.is_none()).map(|((id, _), _)| *id).collect();
        posted.sort_unstable_by(|a, b| b.cmp(a));
        for id in posted.into_iter().take(copy_limit) {
            self.copy(feed, id, target, false);
        }
    }

    pub(super) fn unfollow(&mut self, feed: &FeedId, target: &FeedId, keeps_history: bool) {
        self.steps += 1;
        self.follows.remove(&(feed.clone(), target.clone()));
        if !keeps_history {
            self.copies.entry(feed.clone()).or_default().retain(|(_, origin), _| origin.as_ref() != Some(target));
        }
    }

    /// What a reader of `feed` sees, newest first: each activity once, with the origin of its first copy.
    pub(super) fn read(&self, feed: &FeedId) -> Vec<(ActivityId, Option<FeedId>)> {
        let mut first: BTreeMap<ActivityId, (Arrived, Option<FeedId>)> = BTreeMap::new();
        for ((id, origin), arrived) in self.copies.get(feed).into_iter().flatten() {
            let copy = (*arrived, origin.clone());
            first.entry(*id).and_modify(|known| *known = known.clone().min(copy.clone())).or_insert(copy);
        }
        first.into_iter().rev().map(|(id, (_, origin))| (id, origin)).collect()
    }
}
