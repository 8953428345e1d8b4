//! The facts of notification activities.

use super::*;
use crate::v3::{
    comments, made,
    pond::{Pond, draft, fid, user},
    reactions,
};

/// The users of notifications in the feed of `to`, each with what happened, the newest first.
async fn told(pond: &Pond, to: &str) -> String {
    let mut tx = pond.app.snapshot();
    let Some(feed) = feeds::get(&mut tx, &fid(&format!("notification:{to}"))).await.unwrap() else {
        return String::new();
    };
    let ids = feeds::posted(&mut tx, &feed.stream, 100).await.unwrap();
    let found = activities::get_many(&mut tx, &ids).await.unwrap();
    let line = |activity: Activity| format!("{}:{}", activity.user.unwrap(), activity.kind);
    found.into_iter().flatten().map(line).collect::<Vec<_>>().join(" ")
}

async fn pond() -> Pond {
    let pond = Pond::new();
    for who in ["amy", "bob", "cat"] {
        pond.feed(&format!("user:{who}")).await;
    }
    pond.add("a1", "amy", &["user:amy"]).await;
    pond
}

async fn react(pond: &Pond, by: &str, kind: &str, object: Object) -> Given {
    let draft = reactions::Draft { user: user(by), kind: kind.into(), is_only: false, custom: None };
    let moment = pond.moment();
    let given = pond.write(async |tx| {
        let (scene, given) = made::react(tx, None, &object, &draft, moment.now).await?;
        reaction(tx, &scene, &given, false, moment).await?;
        Ok(given)
    });
    given.await
}

async fn say_below(pond: &Pond, id: &str, by: &str, parent: Option<&str>, mentioned: &[&str]) -> Told {
    let draft = comments::Draft {
        id: id.into(),
        activity: Some("a1".into()),
        parent: parent.map(str::to_owned),
        user: user(by),
        text: id.into(),
        attachments: Vec::new(),
        mentioned: mentioned.iter().map(|who| user(who)).collect(),
        custom: None,
    };
    let moment = pond.moment();
    let told = pond.write(async |tx| {
        let (scene, made) = made::comment(tx, None, &draft, moment.now).await?;
        comment(tx, &scene, (id, &made), false, moment).await
    });
    told.await
}

#[tokio::test]
async fn the_owner_is_told_of_reactions_in_a_feed_of_its_own_and_nobody_of_what_it_does_itself() {
    let pond = pond().await;
    react(&pond, "bob", "like", Object::Activity("a1".into())).await;
    react(&pond, "amy", "like", Object::Activity("a1".into())).await;
    assert_eq!(told(&pond, "amy").await, "bob:reaction");
    let feed = pond.feed("notification:amy").await;
    assert_eq!((feed.visibility, feed.created_by), (Visibility::Private, Some(user("amy"))));
    assert!(pond.told().await.contains(&"feeds.notification_feed.updated".to_owned()));
}

#[tokio::test]
async fn a_reply_is_told_to_whom_it_replies_and_to_the_author_of_the_activity_and_mentions_to_the_mentioned() {
    let pond = pond().await;
    say_below(&pond, "c1", "bob", None, &[]).await;
    let of_reply = say_below(&pond, "c2", "cat", Some("c1"), &["bob", "cat"]).await;
    assert_eq!((of_reply.is_told, of_reply.mentions), (true, 1));
    assert_eq!(told(&pond, "amy").await, "cat:comment bob:comment");
    let mut of_bob: Vec<String> = told(&pond, "bob").await.split(' ').map(str::to_owned).collect();
    of_bob.sort_unstable();
    assert_eq!(of_bob, ["cat:comment_mention", "cat:comment_reply"]);
    assert_eq!(told(&pond, "cat").await, "");
}

#[tokio::test]
async fn a_notification_quotes_what_is_there_when_it_is_read() {
    let pond = pond().await;
    say_below(&pond, "c1", "bob", None, &[]).await;
    say_below(&pond, "c2", "amy", Some("c1"), &[]).await;
    let notice = Notice {
        kind: Kind::Reply,
        about: About::Comment("c2".into()),
        reaction: None,
        source: None,
        custom: String::new(),
    };
    let context = quote(&mut pond.app.snapshot(), &notice).await.unwrap();
    assert_eq!((context.comment.unwrap().text, context.target.comment.unwrap().text), ("c2".into(), "c1".into()));
    assert_eq!((context.target.id.as_str(), context.target.text.as_deref()), ("a1", Some("a1")));
    let now = pond.tick();
    pond.write(async |tx| made::delete_comment(tx, None, "c1", false, now).await).await;
    pond.write(async |tx| activities::delete(tx, None, "a1", false, now).await).await;
    let context = quote(&mut pond.app.snapshot(), &notice).await.unwrap();
    assert!(context.target.comment.is_none() && context.target.text.is_none());
}

#[tokio::test]
async fn what_is_taken_back_takes_its_notification_back_and_that_of_nothing_else() {
    let pond = pond().await;
    let like = react(&pond, "bob", "like", Object::Activity("a1".into())).await;
    react(&pond, "bob", "love", Object::Activity("a1".into())).await;
    react(&pond, "cat", "like", Object::Activity("a1".into())).await;
    let now = pond.tick();
    pond.write(async |tx| forget_reaction(tx, &like, now).await).await;
    assert_eq!(told(&pond, "amy").await, "cat:reaction bob:reaction");
    say_below(&pond, "c1", "bob", None, &["cat"]).await;
    react(&pond, "cat", "like", Object::Comment("c1".into())).await;
    pond.write(async |tx| forget_comment(tx, "c1", now).await).await;
    assert_eq!((told(&pond, "amy").await, told(&pond, "cat").await), ("cat:reaction bob:reaction".into(), "".into()));
    assert_eq!(told(&pond, "bob").await, "cat:comment_reaction");
}

#[tokio::test]
async fn what_goes_for_good_takes_all_that_was_said_about_it_along() {
    let pond = pond().await;
    react(&pond, "bob", "like", Object::Activity("a1".into())).await;
    say_below(&pond, "c1", "bob", None, &["cat"]).await;
    react(&pond, "cat", "like", Object::Comment("c1".into())).await;
    let now = pond.tick();
    assert!(pond.write(async |tx| activities::delete(tx, None, "a1", true, now).await).await.1);
    for who in ["amy", "bob", "cat"] {
        assert_eq!(told(&pond, who).await, "", "{who}");
    }
    let rows = crate::rows::list(&mut pond.app.snapshot(), &V3_NOTIFIED, V3_NOTIFIED.range(1), 10).await.unwrap();
    assert!(rows.is_empty());
}

#[tokio::test]
async fn a_follow_is_told_to_the_owner_of_the_feed_and_taken_back_with_it() {
    let pond = pond().await;
    let edge = pond.follow("user:bob", "user:amy").await.edge;
    let moment = pond.moment();
    for (is_once, is_told) in [(false, true), (true, false)] {
        assert_eq!(pond.write(async |tx| follow(tx, &edge, false, is_once, moment).await).await, is_told);
    }
    assert_eq!(told(&pond, "amy").await, "bob:follow");
    pond.write(async |tx| forget_follow(tx, &edge, moment.now).await).await;
    assert_eq!(told(&pond, "amy").await, "");
}

#[tokio::test]
async fn mentions_are_told_once_and_taken_back_when_they_are_no_more() {
    let pond = pond().await;
    let mut mentioning = draft("a2", "amy", &["user:amy"]);
    mentioning.content.mentioned = vec![user("bob"), user("cat")];
    let mut activity = pond.try_add(None, &mentioning).await.unwrap();
    let moment = pond.moment();
    for count in [2, 0] {
        assert_eq!(pond.write(async |tx| mentions(tx, &activity, false, moment).await).await, count);
    }
    activity.content.mentioned.pop();
    let what = Mentioning::Activity(&activity);
    pond.write(async |tx| forget_mentions(tx, what, false, moment.now).await).await;
    assert_eq!((told(&pond, "bob").await, told(&pond, "cat").await), ("amy:mention".into(), String::new()));
    let what = Mentioning::Activity(&activity);
    pond.write(async |tx| forget_mentions(tx, what, true, moment.now).await).await;
    assert_eq!(told(&pond, "bob").await, "");
}

#[tokio::test]
async fn within_the_window_of_the_group_the_same_is_said_once() {
    let pond = pond().await;
    let settings = r#"{"track_seen":true,"deduplication_window":"1h"}"#;
    assert_eq!(window(settings), Some(3_600_000_000));
    assert_eq!((window(r#"{"deduplication_window":""}"#), window(r#"{"deduplication_window":"0"}"#)), (None, None));
    let tenant = pond.app.id.0;
    pond.write(async |tx| {
        let mut group = groups::load(tx, GROUP).await?;
        group.notification = Some(settings.to_owned());
        crate::keyspace::V3_GROUP.put(tx, tenant, &GROUP.to_owned(), &group);
        Ok(())
    })
    .await;
    for _ in 0..2 {
        react(&pond, "bob", "like", Object::Activity("a1".into())).await;
    }
    assert_eq!(told(&pond, "amy").await, "bob:reaction");
    // Comments repeat.
    say_below(&pond, "c1", "bob", None, &[]).await;
    say_below(&pond, "c2", "bob", None, &[]).await;
    assert_eq!(told(&pond, "amy").await, "bob:comment bob:comment bob:reaction");
}
