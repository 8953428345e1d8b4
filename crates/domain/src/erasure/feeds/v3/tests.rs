//! What is left of a user in feeds v3 after an erasure, and what is not.

use super::*;
use crate::{
    erasure::traces,
    v3::{
        activities::{Activity, Tallies},
        objects::Object,
        pond::{
            Pond, broken,
            scene::{self, comment, react, save},
            user,
        },
        reactions::Summary,
    },
};

const ANN: &str = "ann";

async fn plant(pond: &Pond) {
    scene::plant(pond, ANN).await;
}

/// What went, by name.
async fn erased(pond: &Pond, is_hard: bool) -> Vec<(String, u64)> {
    let (now, ann) = (pond.tick(), user(ANN));
    let mut progress = Progress::default();
    loop {
        let step = pond.app.write(async |tx| {
            let mut next = progress.clone();
            let is_done = super::super::remove(tx, &ann, (!is_hard).then_some(now), &mut next, now).await?;
            Ok((next, is_done))
        });
        let (next, is_done) = step.await.unwrap();
        progress = next;
        if is_done {
            let mut counts = progress.counts;
            counts.retain(|(_, count)| *count > 0);
            counts.sort();
            return counts;
        }
    }
}

async fn left(pond: &Pond) -> Vec<&'static str> {
    let found = traces::residue(&pond.app.store, &user(ANN), &mut |_| {}).await.unwrap();
    // The account stays, and the log tells of it.
    found.into_iter().map(|residue| residue.table).filter(|table| !["user", "log"].contains(table)).collect()
}

async fn tallies(pond: &Pond, id: &str) -> Tallies {
    let mut tx = pond.app.snapshot();
    let (inner, _) = activities::load(&mut tx, id).await.unwrap();
    activities::tallies(&mut tx, &[inner]).await.unwrap()[0]
}

async fn stored(pond: &Pond, id: &str) -> Option<Activity> {
    activities::get_any(&mut pond.app.snapshot(), id).await.unwrap().map(|(_, activity)| activity)
}

fn counts(all: &[(&str, u64)]) -> Vec<(String, u64)> {
    all.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

/// What both ways take: bookmarks and reactions of ann on what is bob's are gone by the time theirs are counted; those on
/// her own things went with them.
const TAKEN: [(&str, u64); 8] = [
    ("activities", 2),
    ("bookmark_folders", 1),
    ("bookmarks", 2),
    ("collections", 1),
    ("comments", 3),
    ("feeds", 2),
    ("follows", 2),
    ("reactions", 2),
];

#[tokio::test]
async fn after_an_erasure_for_good_no_row_names_the_user_and_every_set_was_counted() {
    let pond = Pond::new();
    plant(&pond).await;
    for table in ["v3_activity", "v3_comment", "v3_reaction", "v3_bookmark", "v3_folder", "v3_collection", "v3_feed"] {
        assert!(left(&pond).await.contains(&table), "plant something of ann's in {table}");
    }
    assert_eq!(erased(&pond, true).await, counts(&TAKEN));
    assert_eq!(left(&pond).await, Vec::<&str>::new());
    assert_eq!(erased(&pond, true).await, [], "the same again has nothing to do");
}

#[tokio::test]
async fn after_an_erasure_for_good_no_table_of_feeds_v3_names_the_user_nor_what_bob_was_told_of_them() {
    let pond = Pond::new();
    plant(&pond).await;
    scene::plant_more(&pond, ANN).await;
    let before = left(&pond).await;
    for table in scene::naming_tables() {
        assert!(before.contains(&table), "plant something of ann's in {table}");
    }
    let (ann, mut cursor) = (user(ANN), Vec::new());
    erased(&pond, true).await;
    // Polls are no feeds: the deletion of the user takes them.
    let run = pond.app.write(async |tx| crate::polls::leave(tx, &ann, true, &mut cursor.clone()).await);
    assert!(run.await.unwrap());
    cursor.clear();
    let kept = left(&pond).await;
    assert_eq!(
        kept,
        ["v3_activity", "v3_named"],
        "that bob's activity mentions them: the account stays, and the walk that ends a deletion of it takes this, too"
    );
    for id in ["b1", "b4"] {
        assert!(stored(&pond, id).await.is_some(), "what is bob's stays");
    }
}

#[tokio::test]
async fn what_is_counted_of_bobs_feeds_equals_a_recount_after_either_erasure() {
    for is_hard in [true, false] {
        let pond = Pond::new();
        plant(&pond).await;
        scene::plant_more(&pond, ANN).await;
        erased(&pond, is_hard).await;
        let mut tx = pond.app.snapshot();
        let mut people = crate::users::People::default();
        let mut counted = Vec::new();
        for fid in ["user:bob", "timeline:bob"].map(crate::v3::pond::fid) {
            let feed = feeds::load(&mut tx, &fid).await.unwrap();
            let held = feeds::posted(&mut tx, &feed.stream, 100).await.unwrap().len() as i64;
            let counts = crate::v3::show::feed(&mut tx, fid, feed, &mut people).await.unwrap().counts;
            assert_eq!(counts.activities, held, "hard: {is_hard}");
            counted.push((held, counts.followers, counts.following, counts.members, counts.pins));
        }
        // A softer deletion leaves the user a member.
        let members = i64::from(!is_hard);
        assert_eq!(counted, [(5, 0, 0, members, 1), (0, 0, 0, 0, 0)], "hard: {is_hard}");
    }
}

#[tokio::test]
async fn votes_in_polls_that_activities_show_go_and_are_counted_no_more_and_those_in_chat_stay() {
    for (is_hard, is_in_chat) in [(true, false), (false, false), (true, true)] {
        let pond = Pond::new();
        plant(&pond).await;
        scene::plant_more(&pond, ANN).await;
        let poll = "poll of bob".to_owned();
        let run = pond.app.write(async |tx| {
            if is_in_chat {
                crate::keyspace::POLL_SHOWN.put(tx, 1, &(poll.clone(), "m".into()), &());
            }
            Ok(())
        });
        run.await.unwrap();
        erased(&pond, is_hard).await;
        let mut tx = pond.app.snapshot();
        let stored = crate::polls::get(&mut tx, &poll).await.unwrap().unwrap();
        let shown = crate::polls::show(&mut tx, &poll, stored, None).await.unwrap();
        assert_eq!(shown.options[0].votes, i64::from(is_in_chat), "hard: {is_hard}, in chat: {is_in_chat}");
    }
}

#[tokio::test]
async fn counts_on_what_survives_equal_a_recount_after_either_erasure() {
    for is_hard in [true, false] {
        let pond = Pond::new();
        plant(&pond).await;
        erased(&pond, is_hard).await;
        let expected = Tallies { shares: 0, reactions: 1, comments: 1, bookmarks: 1, metrics: 0 };
        assert_eq!(tallies(&pond, "b1").await, expected, "hard: {is_hard}");
        let mut tx = pond.app.snapshot();
        let object = Object::Activity("b1".into());
        let Summary { groups, latest, .. } = reactions::summary(&mut tx, &object, None).await.unwrap();
        let by: Vec<_> = latest.iter().map(|given| given.user.as_str()).collect();
        assert_eq!((groups[0].count, by), (1, vec!["bob"]));
        assert_eq!(groups[0].first_at, groups[0].last_at, "times are those of the one that is left");
        assert_eq!(reactions::counts(&mut tx, &Object::Comment("c2".into())).await.unwrap(), []);
    }
}

#[tokio::test]
async fn of_the_users_feeds_others_activities_leave_and_stay_where_else_they_live() {
    for is_hard in [true, false] {
        let pond = Pond::new();
        plant(&pond).await;
        assert_eq!(pond.read("timeline:bob").await, "b3 b2 a1");
        erased(&pond, is_hard).await;
        assert_eq!(pond.read("user:bob").await, "share b3 b1", "hard: {is_hard}");
        assert_eq!(pond.read("timeline:bob").await, "", "hard: {is_hard}");
        assert_eq!(stored(&pond, "b3").await.unwrap().feeds.len(), 1);
    }
}

#[tokio::test]
async fn a_share_of_what_was_erased_stays_without_its_parent() {
    let pond = Pond::new();
    plant(&pond).await;
    erased(&pond, true).await;
    let mut tx = pond.app.snapshot();
    let found = activities::load(&mut tx, "share").await.unwrap();
    let mut people = crate::users::People::default();
    let shown = crate::v3::show::activities(&mut tx, vec![found], None, &mut people).await.unwrap();
    assert!(shown[0].parent.is_none());
}

#[tokio::test]
async fn what_is_others_stays_bobs_folder_collection_and_reply_under_a_stub() {
    let pond = Pond::new();
    plant(&pond).await;
    erased(&pond, true).await;
    let mut tx = pond.app.snapshot();
    assert_eq!(comments::get(&mut tx, "c1").await.unwrap().unwrap().user, None);
    assert_eq!(comments::load(&mut tx, "c2").await.unwrap().text, "c2");
    for id in ["c3", "c4", "c5"] {
        assert_eq!(comments::get(&mut tx, id).await.unwrap(), None, "{id}");
    }
    assert!(collections::get(&mut tx, &Ref::parse("movies:bob").unwrap()).await.unwrap().is_some());
    assert!(collections::get(&mut tx, &Ref::parse("movies:ann").unwrap()).await.unwrap().is_none());
    let (saved, _) = bookmarks::of_user(&mut tx, &user("bob"), None, 10).await.unwrap();
    assert_eq!(saved.len(), 1, "bookmarks of what is gone went with it");
    assert_eq!(folders::of_user(&mut tx, "bob", 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_soft_erasure_hides_for_good_and_a_hard_one_finishes_it() {
    let pond = Pond::new();
    plant(&pond).await;
    assert_eq!(erased(&pond, false).await, counts(&TAKEN));
    assert!(broken(activities::load(&mut pond.app.snapshot(), "a1").await).contains("not found"));
    assert_eq!(stored(&pond, "a1").await.unwrap().content.text.as_deref(), Some("a1"));
    let now = pond.tick();
    let restored = pond.app.write(async |tx| activities::restore(tx, None, "a1", now).await).await;
    assert!(broken(restored).contains("final"));
    assert!(left(&pond).await.contains(&"v3_activity"));
    assert_eq!(erased(&pond, false).await, [], "the same again has nothing to do");
    let finished = erased(&pond, true).await;
    assert_eq!(finished, counts(&[("activities", 2), ("collections", 1), ("comments", 3), ("feeds", 2)]));
    assert_eq!(left(&pond).await, Vec::<&str>::new());
}

#[tokio::test]
async fn after_either_erasure_the_user_starts_anew_and_empty() {
    for is_hard in [true, false] {
        let pond = Pond::new();
        plant(&pond).await;
        erased(&pond, is_hard).await;
        pond.add("a9", ANN, &["user:ann"]).await;
        assert_eq!(pond.read("user:ann").await, "a9", "hard: {is_hard}");
        assert_eq!(pond.read("timeline:bob").await, "", "nobody follows the new feed");
        erased(&pond, true).await;
        assert_eq!(left(&pond).await, Vec::<&str>::new(), "hard: {is_hard}");
    }
}

#[tokio::test]
async fn more_than_one_step_removes_goes_in_several() {
    let pond = Pond::new();
    pond.add("b1", "bob", &["user:bob"]).await;
    for n in 0..12 {
        pond.add(&format!("a{n}"), ANN, &["user:ann"]).await;
        comment(&pond, &format!("c{n}"), ANN, "b1", None).await;
    }
    for n in 0..300 {
        react(&pond, &format!("u{n}"), Object::Activity("a1".into())).await;
    }
    let gone = erased(&pond, true).await;
    assert_eq!(gone, counts(&[("activities", 12), ("comments", 12), ("feeds", 1)]));
    assert_eq!(left(&pond).await, Vec::<&str>::new());
    assert_eq!(reactions::counts(&mut pond.app.snapshot(), &Object::Activity("a1".into())).await.unwrap(), []);
}

#[tokio::test]
async fn many_things_with_much_on_each_go_in_steps_that_a_transaction_takes() {
    let pond = Pond::new();
    for n in 0..6 {
        let id = format!("a{n}");
        pond.add(&id, ANN, &["user:ann"]).await;
        for m in 0..90 {
            react(&pond, &format!("u{m}"), Object::Activity(id.clone())).await;
            save(&pond, &format!("u{m}"), Object::Activity(id.clone())).await;
        }
    }
    let gone = erased(&pond, true).await;
    assert_eq!(gone, counts(&[("activities", 6), ("feeds", 1)]));
    assert_eq!(left(&pond).await, Vec::<&str>::new());
}
