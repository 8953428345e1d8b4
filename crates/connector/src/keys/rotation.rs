//! Another key-encryption key: every data key is wrapped anew, a batch at a time, and a crash in between is no matter.

use std::sync::Arc;

use store::{Direction, Limit, Transaction};

use super::{Kek, KekRecord, Keyring, wrong};
use crate::{
    Result,
    error::failed,
    fence::Fenced,
    keyspace::{self, DATA_KEY, HERE, KEK},
    surroundings::Surroundings,
};

/// The data keys that are wrapped anew in one transaction.
const BATCH: usize = 100;

/// Wraps every data key under `new`, then forgets the old keys; answers how many keys were wrapped.
///
/// An interrupted rotation is finished by calling it again with the same new key: open the database with the old key
/// first. Until the last batch, the database opens with either.
///
/// # Errors
/// When the store fails, or a data key opens with no key at hand.
pub(crate) async fn rotate(store: &Fenced, ring: &Keyring, new: Kek, surroundings: &Surroundings) -> Result<u64> {
    begin(store, ring, Arc::new(new), surroundings).await?;
    let mut wrapped = 0;
    loop {
        let batch = rewrap(store, ring).await?;
        if batch == 0 {
            break;
        }
        wrapped += batch;
    }
    retire(store, ring).await?;
    Ok(wrapped)
}

/// From here on new data keys are wrapped under the new key.
pub(super) async fn begin(store: &Fenced, ring: &Keyring, new: Arc<Kek>, surroundings: &Surroundings) -> Result<()> {
    let now = surroundings.now();
    let written = store.write(async |tx: &mut Transaction| {
        let known = keyspace::all(tx, &KEK, KEK.range(HERE)).await?;
        for (id, record) in known {
            KEK.put(tx, HERE, &id, &KekRecord { is_current: false, ..record });
        }
        let record = KekRecord { check: new.check.clone(), added_at: now, is_current: true };
        KEK.put(tx, HERE, &new.id, &record);
        Ok(())
    });
    written.await.map_err(failed)?;
    let mut keys = ring.0.write();
    keys.retain(|kek| kek.id != new.id);
    keys.insert(0, new);
    Ok(())
}

/// Wraps one batch of data keys anew; answers how many.
pub(super) async fn rewrap(store: &Fenced, ring: &Keyring) -> Result<u64> {
    let current = ring.current();
    let mut range = DATA_KEY.range(HERE);
    loop {
        let from = range.clone();
        let written = store.write(async |tx: &mut Transaction| {
            let limit = Limit { rows: BATCH, ..Limit::PAGE };
            let page = DATA_KEY.scan(tx, HERE, from.clone(), Direction::Forward, limit).await?;
            let mut count = 0;
            for (owner, wrapped) in page.rows.iter().filter(|(_, wrapped)| wrapped.kek_id != current.id) {
                let old = ring.find(&wrapped.kek_id).ok_or_else(|| wrong(&wrapped.kek_id))?;
                let key = old.unwrap(owner, wrapped)?;
                DATA_KEY.put(tx, HERE, owner, &current.wrap(owner, key.bytes()));
                count += 1;
            }
            Ok((count, page.rows.last().map(|(owner, _)| owner.clone()).filter(|_| page.more)))
        });
        let (count, last) = written.await.map_err(failed)?;
        match last {
            _ if count > 0 => return Ok(count),
            Some(last) => range.start = store::key::after(DATA_KEY.key(HERE, &last)),
            None => return Ok(0),
        }
    }
}

/// Forgets every key but the current one.
async fn retire(store: &Fenced, ring: &Keyring) -> Result<()> {
    let written = store.write(async |tx: &mut Transaction| {
        let known = keyspace::all(tx, &KEK, KEK.range(HERE)).await?;
        for (id, _) in known.into_iter().filter(|(_, record)| !record.is_current) {
            KEK.delete(tx, HERE, &id);
        }
        Ok(())
    });
    written.await.map_err(failed)?;
    ring.0.write().truncate(1);
    Ok(())
}
