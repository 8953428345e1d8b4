use insta::assert_snapshot;

use super::*;
use crate::feeds::pond::{Pond, broken, feed, feeds};

fn dated(verb: &str, foreign_id: &str) -> Draft {
    Draft { foreign_id: foreign_id.into(), time: Some(Pond::at(0)), ..Pond::draft(verb) }
}

#[tokio::test]
async fn adding_again_with_the_same_foreign_id_and_time_overwrites_and_adds_no_row() {
    let pond = Pond::new();
    let first = pond.add_draft("user:amy", &dated("skates", "a")).await;
    let again = pond.add_draft("user:amy", &dated("rests", "a")).await;
    assert_eq!(first, again);
    assert_snapshot!(pond.feed("user:amy").await, @"rests");
}

#[tokio::test]
async fn the_same_foreign_id_at_another_time_is_another_activity() {
    let pond = Pond::new();
    pond.add_draft("user:amy", &dated("skates", "a")).await;
    pond.add_draft("user:amy", &Draft { time: Some(Pond::at(1)), ..dated("rests", "a") }).await;
    assert_snapshot!(pond.feed("user:amy").await, @r"
    rests
    skates
    ");
}

#[tokio::test]
async fn the_same_content_at_the_same_given_time_is_the_same_activity() {
    let pond = Pond::new();
    let draft = Draft { time: Some(Pond::at(0)), ..Pond::draft("skates") };
    assert_eq!(pond.add_draft("user:amy", &draft).await, pond.add_draft("user:bob", &draft).await);
    let other = Draft { object: "lake".into(), ..draft };
    assert_ne!(pond.add_draft("user:amy", &other).await, pond.add_draft("user:amy", &Pond::draft("skates")).await);
}

#[tokio::test]
async fn activities_of_one_list_without_times_keep_their_order() {
    let pond = Pond::new();
    let moment = Moment { now: Pond::at(0), seed: u64::MAX };
    let items: Vec<_> =
        ["one", "two", "three"].iter().enumerate().map(|(at, verb)| (Pond::draft(verb), moment.nth(at))).collect();
    let to = feed("user:amy");
    pond.app.write_each(&items, async |tx, (draft, moment)| add(tx, &to, draft, *moment).await).await.unwrap();
    assert_snapshot!(pond.feed("user:amy").await, @r"
    three
    two
    one
    ");
}

#[tokio::test]
async fn two_foreign_ids_that_hash_alike_are_two_activities() {
    // Found by trying names: both hash to the same 32 bits.
    let (one, two) = colliding();
    let pond = Pond::new();
    let (first, second) =
        (pond.add_draft("user:amy", &dated("one", &one)).await, pond.add_draft("user:amy", &dated("two", &two)).await);
    assert_ne!(first, second);
    let get = |foreign_id: &str| Reference::Foreign(foreign_id.to_owned(), Pond::at(0));
    assert_eq!(pond.get(&get(&one)).await.unwrap().verb, "one");
    assert_eq!(pond.get(&get(&two)).await.unwrap().verb, "two");
}

fn colliding() -> (String, String) {
    let mut seen = std::collections::HashMap::new();
    for number in 0_u32.. {
        let name = number.to_string();
        let id = ActivityId::from_foreign_id(&name, Pond::at(0), 0);
        if let Some(known) = seen.insert(id, name.clone()) {
            return (known, name);
        }
    }
    unreachable!("32 bits collide long before the names run out")
}

#[tokio::test]
async fn an_activity_goes_when_no_feed_holds_it() {
    let pond = Pond::new();
    let id = pond.add_draft("user:amy", &dated("skates", "a")).await;
    pond.add_draft("user:bob", &dated("skates", "a")).await;
    pond.remove("user:amy", id).await;
    assert!(pond.get(&Reference::Id(id)).await.is_some());
    pond.remove("user:bob", id).await;
    assert!(pond.get(&Reference::Id(id)).await.is_none());
    assert!(pond.get(&Reference::Foreign("a".into(), Pond::at(0))).await.is_none());
}

#[tokio::test]
async fn removing_from_a_feed_that_does_not_hold_it_changes_nothing() {
    let pond = Pond::new();
    pond.follow("timeline:bob", "user:amy").await;
    let id = pond.add("user:amy", "skates").await;
    pond.remove("timeline:bob", id).await;
    pond.remove("user:cid", id).await;
    assert_snapshot!(pond.feed("timeline:bob").await, @"skates (from user:amy)");
}

#[tokio::test]
async fn removing_by_foreign_id_finds_every_time_in_that_feed_alone() {
    let pond = Pond::new();
    let first = pond.add_draft("user:amy", &dated("one", "a")).await;
    let second = pond.add_draft("user:amy", &Draft { time: Some(Pond::at(5)), ..dated("two", "a") }).await;
    pond.add_draft("user:bob", &Draft { time: Some(Pond::at(9)), ..dated("three", "a") }).await;
    pond.add_draft("user:amy", &dated("other", "ab")).await;
    let found = with_foreign_id(&mut pond.app.snapshot(), &feed("user:amy"), "a").await.unwrap();
    assert_eq!(found, [first, second]);
}

#[tokio::test]
async fn an_update_shows_at_once_in_every_feed() {
    let pond = Pond::new();
    pond.follow("timeline:bob", "user:amy").await;
    pond.add_draft("user:amy", &dated("skates", "a")).await;
    assert_snapshot!(pond.feed("timeline:bob").await, @"skates (from user:amy)");
    let moment = Moment { now: pond.tick(), seed: 0 };
    let draft = dated("rests", "a");
    pond.app.write(async |tx| create(tx, &draft, moment).await).await.unwrap();
    assert_snapshot!(pond.feed("timeline:bob").await, @"rests (from user:amy)");
}

#[tokio::test]
async fn an_update_of_what_is_not_there_makes_it_without_a_feed_and_keeps_targets_of_what_is() {
    let pond = Pond::new();
    let moment = Moment { now: pond.tick(), seed: 0 };
    let (new, known) = (dated("new", "n"), Draft { to: feeds(&["user:bob"]), ..dated("known", "k") });
    pond.add_draft("user:amy", &known).await;
    let id = pond.app.write(async |tx| create(tx, &new, moment).await).await.unwrap();
    let changed = dated("changed", "k");
    let kept = pond.app.write(async |tx| create(tx, &changed, moment).await).await.unwrap();
    assert_eq!(pond.get(&Reference::Id(id)).await.unwrap().verb, "new");
    assert_eq!(pond.get(&Reference::Id(kept)).await.unwrap().to, feeds(&["user:bob"]));
    assert_snapshot!(pond.feed("user:amy").await, @"changed");
}

#[tokio::test]
async fn a_partial_update_changes_what_it_names() {
    let pond = Pond::new();
    let custom = Object::parse(r#"{"a":{"b":1},"c":2}"#).unwrap();
    let id = pond.add_draft("user:amy", &Draft { custom, ..Pond::draft("skates") }).await;
    assert_eq!(pond.change(id, r#"{"a.b":9}"#, &["c"]).await.unwrap(), r#"{"a":{"b":9}}"#);
    assert_eq!(
        broken(pond.change(ActivityId::MIN, r#"{"a":9}"#, &[]).await),
        "activity 00000000-0000-0000-0000-000000000000 does not exist"
    );
}

#[tokio::test]
async fn a_batch_with_an_error_past_the_first_transaction_stores_nothing() {
    let pond = Pond::new();
    let to: Vec<FeedId> = (0..100).map(|n| feed(&format!("topic:{n}"))).collect();
    let drafts: Vec<Draft> =
        (0..30).map(|n| Draft { foreign_id: format!("f{n}"), to: to.clone(), ..dated("does", "") }).collect();
    let moment = Moment { now: Pond::at(0), seed: 0 };
    let (into, last) = (feed("user:amy"), "f29");
    let outcome = pond.app.write_each(&drafts, async |tx, draft| {
        if draft.foreign_id == last {
            return Err(Error::Unfit("the last".into()));
        }
        add(tx, &into, draft, moment).await
    });
    assert_eq!(broken(outcome.await), "the last");
    assert_snapshot!(pond.feed("user:amy").await, @"(empty)");
    let whole = pond.app.write_each(&drafts, async |tx, draft| add(tx, &into, draft, moment).await).await.unwrap();
    assert_eq!(whole.len(), 30);
    assert_eq!(pond.feed("topic:99").await.lines().count(), 30);
}
