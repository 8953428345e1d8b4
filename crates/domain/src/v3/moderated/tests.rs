//! The facts of moderation in feeds.

use super::*;
use crate::{
    keyspace::{MODERATION_CONFIG, REVIEW, REVIEW_OF},
    moderation::configs::Config,
    users::{self, User},
    v3::{
        made,
        pond::{Pond, broken, draft, user},
    },
};

/// A pond where swearing comes to `action`, by the policy `key`.
async fn pond(key: &str, action: &str) -> Pond {
    let pond = Pond::new();
    let now = pond.tick();
    let sections = format!(r#"{{"block_list_config":{{"rules":[{{"name":"profanity_en","action":"{action}"}}]}}}}"#);
    let config = Config { sections, is_async: false, created_at: now, updated_at: now };
    let run = pond.write(async |tx| {
        let tenant = tx.tenant();
        MODERATION_CONFIG.put(tx, tenant, &(key.to_owned(), String::new()), &config);
        Ok(())
    });
    run.await;
    pond
}

/// Amy swears in the activity `id`, by the token of `by`.
async fn swears(pond: &Pond, by: Option<&str>, id: &str, is_forced: bool) -> Result<()> {
    let mut post = draft(id, "amy", &["user:amy"]);
    post.content.text = Some("oh shit".into());
    let (by, moment) = (by.map(user), pond.moment());
    let run = pond.app.write(async |tx| {
        let (_, added) = activities::add(tx, by.as_ref(), &post, moment).await?;
        activity(tx, by.as_ref(), is_forced, &added, moment.now).await
    });
    run.await
}

async fn is_there(pond: &Pond, id: &str) -> bool {
    activities::get_any(&mut pond.app.snapshot(), id).await.unwrap().is_some()
}

#[tokio::test]
async fn what_moderation_refuses_is_not_stored() {
    for action in ["shadow", "bounce", "remove"] {
        let pond = pond("feeds:user", action).await;
        assert!(broken(swears(&pond, Some("amy"), "a1", false).await).contains("blocked"), "{action}");
        assert!(!is_there(&pond, "a1").await, "{action}");
    }
}

#[tokio::test]
async fn the_apps_own_server_is_looked_at_only_if_it_asks() {
    let pond = pond("feeds", "remove").await;
    swears(&pond, None, "a1", false).await.unwrap();
    assert!(broken(swears(&pond, None, "a2", true).await).contains("blocked"));
    assert!(is_there(&pond, "a1").await && !is_there(&pond, "a2").await);
}

#[tokio::test]
async fn the_policy_is_that_of_the_group_or_of_feeds_or_the_default() {
    for key in ["feeds:user", "feeds", "default"] {
        assert!(swears(&pond(key, "remove").await, Some("amy"), "a1", false).await.is_err(), "{key}");
    }
    for key in ["feeds:timeline", "chat"] {
        swears(&pond(key, "remove").await, Some("amy"), "a1", false).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_flagged_stays_and_is_queued_with_its_author() {
    let pond = pond("feeds", "flag").await;
    swears(&pond, Some("amy"), "a1", false).await.unwrap();
    assert!(is_there(&pond, "a1").await);
    let mut tx = pond.app.snapshot();
    let entity = (decisions::ACTIVITY.to_owned(), "a1".to_owned());
    let item = REVIEW_OF.get(&mut tx, 1, &entity).await.unwrap().expect("it is in the queue");
    let item = REVIEW.get(&mut tx, 1, &item).await.unwrap().unwrap();
    assert_eq!((item.creator, item.recommended.as_str()), (Some(user("amy")), "flag"));
}

#[tokio::test]
async fn comments_are_looked_at_and_users_of_whom_moderation_looks_away_are_not() {
    let pond = pond("feeds:user", "remove").await;
    pond.add("a1", "amy", &["user:amy"]).await;
    let comments = async |id: &str, by: &str| {
        let draft = crate::v3::comments::Draft {
            id: id.into(),
            activity: Some("a1".into()),
            parent: None,
            user: user(by),
            text: "oh shit".into(),
            attachments: Vec::new(),
            mentioned: Vec::new(),
            custom: None,
        };
        let (by, now) = (user(by), pond.tick());
        let run = pond.app.write(async |tx| {
            let (_, made) = made::comment(tx, Some(&by), &draft, now).await?;
            comment(tx, Some(&by), false, (id, &made), now).await
        });
        run.await
    };
    assert!(broken(comments("c1", "bob").await).contains("blocked"));
    let now = pond.tick();
    let trusted = User { bypasses_moderation: true, ..User::new(now) };
    let run = pond.write(async |tx| {
        users::put(tx, &user("cat"), &trusted);
        Ok(())
    });
    run.await;
    comments("c2", "cat").await.unwrap();
}
