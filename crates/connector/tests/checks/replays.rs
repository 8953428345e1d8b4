//! Erasures done again after the other side restored a backup (§13).

use connector::{Filter, integrations::Ledger, replays::Replay};
use ids::Timestamp;
use serde_json::json;
use testing::upstream::{Fault, calls};

use crate::place::*;

const ALWAYS: i64 = 0;

async fn begun(place: &Place, since: i64) -> String {
    let since = Timestamp::from_micros(since);
    place.connector().replay_erasures(&[], since, "operator").await.unwrap().remove(0).id
}

async fn replayed(place: &Place, since: i64) -> Replay {
    let id = begun(place, since).await;
    finished(place, &id).await
}

async fn finished(place: &Place, id: &str) -> Replay {
    loop {
        place.connector().run_due().await.unwrap();
        let replay = place.connector().replay(id).await.unwrap();
        if replay.finished_at.is_some() {
            return replay;
        }
        let at = place.connector().next_due().await.unwrap().expect("it goes on");
        place.clock.set(at.micros().max(place.clock.micros()));
    }
}

async fn requests_of(place: &Place, replay: &Replay) -> Vec<connector::requests::Request> {
    let filter = Filter { batch: Some(replay.id.clone()), ..Filter::default() };
    place.connector().requests(&filter, None, 100).await.unwrap().requests
}

#[tokio::test]
async fn who_came_back_with_a_backup_is_deleted_again() {
    let place = Place::new().await;
    assert_eq!(state(&place.delete(user_id("amy")).await), ERASED);
    place.upstream.set(|world| {
        world.add("amy", "amy@example.com");
        world.add("bob", "bob@example.com");
    });
    let replay = replayed(&place, ALWAYS).await;
    assert_eq!((replay.status(), replay.looked_at, replay.resurrected, replay.re_registered), ("complete", 2, 1, 0));
    let again = requests_of(&place, &replay).await;
    assert_eq!(again.len(), 1);
    assert_eq!(state(&place.finish(&again[0].id).await), ERASED);
    assert_eq!(place.upstream.deletions(), [["amy"], ["amy"]]);
    assert!(place.actions().await.contains(&"erasures.replayed".to_owned()));
}

#[tokio::test]
async fn somebody_new_with_the_id_of_an_erased_user_stays() {
    let place = Place::new().await;
    place.delete(user_id("amy")).await;
    let after = (place.clock.micros() + DAY) * 1000;
    place.upstream.set(|world| {
        world.add("amy", "another@example.com");
        world.users.get_mut("amy").unwrap()["created_at"] = json!(after);
    });
    let replay = replayed(&place, ALWAYS).await;
    assert_eq!((replay.resurrected, replay.re_registered), (0, 1));
    place.upstream.set(|world| world.users.get_mut("amy").unwrap()["created_at"] = json!(null));
    let replay = replayed(&place, ALWAYS).await;
    assert_eq!((replay.resurrected, replay.unclear), (0, 1), "who does not say since when is for a person to look at");
    assert_eq!(place.upstream.deletions().len(), 1);
}

#[tokio::test]
async fn erasures_before_the_given_time_are_left_alone() {
    let place = Place::new().await;
    place.delete(user_id("amy")).await;
    place.upstream.set(|world| world.add("amy", "amy@example.com"));
    let replay = replayed(&place, place.clock.micros() + DAY).await;
    assert_eq!((replay.looked_at, replay.resurrected), (1, 0));
}

#[tokio::test]
async fn a_search_goes_on_after_a_restart_and_after_trouble_and_looks_at_everybody_once() {
    let mut place = Place::new().await;
    place.upstream.set(|world| (0..250).for_each(|n| world.add(&format!("user-{n:03}"), "x@example.com")));
    let id = begun(&place, ALWAYS).await;
    place.connector().run_due().await.unwrap();
    assert_eq!(place.connector().replay(&id).await.unwrap().looked_at, 100);
    place.reopen().await;
    place.upstream.fail(calls::QUERY, 2, Fault::Status(503, -1));
    let replay = finished(&place, &id).await;
    assert_eq!((replay.status(), replay.looked_at), ("complete", 251));
}

#[tokio::test]
async fn a_list_that_does_not_go_on_is_given_up() {
    let place = Place::new().await;
    place.upstream.set(|world| {
        (0..250).for_each(|n| world.add(&format!("user-{n:03}"), "x@example.com"));
        world.loops = true;
    });
    assert_eq!(replayed(&place, ALWAYS).await.status(), "failed");
}

#[tokio::test]
async fn where_the_ledger_has_ids_the_erased_alone_are_asked_for() {
    let place = Place::with(|new| new.watching.ledger = Ledger::Encrypted).await;
    assert_eq!(state(&place.delete(user_id("amy")).await), ERASED);
    place.upstream.set(|world| {
        world.add("amy", "amy@example.com");
        (0..250).for_each(|n| world.add(&format!("user-{n:03}"), "x@example.com"));
    });
    place.upstream.forget();
    let replay = replayed(&place, ALWAYS).await;
    assert_eq!((replay.status(), replay.looked_at, replay.resurrected), ("complete", 1, 1));
    let again = requests_of(&place, &replay).await;
    assert_eq!(state(&place.finish(&again[0].id).await), ERASED);
    let seen = place.upstream.seen();
    assert!(seen[0].query["payload"].contains("amy"), "{:?}", seen[0].query);
    assert_eq!(replayed(&place, place.clock.micros() + DAY).await.looked_at, 0, "nobody was erased since then");
}

#[tokio::test]
async fn a_ledger_that_had_hashes_alone_is_searched_for_among_everybody() {
    let place = Place::new().await;
    place.delete(user_id("amy")).await;
    let id = &place.integration;
    let changed = place.connector().change_integration(id, "operator", |integration| {
        integration.watching.ledger = Ledger::Encrypted;
        Ok(())
    });
    changed.await.unwrap();
    place.upstream.set(|world| {
        world.add("amy", "amy@example.com");
        world.add("bob", "bob@example.com");
    });
    assert_eq!(state(&place.delete(user_id("bob")).await), ERASED);
    place.upstream.set(|world| world.add("bob", "bob@example.com"));
    let replay = replayed(&place, ALWAYS).await;
    assert_eq!((replay.looked_at, replay.resurrected), (2, 2));
}

#[tokio::test]
async fn a_ledger_that_is_off_remembers_nobody() {
    let place = Place::with(|new| new.watching.ledger = Ledger::Off).await;
    assert_eq!(state(&place.delete(user_id("amy")).await), ERASED);
    place.upstream.set(|world| world.add("amy", "amy@example.com"));
    assert_eq!(replayed(&place, ALWAYS).await.resurrected, 0);
}

#[tokio::test]
async fn a_search_whose_integration_is_removed_ends_and_holds_up_nothing() {
    let place = Place::new().await;
    place.delete(user_id("amy")).await;
    let id = begun(&place, ALWAYS).await;
    place.connector().remove_integration(&place.integration, true, "ann").await.unwrap();
    let replay = finished(&place, &id).await;
    assert_eq!((replay.status(), replay.reason.unwrap().word()), ("failed", "integration_disconnected"));
}
