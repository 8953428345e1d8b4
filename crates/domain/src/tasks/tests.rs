use ids::AppId;

use super::*;
use crate::feeds::pond::Pond;

const ME: u64 = 1;
const OTHER: u64 = 2;

fn nothing() -> Kind {
    Kind::DeleteChannels { channels: Vec::new(), is_hard: false }
}

async fn plan_one(pond: &Pond) {
    let planned = pond.app.write(async |tx| {
        plan(tx, "t", nothing(), Pond::at(0));
        Ok(())
    });
    planned.await.unwrap();
}

async fn due_at(pond: &Pond, seconds: i64) -> Vec<(AppId, String)> {
    due(&pond.app.store, Pond::at(seconds), 10).await.unwrap()
}

async fn take_at(pond: &Pond, holder: u64, seconds: i64) -> Option<Task> {
    pond.app.write(async |tx| take(tx, "t", holder, Pond::at(seconds)).await).await.unwrap()
}

/// A step of `holder` that does nothing; whether it was let.
async fn step_at(pond: &Pond, holder: u64, step: Step, seconds: i64) -> bool {
    let done = pond.app.write(async |tx| {
        let Some(task) = held(tx, "t", holder).await? else { return Ok(false) };
        keep(tx, "t", task, step, Pond::at(seconds));
        Ok(true)
    });
    done.await.unwrap()
}

async fn status(pond: &Pond) -> Status {
    load(&mut pond.app.snapshot(), "t").await.unwrap().status
}

#[tokio::test]
async fn a_task_waits_is_taken_runs_and_is_completed() {
    let pond = Pond::new();
    plan_one(&pond).await;
    assert_eq!(due_at(&pond, 0).await, [(AppId(1), "t".to_owned())]);
    assert_eq!(status(&pond).await, Status::Waiting);
    assert!(take_at(&pond, ME, 0).await.is_some());
    assert_eq!(status(&pond).await, Status::Pending);
    assert!(step_at(&pond, ME, Step::More, 1).await);
    assert_eq!(status(&pond).await, Status::Running);
    assert!(step_at(&pond, ME, Step::Done, 2).await);
    assert_eq!(status(&pond).await, Status::Completed);
    assert!(due_at(&pond, 3600).await.is_empty());
}

#[tokio::test]
async fn a_task_has_one_holder_until_the_lease_is_over() {
    let pond = Pond::new();
    plan_one(&pond).await;
    take_at(&pond, ME, 0).await;
    assert!(due_at(&pond, 14).await.is_empty() && take_at(&pond, OTHER, 14).await.is_none());
    assert!(step_at(&pond, ME, Step::More, 14).await, "a step renews the lease");
    assert!(take_at(&pond, OTHER, 28).await.is_none());
    assert!(take_at(&pond, OTHER, 29).await.is_some());
    assert!(!step_at(&pond, ME, Step::More, 29).await, "who lost the lease does no further step");
    assert!(step_at(&pond, OTHER, Step::Done, 30).await);
    assert!(!step_at(&pond, OTHER, Step::Done, 30).await, "what is done is not done again");
}

#[tokio::test]
async fn a_failed_attempt_is_made_again_later_and_in_the_end_the_task_has_failed() {
    let pond = Pond::new();
    plan_one(&pond).await;
    let mut seconds = 0;
    let mut waits = Vec::new();
    while take_at(&pond, ME, seconds).await.is_some() {
        pond.app.write(async |tx| give_back(tx, "t", ME, true, Pond::at(seconds)).await).await.unwrap();
        let before = seconds;
        while due_at(&pond, seconds).await.is_empty() {
            seconds += 1;
        }
        waits.push(seconds - before);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128]);
    assert!(matches!(status(&pond).await, Status::Failed { description, .. } if description.contains("8 attempts")));
}

#[tokio::test]
async fn a_finished_task_is_forgotten_after_ninety_days() {
    let pond = Pond::new();
    plan_one(&pond).await;
    take_at(&pond, ME, 0).await;
    step_at(&pond, ME, Step::Done, 0).await;
    let days = 90 * 24 * 3600;
    assert!(take_at(&pond, ME, days - 1).await.is_none());
    assert!(load(&mut pond.app.snapshot(), "t").await.is_ok());
    assert!(take_at(&pond, ME, days).await.is_none());
    assert!(load(&mut pond.app.snapshot(), "t").await.is_err() && due_at(&pond, days).await.is_empty());
}
