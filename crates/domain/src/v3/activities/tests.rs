use ids::json::Object;

use super::*;
use crate::{
    custom::Edit,
    filter::{Filter, Sort},
    v3::{
        activities::query::{Also, Query},
        feeds::{Input, Visibility},
        pond::{Pond, broken, draft, fid, says, user},
        timelines::Place,
    },
};

async fn found(pond: &Pond, filter: &str, also: Also, by: Option<&str>) -> String {
    let query = Query {
        filter: Filter::parse(filter, query::SCHEMA).unwrap(),
        sort: Sort::default(),
        cursor: None,
        limit: 100,
        also,
        by: by.map(user),
        viewer: None,
    };
    let now = pond.tick();
    let page = super::query::query(&mut pond.app.snapshot(), &query, now).await.unwrap();
    page.rows.iter().map(|row| row.activity.id.as_str()).collect::<Vec<_>>().join(" ")
}

async fn delete(pond: &Pond, id: &str, is_hard: bool) -> Result<Activity> {
    let now = pond.tick();
    let (deleted, _is_done) = pond.app.write(async |tx| super::delete(tx, None, id, is_hard, now).await).await?;
    Ok(deleted)
}

#[tokio::test]
async fn an_activity_makes_the_feeds_that_are_not_there() {
    let pond = Pond::new();
    pond.add("a1", "amy", &["user:amy", "user:hiking"]).await;
    assert_eq!((pond.read("user:amy").await, pond.read("user:hiking").await), ("a1".into(), "a1".into()));
    let feed = crate::v3::feeds::load(&mut pond.app.snapshot(), &fid("user:hiking")).await.unwrap();
    assert_eq!(feed.created_by, Some(user("amy")));
    assert!(broken(pond.try_add(None, &draft("a2", "amy", &["nothing:amy"])).await).contains("not found"));
}

#[tokio::test]
async fn the_same_id_again_changes_the_activity_and_keeps_its_place() {
    let pond = Pond::new();
    pond.add("a1", "amy", &["user:amy"]).await;
    pond.add("a2", "amy", &["user:amy"]).await;
    let mut again = draft("a1", "amy", &["user:amy", "user:hiking"]);
    again.content = says("edited");
    let changed = pond.try_add(None, &again).await.unwrap();
    assert_eq!(changed.content.text.as_deref(), Some("edited"));
    assert!(changed.edited_at.is_some() && changed.created_at < changed.updated_at);
    assert_eq!((pond.read("user:amy").await, pond.read("user:hiking").await), ("a2 a1".into(), "a1".into()));
}

#[tokio::test]
async fn the_same_id_of_another_user_is_refused() {
    let pond = Pond::new();
    pond.add("a1", "amy", &["user:amy"]).await;
    assert!(broken(pond.try_add(None, &draft("a1", "bob", &["user:bob"])).await).contains("another user"));
}

#[tokio::test]
async fn an_unknown_mentioned_user_is_refused_unless_users_are_to_be_made() {
    let pond = Pond::new();
    let mut mentions = draft("a1", "amy", &["user:amy"]);
    mentions.content.mentioned = vec![user("bob")];
    assert!(broken(pond.try_add(None, &mentions).await).contains("mentioned_user_ids"));
    mentions.creates_users = true;
    pond.try_add(None, &mentions).await.unwrap();
    let named = owned::naming(&mut pond.app.snapshot(), &user("bob"), 10).await.unwrap();
    assert_eq!(named, [(owned::Kind::Activity, "a1".to_owned())]);
}

#[tokio::test]
async fn a_full_update_clears_what_is_not_given_and_keeps_feeds_type_and_author() {
    let pond = Pond::new();
    let mut first = draft("a1", "amy", &["user:amy"]);
    first.content.filter_tags = vec!["lake".into()];
    pond.try_add(None, &first).await.unwrap();
    let moment = pond.moment();
    let run = pond.app.write(async |tx| update(tx, None, "a1", &says("new"), None, moment).await);
    let (_, changed) = run.await.unwrap();
    assert_eq!(changed.content, says("new"));
    assert_eq!(
        (changed.kind.as_str(), changed.user, changed.feeds),
        ("post", Some(user("amy")), vec![fid("user:amy")])
    );
}

#[tokio::test]
async fn a_partial_update_changes_what_it_names_and_nothing_else() {
    let pond = Pond::new();
    let mut first = draft("a1", "amy", &["user:amy"]);
    first.content.custom = r#"{"a":{"b":1},"c":2}"#.into();
    pond.try_add(None, &first).await.unwrap();
    let set = Object::parse(r#"{"a.b":3}"#).unwrap();
    let change = Patch {
        set: ["filter_tags"].into(),
        content: Content { filter_tags: vec!["lake".into()], ..Content::default() },
        custom: Edit { set, unset: vec!["c".into()] },
        ..Patch::default()
    };
    let moment = pond.moment();
    let run = pond.app.write(async |tx| patch(tx, None, "a1", &change, moment).await);
    let (_, changed, has_changed) = run.await.unwrap();
    assert!(has_changed);
    assert_eq!(changed.content.text.as_deref(), Some("a1"));
    assert_eq!(
        (changed.content.filter_tags.join(" "), changed.content.custom),
        ("lake".into(), r#"{"a":{"b":3}}"#.into())
    );
    let moment = pond.moment();
    let (.., again) = pond.app.write(async |tx| patch(tx, None, "a1", &Patch::default(), moment).await).await.unwrap();
    assert!(!again, "nothing was named, and nothing is new");
}

#[tokio::test]
async fn moving_an_activity_takes_it_out_of_the_feeds_that_are_not_named_any_more() {
    let pond = Pond::new();
    pond.add("a1", "amy", &["user:amy", "user:hiking"]).await;
    let moment = pond.moment();
    let feeds = [fid("user:hiking"), fid("user:lake")];
    let run = pond.app.write(async |tx| update(tx, None, "a1", &says("x"), Some(&feeds), moment).await);
    run.await.unwrap();
    let read = [pond.read("user:amy").await, pond.read("user:hiking").await, pond.read("user:lake").await];
    assert_eq!(read, ["", "a1", "a1"]);
}

#[tokio::test]
async fn a_soft_deleted_activity_comes_back_and_a_hard_deleted_one_does_not() {
    let pond = Pond::new();
    pond.add("a1", "amy", &["user:amy"]).await;
    delete(&pond, "a1", false).await.unwrap();
    assert_eq!(pond.read("user:amy").await, "");
    assert!(broken(delete(&pond, "a1", false).await).contains("not found"));
    let now = pond.tick();
    pond.write(async |tx| restore(tx, None, "a1", now).await).await;
    assert_eq!(pond.read("user:amy").await, "a1");
    delete(&pond, "a1", true).await.unwrap();
    assert!(broken(pond.app.write(async |tx| restore(tx, None, "a1", now).await).await).contains("not found"));
    // Its id is free again.
    pond.add("a1", "bob", &["user:bob"]).await;
}

#[tokio::test]
async fn deleting_for_good_leaves_no_row_that_names_the_author() {
    let pond = Pond::new();
    let mut mentions = draft("a1", "amy", &["user:hiking"]);
    mentions.content.mentioned = vec![user("bob")];
    mentions.creates_users = true;
    pond.try_add(None, &mentions).await.unwrap();
    delete(&pond, "a1", true).await.unwrap();
    let mut tx = pond.app.snapshot();
    assert!(owned::list(&mut tx, &user("amy"), owned::Kind::Activity, "", 10).await.unwrap().is_empty());
    assert!(owned::naming(&mut tx, &user("bob"), 10).await.unwrap().is_empty());
    assert_eq!(find(&mut tx, "a1").await.unwrap(), None);
}

#[tokio::test]
async fn sharing_raises_the_count_of_the_shared_one_as_long_as_the_share_is_there() {
    let pond = Pond::new();
    pond.add("a1", "amy", &["user:amy"]).await;
    let share = activities_draft_sharing("a1");
    pond.try_add(None, &share).await.unwrap();
    let shares = async || {
        let mut tx = pond.app.snapshot();
        let id = find(&mut tx, "a1").await.unwrap().unwrap();
        tallies(&mut tx, &[id]).await.unwrap()[0]
    };
    assert_eq!((shares().await.shares, shares().await.popularity()), (1, 3));
    delete(&pond, "b1", false).await.unwrap();
    assert_eq!(shares().await.shares, 0);
}

fn activities_draft_sharing(id: &str) -> Draft {
    Draft { parent: Some(id.to_owned()), ..draft("b1", "bob", &["user:bob"]) }
}

#[tokio::test]
async fn pages_go_on_where_the_last_one_ended_in_both_directions() {
    let pond = Pond::new();
    for n in 1..=7 {
        pond.add(&format!("a{n}"), "amy", &["user:amy"]).await;
    }
    let id = async |name: &str| find(&mut pond.app.snapshot(), name).await.unwrap().unwrap();
    assert_eq!(pond.page("user:amy", Place::First, 3).await, ("a7 a6 a5".into(), true, false));
    assert_eq!(pond.page("user:amy", Place::After(id("a5").await), 3).await, ("a4 a3 a2".into(), true, true));
    assert_eq!(pond.page("user:amy", Place::After(id("a2").await), 3).await, ("a1".into(), false, true));
    assert_eq!(pond.page("user:amy", Place::Before(id("a4").await), 2).await, ("a6 a5".into(), true, true));
    assert_eq!(pond.page("user:amy", Place::Around(id("a4").await), 4).await, ("a6 a5 a4 a3".into(), true, true));
}

#[tokio::test]
async fn what_has_expired_and_what_is_private_is_not_read_and_can_be_asked_for() {
    let pond = Pond::new();
    let mut old = draft("old", "amy", &["user:amy"]);
    old.content.expires_at = Some(Timestamp::from_micros(1));
    pond.try_add(None, &old).await.unwrap();
    let mut secret = draft("secret", "amy", &["user:amy"]);
    secret.content.audience = Audience::Private;
    pond.try_add(None, &secret).await.unwrap();
    pond.add("gone", "amy", &["user:amy"]).await;
    delete(&pond, "gone", false).await.unwrap();
    pond.add("a1", "amy", &["user:amy"]).await;
    let none = Also::default();
    assert_eq!(found(&pond, "{}", none, None).await, "a1");
    assert_eq!(found(&pond, "{}", none, Some("amy")).await, "a1 secret");
    assert_eq!(
        found(&pond, "{}", Also { expired: true, private: true, deleted: true }, None).await,
        "a1 gone secret old"
    );
}

#[tokio::test]
async fn activities_are_found_by_author_feed_type_and_own_fields() {
    let pond = Pond::new();
    let mut first = draft("a1", "amy", &["user:amy"]);
    first.content.custom = r#"{"km":12}"#.into();
    pond.try_add(None, &first).await.unwrap();
    pond.add("b1", "bob", &["user:bob", "user:amy"]).await;
    let none = Also::default();
    for (filter, ids) in [
        (r#"{"user_id":"bob"}"#, "b1"),
        (r#"{"feeds":{"$in":["user:amy"]}}"#, "b1 a1"),
        (r#"{"activity_type":"post"}"#, "b1 a1"),
        (r#"{"type":"walk"}"#, ""),
        (r#"{"custom.km":{"$gte":10}}"#, "a1"),
        (r#"{"id":{"$in":["a1","zz"]}}"#, "a1"),
        (r#"{"text":{"$q":"b1"}}"#, "b1"),
    ] {
        assert_eq!(found(&pond, filter, none, None).await, ids, "{filter}");
    }
}

#[tokio::test]
async fn a_users_token_finds_only_what_a_feed_that_it_may_read_holds() {
    let pond = Pond::new();
    pond.feed_with("user:amy", &Input { visibility: Some(Visibility::Private), ..Input::default() }).await;
    pond.add("a1", "amy", &["user:amy"]).await;
    pond.add("b1", "bob", &["user:bob"]).await;
    assert_eq!(found(&pond, "{}", Also::default(), Some("bob")).await, "b1");
    assert_eq!(found(&pond, "{}", Also::default(), Some("amy")).await, "b1 a1");
}

#[tokio::test]
async fn every_feed_that_holds_an_activity_is_told_of_what_becomes_of_it() {
    let pond = Pond::new();
    pond.add("a1", "amy", &["user:amy", "user:hiking"]).await;
    delete(&pond, "a1", false).await.unwrap();
    let told = pond.told().await;
    assert_eq!(told.iter().filter(|kind| *kind == "feeds.activity.added").count(), 2);
    assert_eq!(told.iter().filter(|kind| *kind == "feeds.activity.deleted").count(), 2);
    assert_eq!(told.iter().filter(|kind| *kind == "feeds.feed.created").count(), 2);
}
