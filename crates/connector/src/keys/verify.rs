//! Whether the key at hand opens every data key.

use store::{Direction, Limit, Store};

use super::Keyring;
use crate::{
    Result,
    keyspace::{DATA_KEY, HERE},
};

/// Unwraps every data key; answers how many there are.
///
/// # Errors
/// When the store fails; [`Error::WrongKey`](super::Error::WrongKey) and [`Error::Damaged`](super::Error::Damaged) at
/// the first that does not open.
pub async fn verify(store: &Store, ring: &Keyring) -> Result<u64> {
    let mut tx = store.read();
    let (mut range, mut count) = (DATA_KEY.range(HERE), 0);
    loop {
        let page = DATA_KEY.scan(&mut tx, HERE, range.clone(), Direction::Forward, Limit::PAGE).await?;
        for (owner, _) in &page.rows {
            ring.load(&mut tx, owner).await?;
            count += 1;
        }
        match page.rows.last().filter(|_| page.more) {
            Some((owner, _)) => range.start = store::key::after(DATA_KEY.key(HERE, owner)),
            None => return Ok(count),
        }
    }
}
