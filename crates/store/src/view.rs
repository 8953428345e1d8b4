//! What `begin` hands out: a published snapshot and its stamp.

use crate::engine::Snapshot;
use crate::stamp::Stamp;

/// One published state of the store; a transaction shares it.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) stamp: Stamp,
    pub(crate) snapshot: Snapshot,
}
