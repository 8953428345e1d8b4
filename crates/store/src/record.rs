//! Records: the values of tables.

use crate::error::Corrupt;
use crate::scratch::written;
use crate::stamp::Stamp;

/// A value that can be stored.
///
/// Whatever minicbor can write and read is a record. Records are promises to every later version: give fields new
/// numbers, never old ones a new meaning.
pub trait Record: Sized {
    /// The stored bytes.
    fn encode(&self) -> Vec<u8>;

    /// Reads what `encode` wrote.
    fn decode(bytes: &[u8]) -> Result<Self, Corrupt>;
}

impl<T> Record for T
where
    T: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()>,
{
    fn encode(&self) -> Vec<u8> {
        written(|out| minicbor::encode(self, out).expect("writing to memory cannot fail, and records refuse no value"))
    }

    fn decode(bytes: &[u8]) -> Result<Self, Corrupt> {
        minicbor::decode(bytes).map_err(|error| Corrupt::new(error.to_string()))
    }
}

/// A record that carries the stamp of the commit which wrote it: the record's bytes, then the stamp's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamped<V> {
    /// The record.
    pub value: V,
    /// The commit that wrote it.
    pub stamp: Stamp,
}

impl<V: Record> Record for Stamped<V> {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = self.value.encode();
        bytes.extend_from_slice(&self.stamp.to_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self, Corrupt> {
        let (value, stamp) =
            bytes.split_last_chunk::<{ Stamp::BYTES }>().ok_or_else(|| Corrupt::new("the stamp is missing"))?;
        Ok(Stamped { value: V::decode(value)?, stamp: Stamp(u64::from_be_bytes(*stamp)) })
    }
}
