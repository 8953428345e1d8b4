//! What changes of a channel tell, and who is passed over.

use ids::{ChannelId, UserId, json::Object};

use super::*;
use crate::{
    chat::{
        members::{self, Newcomer, Terms},
        messages,
        pond::{Pond, broken, message, user},
        reads,
    },
    custom::Edit,
    users::blocks,
};

fn one() -> ChannelId {
    ChannelId::parse("test:one").unwrap()
}

fn newcomers(ids: &[&str]) -> Vec<Newcomer> {
    ids.iter().map(|id| Newcomer::plain(user(id))).collect()
}

/// A channel of these members, made by the first.
async fn made(pond: &Pond, ids: &[&str]) {
    let now = pond.tick();
    let draft =
        Draft { created_by: Some(user(ids[0])), members: newcomers(ids), makes_users: true, ..Draft::default() };
    pond.write(async |tx| get_or_create(tx, &one(), &draft, now).await).await;
}

/// What `change` by amy told.
async fn tells(pond: &Pond, change: Change) -> Vec<String> {
    let (before, now) = (pond.told().await.len(), pond.tick());
    pond.write(async |tx| update(tx, &one(), &change, Some(&user("amy")), now).await).await;
    pond.told().await.split_off(before)
}

async fn members(pond: &Pond) -> String {
    let members = members::list(&mut pond.app.snapshot(), &one(), 100, 0).await.unwrap();
    members.iter().map(|(user, _)| user.as_str()).collect::<Vec<_>>().join(" ")
}

async fn say(pond: &Pond, author: &str, id: &str) {
    let (now, draft) = (pond.tick(), messages::Draft::text(Some(user(author)), "hi"));
    pond.write(async |tx| messages::send(tx, None, &one(), &message(id), &draft, now).await).await;
}

async fn is_hidden(pond: &Pond, id: &UserId) -> bool {
    are_hidden(&mut pond.app.snapshot(), &[one()], id).await.unwrap()[0]
}

#[tokio::test]
async fn making_a_channel_tells_of_it_and_of_each_member() {
    let pond = Pond::new().await;
    made(&pond, &["amy", "bob"]).await;
    assert_eq!(
        pond.told().await,
        [
            "channel.created",
            "member.added",
            "notification.added_to_channel",
            "member.added",
            "notification.added_to_channel"
        ]
    );
}

#[tokio::test]
async fn each_part_of_an_update_tells_its_own() {
    let pond = Pond::new().await;
    made(&pond, &["amy", "bob"]).await;
    let frozen = Details { is_frozen: Some(true), ..Details::default() };
    let change = Change { details: Some(frozen), ..Change::default() };
    assert_eq!(tells(&pond, change).await, ["channel.updated", "channel.frozen"]);
    let change = Change { add_members: newcomers(&["cat", "bob"]), ..Change::default() };
    assert_eq!(tells(&pond, change).await, ["member.added", "notification.added_to_channel"]);
    let change = Change { remove_members: vec![user("cat"), user("dan")], ..Change::default() };
    assert_eq!(tells(&pond, change).await, ["member.removed", "notification.removed_from_channel"]);
    let change = Change { invites: newcomers(&["cat"]), ..Change::default() };
    assert_eq!(tells(&pond, change).await, ["member.added", "notification.invited"]);
    let change = Change { add_moderators: vec![user("bob")], ..Change::default() };
    assert_eq!(tells(&pond, change).await, ["channel.updated", "member.updated"]);
}

#[tokio::test]
async fn a_refused_update_changes_nothing() {
    let pond = Pond::new().await;
    made(&pond, &["amy", "bob"]).await;
    let change = Change { add_members: newcomers(&["cat", "nobody"]), ..Change::default() };
    let now = pond.tick();
    let run = pond.app.write(async |tx| update(tx, &one(), &change, None, now).await).await;
    assert!(broken(run).contains("nobody"));
    assert_eq!(members(&pond).await, "amy bob");
    let overrides = Some(Object::parse(r#"{"max_message_length":true}"#).unwrap());
    let settings = Details { config_overrides: overrides, ..Details::default() };
    let run = pond.app.write(async |tx| patch(tx, &one(), &settings, &Edit::default(), None, now).await).await;
    assert!(broken(run).contains("max_message_length"));
}

#[tokio::test]
async fn a_message_shows_a_hidden_channel_again_unless_it_is_muted() {
    let pond = Pond::new().await;
    made(&pond, &["amy", "bob", "cat"]).await;
    let (bob, cat, now) = (user("bob"), user("cat"), pond.tick());
    pond.write(async |tx| {
        hide(tx, &one(), &bob, false, now).await?;
        hide(tx, &one(), &cat, false, now).await?;
        mute(tx, &cat, &one(), None, now).await
    })
    .await;
    say(&pond, "amy", "m").await;
    assert_eq!((is_hidden(&pond, &bob).await, is_hidden(&pond, &cat).await), (false, true));
    assert_eq!(pond.told().await.last().unwrap(), "channel.visible");
}

#[tokio::test]
async fn in_a_channel_of_two_nothing_of_who_is_blocked_is_unread_and_it_stays_hidden() {
    let pond = Pond::new().await;
    made(&pond, &["amy", "bob"]).await;
    let (amy, bob, now) = (user("amy"), user("bob"), pond.tick());
    pond.write(async |tx| {
        blocks::add(tx, &amy, &bob, now).await?;
        hide(tx, &one(), &amy, false, now).await
    })
    .await;
    say(&pond, "bob", "m").await;
    assert!(is_hidden(&pond, &amy).await);
    assert_eq!(reads::total(&pond.app, &amy, pond.tick()).await.unwrap(), []);
    let change = Change { add_members: newcomers(&["cat"]), ..Change::default() };
    tells(&pond, change).await;
    assert_eq!(reads::total(&pond.app, &amy, pond.tick()).await.unwrap()[0].unread, 1);
}

#[tokio::test]
async fn who_blocks_the_one_that_adds_does_not_come() {
    let pond = Pond::new().await;
    made(&pond, &["amy"]).await;
    let (amy, bob, now) = (user("amy"), user("bob"), pond.tick());
    pond.write(async |tx| blocks::add(tx, &bob, &amy, now).await).await;
    let change = Change { add_members: newcomers(&["bob", "cat"]), invites: newcomers(&["bob"]), ..Change::default() };
    assert_eq!(tells(&pond, change).await, ["member.added", "notification.added_to_channel"]);
    assert_eq!(members(&pond).await, "amy cat");
}

#[tokio::test]
async fn only_what_was_said_later_is_seen_by_who_comes_without_history() {
    let pond = Pond::new().await;
    made(&pond, &["amy"]).await;
    say(&pond, "amy", "before").await;
    let terms = Terms { hides_before: Some(pond.tick()), makes_users: true };
    tells(&pond, Change { add_members: newcomers(&["bob"]), terms, ..Change::default() }).await;
    say(&pond, "amy", "after").await;
    assert_eq!(reads::total(&pond.app, &user("bob"), pond.tick()).await.unwrap()[0].unread, 1);
}
