//! Positions in commit order.

/// A position in commit order; 0 is before every commit.
///
/// Stamps rise strictly, also across a restart and a restore, but not without gaps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Stamp(pub u64);

impl Stamp {
    /// The bytes of a stamp in keys and values.
    pub const BYTES: usize = 8;

    /// The stamp as it stands in keys and values, so that byte order is commit order.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        self.0.to_be_bytes()
    }

    /// Reads a stamp from exactly eight bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Stamp> {
        bytes.try_into().ok().map(|bytes| Stamp(u64::from_be_bytes(bytes)))
    }
}
