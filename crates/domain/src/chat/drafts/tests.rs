use super::*;
use crate::{
    chat::{
        messages::Draft as Message,
        pond::{Pond, broken, channel, message, user},
    },
    filter::{Filter, Sort},
};

fn spot(parent: Option<&str>) -> Spot {
    Spot { channel: channel(), parent: parent.map(message) }
}

impl Pond {
    /// The caller writes `text` as a draft of bob.
    async fn begins(&self, caller: Option<&str>, parent: Option<&str>, text: &str) -> Result<Draft> {
        let written = Message { parent: parent.map(message), ..Message::text(Some(user("bob")), text) };
        let (caller, now, id) = (caller.map(user), self.tick(), message("draft"));
        let (bob, spot) = (user("bob"), spot(parent));
        self.app.write(async |tx| put(tx, caller.as_ref(), (&bob, &spot), (&id, &written), now).await).await
    }

    async fn drafted(&self, who: &str, parent: Option<&str>) -> Option<String> {
        get(&mut self.app.snapshot(), &user(who), &spot(parent)).await.unwrap().map(|draft| draft.text)
    }
}

#[tokio::test]
async fn there_is_one_draft_for_each_user_and_thread_and_its_id_stays() {
    let pond = Pond::new().await;
    pond.say("amy", "p", "hello").await;
    let first = pond.begins(None, None, "one").await.unwrap();
    let second = pond.begins(Some("bob"), None, "two").await.unwrap();
    pond.begins(None, Some("p"), "reply").await.unwrap();
    assert_eq!((first.id.clone(), second.text.as_str()), (second.id, "two"));
    assert_eq!(pond.drafted("bob", None).await.as_deref(), Some("two"));
    assert_eq!(pond.drafted("bob", Some("p")).await.as_deref(), Some("reply"));
    assert_eq!(pond.drafted("amy", None).await, None);
    let told = pond.told().await;
    assert_eq!(told.iter().filter(|kind| *kind == "draft.updated").count(), 3);
}

#[tokio::test]
async fn sending_ends_the_draft_of_its_author_and_thread_and_no_other() {
    let pond = Pond::new().await;
    pond.say("amy", "p", "hello").await;
    pond.begins(None, None, "one").await.unwrap();
    pond.begins(None, Some("p"), "reply").await.unwrap();
    pond.say("amy", "x", "amy's").await;
    assert!(pond.drafted("bob", None).await.is_some());
    pond.reply("bob", "r", "p").await;
    assert_eq!((pond.drafted("bob", Some("p")).await, pond.drafted("bob", None).await.is_some()), (None, true));
    pond.say("bob", "y", "one").await;
    assert_eq!(pond.drafted("bob", None).await, None);
    assert_eq!(pond.told().await.iter().filter(|kind| *kind == "draft.deleted").count(), 2);
}

#[tokio::test]
async fn a_draft_keeps_to_the_limits_of_messages_and_to_who_may_write() {
    let pond = Pond::new().await;
    pond.say("amy", "p", "hello").await;
    pond.reply("amy", "r", "p").await;
    let long = "x".repeat(5001);
    assert!(matches!(pond.begins(None, None, &long).await, Err(Error::TooLong(5000))));
    assert!(matches!(pond.begins(None, Some("r"), "x").await, Err(Error::NestedReply)));
    assert!(broken(pond.begins(None, Some("nothing"), "x").await).contains("doesn't exist"));
    assert!(broken(pond.begins(Some("eve"), None, "x").await).contains("not allowed"));
    assert_eq!(pond.told().await.iter().filter(|kind| kind.starts_with("draft")).count(), 0);
}

#[tokio::test]
async fn drafts_are_listed_by_what_they_are_in_and_only_where_the_caller_may_read() {
    let pond = Pond::new().await;
    pond.say("amy", "p", "hello").await;
    pond.begins(None, None, "one").await.unwrap();
    pond.begins(None, Some("p"), "two").await.unwrap();
    let list = async |caller: Option<&str>, filter: &str| {
        let (filter, sort) = (Filter::parse(filter, DRAFTS).unwrap(), Sort::default().or(&["-created_at"]));
        let (mut tx, caller, now) = (pond.app.snapshot(), caller.map(user), pond.tick());
        let page = query(&mut tx, caller.as_ref(), &user("bob"), (&filter, &sort), (None, 10), now).await.unwrap();
        page.rows.into_iter().map(|found| found.draft.text).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(list(None, "{}").await, "two one");
    assert_eq!(list(None, r#"{"parent_id":"p"}"#).await, "two");
    assert_eq!(list(None, r#"{"parent_id":{"$exists":false}}"#).await, "one");
    assert_eq!(list(Some("bob"), r#"{"channel_cid":"test:general"}"#).await, "two one");
    assert_eq!(list(Some("eve"), "{}").await, "");
}
