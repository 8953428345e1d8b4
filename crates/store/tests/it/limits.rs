//! Each limit, at its bound and one past it, on each engine.

use store::limits::*;
use store::{Direction, Error, Limit, Transaction};

use crate::support::*;

fn too_large(what: &'static str, size: usize, max: usize) -> Error {
    Error::TooLarge { what, size, max }
}

/// Commits `at`, which must fit, and `past`, which must not.
async fn bound(at: impl Fn(&mut Transaction), past: impl Fn(&mut Transaction), error: Error) {
    for kind in [Kind::Memory, Kind::Embedded] {
        let pond = kind.pond();
        commit(&pond, &at).await.unwrap();
        let before = all(&pond).await;
        assert_eq!(commit(&pond, &past).await, Err(error.clone()), "{kind:?}");
        assert_eq!(all(&pond).await, before);
    }
}

#[tokio::test]
async fn a_key_has_at_most_1024_bytes() {
    let error = too_large("the size of a key in bytes", 1_025, KEY_BYTES_MAX);
    let put = |size| move |tx: &mut Transaction| tx.put(vec![1; size], vec![]);
    bound(put(1_024), put(1_025), error.clone()).await;
    let append = |size| move |tx: &mut Transaction| tx.append(vec![1; size], vec![]);
    bound(append(1_014), append(1_015), error.clone()).await;
    let range = |size| move |tx: &mut Transaction| tx.delete_range(vec![1]..vec![2; size]);
    bound(range(1_024), range(1_025), error.clone()).await;
    let assertion = |size| move |tx: &mut Transaction| tx.assert_absent(vec![1; size]);
    bound(assertion(1_024), assertion(1_025), error).await;
}

#[tokio::test]
async fn a_value_has_at_most_90000_bytes() {
    let error = too_large("the size of a value in bytes", 90_001, VALUE_BYTES_MAX);
    let put = |size| move |tx: &mut Transaction| tx.put(vec![1], vec![0; size]);
    bound(put(90_000), put(90_001), error.clone()).await;
    let stamped = |size| move |tx: &mut Transaction| tx.put_stamped(vec![1], vec![0; size]);
    bound(stamped(89_992), stamped(89_993), error.clone()).await;
    let append = |size| move |tx: &mut Transaction| tx.append(vec![1], vec![0; size]);
    bound(append(90_000), append(90_001), error).await;
}

#[tokio::test]
async fn a_transaction_has_at_most_1000000_bytes() {
    let fill = |last: usize| {
        move |tx: &mut Transaction| {
            for number in 0..12_u8 {
                tx.put(vec![number], vec![7; 79_999]);
            }
            tx.put(vec![99], vec![7; last]);
            assert_eq!(tx.size(), (13, 960_001 + last));
        }
    };
    let error = too_large("the size of the transaction in bytes", 1_000_001, TRANSACTION_BYTES_MAX);
    bound(fill(39_999), fill(40_000), error).await;
}

#[tokio::test]
async fn a_transaction_has_at_most_2000_operations() {
    let fill = |count: u32| {
        move |tx: &mut Transaction| {
            for number in 4..count {
                tx.put(number.to_be_bytes().to_vec(), vec![]);
                tx.delete(number.to_be_bytes().to_vec());
            }
            tx.append(vec![1], vec![]);
            tx.add(vec![2], 1);
            tx.delete_range(vec![8]..vec![9]);
            tx.assert_absent(vec![10]);
        }
    };
    let error = too_large("the number of operations of the transaction", 2_001, TRANSACTION_OPERATIONS_MAX);
    bound(fill(2_000), fill(2_001), error).await;
}

#[tokio::test]
async fn a_transaction_has_at_most_10000_reads() {
    for kind in [Kind::Memory, Kind::Embedded] {
        let pond = kind.pond();
        for (reads, expected) in [(10_000, Ok(())), (10_001, Err(()))] {
            let mut tx = pond.begin();
            for number in 1..reads {
                tx.get(&u32::to_be_bytes(number)).await.unwrap();
            }
            tx.scan(under("a"), Direction::Forward, Limit::PAGE).await.unwrap();
            tx.put(vec![1], vec![]);
            let outcome = pond.commit(tx, store::Durability::Synced).await;
            assert_eq!(outcome.map(|_| ()).map_err(|error| assert_eq!(error, reads_error())), expected);
        }
    }
}

fn reads_error() -> Error {
    too_large("the number of reads of the transaction", 10_001, TRANSACTION_READS_MAX)
}

#[tokio::test]
async fn range_deletes_remove_at_most_10000_rows() {
    for kind in [Kind::Memory, Kind::Embedded] {
        let pond = kind.pond();
        for part in 0..5_u32 {
            let fill = |tx: &mut Transaction| {
                (0..2_000).for_each(|row| tx.put((part * 2_000 + row + 1).to_be_bytes().to_vec(), vec![]));
            };
            commit(&pond, fill).await.unwrap();
        }
        commit(&pond, |tx| tx.put(vec![0xf0], vec![])).await.unwrap();
        let error = too_large("the number of rows in the deleted ranges", 10_001, RANGE_ROWS_MAX);
        assert_eq!(commit(&pond, |tx| tx.delete_range(vec![]..vec![0xff])).await, Err(error));
        commit(&pond, |tx| tx.delete_range(vec![]..vec![0xf0])).await.unwrap();
        assert_eq!(all(&pond).await.len(), 1);
    }
}

#[tokio::test]
async fn the_stores_own_keys_are_out_of_reach() {
    for kind in [Kind::Memory, Kind::Embedded] {
        let pond = kind.pond();
        put(&pond, "a", "1").await;
        for key in [vec![], vec![0xff; 4], vec![0xff; 9]] {
            let error = Error::ReservedKey { key: store::Hex(key.clone()) };
            assert_eq!(commit(&pond, |tx| tx.put(key.clone(), vec![])).await, Err(error.clone()));
            assert_eq!(commit(&pond, |tx| tx.delete(key.clone())).await, Err(error.clone()));
            assert_eq!(commit(&pond, |tx| tx.assert_absent(key.clone())).await, Err(error));
        }
        commit(&pond, |tx| tx.delete_range(vec![]..vec![0xff; 20])).await.unwrap();
        let stamp = put(&pond, "b", "1").await;
        let mut tx = pond.read();
        let everything = tx.scan(vec![]..vec![0xff; 20], Direction::Backward, Limit::PAGE).await.unwrap();
        assert_eq!(keys(&everything.rows), ["b"]);
        assert_eq!(tx.get(&store_row(stamp)).await.unwrap(), None);
    }
}

/// The key of the note about a group of commits.
fn store_row(stamp: store::Stamp) -> Vec<u8> {
    [&[0xff, 0xff, 0xff, 0xff, 1][..], &stamp.to_bytes()].concat()
}
