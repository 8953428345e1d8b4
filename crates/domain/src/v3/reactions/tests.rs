//! The facts of reactions.

use super::*;
use crate::{
    feeds::pond::{Pond, broken},
    filter::{Filter, Sort},
    v3::query::{LIMIT_MAX, Query},
};

fn user(id: &str) -> UserId {
    UserId::parse(id).unwrap()
}

fn post() -> Object {
    Object::Activity("a1".into())
}

fn draft(by: &str, kind: &str) -> Draft {
    Draft { user: user(by), kind: kind.into(), is_only: false, custom: None }
}

async fn react(pond: &Pond, draft: &Draft) -> Result<(Given, bool)> {
    let now = pond.tick();
    pond.app.write(async |tx| add(tx, &post(), draft, now).await).await
}

async fn take_back(pond: &Pond, by: &str, kind: &str) -> Result<Given> {
    pond.app.write(async |tx| delete(tx, &post(), &user(by), kind).await).await
}

async fn shown(pond: &Pond, viewer: &str) -> Summary {
    summary(&mut pond.app.snapshot(), &post(), Some(&user(viewer))).await.unwrap()
}

/// Types, counts, and seconds of the first and the last, in one line.
async fn groups(pond: &Pond) -> String {
    let second = |at: Timestamp| (at.micros() - Pond::at(0).micros()) / 1_000_000;
    let group =
        |group: &Group| format!("{}:{}@{}-{}", group.kind, group.count, second(group.first_at), second(group.last_at));
    shown(pond, "amy").await.groups.iter().map(group).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn several_types_by_one_user_coexist_and_each_is_counted_with_its_first_and_last_time() {
    let pond = Pond::new();
    for (by, kind) in [("amy", "like"), ("amy", "love"), ("bob", "like"), ("cat", "like")] {
        react(&pond, &draft(by, kind)).await.unwrap();
    }
    assert_eq!(groups(&pond).await, "like:3@1-4 love:1@2-2");
    assert_eq!(shown(&pond, "amy").await.own.len(), 2);
}

#[tokio::test]
async fn the_same_type_again_changes_the_reaction_and_counts_once() {
    let pond = Pond::new();
    assert!(react(&pond, &draft("amy", "like")).await.unwrap().1);
    let custom = Fields::parse(r#"{"why":"nice"}"#).ok();
    let (given, is_new) = react(&pond, &Draft { custom, ..draft("amy", "like") }).await.unwrap();
    assert!(!is_new && given.reaction.created_at < given.reaction.updated_at);
    assert_eq!((groups(&pond).await.as_str(), given.reaction.custom.as_str()), ("like:1@1-1", r#"{"why":"nice"}"#));
}

#[tokio::test]
async fn a_reaction_that_shall_be_the_only_one_takes_the_place_of_the_users_others() {
    let pond = Pond::new();
    for (by, kind) in [("amy", "like"), ("amy", "love"), ("bob", "love")] {
        react(&pond, &draft(by, kind)).await.unwrap();
    }
    react(&pond, &Draft { is_only: true, ..draft("amy", "sad") }).await.unwrap();
    assert_eq!(groups(&pond).await, "love:1@3-3 sad:1@4-4");
}

#[tokio::test]
async fn first_and_last_times_are_those_of_what_is_left_and_the_next_reaction_is_pulled_in() {
    let pond = Pond::new();
    for n in 0..17 {
        react(&pond, &draft(&format!("u{n}"), "like")).await.unwrap();
    }
    assert_eq!(groups(&pond).await, "like:17@1-17");
    take_back(&pond, "u0", "like").await.unwrap();
    take_back(&pond, "u16", "like").await.unwrap();
    assert_eq!(groups(&pond).await, "like:15@2-16");
    let latest = shown(&pond, "amy").await.latest;
    assert_eq!((latest.len(), latest[0].user.as_str(), latest[14].user.as_str()), (LATEST, "u15", "u1"));
}

#[tokio::test]
async fn a_reaction_that_is_not_there_cannot_be_taken_back() {
    let pond = Pond::new();
    react(&pond, &draft("amy", "like")).await.unwrap();
    assert!(broken(take_back(&pond, "amy", "love").await).contains("not found"));
    assert!(broken(take_back(&pond, "bob", "like").await).contains("not found"));
    take_back(&pond, "amy", "like").await.unwrap();
    assert_eq!(groups(&pond).await, "");
}

#[tokio::test]
async fn a_type_is_neither_empty_nor_too_long() {
    let pond = Pond::new();
    for kind in [String::new(), "x".repeat(KIND_BYTES_MAX + 1)] {
        assert!(broken(react(&pond, &draft("amy", &kind)).await).contains("type"));
    }
    assert_eq!(groups(&pond).await, "");
}

#[tokio::test]
async fn a_query_goes_by_type_and_user_the_newest_first() {
    let pond = Pond::new();
    for (by, kind) in [("amy", "like"), ("bob", "love"), ("cat", "like")] {
        react(&pond, &draft(by, kind)).await.unwrap();
    }
    let found = async |filter: &str| {
        let filter = Filter::parse(filter, SCHEMA).unwrap();
        let asked = Query { filter, sort: Sort::by(SORT), cursor: None, limit: LIMIT_MAX };
        let page = query(&mut pond.app.snapshot(), &post(), &asked).await.unwrap();
        page.rows.into_iter().map(|given| given.user.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(found("{}").await, ["cat", "bob", "amy"]);
    assert_eq!(found(r#"{"reaction_type":"like"}"#).await, ["cat", "amy"]);
    assert_eq!(found(r#"{"type":"like","user_id":"amy"}"#).await, ["amy"]);
    assert!(Filter::parse(r#"{"mood":1}"#, SCHEMA).is_err());
}

#[tokio::test]
async fn sixty_four_users_react_to_one_activity_without_running_again() {
    let pond = Pond::new();
    let runs = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let writers: Vec<_> = (0..64)
        .map(|n| {
            let (app, now, runs) = (pond.app.clone(), pond.tick(), runs.clone());
            tokio::spawn(async move {
                let draft = draft(&format!("u{n}"), "like");
                app.write(async |tx| {
                    runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    add(tx, &post(), &draft, now).await
                })
                .await
                .unwrap();
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(groups(&pond).await, "like:64@1-64");
    assert_eq!(runs.load(std::sync::atomic::Ordering::Relaxed), 64);
}

#[tokio::test]
async fn clearing_an_object_leaves_none_of_its_rows_and_goes_on_where_the_budget_ended() {
    let pond = Pond::new();
    for n in 0..5 {
        react(&pond, &draft(&format!("u{n}"), "like")).await.unwrap();
    }
    let clear_some = async |some: usize| {
        pond.app
            .write(async |tx| {
                let mut budget = some;
                clear(tx, &post(), &mut budget).await
            })
            .await
            .unwrap()
    };
    assert!(!clear_some(3).await);
    assert_eq!(shown(&pond, "amy").await.count(), 2);
    assert!(clear_some(3).await);
    let mut tx = pond.app.snapshot();
    assert_eq!(summary(&mut tx, &post(), None).await.unwrap(), Summary::default());
    for user in 0..5 {
        let range = V3_REACTED.prefix(1, &format!("u{user}"));
        assert!(of_user(&mut tx, range, 10).await.unwrap().0.is_empty());
    }
}
