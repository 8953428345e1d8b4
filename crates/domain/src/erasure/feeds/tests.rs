use super::*;
use crate::feeds::{
    activities::Draft,
    pond::{Pond, feed, feeds},
};

fn amy() -> UserId {
    UserId::parse("amy").unwrap()
}

async fn removed(pond: &Pond) -> Progress {
    let mut progress = Progress::default();
    loop {
        let step = pond.app.write(async |tx| {
            let mut next = progress.clone();
            let is_done = remove(tx, &amy(), &mut next).await?;
            Ok((next, is_done))
        });
        let (next, is_done) = step.await.unwrap();
        progress = next;
        if is_done {
            return progress;
        }
    }
}

#[test]
fn an_actor_is_a_user_by_id_or_by_reference() {
    for actor in ["amy", "SU:amy", "user:amy", "User:amy"] {
        assert!(is_actor(actor, &amy()), "{actor}");
    }
    for actor in ["bob", "samy", "SU:samy", "amy2", "group:amy"] {
        assert!(!is_actor(actor, &amy()), "{actor}");
    }
}

#[tokio::test]
async fn activities_feeds_and_follows_either_way_go_and_what_is_others_stays() {
    let pond = Pond::new();
    pond.follow("timeline:bob", "user:amy").await;
    pond.follow("timeline:amy", "user:bob").await;
    pond.follow("timeline:bob", "user:bob").await;
    let by_amy = |verb: &str| Draft { actor: "SU:amy".into(), ..Pond::draft(verb) };
    pond.add_draft("user:amy", &by_amy("skates")).await;
    pond.add_draft("user:bob", &by_amy("visits")).await;
    pond.add_draft("user:bob", &Draft { to: feeds(&["user:amy"]), ..Pond::draft("greets") }).await;
    pond.add("user:amy", "intrudes").await;
    assert_eq!(pond.feed("timeline:bob").await.lines().count(), 4);
    let counts = removed(&pond).await.counts;
    let count = |name: &str| counts.iter().find(|(known, _)| known == name).map(|(_, count)| *count);
    assert_eq!((count("activities"), count("feeds"), count("follows")), (Some(2), Some(1), Some(2)));
    assert_eq!(pond.feed("user:amy").await, "(empty)");
    assert_eq!(pond.feed("timeline:amy").await, "(empty)");
    assert_eq!(pond.feed("user:bob").await, "greets");
    assert_eq!(pond.feed("timeline:bob").await, "greets (from user:bob)");
    assert_eq!(pond.following("timeline:bob").await, ["user:bob"]);
    assert!(pond.following("timeline:amy").await.is_empty() && pond.followers("user:amy").await.is_empty());
}

#[tokio::test]
async fn history_that_was_kept_of_an_ended_follow_goes_too() {
    let pond = Pond::new();
    pond.follow("timeline:bob", "user:amy").await;
    pond.add("user:amy", "skates").await;
    pond.unfollow("timeline:bob", "user:amy", true).await;
    removed(&pond).await;
    assert_eq!(pond.feed("timeline:bob").await, "(empty)");
    let mut tx = pond.app.snapshot();
    let key = (Feed(feed("timeline:bob")), Feed(feed("user:amy")));
    assert!(!FOLLOWING.exists(&mut tx, 1, &key).await.unwrap());
}

#[tokio::test]
async fn what_is_too_much_for_a_step_goes_in_several_and_an_emptied_feed_can_be_used_again() {
    let pond = Pond::new();
    let many: Vec<_> = (0..250).map(|n| feed(&format!("user:u{n}"))).collect();
    let draft =
        Draft { actor: "amy".into(), foreign_id: "a:1".into(), time: Some(Pond::at(5)), ..Pond::draft("waves") };
    for feeds in many.chunks(100) {
        pond.add_to_many(feeds, &draft).await;
    }
    for n in 0..150 {
        pond.add("user:amy", &format!("n{n}")).await;
    }
    removed(&pond).await;
    assert_eq!(pond.feed("user:u249").await, "(empty)");
    assert_eq!(pond.feed("user:amy").await, "(empty)");
    pond.add("user:amy", "returns").await;
    assert_eq!(pond.feed("user:amy").await, "returns");
}
