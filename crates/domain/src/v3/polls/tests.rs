//! The facts of polls of activities.

use super::*;
use crate::v3::pond::{Pond, broken, draft, user};

const POLL: &str = "p";

/// A pond where the activity `a1` of amy shows a poll with the options a and b.
async fn pond() -> Pond {
    let pond = Pond::new();
    let (amy, now) = (user("amy"), pond.tick());
    let option = |id: &str| polls::NewOption { id: id.into(), text: id.into(), custom: ids::json::Object::default() };
    let content = polls::Content {
        name: "Which?".into(),
        options: Some(vec![option("a"), option("b")]),
        takes_answers: true,
        ..polls::Content::default()
    };
    pond.write(async |tx| polls::create(tx, &amy, POLL, &content, now).await).await;
    pond.try_add(None, &showing("a1")).await.unwrap();
    pond
}

fn showing(id: &str) -> activities::Draft {
    let mut draft = draft(id, "amy", &["user:amy", "timeline:amy"]);
    draft.content.poll = Some(POLL.into());
    draft
}

impl Pond {
    async fn votes(&self, by: Option<&str>, voter: &str, id: &str, option: &str) -> Result<Done> {
        let (by, voter, now) = (by.map(user), user(voter), self.tick());
        let ballot = Ballot::Option(option.into());
        self.app.write(async |tx| cast(tx, by.as_ref(), &voter, ("a1", POLL), (id, &ballot), now).await).await
    }

    /// Votes of option a, and whether the poll is there.
    async fn count(&self) -> Option<i64> {
        let mut tx = self.app.snapshot();
        let poll = polls::get(&mut tx, POLL).await.unwrap()?;
        let shown = polls::show(&mut tx, POLL, poll, None).await.unwrap();
        Some(shown.options[0].votes)
    }
}

#[tokio::test]
async fn who_sees_the_activity_votes_and_takes_the_vote_back_and_both_names_of_the_event_are_told() {
    let pond = pond().await;
    assert_eq!(pond.votes(Some("bob"), "bob", "1", "a").await.unwrap().cast.id, "1");
    assert_eq!(pond.count().await, Some(1));
    let (bob, now) = (user("bob"), pond.tick());
    pond.write(async |tx| take_back(tx, Some(&bob), Some(&bob), ("a1", POLL), "1", now).await).await;
    assert_eq!(pond.count().await, Some(0));
    let told = pond.told().await;
    let of = |kind: &str| told.iter().filter(|told| *told == kind).count();
    // One for each feed that holds the activity, and the plain one once.
    assert_eq!((of("feeds.poll.vote_casted"), of("poll.vote_casted")), (2, 1));
    assert_eq!((of("feeds.poll.vote_removed"), of("poll.vote_removed")), (2, 1));
}

#[tokio::test]
async fn nobody_votes_in_a_poll_that_the_activity_does_not_show_that_is_closed_or_in_a_feed_that_is_not_open() {
    let pond = pond().await;
    let (bob, ballot, now) = (user("bob"), Ballot::Option("a".into()), pond.tick());
    let other = pond.app.write(async |tx| cast(tx, None, &bob, ("a1", "q"), ("1", &ballot), now).await).await;
    assert!(broken(other).contains("not attached"));
    let close = polls::Patch { is_closed: Some(true), ..polls::Patch::default() };
    pond.write(async |tx| polls::patch(tx, None, POLL, &close, now).await).await;
    assert!(broken(pond.votes(None, "bob", "1", "a").await).contains("closed"));
    assert!(pond.told().await.contains(&"feeds.poll.closed".to_owned()));
    let mut hidden = showing("a2");
    hidden.content.audience = activities::Audience::Private;
    pond.try_add(None, &hidden).await.unwrap();
    let vote = pond.app.write(async |tx| cast(tx, Some(&bob), &bob, ("a2", POLL), ("1", &ballot), now).await).await;
    assert!(broken(vote).contains("may not read"));
}

#[tokio::test]
async fn a_poll_that_is_not_there_or_not_to_be_seen_is_not_attached() {
    let pond = pond().await;
    let mut missing = draft("a2", "amy", &["user:amy"]);
    missing.content.poll = Some("none".into());
    assert!(broken(pond.try_add(None, &missing).await).contains("doesn't exist"));
    let mut own = draft("b1", "bob", &["user:bob"]);
    own.content.poll = Some(POLL.into());
    // Bob sees amy's activity, and so may show its poll.
    pond.try_add(Some("bob"), &own).await.unwrap();
}

#[tokio::test]
async fn a_poll_goes_for_good_with_the_last_activity_that_shows_it() {
    let pond = pond().await;
    pond.try_add(None, &showing("a2")).await.unwrap();
    pond.votes(None, "bob", "1", "a").await.unwrap();
    for (id, left) in [("a1", Some(1)), ("a2", None)] {
        let now = pond.tick();
        assert!(pond.write(async |tx| activities::delete(tx, None, id, true, now).await).await.1);
        assert_eq!(pond.count().await, left);
    }
    let range = V3_POLL_SHOWN.range(1);
    let rows = crate::rows::list(&mut pond.app.snapshot(), &V3_POLL_SHOWN, range, 10).await.unwrap();
    assert!(rows.is_empty());
}
