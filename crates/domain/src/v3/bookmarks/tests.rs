//! The facts of bookmarks and of their folders.

use super::*;
use crate::{
    filter::{Filter, Sort},
    v3::{
        activities, folders,
        pond::{Pond, broken, user},
        query::{LIMIT_MAX, Query},
    },
};

async fn pond() -> Pond {
    let pond = Pond::new();
    pond.add("post", "ann", &["user:ann"]).await;
    pond
}

fn post() -> Object {
    Object::Activity("post".into())
}

fn named(name: &str, id: &str) -> Folder {
    Folder::Named { name: name.into(), custom: None, id: id.into() }
}

async fn save_in(pond: &Pond, by: &str, folder: &Folder) -> Result<(Saved, bool)> {
    let (now, by) = (pond.tick(), user(by));
    pond.app.write(async |tx| add(tx, &by, &post(), folder, None, now).await).await
}

async fn change(pond: &Pond, change: &Change) -> Result<Saved> {
    let (now, amy) = (pond.tick(), user("amy"));
    pond.app.write(async |tx| update(tx, &amy, &post(), change, now).await).await
}

async fn remove(pond: &Pond, by: &str, folder: Option<&str>) -> Result<Saved> {
    let by = user(by);
    pond.app.write(async |tx| delete(tx, &by, &post(), folder).await).await
}

/// The folders in which amy has the post, and how many bookmarks it counts.
async fn kept(pond: &Pond) -> (Vec<String>, i64) {
    let mut tx = pond.app.snapshot();
    let all = of_object(&mut tx, &user("amy"), &post()).await.unwrap();
    let (inner, _) = activities::load(&mut tx, "post").await.unwrap();
    let tallies = activities::tallies(&mut tx, &[inner]).await.unwrap();
    (all.into_iter().map(|saved| saved.folder).collect(), tallies[0].bookmarks)
}

#[tokio::test]
async fn there_is_one_bookmark_for_each_user_object_and_folder_and_each_counts() {
    let pond = pond().await;
    assert!(save_in(&pond, "amy", &Folder::Outside).await.unwrap().1);
    assert!(!save_in(&pond, "amy", &Folder::Outside).await.unwrap().1);
    save_in(&pond, "amy", &named("later", "f1")).await.unwrap();
    save_in(&pond, "bob", &Folder::Outside).await.unwrap();
    assert_eq!(kept(&pond).await, (vec![String::new(), "f1".into()], 3));
}

#[tokio::test]
async fn a_folder_of_the_same_name_is_used_again_and_another_users_is_not_found() {
    let pond = pond().await;
    save_in(&pond, "amy", &named("later", "f1")).await.unwrap();
    assert_eq!(save_in(&pond, "amy", &named("later", "f2")).await.unwrap().0.folder, "f1");
    assert_eq!(save_in(&pond, "bob", &named("later", "f3")).await.unwrap().0.folder, "f3");
    assert!(broken(save_in(&pond, "bob", &Folder::Known("f1".into())).await).contains("not found"));
    assert!(broken(save_in(&pond, "bob", &named("", "f4")).await).contains("name"));
}

#[tokio::test]
async fn a_bookmark_moves_between_folders_and_out_of_them() {
    let pond = pond().await;
    save_in(&pond, "amy", &named("later", "f1")).await.unwrap();
    let same = Change { from: Some("f1".into()), ..Change::default() };
    assert_eq!(change(&pond, &same).await.unwrap().folder, "f1");
    let moved = Change { from: Some("f1".into()), to: Some(named("soon", "f2")), custom: None };
    assert_eq!(change(&pond, &moved).await.unwrap().folder, "f2");
    let out = Change { from: None, to: Some(Folder::Outside), custom: Fields::parse(r#"{"n":1}"#).ok() };
    let saved = change(&pond, &out).await.unwrap();
    assert_eq!((saved.folder(), saved.bookmark.custom.as_str()), (None, r#"{"n":1}"#));
    assert_eq!(kept(&pond).await, (vec![String::new()], 1));
    assert!(broken(change(&pond, &same).await).contains("not found"));
}

#[tokio::test]
async fn moving_into_a_folder_that_holds_the_same_thing_makes_one_of_both() {
    let pond = pond().await;
    save_in(&pond, "amy", &Folder::Outside).await.unwrap();
    save_in(&pond, "amy", &named("later", "f1")).await.unwrap();
    let into = Change { from: Some(String::new()), to: Some(Folder::Known("f1".into())), custom: None };
    change(&pond, &into).await.unwrap();
    assert_eq!(kept(&pond).await, (vec!["f1".into()], 1));
}

#[tokio::test]
async fn with_a_folder_only_its_bookmark_goes_and_without_one_all_of_the_users() {
    let pond = pond().await;
    for folder in [Folder::Outside, named("later", "f1"), named("soon", "f2")] {
        save_in(&pond, "amy", &folder).await.unwrap();
    }
    save_in(&pond, "bob", &Folder::Outside).await.unwrap();
    assert_eq!(remove(&pond, "amy", Some("f1")).await.unwrap().folder, "f1");
    assert_eq!(kept(&pond).await, (vec![String::new(), "f2".into()], 3));
    remove(&pond, "amy", None).await.unwrap();
    assert_eq!(kept(&pond).await, (vec![], 1));
    assert!(broken(remove(&pond, "amy", None).await).contains("not found"));
}

#[tokio::test]
async fn a_folder_goes_with_its_bookmarks_and_is_its_owners_alone() {
    let pond = pond().await;
    save_in(&pond, "amy", &named("later", "f1")).await.unwrap();
    save_in(&pond, "amy", &Folder::Outside).await.unwrap();
    let bob = user("bob");
    let taken = pond.app.write(async |tx| folders::delete(tx, "f1", Some(&bob)).await).await;
    assert!(broken(taken).contains("not found"));
    let (folder, is_done) = pond.write(async |tx| folders::delete(tx, "f1", None).await).await;
    assert_eq!((folder.name.as_str(), is_done), ("later", true));
    assert_eq!(kept(&pond).await, (vec![String::new()], 1));
    assert!(folders::get(&mut pond.app.snapshot(), "f1").await.unwrap().is_none());
}

#[tokio::test]
async fn a_folder_takes_a_name_that_no_other_of_its_owner_has() {
    let pond = pond().await;
    save_in(&pond, "amy", &named("later", "f1")).await.unwrap();
    save_in(&pond, "amy", &named("soon", "f2")).await.unwrap();
    let rename = async |id: &str, name: &str| {
        let now = pond.tick();
        pond.app.write(async |tx| folders::update(tx, id, Some(name), None, None, now).await).await
    };
    assert!(broken(rename("f1", "soon").await).contains("another folder"));
    assert_eq!(rename("f1", "later").await.unwrap().name, "later");
    assert_eq!(rename("f1", "never").await.unwrap().name, "never");
    assert_eq!(rename("f2", "later").await.unwrap().name, "later");
}

#[tokio::test]
async fn queries_go_by_user_folder_and_object_and_a_user_sees_the_users_own() {
    let pond = pond().await;
    save_in(&pond, "amy", &named("Later reads", "f1")).await.unwrap();
    save_in(&pond, "amy", &Folder::Outside).await.unwrap();
    save_in(&pond, "bob", &Folder::Outside).await.unwrap();
    let asked = |filter: &str, schema| Query {
        filter: Filter::parse(filter, schema).unwrap(),
        sort: Sort::by(SORT),
        cursor: None,
        limit: LIMIT_MAX,
    };
    let found = async |owner: Option<&str>, filter: &str| {
        let owner = owner.map(user);
        let page = query(&mut pond.app.snapshot(), owner.as_ref(), &asked(filter, SCHEMA)).await.unwrap();
        page.rows.iter().map(|saved| format!("{}:{}", saved.user, saved.folder)).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(found(None, "{}").await, "bob: amy: amy:f1");
    assert_eq!(found(None, r#"{"user_id":"amy"}"#).await, "amy: amy:f1");
    assert_eq!(found(Some("bob"), r#"{"activity_id":"post"}"#).await, "bob:");
    assert_eq!(found(None, r#"{"folder_id":{"$exists":true}}"#).await, "amy:f1");
    let folders = async |filter: &str| {
        let asked = asked(filter, folders::SCHEMA);
        let page = folders::query(&mut pond.app.snapshot(), None, &asked).await.unwrap();
        page.rows.len()
    };
    assert_eq!(folders(r#"{"folder_name":{"$contains":"reads"}}"#).await, 1);
    assert_eq!(folders(r#"{"folder_name":"reads"}"#).await, 0);
    assert_eq!(folders(r#"{"user_id":"bob"}"#).await, 0);
}
