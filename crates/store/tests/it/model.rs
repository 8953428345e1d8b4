//! Random transactions against a plain `BTreeMap`, on every engine.

use std::collections::BTreeMap;
use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use store::{Bytes, Direction, Durability, Error, Limit, Store, Transaction};

use crate::support::*;

/// One step of a transaction, over sixteen keys.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Put(u8, i64),
    Delete(u8),
    DeleteRange(u8, u8),
    Add(u8, i64),
    AssertAbsent(u8),
    Get(u8),
    Scan(u8, u8, bool, usize),
}

/// What a reading step saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Value(Option<Vec<u8>>),
    Rows(Vec<(Vec<u8>, Vec<u8>)>, bool),
}

/// The rows of a store, as a plain map.
pub(crate) type Model = BTreeMap<Vec<u8>, Vec<u8>>;

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let key = || 0..16_u8;
    prop_oneof![
        4 => (key(), any::<i64>()).prop_map(|(key, value)| Step::Put(key, value)),
        2 => key().prop_map(Step::Delete),
        1 => (key(), key()).prop_map(|(start, end)| Step::DeleteRange(start, end)),
        3 => (key(), any::<i64>()).prop_map(|(key, delta)| Step::Add(key, delta)),
        1 => key().prop_map(Step::AssertAbsent),
        3 => key().prop_map(Step::Get),
        3 => (key(), key(), any::<bool>(), 1..20_usize)
            .prop_map(|(start, end, back, rows)| Step::Scan(start, end, back, rows)),
    ]
}

pub(crate) fn key(key: u8) -> Vec<u8> {
    vec![b'k', key]
}

fn range(start: u8, end: u8) -> Range<Vec<u8>> {
    key(start)..key(end)
}

/// Takes one step in a transaction.
pub(crate) async fn take(tx: &mut Transaction, step: &Step) -> Result<Option<Seen>, Error> {
    match *step {
        Step::Put(at, value) => tx.put(key(at), value.to_le_bytes().to_vec()),
        Step::Delete(at) => tx.delete(key(at)),
        Step::DeleteRange(start, end) => tx.delete_range(range(start, end)),
        Step::Add(at, delta) => tx.add(key(at), delta),
        Step::AssertAbsent(at) => tx.assert_absent(key(at)),
        Step::Get(at) => return Ok(Some(Seen::Value(tx.get(&key(at)).await?.map(|value| value.to_vec())))),
        Step::Scan(start, end, is_back, rows) => {
            let direction = if is_back { Direction::Backward } else { Direction::Forward };
            let page = tx.scan(range(start, end), direction, Limit::rows(rows)).await?;
            return Ok(Some(Seen::Rows(owned(&page.rows), page.more)));
        }
    }
    Ok(None)
}

pub(crate) fn owned(rows: &[(Bytes, Bytes)]) -> Vec<(Vec<u8>, Vec<u8>)> {
    rows.iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
}

/// Takes a whole transaction in the model; `None` if an assertion fails, which changes nothing.
pub(crate) fn replay(model: &mut Model, steps: &[Step]) -> Option<Vec<Seen>> {
    let is_refused = |step: &Step| matches!(step, Step::AssertAbsent(at) if model.contains_key(&key(*at)));
    if steps.iter().any(is_refused) {
        return None;
    }
    Some(steps.iter().filter_map(|step| take_in_model(model, step)).collect())
}

fn take_in_model(model: &mut Model, step: &Step) -> Option<Seen> {
    match *step {
        Step::Put(at, value) => {
            model.insert(key(at), value.to_le_bytes().to_vec());
        }
        Step::Delete(at) => {
            model.remove(&key(at));
        }
        Step::DeleteRange(start, end) => model.retain(|key, _| !range(start, end).contains(key)),
        Step::Add(at, delta) => {
            let old = model.get(&key(at)).map_or(0, |old| i64::from_le_bytes(old[..].try_into().unwrap()));
            model.insert(key(at), old.wrapping_add(delta).to_le_bytes().to_vec());
        }
        Step::AssertAbsent(_) => {}
        Step::Get(at) => return Some(Seen::Value(model.get(&key(at)).cloned())),
        Step::Scan(start, end, is_back, rows) => {
            let mut found: Vec<_> = model.iter().filter(|(key, _)| range(start, end).contains(*key)).collect();
            if is_back {
                found.reverse();
            }
            let page = found.iter().take(rows).map(|(key, value)| ((*key).clone(), (*value).clone())).collect();
            return Some(Seen::Rows(page, found.len() > rows));
        }
    }
    None
}

/// Runs the transactions on a store and in the model, and compares every read and the outcome.
async fn agree(store: &Store, transactions: &[Vec<Step>]) {
    let mut model = Model::new();
    for steps in transactions {
        let mut tx = store.begin();
        let mut seen = Vec::new();
        for step in steps {
            seen.extend(take(&mut tx, step).await.unwrap());
        }
        let outcome = store.commit(tx, Durability::Buffered).await;
        match replay(&mut model, steps) {
            Some(expected) => {
                outcome.unwrap();
                assert_eq!(seen, expected);
            }
            None => assert!(matches!(outcome, Err(Error::Assertion { .. }))),
        }
        assert_eq!(owned(&all(store).await), model.clone().into_iter().collect::<Vec<_>>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_engine_agrees_with_a_map(transactions in vec(vec(step(), 0..14), 1..12)) {
        let clock = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        for kind in [Kind::Memory, Kind::Embedded] {
            clock.block_on(agree(&kind.pond(), &transactions));
        }
    }
}
