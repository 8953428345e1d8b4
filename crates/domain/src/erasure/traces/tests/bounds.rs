//! What an erasure may hold up (v2 §8 no. 53): a step does much, and no more than one transaction takes; between two steps
//! everybody else goes on, and never sees half of anything.

use store::limits::{TRANSACTION_BYTES_MAX, TRANSACTION_OPERATIONS_MAX, TRANSACTION_READS_MAX};

use super::*;
use crate::feeds::activities::{self, Draft, Moment};

/// Activities of amy.
const ACTIVITIES: usize = 3000;
/// Steps that they may take, with the walk over what is left: a commit for each of them would be a hundred times as many.
const STEPS_MAX: usize = 60;

/// Amy posts much to her feed, which bob follows.
async fn plant_activities(pond: &Pond) {
    pond.follow("timeline:bob", "user:amy").await;
    pond.follow("timeline:bob", "user:cat").await;
    let custom = ids::json::Object::parse(&format!(r#"{{"text":"{}"}}"#, "word ".repeat(40))).unwrap();
    let feed = crate::feeds::pond::feed("user:amy");
    for first in (0..ACTIVITIES).step_by(100) {
        let drafts: Vec<_> = (first..first + 100)
            .map(|n| Draft { actor: AMY.into(), custom: custom.clone(), ..Pond::draft(&format!("verb{n}")) })
            .collect();
        let moment = Moment { now: pond.tick(), seed: first as u64 };
        let numbered: Vec<_> = drafts.into_iter().enumerate().collect();
        let added = pond.app.write_each(&numbered, async |tx, (n, draft)| {
            activities::add(tx, &feed, draft, moment.nth(*n)).await.map(drop)
        });
        added.await.unwrap();
    }
}

#[tokio::test]
async fn a_step_is_as_large_as_a_transaction_and_others_read_and_write_between_two() {
    let pond = Pond::new();
    plant(&pond).await;
    plant_activities(&pond).await;
    let (kind, mut progress, mut steps) = (hard(), Progress::default(), 0);
    loop {
        let done = pond.app.write(async |tx| {
            let mut next = progress.clone();
            let step = super::super::super::step(tx, &kind, &mut next, Pond::at(1), Pond::at(1)).await?;
            Ok((next, step, tx.size(), tx.reads()))
        });
        let (next, step, (operations, bytes), reads) = done.await.unwrap();
        // What the worker notes with a step needs room, too.
        assert!(operations + 10 <= TRANSACTION_OPERATIONS_MAX, "{operations} operations");
        assert!(bytes + 1000 <= TRANSACTION_BYTES_MAX && reads + 10 <= TRANSACTION_READS_MAX, "{bytes} {reads}");
        progress = next;
        steps += 1;
        if step == Step::Done {
            break;
        }
        // Somebody else posts and is read. What a timeline shows is all there: a row without its activity is a panic.
        pond.add("user:cat", &format!("between{steps}")).await;
        let shown = pond.feed("timeline:bob").await;
        assert!(shown.contains(&format!("between{steps} (from user:cat)")), "{shown}");
    }
    assert!(steps <= STEPS_MAX, "{steps} steps for {ACTIVITIES} activities");
    assert!(!pond.feed("timeline:bob").await.contains("verb"));
    assert_eq!(left_of(&pond, AMY).await, Vec::<&str>::new());
}
