//! The facts of reactions.

use ids::UserId;

use super::*;
use crate::{
    chat::{
        messages::{self, Tally},
        pond::{Pond, broken, message, user},
    },
    users::People,
};

fn draft(by: &UserId, kind: &str) -> Draft {
    Draft { user: by.clone(), kind: kind.to_owned(), score: 1, is_only: false, custom: "{}".to_owned() }
}

async fn react(pond: &Pond, draft: &Draft) -> crate::Result<()> {
    let now = pond.tick();
    pond.app.write(async |tx| send(tx, None, &message("a"), draft, now).await.map(drop)).await
}

async fn tally(pond: &Pond) -> Tally {
    let mut people = People::default();
    let one = vec![(message("a"), pond.get("a").await.unwrap())];
    let shown = messages::gather(&mut pond.app.snapshot(), one, None, &mut people).await.unwrap();
    shown[0].reactions.clone()
}

/// Types, counts and scores, in one line.
async fn counts(pond: &Pond) -> String {
    let groups = tally(pond).await.groups;
    groups.iter().map(|group| format!("{}:{}/{}", group.kind, group.count, group.score)).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn reactions_are_counted_and_scored_by_type() {
    let pond = Pond::new().await;
    pond.say("amy", "a", "hi").await;
    react(&pond, &draft(&user("amy"), "love")).await.unwrap();
    react(&pond, &Draft { score: 5, ..draft(&user("bob"), "love") }).await.unwrap();
    react(&pond, &draft(&user("bob"), "like")).await.unwrap();
    assert_eq!(counts(&pond).await, "like:1/1 love:2/6");
    let latest: Vec<_> =
        tally(&pond).await.latest.into_iter().map(|one| format!("{}:{}", one.user, one.kind)).collect();
    assert_eq!(latest, ["bob:like", "bob:love", "amy:love"]);
}

#[tokio::test]
async fn reacting_again_changes_the_reaction_and_tells_so() {
    let pond = Pond::new().await;
    pond.say("amy", "a", "hi").await;
    react(&pond, &draft(&user("amy"), "love")).await.unwrap();
    react(&pond, &Draft { score: 3, ..draft(&user("amy"), "love") }).await.unwrap();
    assert_eq!(counts(&pond).await, "love:1/3");
    assert_eq!(pond.told().await, ["message.new", "reaction.new", "reaction.updated"]);
}

#[tokio::test]
async fn a_reaction_that_shall_be_the_only_one_takes_the_place_of_the_others() {
    let pond = Pond::new().await;
    pond.say("amy", "a", "hi").await;
    for kind in ["love", "like"] {
        react(&pond, &draft(&user("amy"), kind)).await.unwrap();
    }
    react(&pond, &Draft { is_only: true, ..draft(&user("amy"), "sad") }).await.unwrap();
    assert_eq!(counts(&pond).await, "sad:1/1");
}

#[tokio::test]
async fn a_reaction_that_is_not_there_cannot_be_taken_back() {
    let pond = Pond::new().await;
    pond.say("amy", "a", "hi").await;
    react(&pond, &draft(&user("amy"), "love")).await.unwrap();
    let now = pond.tick();
    let take = async |kind: &str| {
        pond.app.write(async |tx| delete(tx, None, &message("a"), kind, &user("amy"), now).await).await
    };
    assert!(broken(take("like").await).contains("doesn't exist"));
    take("love").await.unwrap();
    assert_eq!(counts(&pond).await, "");
}

#[tokio::test]
async fn sixty_four_users_react_to_one_message_without_running_again() {
    let pond = Pond::new().await;
    pond.say("amy", "a", "hi").await;
    let runs = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let writers: Vec<_> = (0..64)
        .map(|n| {
            let (app, now, runs) = (pond.app.clone(), pond.tick(), runs.clone());
            tokio::spawn(async move {
                let draft = draft(&user(&format!("user-{n}")), "love");
                app.write(async |tx| {
                    runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    send(tx, None, &message("a"), &draft, now).await
                })
                .await
                .unwrap();
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(counts(&pond).await, "love:64/64");
    assert_eq!(runs.load(std::sync::atomic::Ordering::Relaxed), 64);
    assert_eq!(tally(&pond).await.latest.len(), 10);
}
