use ids::json::Object;

use super::*;
use crate::chat::pond::{Pond, broken};

const PLACE: &str = "place";

async fn place(pond: &Pond, name: &str) -> Result<()> {
    let now = pond.tick();
    pond.app.write(async |tx| add_upload(tx, PLACE, name, now).await).await
}

#[test]
fn own_fields_are_merged_or_take_the_place_of_those_before() {
    let object = |text: &str| Object::parse(text).unwrap();
    let (before, given) = (object(r#"{"a":1,"b":2}"#), object(r#"{"b":3}"#));
    let terms = |merges_custom| Terms { replaces: true, merges_custom };
    assert_eq!(terms(true).custom(before.clone(), &given).to_string(), r#"{"a":1,"b":3}"#);
    assert_eq!(terms(false).custom(before, &given).to_string(), r#"{"b":3}"#);
}

#[tokio::test]
async fn a_name_of_a_file_has_no_path() {
    let pond = Pond::new().await;
    for name in ["", "a/b", "a\\b", "a\n", &"x".repeat(256)] {
        assert!(broken(place(&pond, name).await).starts_with("filename must be"), "{name}");
    }
    place(&pond, "a b.json").await.unwrap();
}

#[tokio::test]
async fn a_file_is_imported_once_and_goes_with_its_import() {
    let pond = Pond::new().await;
    place(&pond, "a.json").await.unwrap();
    let now = pond.tick();
    let plan_one =
        async |id: &str| pond.app.write(async |tx| plan(tx, id, PLACE, Mode::Insert, false, now).await).await;
    assert!(broken(plan_one("i").await).contains("upload it first"));
    pond.write(async |tx| note_upload(tx, PLACE, 7, now).await).await;
    assert_eq!(plan_one("i").await.unwrap().bytes, 7);
    assert!(broken(plan_one("j").await).contains("imported already"));
    assert!(exports::stale(&mut pond.app.snapshot()).await.unwrap().is_empty());
    pond.write(async |tx| turn(tx, "i", State::Completed, &Progress::default(), now).await).await;
    assert_eq!(exports::stale(&mut pond.app.snapshot()).await.unwrap(), [file(1, PLACE)]);
}

#[tokio::test]
async fn a_place_that_nobody_used_in_time_goes_with_its_file() {
    let pond = Pond::new().await;
    place(&pond, "a.json").await.unwrap();
    let later = pond.tick().plus_micros(UPLOAD_MICROS);
    assert!(get_upload(&mut pond.app.snapshot(), PLACE, later).await.unwrap().is_none());
    pond.write(async |tx| add_upload(tx, "next", "b.json", later).await).await;
    assert_eq!(exports::stale(&mut pond.app.snapshot()).await.unwrap(), [file(1, PLACE)]);
}

#[tokio::test]
async fn an_import_that_was_given_up_has_failed_and_is_forgotten_with_its_task() {
    let pond = Pond::new().await;
    place(&pond, "a.json").await.unwrap();
    let now = pond.tick();
    pond.write(async |tx| {
        note_upload(tx, PLACE, 7, now).await?;
        plan(tx, "i", PLACE, Mode::Insert, false, now).await.map(drop)
    })
    .await;
    pond.write(async |tx| {
        let task = tasks::load(tx, "i").await?;
        tasks::fail(tx, "i", task, "internal_error", "it was given up".to_owned(), now).await
    })
    .await;
    assert_eq!(load(&mut pond.app.snapshot(), "i").await.unwrap().state, State::Failed);
    let later = now.plus_micros(91 * 24 * 3600 * 1_000_000);
    pond.write(async |tx| tasks::take(tx, "i", 1, later).await.map(drop)).await;
    assert!(load(&mut pond.app.snapshot(), "i").await.is_err());
    assert!(list(&mut pond.app.snapshot(), 0, 10).await.unwrap().is_empty());
}

#[test]
fn failures_are_told_up_to_a_limit_and_counted_beyond_it() {
    let mut progress = Progress::default();
    for row in 0..FAILURES_MAX as u64 + 5 {
        fail(&mut progress, row, "user", "id is a required field");
    }
    assert_eq!(progress.failed.len(), FAILURES_MAX);
    assert_eq!(progress.counts, [(records::FAILED.to_owned(), FAILURES_MAX as u64 + 5)]);
}
