//! What every engine must do: one list of facts, run on each.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use store::fault::Fault;
use store::{Bytes, Direction, Durability, Error, Limit, Options, Stamp, Store, Transaction, WriteError};

use crate::support::*;

/// Runs each fact on each engine.
macro_rules! facts {
    ($($fact:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $fact() {
                super::$fact(crate::support::Kind::Memory).await;
            })*
        }

        mod embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $fact() {
                super::$fact(crate::support::Kind::Embedded).await;
            })*
        }
    };
}

facts![
    a_commit_is_seen_by_later_transactions_only,
    a_transaction_reads_its_own_writes,
    own_range_deletes_hide_rows_from_scans,
    scans_run_both_ways_and_stop_at_limits,
    a_scan_says_exactly_whether_more_follows,
    get_many_keeps_the_order_of_the_keys,
    a_lost_update_is_refused,
    write_skew_is_refused,
    a_phantom_in_a_scanned_range_is_refused,
    what_is_watched_conflicts_as_if_it_had_been_read,
    a_row_behind_the_cut_of_a_scan_does_not_conflict,
    a_range_delete_conflicts_with_reads_of_what_it_removed,
    an_addition_conflicts_with_a_read_of_the_counter,
    blind_writes_do_not_conflict,
    sixteen_writers_add_without_conflict,
    additions_fold_with_other_writes,
    assertions_hold_or_nothing_is_written,
    stamped_rows_and_appends_follow_commit_order,
    what_gets_its_stamp_at_commit_cannot_be_read_before,
    a_failed_body_leaves_nothing,
    a_body_that_writes_nothing_is_not_committed,
    write_runs_again_until_it_fits,
    whoever_writes_the_same_row_as_many_others_gets_a_turn,
    whoever_loses_to_those_who_never_lose_writes_at_last,
    write_gives_up_after_many_conflicts,
    attempts_go_on_until_one_fits,
    a_transaction_for_reading_cannot_commit,
    hooks_run_in_order_before_the_commit_is_seen,
    what_waits_to_read_a_commit_is_told_once_it_can,
    an_old_transaction_is_refused,
    the_window_forgets_only_what_nobody_needs,
    an_unknown_commit_that_happened_is_found,
    an_unknown_commit_that_did_not_happen_runs_again,
    a_failed_engine_stops_everything,
    a_closed_store_refuses,
    clear_removes_any_number_of_rows,
    many_commits_share_groups_and_all_arrive,
];

async fn a_commit_is_seen_by_later_transactions_only(kind: Kind) {
    let pond = kind.pond();
    let mut before = pond.begin();
    let stamp = put(&pond, "a", "1").await;
    assert_eq!(before.get(b"a").await.unwrap(), None);
    assert!(before.stamp() < stamp);
    let mut later = pond.begin();
    assert_eq!(later.stamp(), stamp);
    assert_eq!(pond.published(), stamp);
    assert_eq!(later.get(b"a").await.unwrap().as_deref(), Some(&b"1"[..]));
    commit(&pond, |tx| tx.delete(b"a".to_vec())).await.unwrap();
    assert_eq!(get(&pond, "a").await, None);
    assert_eq!(later.get(b"a").await.unwrap().as_deref(), Some(&b"1"[..]));
}

async fn a_transaction_reads_its_own_writes(kind: Kind) {
    let pond = kind.pond();
    for key in ["a", "c", "e"] {
        put(&pond, key, "stored").await;
    }
    let mut tx = pond.begin();
    tx.put(b"b".to_vec(), b"own".to_vec());
    tx.put(b"c".to_vec(), b"own".to_vec());
    tx.delete(b"e".to_vec());
    tx.put(b"f".to_vec(), b"own".to_vec());
    tx.add(b"n".to_vec(), 5);
    assert_eq!(tx.get(b"c").await.unwrap().as_deref(), Some(&b"own"[..]));
    assert_eq!(tx.get(b"e").await.unwrap(), None);
    assert_eq!(tx.get(b"n").await.unwrap().as_deref(), Some(&5_i64.to_le_bytes()[..]));
    let forward = tx.scan(under(""), Direction::Forward, Limit::PAGE).await.unwrap();
    assert_eq!(shown(&forward.rows[..4]), "a=stored b=own c=own f=own");
    let mut backward = tx.scan(under(""), Direction::Backward, Limit::PAGE).await.unwrap().rows;
    backward.reverse();
    assert_eq!(forward.rows, backward);
    pond.commit(tx, Durability::Synced).await.unwrap();
    assert_eq!(all(&pond).await, forward.rows);
}

async fn own_range_deletes_hide_rows_from_scans(kind: Kind) {
    let pond = kind.pond();
    for number in 0..600 {
        put(&pond, &format!("k{number:03}"), "x").await;
    }
    let mut tx = pond.begin();
    tx.put(b"k100".to_vec(), b"dropped".to_vec());
    tx.delete_range(b"k001".to_vec()..b"k300".to_vec());
    tx.delete_range(b"k250".to_vec()..b"k599".to_vec());
    tx.put(b"k200".to_vec(), b"kept".to_vec());
    tx.add(b"k201".to_vec(), 1);
    tx.delete_range(b"z".to_vec()..b"a".to_vec());
    assert_eq!(tx.get(b"k100").await.unwrap(), None);
    for direction in [Direction::Forward, Direction::Backward] {
        let page = tx.scan(under("k"), direction, Limit::rows(3)).await.unwrap();
        assert!(page.more);
        let expected =
            if direction == Direction::Forward { ["k000", "k200", "k201"] } else { ["k599", "k201", "k200"] };
        assert_eq!(keys(&page.rows), expected);
    }
    pond.commit(tx, Durability::Synced).await.unwrap();
    assert_eq!(keys(&all(&pond).await), ["k000", "k200", "k201", "k599"]);
}

async fn scans_run_both_ways_and_stop_at_limits(kind: Kind) {
    let pond = kind.pond();
    for key in ["a", "b", "c", "d"] {
        put(&pond, key, "12345").await;
    }
    let mut tx = pond.read();
    let mut scan = async |direction, limit| {
        let page = tx.scan(b"b".to_vec()..b"z".to_vec(), direction, limit).await.unwrap();
        (keys(&page.rows), page.more)
    };
    assert_eq!(scan(Direction::Forward, Limit::rows(2)).await, (vec!["b".into(), "c".into()], true));
    assert_eq!(scan(Direction::Backward, Limit::rows(2)).await, (vec!["d".into(), "c".into()], true));
    assert_eq!(scan(Direction::Forward, Limit { rows: 9, bytes: 12 }).await, (vec!["b".into(), "c".into()], true));
    assert_eq!(scan(Direction::Forward, Limit { rows: 9, bytes: 1 }).await, (vec!["b".into()], true));
    assert_eq!(scan(Direction::Forward, Limit { rows: 0, bytes: 0 }).await, (vec!["b".into()], true));
    let nothing = tx.scan(b"z".to_vec()..b"a".to_vec(), Direction::Forward, Limit::PAGE).await.unwrap();
    assert!(nothing.rows.is_empty() && !nothing.more);
}

async fn a_scan_says_exactly_whether_more_follows(kind: Kind) {
    let pond = kind.pond();
    for key in ["a", "b", "c"] {
        put(&pond, key, "1").await;
    }
    let mut tx = pond.begin();
    tx.delete(b"c".to_vec());
    tx.delete_range(b"bb".to_vec()..b"bc".to_vec());
    let page = tx.scan(under(""), Direction::Forward, Limit::rows(2)).await.unwrap();
    assert_eq!((keys(&page.rows).len(), page.more), (2, false));
    tx.put(b"d".to_vec(), b"1".to_vec());
    assert!(tx.scan(under(""), Direction::Forward, Limit::rows(2)).await.unwrap().more);
}

async fn get_many_keeps_the_order_of_the_keys(kind: Kind) {
    let pond = kind.pond();
    put(&pond, "a", "1").await;
    put(&pond, "b", "2").await;
    let wanted = [b"b".to_vec(), b"nothing".to_vec(), b"a".to_vec()];
    let mut tx = pond.begin();
    let expected = vec![Some(Bytes::from("2")), None, Some(Bytes::from("1"))];
    assert_eq!(tx.get_many(&wanted).await.unwrap(), expected);
    tx.put(b"nothing".to_vec(), b"3".to_vec());
    assert_eq!(tx.get_many(&wanted).await.unwrap()[1], Some(Bytes::from("3")));
}

async fn a_lost_update_is_refused(kind: Kind) {
    let pond = kind.pond();
    let (mut one, mut two) = (pond.begin(), pond.begin());
    for tx in [&mut one, &mut two] {
        assert_eq!(tx.get(b"a").await.unwrap(), None);
        tx.put(b"a".to_vec(), b"mine".to_vec());
    }
    pond.commit(one, Durability::Synced).await.unwrap();
    assert_eq!(pond.commit(two, Durability::Synced).await, Err(Error::Conflict));
}

async fn write_skew_is_refused(kind: Kind) {
    let pond = kind.pond();
    let (mut one, mut two) = (pond.begin(), pond.begin());
    one.get_many(&[b"a".to_vec(), b"b".to_vec()]).await.unwrap();
    two.get_many(&[b"a".to_vec(), b"b".to_vec()]).await.unwrap();
    one.put(b"a".to_vec(), b"1".to_vec());
    two.put(b"b".to_vec(), b"1".to_vec());
    pond.commit(one, Durability::Synced).await.unwrap();
    assert_eq!(pond.commit(two, Durability::Synced).await, Err(Error::Conflict));
}

async fn a_phantom_in_a_scanned_range_is_refused(kind: Kind) {
    let pond = kind.pond();
    put(&pond, "k1", "1").await;
    for direction in [Direction::Forward, Direction::Backward] {
        let mut tx = pond.begin();
        tx.scan(under("k"), direction, Limit::PAGE).await.unwrap();
        tx.put(b"count".to_vec(), b"1".to_vec());
        put(&pond, &format!("k5 {direction:?}"), "new").await;
        assert_eq!(pond.commit(tx, Durability::Synced).await, Err(Error::Conflict));
    }
    let mut absent = pond.begin();
    absent.get(b"k9").await.unwrap();
    absent.put(b"count".to_vec(), b"1".to_vec());
    put(&pond, "k9", "new").await;
    assert_eq!(pond.commit(absent, Durability::Synced).await, Err(Error::Conflict));
}

async fn what_is_watched_conflicts_as_if_it_had_been_read(kind: Kind) {
    let pond = kind.pond();
    for changed in ["row", "k5"] {
        let (mut tx, mut beside) = (pond.begin(), pond.begin());
        tx.watch_row(b"row".to_vec());
        tx.watch(under("k"));
        tx.put(b"x".to_vec(), b"1".to_vec());
        beside.put(b"y".to_vec(), b"1".to_vec());
        assert_eq!((tx.reads(), beside.reads()), (2, 0));
        put(&pond, changed, "new").await;
        assert_eq!(pond.commit(tx, Durability::Synced).await, Err(Error::Conflict), "{changed}");
        pond.commit(beside, Durability::Synced).await.unwrap();
    }
}

async fn a_row_behind_the_cut_of_a_scan_does_not_conflict(kind: Kind) {
    let pond = kind.pond();
    for key in ["k1", "k2", "k3", "k4", "k5"] {
        put(&pond, key, "1").await;
    }
    let mut tx = pond.begin();
    tx.scan(under("k"), Direction::Forward, Limit::rows(2)).await.unwrap();
    tx.put(b"x".to_vec(), b"1".to_vec());
    put(&pond, "k5", "changed").await;
    pond.commit(tx, Durability::Synced).await.unwrap();
    let mut tx = pond.begin();
    tx.scan(under("k"), Direction::Backward, Limit::rows(2)).await.unwrap();
    tx.put(b"x".to_vec(), b"2".to_vec());
    put(&pond, "k1", "changed").await;
    pond.commit(tx, Durability::Synced).await.unwrap();
}

async fn a_range_delete_conflicts_with_reads_of_what_it_removed(kind: Kind) {
    let pond = kind.pond();
    put(&pond, "k1", "1").await;
    let mut point = pond.begin();
    point.get(b"k1").await.unwrap();
    point.put(b"x".to_vec(), b"1".to_vec());
    let mut range = pond.begin();
    range.scan(under("k"), Direction::Forward, Limit::PAGE).await.unwrap();
    range.put(b"x".to_vec(), b"1".to_vec());
    commit(&pond, |tx| tx.delete_range(under("k"))).await.unwrap();
    assert_eq!(pond.commit(point, Durability::Synced).await, Err(Error::Conflict));
    assert_eq!(pond.commit(range, Durability::Synced).await, Err(Error::Conflict));
    assert_eq!(all(&pond).await, []);
}

async fn an_addition_conflicts_with_a_read_of_the_counter(kind: Kind) {
    let pond = kind.pond();
    let mut tx = pond.begin();
    tx.add(b"n".to_vec(), 1);
    tx.get(b"n").await.unwrap();
    commit(&pond, |tx| tx.add(b"n".to_vec(), 1)).await.unwrap();
    assert_eq!(pond.commit(tx, Durability::Synced).await, Err(Error::Conflict));
}

async fn blind_writes_do_not_conflict(kind: Kind) {
    let pond = kind.pond();
    let (mut one, mut two) = (pond.begin(), pond.begin());
    one.put(b"a".to_vec(), b"1".to_vec());
    two.put(b"a".to_vec(), b"2".to_vec());
    pond.commit(two, Durability::Synced).await.unwrap();
    pond.commit(one, Durability::Synced).await.unwrap();
    assert_eq!(get(&pond, "a").await.as_deref(), Some(&b"1"[..]));
}

async fn sixteen_writers_add_without_conflict(kind: Kind) {
    let pond = kind.pond();
    let writers = (0..16).map(|_| {
        let store = pond.store.clone();
        tokio::spawn(async move {
            for _ in 0..20 {
                commit(&store, |tx| tx.add(b"n".to_vec(), 3)).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(count(&pond, "n").await, 16 * 20 * 3);
}

async fn additions_fold_with_other_writes(kind: Kind) {
    let pond = kind.pond();
    let n = || b"n".to_vec();
    commit(&pond, |tx| {
        tx.add(n(), 2);
        tx.add(n(), 3);
    })
    .await
    .unwrap();
    assert_eq!(count(&pond, "n").await, 5);
    commit(&pond, |tx| {
        tx.add(n(), 1);
        tx.delete(n());
    })
    .await
    .unwrap();
    assert_eq!(get(&pond, "n").await, None);
    commit(&pond, |tx| tx.add(n(), 9)).await.unwrap();
    commit(&pond, |tx| {
        tx.delete(n());
        tx.add(n(), -4);
    })
    .await
    .unwrap();
    assert_eq!(count(&pond, "n").await, -4);
    commit(&pond, |tx| {
        tx.put(n(), 7_i64.to_le_bytes().to_vec());
        tx.add(n(), 1);
    })
    .await
    .unwrap();
    assert_eq!(count(&pond, "n").await, 8);
    commit(&pond, |tx| {
        tx.delete_range(under(""));
        tx.add(n(), i64::MAX);
        tx.add(n(), 1);
    })
    .await
    .unwrap();
    assert_eq!(count(&pond, "n").await, i64::MIN);
    put(&pond, "text", "no counter").await;
    let refusal = Error::NotACounter { key: store::Hex(b"text".to_vec()) };
    assert_eq!(commit(&pond, |tx| tx.add(b"text".to_vec(), 1)).await, Err(refusal.clone()));
    let folded = commit(&pond, |tx| {
        tx.put(b"text".to_vec(), b"abc".to_vec());
        tx.add(b"text".to_vec(), 1);
    });
    assert_eq!(folded.await, Err(refusal));
}

async fn assertions_hold_or_nothing_is_written(kind: Kind) {
    let pond = kind.pond();
    let claim = async |value: &str| {
        commit(&pond, |tx| {
            tx.assert_absent(b"name".to_vec());
            tx.put(b"name".to_vec(), value.into());
            tx.put(b"other".to_vec(), value.into());
        })
        .await
    };
    claim("first").await.unwrap();
    let refusal = Err(Error::Assertion { key: store::Hex(b"name".to_vec()) });
    assert_eq!(claim("second").await, refusal);
    assert_eq!(get(&pond, "other").await.as_deref(), Some(&b"first"[..]));
    let swap = async |old: &str, new: &str| {
        commit(&pond, |tx| {
            tx.assert_equal(b"name".to_vec(), old.into());
            tx.put(b"name".to_vec(), new.into());
        })
        .await
    };
    assert_eq!(swap("wrong", "x").await, refusal);
    swap("first", "third").await.unwrap();
    assert_eq!(get(&pond, "name").await.as_deref(), Some(&b"third"[..]));
}

async fn stamped_rows_and_appends_follow_commit_order(kind: Kind) {
    let pond = kind.pond();
    let writers = (0..8_u8).map(|writer| {
        let store = pond.store.clone();
        tokio::spawn(async move {
            let mut stamps = Vec::new();
            for turn in 0..10_u8 {
                let write = |tx: &mut Transaction| {
                    tx.append(b"log/".to_vec(), vec![writer, turn, 0]);
                    tx.append(b"log/".to_vec(), vec![writer, turn, 1]);
                    tx.put_stamped(vec![b'r', writer, turn], b"v".to_vec());
                };
                stamps.push((commit(&store, write).await.unwrap(), writer, turn));
            }
            stamps
        })
    });
    let mut stamps = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        stamps.extend(writer.await.unwrap());
    }
    stamps.sort();
    let mut expected = Vec::new();
    for (stamp, writer, turn) in stamps {
        let value = get_bytes(&pond, &[b'r', writer, turn]).await.unwrap();
        assert_eq!(value, [&b"v"[..], &stamp.to_bytes()].concat());
        for index in 0..2_u8 {
            expected.push(([&b"log/"[..], &stamp.to_bytes(), &[0, index]].concat(), vec![writer, turn, index]));
        }
    }
    let log = pond.read().scan(under("log/"), Direction::Forward, Limit::PAGE).await.unwrap();
    let log: Vec<_> = log.rows.into_iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
    assert_eq!(log, expected);
}

async fn what_gets_its_stamp_at_commit_cannot_be_read_before(kind: Kind) {
    let pond = kind.pond();
    let mut tx = pond.begin();
    tx.put_stamped(b"row".to_vec(), b"v".to_vec());
    tx.append(b"log".to_vec(), b"v".to_vec());
    let unreadable = |key: &str| Error::Unreadable { key: store::Hex(key.into()) };
    assert_eq!(tx.get(b"row").await, Err(unreadable("row")));
    assert_eq!(tx.scan(under("row"), Direction::Forward, Limit::PAGE).await, Err(unreadable("row")));
    assert_eq!(tx.scan(under("log"), Direction::Forward, Limit::PAGE).await, Err(unreadable("log")));
    assert!(tx.scan(under("other"), Direction::Forward, Limit::PAGE).await.unwrap().rows.is_empty());
    tx.add(b"row".to_vec(), 1);
    assert!(matches!(pond.commit(tx, Durability::Synced).await, Err(Error::NotACounter { .. })));
}

async fn a_failed_body_leaves_nothing(kind: Kind) {
    let pond = kind.pond();
    let outcome = pond
        .write(async |tx| {
            tx.put(b"a".to_vec(), b"1".to_vec());
            tx.append(b"log".to_vec(), b"1".to_vec());
            Err::<(), _>("no")
        })
        .await;
    assert_eq!(outcome, Err(WriteError::Body("no")));
    assert_eq!(all(&pond).await, []);
    assert_eq!(pond.published(), Stamp(0));
}

async fn a_body_that_writes_nothing_is_not_committed(kind: Kind) {
    let pond = kind.pond();
    let read = pond.write(async |tx| tx.get(b"a").await).await.unwrap();
    assert_eq!((read, pond.published()), (None, Stamp(0)));
    let empty = pond.begin();
    pond.commit(empty, Durability::Synced).await.unwrap();
    assert_eq!(pond.published(), Stamp(0));
}

async fn write_runs_again_until_it_fits(kind: Kind) {
    let pond = kind.pond();
    let increment = async |store: &Store| {
        store
            .write(async |tx| {
                let old = tx.get(b"n").await?.map_or(0, |value| value[0]);
                tx.put(b"n".to_vec(), vec![old + 1]);
                Ok::<_, Error>(())
            })
            .await
            .unwrap();
    };
    let writers = (0..16).map(|_| {
        let store = pond.store.clone();
        tokio::spawn(async move { increment(&store).await })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(get(&pond, "n").await.as_deref(), Some(&[16][..]));
}

async fn whoever_writes_the_same_row_as_many_others_gets_a_turn(kind: Kind) {
    const WRITERS: u8 = 200;
    let pond = kind.pond();
    let store = pond.store.clone();
    tokio::task::spawn_blocking(move || {
        let clock = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        clock.block_on(async {
            let increment = async |store: Store| {
                let mut attempts = store.attempts();
                loop {
                    let mut tx = attempts.begin();
                    let old = tx.get(b"n").await.unwrap().map_or(0, |value| value[0]);
                    // Longer than any pause: all who write at this time read the same.
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    tx.put(b"n".to_vec(), vec![old + 1]);
                    if attempts.commit(tx).await.unwrap() {
                        return;
                    }
                }
            };
            let writers = (0..WRITERS).map(|_| tokio::spawn(increment(store.clone())));
            for writer in writers.collect::<Vec<_>>() {
                writer.await.unwrap();
            }
        });
    })
    .await
    .unwrap();
    assert_eq!(get(&pond, "n").await.as_deref(), Some(&[WRITERS][..]));
}

async fn whoever_loses_to_those_who_never_lose_writes_at_last(kind: Kind) {
    let pond = kind.pond();
    let store = pond.store.clone();
    tokio::task::spawn_blocking(move || {
        let clock = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        clock.block_on(async {
            let others = store.clone();
            // It reads nothing, so nobody interferes with it.
            let other = tokio::spawn(async move {
                loop {
                    let mut tx = others.begin();
                    tx.put(b"n".to_vec(), b"theirs".to_vec());
                    others.commit(tx, Durability::Synced).await.unwrap();
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                }
            });
            let outcome = store.write(async |tx: &mut Transaction| {
                tx.get(b"n").await?;
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                tx.put(b"ours".to_vec(), b"written".to_vec());
                Ok::<_, Error>(())
            });
            outcome.await.unwrap();
            other.abort();
        });
    })
    .await
    .unwrap();
    assert_eq!(get(&pond, "ours").await.as_deref(), Some(&b"written"[..]));
}

async fn write_gives_up_after_many_conflicts(kind: Kind) {
    let attempts = Arc::new(AtomicU64::new(0));
    let counted = attempts.clone();
    let faults = move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Fault::Conflict
    };
    let pond = kind.pond_with(Options { faults: Some(Arc::new(faults)), ..options() });
    let outcome = pond
        .write(async |tx| {
            tx.put(b"a".to_vec(), b"1".to_vec());
            Ok::<_, Error>(())
        })
        .await;
    assert_eq!(refused(outcome), Error::Contended { attempts: 64 });
    assert_eq!(attempts.load(Ordering::Relaxed), 64);
    assert_eq!(all(&pond).await, []);
}

async fn attempts_go_on_until_one_fits(kind: Kind) {
    let faults = |number| match number {
        0 => Fault::Conflict,
        1 => Fault::LoseRequest,
        2 => Fault::LoseAnswer,
        _ => Fault::None,
    };
    let pond = kind.pond_with(Options { faults: Some(Arc::new(faults)), ..options() });
    let mut attempts = pond.attempts();
    let mut made = 0;
    loop {
        made += 1;
        let mut tx = attempts.begin();
        tx.add(b"n".to_vec(), 1);
        if attempts.commit(tx).await.unwrap() {
            break;
        }
    }
    assert_eq!((made, count(&pond, "n").await), (3, 1));
    let empty = attempts.begin();
    assert_eq!(attempts.commit(empty).await, Ok(true));
}

async fn a_transaction_for_reading_cannot_commit(kind: Kind) {
    let pond = kind.pond();
    let mut tx = pond.read();
    tx.put(b"a".to_vec(), b"1".to_vec());
    assert_eq!(pond.commit(tx, Durability::Synced).await, Err(Error::ReadOnly));
}

async fn hooks_run_in_order_before_the_commit_is_seen(kind: Kind) {
    let pond = kind.pond();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (inside, store) = (seen.clone(), pond.store.clone());
    pond.on_publish(Box::new(move |published| {
        assert!(store.published() < published.stamp);
        inside.lock().push((published.stamp, published.appended.clone()));
    }));
    let writers = (0..8_u8).map(|writer| {
        let store = pond.store.clone();
        tokio::spawn(async move { commit(&store, |tx| tx.append(b"l".to_vec(), vec![writer])).await.unwrap() })
    });
    for writer in writers.collect::<Vec<_>>() {
        let stamp = writer.await.unwrap();
        assert!(seen.lock().iter().any(|(seen, _)| *seen == stamp));
    }
    let seen = seen.lock().clone();
    assert!(seen.is_sorted_by(|one, two| one.0 < two.0));
    let appended: Vec<_> = seen.into_iter().flat_map(|(_, rows)| rows).collect();
    assert_eq!(appended, all(&pond).await);
}

async fn what_waits_to_read_a_commit_is_told_once_it_can(kind: Kind) {
    let pond = kind.pond();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (inside, store) = (seen.clone(), pond.store.clone());
    pond.on_shown(Box::new(move || inside.lock().push(store.published())));
    for _ in 0..3 {
        let stamp = commit(&pond, |tx| tx.put(b"a".to_vec(), b"1".to_vec())).await.unwrap();
        assert_eq!(seen.lock().last(), Some(&stamp));
    }
    assert!(seen.lock().is_sorted());
}

async fn an_old_transaction_is_refused(kind: Kind) {
    let pond = kind.pond();
    tokio::task::spawn_blocking(move || {
        let clock = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        clock.block_on(async {
            let (mut young, mut old) = (pond.begin(), pond.begin());
            young.put(b"a".to_vec(), b"1".to_vec());
            old.put(b"a".to_vec(), b"1".to_vec());
            tokio::time::advance(store::limits::TRANSACTION_AGE_MAX).await;
            pond.commit(young, Durability::Synced).await.unwrap();
            tokio::time::advance(std::time::Duration::from_millis(1)).await;
            assert_eq!(pond.commit(old, Durability::Synced).await, Err(Error::TooOld));
            assert!(Error::TooOld.is_retryable());
        });
    })
    .await
    .unwrap();
}

async fn the_window_forgets_only_what_nobody_needs(kind: Kind) {
    let pond = kind.pond();
    let mut tx = pond.begin();
    tx.get(b"a").await.unwrap();
    tx.put(b"b".to_vec(), b"1".to_vec());
    put(&pond, "a", "changed").await;
    for number in 0..50 {
        put(&pond, &format!("k{number}"), "1").await;
    }
    assert_eq!(pond.commit(tx, Durability::Synced).await, Err(Error::Conflict));
}

/// Faults that hit the first commit only.
fn first(fault: Fault) -> Options {
    Options { faults: Some(Arc::new(move |number| if number == 0 { fault } else { Fault::None })), ..options() }
}

async fn add_one(pond: &Store) -> Result<(), WriteError<Error>> {
    pond.write(async |tx| {
        tx.add(b"n".to_vec(), 1);
        Ok(())
    })
    .await
}

async fn an_unknown_commit_that_happened_is_found(kind: Kind) {
    let pond = kind.pond_with(first(Fault::LoseAnswer));
    add_one(&pond).await.unwrap();
    assert_eq!((count(&pond, "n").await, pond.published()), (1, Stamp(1)));
    let pond = kind.pond_with(first(Fault::LoseAnswer));
    assert_eq!(commit(&pond, |tx| tx.add(b"n".to_vec(), 1)).await, Err(Error::Unknown));
}

async fn an_unknown_commit_that_did_not_happen_runs_again(kind: Kind) {
    let pond = kind.pond_with(first(Fault::LoseRequest));
    add_one(&pond).await.unwrap();
    assert_eq!((count(&pond, "n").await, pond.published()), (1, Stamp(1)));
}

async fn a_failed_engine_stops_everything(kind: Kind) {
    let reasons = Arc::new(Mutex::new(Vec::new()));
    let inside = reasons.clone();
    let on_fatal = Arc::new(move |reason: &str| inside.lock().push(reason.to_owned()));
    let pond = kind.pond_with(Options { on_fatal, ..first(Fault::WriteFails) });
    assert_eq!(commit(&pond, |tx| tx.add(b"n".to_vec(), 1)).await, Err(Error::Unknown));
    assert_eq!(reasons.lock().len(), 1);
    let later = commit(&pond, |tx| tx.add(b"n".to_vec(), 1)).await;
    assert!(matches!(later, Err(Error::Unknown | Error::Closed)), "{later:?}");
    assert_eq!(reasons.lock().len(), 1);
    assert_eq!(pond.published(), Stamp(0));
}

async fn a_closed_store_refuses(kind: Kind) {
    let pond = kind.pond();
    put(&pond, "a", "1").await;
    pond.close();
    pond.close();
    assert_eq!(commit(&pond, |tx| tx.put(b"a".to_vec(), b"2".to_vec())).await, Err(Error::Closed));
    assert_eq!(pond.read().get(b"a").await, Err(Error::Closed));
    assert_eq!(refused(add_one(&pond).await), Error::Closed);
}

async fn clear_removes_any_number_of_rows(kind: Kind) {
    let pond = kind.pond();
    for part in 0..7_u32 {
        let fill = |tx: &mut Transaction| {
            for row in 0..1_900_u32 {
                tx.put([&b"k"[..], &part.to_be_bytes(), &row.to_be_bytes()].concat(), vec![1]);
            }
        };
        commit(&pond, fill).await.unwrap();
    }
    put(&pond, "z", "kept").await;
    let whole = commit(&pond, |tx| tx.delete_range(under("k"))).await;
    assert!(matches!(whole, Err(Error::TooLarge { .. })), "{whole:?}");
    assert_eq!(pond.clear(under("k")).await.unwrap(), 7 * 1_900);
    assert_eq!(keys(&all(&pond).await), ["z"]);
}

async fn many_commits_share_groups_and_all_arrive(kind: Kind) {
    let pond = kind.pond();
    let writers = (0..1_000_u32).map(|writer| {
        let store = pond.store.clone();
        tokio::spawn(async move { commit(&store, |tx| tx.put(writer.to_be_bytes().to_vec(), vec![1])).await.unwrap() })
    });
    let mut stamps = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        stamps.push(writer.await.unwrap().0);
    }
    stamps.sort_unstable();
    assert_eq!(stamps, (1..=1_000).collect::<Vec<_>>());
    assert_eq!(all(&pond).await.len(), 1_000);
}
