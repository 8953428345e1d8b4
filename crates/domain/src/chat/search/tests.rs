//! The facts of search.

use super::*;
use crate::chat::{
    messages::{Draft, Patch},
    pond::{CHANNEL_ID, Pond, broken, message, user},
};

async fn try_find(pond: &Pond, caller: Option<&str>, text: &str, filter: &str) -> Result<String> {
    let channels = Filter::parse(&format!(r#"{{"cid":"{CHANNEL_ID}"}}"#), CHANNELS).unwrap();
    let (messages, sort) = (Filter::parse(filter, MESSAGES).unwrap(), Sort::by(&["-relevance"]));
    let text = Some(text).filter(|text| !text.is_empty());
    let asked =
        Asked { channels: &channels, messages: &messages, text, sort: &sort, cursor: None, limit: 10, offset: 0 };
    let caller = caller.map(user);
    let page = search(&mut pond.app.snapshot(), caller.as_ref(), &asked, pond.tick()).await?;
    Ok(page.rows.iter().map(|hit| hit.id.as_str()).collect::<Vec<_>>().join(" "))
}

async fn find(pond: &Pond, text: &str) -> String {
    try_find(pond, None, text, "{}").await.unwrap()
}

async fn where_(pond: &Pond, filter: &str) -> String {
    try_find(pond, None, "", filter).await.unwrap()
}

#[tokio::test]
async fn whole_words_are_found_whatever_their_case_and_the_most_often_said_first() {
    let pond = Pond::new().await;
    pond.say("amy", "a", "Supercalifragilistic").await;
    pond.say("amy", "b", "a Duck, and a duck").await;
    pond.say("bob", "c", "one DUCK only").await;
    assert_eq!(find(&pond, "duck").await, "b c");
    assert_eq!(find(&pond, "duck only").await, "c");
    assert_eq!([find(&pond, "fragilistic").await, find(&pond, "nothing").await], ["", ""]);
    assert_eq!(where_(&pond, r#"{"text":{"$q":"duck"},"user.id":"bob"}"#).await, "c");
    assert_eq!(where_(&pond, r#"{"text":{"$autocomplete":"super"}}"#).await, "a");
}

#[tokio::test]
async fn what_changes_is_found_as_it_is_now() {
    let pond = Pond::new().await;
    pond.say("amy", "a", "old words").await;
    let now = pond.tick();
    let patch = messages::Change::Part(Box::new(Patch { text: Some("new words".into()), ..Patch::default() }));
    pond.write(async |tx| messages::update(tx, None, &message("a"), None, &patch, now).await.map(drop)).await;
    assert_eq!([find(&pond, "old").await, find(&pond, "new").await, find(&pond, "words").await], ["", "a", "a"]);
    pond.write(async |tx| messages::delete(tx, None, &message("a"), None, now).await.map(drop)).await;
    assert_eq!(find(&pond, "new").await, "");
    pond.write(async |tx| messages::undelete(tx, &message("a"), &user("amy"), now).await.map(drop)).await;
    assert_eq!(find(&pond, "new").await, "a");
    messages::delete_for_good(&pond.app, None, &message("a"), None, now).await.unwrap();
    assert_eq!(find(&pond, "new").await, "");
    let mut tx = pond.app.snapshot();
    let rows = WORD.scan(&mut tx, 1, WORD.range(1), Direction::Forward, Limit::PAGE).await.unwrap().rows;
    assert!(rows.is_empty(), "{rows:?}");
}

#[tokio::test]
async fn replies_are_found_and_notes_and_what_waits_are_not() {
    let pond = Pond::new().await;
    pond.say("amy", "p", "word").await;
    let draft = Draft { parent: Some(message("p")), ..Draft::text(Some(user("bob")), "word") };
    pond.send_as(None, "r", &draft).await.unwrap();
    let draft = Draft { kind: messages::Kind::System, ..Draft::text(Some(user("bob")), "word") };
    pond.send_as(None, "s", &draft).await.unwrap();
    let draft = Draft { is_pending: Some(true), ..Draft::text(Some(user("bob")), "word") };
    pond.send_as(None, "w", &draft).await.unwrap();
    assert_eq!(find(&pond, "word").await, "p r");
    assert_eq!(where_(&pond, r#"{"parent_id":"p"}"#).await, "r");
    assert_eq!(where_(&pond, r#"{"reply_count":{"$gt":0}}"#).await, "p");
    let now = pond.tick();
    pond.write(async |tx| messages::commit(tx, &message("w"), now).await.map(drop)).await;
    assert_eq!(find(&pond, "word").await, "p r w");
}

#[tokio::test]
async fn a_user_finds_what_it_may_read() {
    let pond = Pond::new().await;
    let draft = Draft { visible_to: vec![user("bob")], ..Draft::text(Some(user("amy")), "secret") };
    pond.send_as(None, "a", &draft).await.unwrap();
    for (caller, found) in [("amy", "a"), ("bob", "a"), ("cat", ""), ("stranger", "")] {
        assert_eq!(try_find(&pond, Some(caller), "secret", "{}").await.unwrap(), found, "{caller}");
    }
}

#[tokio::test]
async fn attachments_mentions_and_own_fields_are_found() {
    let pond = Pond::new().await;
    let draft = Draft {
        attachments: vec![r#"{"type":"image"}"#.into()],
        mentioned: vec![user("cat")],
        custom: r#"{"color":"red"}"#.into(),
        ..Draft::text(Some(user("amy")), "look")
    };
    pond.send_as(None, "a", &draft).await.unwrap();
    pond.say("amy", "b", "plain").await;
    for (filter, found) in [
        (r#"{"attachments":{"$exists":true}}"#, "a"),
        (r#"{"attachments":{"$exists":false}}"#, "b"),
        (r#"{"attachments.type":{"$in":["image"]}}"#, "a"),
        (r#"{"mentioned_users.id":{"$contains":"cat"}}"#, "a"),
        (r#"{"color":"red"}"#, "a"),
        (r#"{"id":"b"}"#, "b"),
        (r#"{"type":"regular"}"#, "a b"),
    ] {
        assert_eq!(where_(&pond, filter).await, found, "{filter}");
    }
}

#[tokio::test]
async fn a_channel_whose_type_has_no_search_is_refused() {
    let pond = Pond::new().await;
    pond.set_type(|config| config.search = false).await;
    assert!(broken(try_find(&pond, None, "word", "{}").await).contains("search"));
}
