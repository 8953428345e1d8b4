use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::feeds::{
    activities::Draft,
    pond::{Pond, broken, feed},
    timelines::LIMIT_MAX,
};

mod formats;
mod ranked;

const AMY: &str = "notification:amy";

impl Pond {
    async fn groups(&self, of: &str) -> Page {
        read(&self.app, &feed(of), &Part::newest(LIMIT_MAX)).await.unwrap()
    }

    async fn note(&self, of: &str, read_now: Noted, seen_now: Noted) {
        let page = self.groups(of).await;
        self.app.write(async |tx| note(tx, &feed(of), &page, &read_now, &seen_now).await).await.unwrap();
    }

    async fn by(&self, to: &str, actor: &str, verb: &str, seconds: i64) -> ActivityId {
        let draft = Draft { actor: actor.into(), time: Some(Pond::at(seconds)), ..Pond::draft(verb) };
        self.add_draft(to, &draft).await
    }

    /// The groups of a feed: name, activities, actors.
    async fn shown(&self, of: &str) -> Vec<(String, u32, u32)> {
        let page = self.groups(of).await;
        page.groups.into_iter().map(|group| (group.name, group.activity_count, group.actor_count)).collect()
    }
}

/// The name of the group of `verb`.
fn day(verb: &str) -> String {
    format!("{verb}_2020-09-13")
}

#[tokio::test]
async fn activities_of_one_verb_and_day_are_one_group_and_the_newest_group_is_first() {
    let pond = Pond::new();
    pond.by(AMY, "bob", "like", 1).await;
    pond.by(AMY, "carl", "like", 2).await;
    pond.by(AMY, "bob", "like", 3).await;
    pond.by(AMY, "bob", "follow", 4).await;
    assert_eq!(pond.shown(AMY).await, [(day("follow"), 1, 1), (day("like"), 3, 2)]);
    let like = pond.groups(AMY).await.groups.remove(1);
    assert_eq!((like.created_at, like.updated_at, like.verb.as_str()), (Pond::at(1), Pond::at(3), "like"));
    assert_eq!(like.activities[0].id.time(), Pond::at(3));
    pond.by(AMY, "dora", "like", 5).await;
    assert_eq!(pond.shown(AMY).await, [(day("like"), 4, 3), (day("follow"), 1, 1)]);
}

#[tokio::test]
async fn a_group_goes_with_its_last_activity() {
    let pond = Pond::new();
    let id = pond.by(AMY, "bob", "like", 1).await;
    pond.remove(AMY, id).await;
    assert_eq!(pond.shown(AMY).await, []);
}

#[tokio::test]
async fn what_follows_bring_is_folded_too() {
    let pond = Pond::new();
    pond.by("user:bob", "bob", "like", 1).await;
    pond.follow("aggregated:amy", "user:bob").await;
    pond.by("user:bob", "bob", "like", 2).await;
    let page = pond.groups("aggregated:amy").await;
    assert_eq!((page.groups.len(), page.groups[0].activity_count), (1, 2));
    assert_eq!(page.groups[0].activities[0].origin, Some(feed("user:bob")));
    pond.unfollow("aggregated:amy", "user:bob", false).await;
    assert_eq!(pond.shown("aggregated:amy").await, []);
}

#[tokio::test]
async fn a_group_shows_its_newest_fifteen() {
    let pond = Pond::new();
    for second in 0..20 {
        pond.by(AMY, "bob", "like", second).await;
    }
    let group = pond.groups(AMY).await.groups.remove(0);
    assert_eq!((group.activity_count, group.activities.len()), (20, ACTIVITIES_MAX));
    assert_eq!(group.activities[14].id.time(), Pond::at(5));
}

#[tokio::test]
async fn the_id_of_a_group_stays_and_pages_go_by_it() {
    let pond = Pond::new();
    for (second, verb) in ["a", "b", "c", "d"].into_iter().enumerate() {
        pond.by(AMY, "bob", verb, i64::try_from(second).unwrap()).await;
    }
    let page = pond.groups(AMY).await;
    let ids: Vec<ActivityId> = page.groups.iter().map(|group| group.id).collect();
    let part = Part { below: ids[1], with_below: false, limit: 1, ..Part::newest(1) };
    let next = read(&pond.app, &feed(AMY), &part).await.unwrap();
    assert_eq!((next.groups[0].id, next.more), (ids[2], true));
    let between = Part { above: ids[2], with_above: true, below: ids[1], with_below: true, ..Part::newest(9) };
    let between = read(&pond.app, &feed(AMY), &between).await.unwrap();
    assert_eq!(between.groups.iter().map(|group| group.id).collect::<Vec<_>>(), ids[1..3]);
    // The group moves up, and its name and the place where a page goes on stay known.
    pond.by(AMY, "bob", "b", 9).await;
    assert_eq!(pond.groups(AMY).await.groups[0].id, ids[2]);
    pond.by(AMY, "bob", "b", -9).await;
    let moved = Part { below: ids[2], with_below: false, ..Part::newest(9) };
    assert_eq!(read(&pond.app, &feed(AMY), &moved).await.unwrap().groups.len(), 3);
    let activity = page.groups[0].activities[0].id;
    let wrong = Part { below: activity, with_below: false, ..Part::newest(9) };
    assert!(broken(read(&pond.app, &feed(AMY), &wrong).await).contains("not the id of a group"));
}

#[tokio::test]
async fn a_broken_format_takes_writes_and_refuses_reads() {
    let pond = Pond::new();
    pond.by("invalid_aggregation_format:amy", "bob", "like", 1).await;
    let read = read(&pond.app, &feed("invalid_aggregation_format:amy"), &Part::newest(1)).await;
    assert_eq!(broken(read), "the format contains syntax errors");
}

#[tokio::test]
async fn what_was_read_is_new_again_when_something_comes_even_back_dated() {
    let pond = Pond::new();
    pond.by(AMY, "bob", "like", 100).await;
    pond.by(AMY, "bob", "follow", 200).await;
    let counts = async || {
        let page = pond.groups(AMY).await;
        (page.unread, page.unseen)
    };
    assert_eq!(counts().await, (2, 2));
    pond.note(AMY, Noted::Nothing, Noted::All).await;
    assert_eq!(counts().await, (2, 0));
    let like = pond.groups(AMY).await.groups[1].id;
    pond.note(AMY, Noted::Groups(vec![like]), Noted::Nothing).await;
    assert_eq!(counts().await, (1, 0));
    pond.by(AMY, "carl", "like", -100_000).await;
    assert_eq!(counts().await, (2, 1), "another day is another group");
    pond.by(AMY, "carl", "like", 50).await;
    assert_eq!(counts().await, (3, 2), "the group of that day is new again");
    pond.note(AMY, Noted::Current, Noted::Current).await;
    assert_eq!(counts().await, (0, 0));
}

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    Add { bob: bool, actor: u8, verb: u8, second: i64 },
    Remove(usize),
    Follow,
    Unfollow(bool),
    NoteAll { read: bool },
    NoteOne { read: bool, which: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (any::<bool>(), 0..3_u8, 0..4_u8, 0..400_i64)
            .prop_map(|(bob, actor, verb, second)| Step::Add { bob, actor, verb, second }),
        1 => any::<usize>().prop_map(Step::Remove),
        1 => Just(Step::Follow),
        1 => any::<bool>().prop_map(Step::Unfollow),
        1 => any::<bool>().prop_map(|read| Step::NoteAll { read }),
        1 => (any::<bool>(), any::<usize>()).prop_map(|(read, which)| Step::NoteOne { read, which }),
    ]
}

/// What the fold must say, by the words of the contract: each activity is in its group, and a group was read when every
/// activity in it was there when it was marked.
#[derive(Default)]
struct Model {
    said: BTreeMap<ActivityId, (String, String)>,
    noted: [BTreeSet<ActivityId>; 2],
}

impl Model {
    fn groups(&self, timeline: &[ActivityId]) -> Vec<(String, Vec<ActivityId>)> {
        let mut groups: Vec<(String, Vec<ActivityId>)> = Vec::new();
        for id in timeline {
            let name = day(&self.said[id].1);
            match groups.iter_mut().find(|(known, _)| *known == name) {
                Some((_, ids)) => ids.push(*id),
                None => groups.push((name, vec![*id])),
            }
        }
        groups
    }
}

async fn run(steps: Vec<Step>) {
    let (pond, mut model, mut added) = (Pond::new(), Model::default(), Vec::new());
    for step in steps {
        match step {
            Step::Add { bob, actor, verb, second } => {
                let (to, actor, verb) = (if bob { "user:bob" } else { AMY }, actor.to_string(), verb.to_string());
                let id = pond.by(to, &actor, &verb, second).await;
                model.said.insert(id, (actor, verb));
                added.push((to, id));
            }
            Step::Remove(which) if !added.is_empty() => {
                let (from, id) = added.remove(which % added.len());
                pond.remove(from, id).await;
            }
            Step::Remove(_) => {}
            Step::Follow => pond.follow_with(AMY, "user:bob", 3).await.unwrap(),
            Step::Unfollow(keeps) => pond.unfollow(AMY, "user:bob", keeps).await,
            Step::NoteAll { read } => {
                let timeline = pond.page(AMY, &Part::newest(LIMIT_MAX)).await;
                model.noted[usize::from(read)] = timeline.rows.iter().map(|row| row.id).collect();
                let (read, seen) = if read { (Noted::All, Noted::Nothing) } else { (Noted::Nothing, Noted::All) };
                pond.note(AMY, read, seen).await;
            }
            Step::NoteOne { read, which } => {
                let groups = pond.groups(AMY).await.groups;
                let Some(group) = (!groups.is_empty()).then(|| &groups[which % groups.len()]) else { continue };
                let timeline = pond.page(AMY, &Part::newest(LIMIT_MAX)).await;
                let ids = timeline.rows.iter().map(|row| row.id).filter(|id| day(&model.said[id].1) == group.name);
                model.noted[usize::from(read)].extend(ids);
                let one = Noted::Groups(vec![group.id]);
                let (read, seen) = if read { (one, Noted::Nothing) } else { (Noted::Nothing, one) };
                pond.note(AMY, read, seen).await;
            }
        }
        let timeline: Vec<ActivityId> =
            pond.page(AMY, &Part::newest(LIMIT_MAX)).await.rows.iter().map(|row| row.id).collect();
        let there: BTreeSet<ActivityId> = timeline.iter().copied().collect();
        model.noted.iter_mut().for_each(|noted| noted.retain(|id| there.contains(id)));
        let page = pond.groups(AMY).await;
        let expected = model.groups(&timeline);
        assert_eq!(page.groups.len(), expected.len());
        for (group, (name, ids)) in page.groups.iter().zip(&expected) {
            let actors: BTreeSet<&String> = ids.iter().map(|id| &model.said[id].0).collect();
            assert_eq!((&group.name, group.activity_count as usize), (name, ids.len()));
            assert_eq!(group.actor_count as usize, actors.len());
            let shown: Vec<ActivityId> = group.activities.iter().map(|row| row.id).collect();
            assert_eq!(shown, ids[..ids.len().min(ACTIVITIES_MAX)]);
            let is_noted = |noted: &BTreeSet<ActivityId>| ids.iter().all(|id| noted.contains(id));
            assert_eq!([group.is_seen, group.is_read], [0, 1].map(|what| is_noted(&model.noted[what])), "{name}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_fold_says_what_a_model_says_that_looks_at_each_activity(steps in prop::collection::vec(step(), 0..40)) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run(steps));
    }
}
