//! The facts of feedback.

use super::*;
use crate::v3::pond::{Pond, user};

async fn say(pond: &Pond, change: Change) {
    let (bob, now) = (user("bob"), pond.tick());
    pond.write(async |tx| give(tx, None, "a1", &bob, change, now).await).await;
}

async fn said(pond: &Pond) -> Option<Feedback> {
    let mut tx = pond.app.snapshot();
    let (id, _) = activities::load(&mut tx, "a1").await.unwrap();
    of_user(&mut tx, &user("bob"), &[id]).await.unwrap().remove(0)
}

#[tokio::test]
async fn what_was_said_last_counts_and_what_is_not_said_stays() {
    let pond = Pond::new();
    pond.add("a1", "amy", &["user:amy"]).await;
    say(&pond, Change::default()).await;
    assert_eq!(said(&pond).await, None);
    say(&pond, Change { hide: Some(true), show_less: Some(true), ..Change::default() }).await;
    say(&pond, Change { show_more: Some(true), ..Change::default() }).await;
    let known = said(&pond).await.unwrap();
    assert_eq!((known.hides, known.wants_more, known.wants_less), (true, true, false));
    let told = pond.told().await;
    assert_eq!(told.iter().filter(|kind| *kind == "feeds.activity.feedback").count(), 3);
}

#[tokio::test]
async fn it_goes_with_its_user_and_with_the_activity() {
    let pond = Pond::new();
    pond.add("a1", "amy", &["user:amy"]).await;
    for activity_goes in [false, true] {
        say(&pond, Change { hide: Some(true), ..Change::default() }).await;
        let (bob, now) = (user("bob"), pond.tick());
        if activity_goes {
            pond.write(async |tx| activities::delete(tx, None, "a1", true, now).await).await;
        } else {
            assert!(pond.write(async |tx| forget(tx, &bob, 10).await).await);
        }
        let mut tx = pond.app.snapshot();
        let rows = crate::rows::list(&mut tx, &V3_FEEDBACK, V3_FEEDBACK.range(1), 10).await.unwrap();
        let noted = owned::list(&mut tx, &bob, Kind::Note, "", 10).await.unwrap();
        assert!(rows.is_empty() && noted.is_empty());
    }
}
