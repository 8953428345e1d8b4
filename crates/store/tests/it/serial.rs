//! Concurrent transactions have the effect of some order one by one: the order of their stamps.

use std::sync::Arc;

use parking_lot::Mutex;
use proptest::collection::vec;
use proptest::prelude::*;
use store::{Durability, Error, Stamp};

use crate::model::{Model, Seen, Step, owned, replay, step, take};
use crate::support::*;

/// A committed transaction: when, what it did, what it saw.
type Committed = (Stamp, Vec<Step>, Vec<Seen>);

/// Runs each list of transactions in a task of its own, at once, and tells what was committed.
async fn race(pond: &Pond, tasks: Vec<Vec<Vec<Step>>>) -> Vec<Committed> {
    let committed = Arc::new(Mutex::new(Vec::new()));
    let runs = tasks.into_iter().map(|transactions| {
        let (store, committed) = (pond.store.clone(), committed.clone());
        tokio::spawn(async move {
            for steps in transactions {
                let mut tx = store.begin();
                let mut seen = Vec::new();
                for step in &steps {
                    seen.extend(take(&mut tx, step).await.unwrap());
                    tokio::task::yield_now().await;
                }
                if tx.is_empty() {
                    continue;
                }
                match store.commit(tx, Durability::Synced).await {
                    Ok(stamp) => committed.lock().push((stamp, steps, seen)),
                    Err(Error::Conflict | Error::Assertion { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        })
    });
    for run in runs.collect::<Vec<_>>() {
        run.await.unwrap();
    }
    let mut committed = std::mem::take(&mut *committed.lock());
    committed.sort_by_key(|(stamp, ..)| *stamp);
    committed
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_commits_could_have_run_one_by_one(tasks in vec(vec(vec(step(), 1..6), 1..8), 2..8)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
        for kind in [Kind::Memory, Kind::Embedded] {
            let pond = kind.pond();
            let committed = runtime.block_on(race(&pond, tasks.clone()));
            let mut model = Model::new();
            for (stamp, steps, seen) in committed {
                let expected = replay(&mut model, &steps);
                prop_assert_eq!(Some(seen), expected, "{:?} at {:?}", kind, stamp);
            }
            let rows = runtime.block_on(all(&pond));
            prop_assert_eq!(owned(&rows), model.into_iter().collect::<Vec<_>>());
        }
    }
}
