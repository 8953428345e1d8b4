//! Who may write (§4.1): every opening of the data directory counts up the *instance*, and every commit of the connector
//! demands that the instance is still its own.
//!
//! The lock of the operating system keeps a second process out; where it does not hold, as on some file systems of a
//! network, a process that was replaced writes nothing more, however long it stood still.

use std::ops::{Deref, Range};

use ids::Timestamp;
use minicbor::{Decode, Encode};
use store::{Body, Store, Transaction, WriteError};

use crate::{
    Error, Result,
    error::failed,
    keyspace::{HERE, INSTANCE},
    surroundings::Surroundings,
};

/// The process that has the data directory.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct Instance {
    /// Counts up with every opening.
    #[n(0)]
    pub(crate) number: u64,
    /// When it was opened.
    #[n(1)]
    pub(crate) opened_at: Timestamp,
}

/// The store of one instance: it reads as any, and writes as long as nobody else has taken over.
pub(crate) struct Fenced {
    store: Store,
    instance: Instance,
}

impl Deref for Fenced {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl Fenced {
    /// Takes the data over from whoever had it.
    pub(crate) async fn take_over(store: &Store, surroundings: &Surroundings) -> Result<Self> {
        let opened_at = surroundings.now();
        let taken = store.write(async |tx: &mut Transaction| {
            let before = INSTANCE.get(tx, HERE, &()).await?.map_or(0, |instance| instance.number);
            let instance = Instance { number: before + 1, opened_at };
            INSTANCE.put(tx, HERE, &(), &instance);
            Ok(instance)
        });
        Ok(Fenced { store: store.clone(), instance: taken.await.map_err(failed)? })
    }

    /// The number of the instance.
    pub(crate) fn instance(&self) -> u64 {
        self.instance.number
    }

    /// As [`Store::write`], if the data is still ours at the commit.
    ///
    /// # Errors
    /// [`store::Error::Assertion`], which is [`Error::Superseded`] to callers, when it is not; those of the body.
    pub(crate) fn write<T, F>(
        &self,
        mut body: F,
    ) -> impl Future<Output = Result<T, WriteError<Error>>> + Send + use<T, F>
    where
        T: Send,
        F: AsyncFnMut(&mut Transaction) -> Result<T> + for<'a> Body<'a, T, Error> + Send,
    {
        let mut attempts = self.store.attempts();
        let fence = (INSTANCE.key(HERE, &()), store::Record::encode(&self.instance));
        async move {
            loop {
                let mut tx = attempts.begin();
                let value = body(&mut tx).await.map_err(WriteError::Body)?;
                if !tx.is_empty() {
                    tx.assert_equal(fence.0.clone(), fence.1.clone());
                }
                if attempts.commit(tx).await.map_err(WriteError::Store)? {
                    return Ok(value);
                }
            }
        }
    }

    /// As [`Store::clear`], if the data is still ours when it begins.
    pub(crate) async fn clear(&self, range: Range<Vec<u8>>) -> Result<u64> {
        if INSTANCE.get(&mut self.store.read(), HERE, &()).await?.as_ref() != Some(&self.instance) {
            return Err(Error::Superseded);
        }
        Ok(self.store.clear(range).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{audit, audit::Draft};

    #[tokio::test]
    async fn a23_27_who_was_replaced_reads_and_writes_nothing() {
        let (store, machine) = (Store::memory(), Surroundings::system());
        let record = async |fenced: &Fenced| {
            let draft = Draft::system("connector.started", "connector");
            let now = machine.now();
            let written = fenced.write(async |tx: &mut Transaction| audit::record(tx, &draft, now).await);
            written.await.map_err(failed)
        };
        let first = Fenced::take_over(&store, &machine).await.unwrap();
        assert_eq!(record(&first).await.unwrap(), 1);
        let second = Fenced::take_over(&store, &machine).await.unwrap();
        assert_eq!((first.instance(), second.instance()), (1, 2));
        assert!(matches!(record(&first).await, Err(Error::Superseded)));
        assert!(matches!(first.clear(INSTANCE.range(HERE)).await, Err(Error::Superseded)));
        assert_eq!(record(&second).await.unwrap(), 2);
        assert_eq!(audit::list(&first, 0).await.unwrap().len(), 2, "it may still read");
    }
}
