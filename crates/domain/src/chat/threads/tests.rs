//! The facts of threads.

use super::*;
use crate::{
    chat::pond::{Pond, broken, message, user},
    custom::Edit,
    filter::{Filter, Sort},
};

async fn threads_of(pond: &Pond, id: &str, filter: &str) -> String {
    let (filter, sort) = (Filter::parse(filter, THREADS).unwrap(), Sort::by(&["-has_unread", "-last_message_at"]));
    let mut tx = pond.app.snapshot();
    let found = query(&mut tx, None, &user(id), (&filter, &sort), (None, 10), pond.tick()).await.unwrap();
    let shown = |counted: &Counted| format!("{}:{}", counted.parent, counted.unread);
    found.rows.iter().map(shown).collect::<Vec<_>>().join(" ")
}

/// Two threads of amy: bob replied twice in `p` and cat once in `q`.
async fn two() -> Pond {
    let pond = Pond::new().await;
    pond.say("amy", "p", "first").await;
    pond.say("amy", "q", "second").await;
    pond.reply("bob", "r1", "p").await;
    pond.reply("bob", "r2", "p").await;
    pond.reply("cat", "s1", "q").await;
    pond
}

#[tokio::test]
async fn the_first_reply_makes_the_thread_and_its_author_is_the_maker() {
    let pond = two().await;
    let counted = read(&mut pond.app.snapshot(), None, &message("p"), pond.tick()).await.unwrap();
    let reply = pond.get("r1").await.unwrap();
    assert_eq!((&counted.thread.created_by, counted.thread.created_at), (&Some(user("bob")), reply.created_at));
    assert_eq!((counted.title(), counted.replies, counted.participants.len()), ("first", 2, 2));
    assert_eq!(counted.last_message_at, Some(pond.get("r2").await.unwrap().created_at));
    let none = read(&mut pond.app.snapshot(), None, &message("r1"), pond.tick()).await;
    assert!(broken(none).contains("Thread"));
}

#[tokio::test]
async fn the_author_of_the_parent_and_of_replies_take_part_and_their_own_replies_are_read() {
    let pond = two().await;
    assert_eq!(threads_of(&pond, "amy", "{}").await, "q:1 p:2");
    assert_eq!(threads_of(&pond, "bob", "{}").await, "p:0");
    assert_eq!(threads_of(&pond, "nobody", "{}").await, "");
    assert_eq!(threads_of(&pond, "amy", r#"{"created_by_user_id":"cat"}"#).await, "q:1");
    assert_eq!(threads_of(&pond, "amy", r#"{"channel_cid":"test:other"}"#).await, "");
}

#[tokio::test]
async fn reading_a_thread_puts_it_behind_those_with_news() {
    let pond = two().await;
    let now = pond.tick();
    pond.write(async |tx| mark_read(tx, &message("q"), &user("amy"), now).await).await;
    assert_eq!(threads_of(&pond, "amy", "{}").await, "p:2 q:0");
    let unread = unread_of(&mut pond.app.snapshot(), &user("amy")).await.unwrap();
    assert_eq!(unread.iter().map(|unread| (unread.parent.as_str(), unread.count)).collect::<Vec<_>>(), [("p", 2)]);
    pond.write(async |tx| mark_unread(tx, &message("q"), &user("amy"), now).await).await;
    assert_eq!(threads_of(&pond, "amy", "{}").await, "q:1 p:2");
    pond.write(async |tx| mark_unread(tx, &message("q"), &user("bob"), now).await).await;
    assert_eq!(threads_of(&pond, "bob", "{}").await, "p:0", "who takes no part has nothing to read");
}

#[tokio::test]
async fn a_deleted_reply_is_no_news_and_a_thread_without_replies_is_not_listed() {
    let pond = two().await;
    let now = pond.tick();
    pond.write(async |tx| crate::chat::messages::delete(tx, None, &message("s1"), None, now).await.map(drop)).await;
    assert_eq!(threads_of(&pond, "amy", "{}").await, "p:2");
}

#[tokio::test]
async fn a_title_and_own_fields_are_changed_by_the_author_of_the_parent() {
    let pond = two().await;
    let now = pond.tick();
    let custom = Edit { set: Object::parse(r#"{"k":1}"#).unwrap(), unset: Vec::new() };
    let patch = Patch { title: Some(Some("news".into())), custom };
    let change = async |by: &str| {
        let by = user(by);
        pond.app.write(async |tx| update(tx, Some(&by), &message("p"), Some(&by), &patch, now).await).await
    };
    let counted = change("amy").await.unwrap();
    assert_eq!((counted.title(), counted.thread.custom.as_str()), ("news", r#"{"k":1}"#));
    assert!(broken(change("bob").await).contains("not allowed"));
    assert_eq!(pond.told().await.last().unwrap(), "thread.updated");
}
